"""addresses and what was said, by person"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_sighting_person", "sighting")
    only("ix_sighting_person", "sighting", ["org", "person", "email_key"], "person IS NOT NULL")
    only("ix_fact_said", "fact", ["org", "sighting"], "kind IN ('consent', 'subscription')")


def only(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)
