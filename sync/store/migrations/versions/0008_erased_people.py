"""erased people"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    def org(table: str) -> list[sa.schema.SchemaItem]:
        key = sa.ForeignKeyConstraint(["org"], ["organisation.id"], name=op.f(f"fk_{table}_org_organisation"))
        return [sa.Column("org", sa.Integer(), nullable=False), key]

    op.create_table(
        "erased",
        *org("erased"),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("org", "mark", name=op.f("pk_erased")),
    )
    op.create_table(
        "erasure",
        *org("erasure"),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("org", "code", name=op.f("pk_erasure")),
    )
    op.create_table(
        "erasure_row",
        *org("erasure_row"),
        sa.Column("tab", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("org", "tab", "key", name=op.f("pk_erasure_row")),
    )
