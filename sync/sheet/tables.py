"""What the engine remembers of a tab."""

from __future__ import annotations

import sqlalchemy as sa

from sync.store.base import Utc, metadata, org_column

sheet_tab = sa.Table(
    "sheet_tab",
    metadata,
    org_column(),
    sa.Column("tab", sa.Text, primary_key=True),
    sa.Column("revision", sa.Text),  # of the last reading after which nothing was left to do, else null
    sa.Column("columns", sa.Text, nullable=False),  # the mapping then, JSON
    sa.Column("dropped", sa.Text, nullable=False),  # mapped fields whose column the team removed for good, JSON
    sa.Column("wanted", sa.Text),  # what we wanted when the revision was noted, as one number
    sa.Column("team", sa.LargeBinary),  # the team's columns as last read, Arrow IPC
    sa.Column("read", Utc, nullable=False),
)

sheet_row = sa.Table(
    "sheet_row",
    metadata,
    org_column(),
    sa.Column("tab", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("cells", sa.Text, nullable=False),  # the plain text last agreed on, by field, JSON
    sa.Column("standing", sa.Text),  # where the team's cell stands against ours: what we wanted then, by field, JSON
    sa.Column("missing", sa.Integer, nullable=False, default=0),  # complete readings in a row without it
    sa.Column("missing_run", sa.Integer),  # the run that counted last
    sa.Column("hidden", Utc),  # since when the person is hidden from this tab
)

sheet_intent = sa.Table(
    "sheet_intent",
    metadata,
    org_column(),
    sa.Column("stamp", sa.Text, primary_key=True),
    sa.Column("tab", sa.Text, nullable=False),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("changes", sa.Text, nullable=False),
)

sheet_journal = sa.Table(
    "sheet_journal",
    metadata,
    org_column(),
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True),
    sa.Column("tab", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # sync.sheet.journal.KINDS
    sa.Column("key", sa.Text),
    sa.Column("field", sa.Text),
    sa.Column("was", sa.Text),  # a cell, JSON (sync.sheet.journal.pack)
    sa.Column("value", sa.Text),  # a cell, JSON
    sa.Column("why", sa.Text),
    sa.Index("ix_sheet_journal_key", "org", "tab", "key"),
)
