"""segments with their history: who was in which, since when and until when"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "segment_definition",
        sa.Column("org", sa.Integer(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"], name=op.f("fk_segment_definition_org_organisation")),
        sa.PrimaryKeyConstraint("org", "segment", "run", name=op.f("pk_segment_definition")),
    )
    op.create_table(
        "segment_stay",
        sa.Column("org", sa.Integer(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("until_run", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"], name=op.f("fk_segment_stay_org_organisation")),
        sa.PrimaryKeyConstraint("org", "segment", "person_id", "since", name=op.f("pk_segment_stay")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_segment_stay_person", "segment_stay", ["org", "person_id"])
