"""an approval is of what was seen"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approved_action",
        sa.Column("org", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("org", "rule", "kind", "name"),
    )
    op.execute(
        "INSERT INTO approved_action (org, rule, kind, name) SELECT DISTINCT t.org, t.rule, 'email', t.template"
        " FROM outbox t JOIN rule_state s ON s.org = t.org AND s.rule = t.rule"
        " WHERE s.approved_at IS NOT NULL AND t.approved_at IS NOT NULL"
    )
    op.execute(
        "INSERT INTO approved_action (org, rule, kind, name) SELECT DISTINCT t.org, t.rule, 'newsletter', ''"
        " FROM deed t JOIN rule_state s ON s.org = t.org AND s.rule = t.rule"
        " WHERE s.approved_at IS NOT NULL AND t.kind = 'newsletter' AND t.state = 'done'"
    )
