"""deeds of journeys have their time"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deed", sa.Column("no_later_than", sa.BigInteger()))
