"""who is who as a person says"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    def told(table: str) -> list[sa.schema.SchemaItem]:
        key = sa.ForeignKeyConstraint(["org"], ["organisation.id"], name=op.f(f"fk_{table}_org_organisation"))
        more = [sa.Column(name, sa.BigInteger(), nullable=False) for name in ("run", "at")]
        return [*more, sa.Column("by", sa.Text(), nullable=False), key]

    def numbers(*names: str) -> list[sa.schema.SchemaItem]:
        return [sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False) for name in names]

    def org() -> sa.Column[int]:
        return sa.Column("org", sa.Integer(), nullable=False)

    op.create_table(
        "joined",
        org(),
        *numbers("one", "other"),
        *told("joined"),
        sa.PrimaryKeyConstraint("org", "one", "other", name=op.f("pk_joined")),
    )
    op.create_table(
        "parted",
        org(),
        *numbers("sighting", "side"),
        *told("parted"),
        sa.PrimaryKeyConstraint("org", "sighting", name=op.f("pk_parted")),
    )
