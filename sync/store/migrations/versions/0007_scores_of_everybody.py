"""scores of everybody: how lately, how often and for how much they came"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("recency_score", "frequency_score", "money_score"):
        op.add_column("profile", sa.Column(name, sa.BigInteger(), nullable=True))
