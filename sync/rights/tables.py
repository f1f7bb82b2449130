"""What remains of an erasure: that it was done, and which rows of the sheet still have to be emptied. No data."""

from __future__ import annotations

import sqlalchemy as sa

from sync.store.base import Utc, metadata, org_column

erasure = sa.Table(
    "erasure",
    metadata,
    org_column(),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("counts", sa.Text, nullable=False),  # JSON: how many of what
    sa.Column("done", Utc),  # when the sheet was empty of them too
)

erasure_row = sa.Table(
    "erasure_row",
    metadata,
    org_column(),
    sa.Column("tab", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, nullable=False),
)
