"""sighting keys only where there are any"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    keys = {name: [name] for name in ("person", "email_key", "phone_key", "place_key", "name_key")}
    for name, columns in {"customer": ["source", "customer"], **keys}.items():
        there = sa.text(f"{name} IS NOT NULL")
        op.drop_index(f"ix_sighting_{name}", "sighting")
        op.create_index(
            f"ix_sighting_{name}", "sighting", ["org", *columns], sqlite_where=there, postgresql_where=there
        )
