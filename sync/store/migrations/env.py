"""How Alembic reaches our tables: through the connection that `sync.store.upgrade` holds."""

from __future__ import annotations

from alembic import context

from sync.store.upgrade import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables(),
    render_as_batch=True,
    compare_type=True,
    transaction_per_migration=False,
)
context.run_migrations()
