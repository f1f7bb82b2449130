"""journeys and their steps"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

LOOSE = {
    "ix_fact_loose": "kind = 'visit' AND event IS NULL",
    "ix_fact_donation": "kind = 'donation'",
    "ix_fact_answer": "kind = 'answer'",
}


def upgrade() -> None:
    op.create_table(
        "journey_step",
        sa.Column("org", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"], name=op.f("fk_journey_step_org_organisation")),
        sa.PrimaryKeyConstraint("org", "rule", "person_id", "occasion", "step", name=op.f("pk_journey_step")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("rule_state") as state:
        state.add_column(sa.Column("judged", sa.BigInteger(), nullable=True))
    for name, where in LOOSE.items():
        there = sa.text(where)
        op.create_index(name, "fact", ["org", "at"], sqlite_where=there, postgresql_where=there)
