"""What is remembered of rules and e-mails. Every table carries its organisation; times are UTC.

An e-mail is one row of `outbox`, unique by (rule, step, person, occasion). The occasion is the local day on which the
person entered the rule, or on which `again` came round: no day comes twice, so no e-mail does. Its states:

    planned ──wait over──► waiting ──approval──► approved ──► sending ──► sent
       │                      │                     │ ▲          │ ├────► failed      refused for good, or too often
       └──left the rule───────┴────► cancelled      ▼ │          │ └────► uncertain   nobody knows: a person decides
                                                   held ◄────────┘ (approved again: refused for now)
"""

from __future__ import annotations

import sqlalchemy as sa

from sync.store.base import Utc, metadata, org_column

OUTBOX_STATES = (
    "planned", "waiting", "approved", "sending", "sent", "held", "cancelled", "failed", "uncertain",
)  # fmt: skip
OPEN_STATES = ("planned", "waiting", "approved", "held")
"""Not gone yet: leaving the rule cancels these."""
GONE_STATES = ("sending", "sent", "uncertain")
"""May have reached the person."""
PASSING = ("quiet-hours", "quiet-day", "cap", "day-full", "slow-start", "stale-source", "older-copy")
"""Reasons of `held` that time takes away: such an e-mail goes later, or becomes too late."""
SUPPRESSIONS = ("unsubscribed", "complained", "nothing-more", "bounced", "erased")
"""Why an address is not written to: news for the first two, anything for `nothing-more` and `bounced`; for `erased` see
`consent.right`.
"""

rule_state = sa.Table(
    "rule_state",
    metadata,
    org_column(),
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("first_seen", Utc, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False, default=True),
    sa.Column("judged", Utc),  # of a journey: until when its steps were looked at
    sa.Column("stale", sa.Text),  # why its e-mails wait: a source of its fields was not pulled in time
    sa.Column("approved_digest", sa.Text),
    sa.Column("approved_at", Utc),
    sa.Column("approved_by", sa.Text),
)

approved_action = sa.Table(
    "approved_action",  # what a person saw of a rule when they said yes: an e-mail that nobody saw waits when it first comes
    metadata,
    org_column(),
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),  # email · newsletter
    sa.Column("name", sa.Text, primary_key=True),  # the template; nothing for newsletter
)

standing = sa.Table(
    "standing",
    metadata,
    org_column(),
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("person_id", sa.Integer, primary_key=True),
    sa.Column("inside", sa.Boolean, nullable=False),
    sa.Column("since", Utc, nullable=False),  # of the last entry
    sa.Column("entered_run", sa.Integer, nullable=False),
    sa.Column("left_at", Utc),
    sa.Column("left_run", sa.Integer),
    sqlite_with_rowid=False,
)
sa.Index("ix_standing_inside", standing.c.org, standing.c.rule, standing.c.inside)

flag = sa.Table(
    "flag",
    metadata,
    org_column(),
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("person_id", sa.Integer, primary_key=True),
    sa.Column("since", Utc, primary_key=True),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("until", Utc),
    sa.Column("until_run", sa.Integer),
)
sa.Index("ix_flag_person", flag.c.org, flag.c.person_id, flag.c.until)

segment_definition = sa.Table(  # a row for each run in which the team made, changed, renamed or took out a segment
    "segment_definition",
    metadata,
    org_column(),
    sa.Column("segment", sa.Text, primary_key=True),
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
)

segment_stay = sa.Table(  # a person's time in a segment; `until` null: still there
    "segment_stay",
    metadata,
    org_column(),
    sa.Column("segment", sa.Text, primary_key=True),
    sa.Column("person_id", sa.Integer, primary_key=True),
    sa.Column("since", Utc, primary_key=True),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("until", Utc),
    sa.Column("until_run", sa.Integer),
    sqlite_with_rowid=False,
)
sa.Index("ix_segment_stay_person", segment_stay.c.org, segment_stay.c.person_id)

journey_step = sa.Table(
    "journey_step",
    metadata,
    org_column(),
    sa.Column("rule", sa.Text, primary_key=True),  # the journey
    sa.Column("person_id", sa.Integer, primary_key=True),
    sa.Column("occasion", sa.Text, primary_key=True),
    sa.Column("step", sa.Text, primary_key=True),
    sa.Column("due", Utc, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # done · skipped · late
    sa.Column("reason", sa.Text),
    sa.Column("at", Utc, nullable=False),
    sa.Column("run", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""What became of each step whose time came. An e-mail's own row in the outbox tells how it went on."""

cell_to_set = sa.Table(
    "cell_to_set",
    metadata,
    org_column(),
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("column", sa.Text, primary_key=True),
    sa.Column("person_id", sa.Integer, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("written_run", sa.Integer),
)

task = sa.Table(
    "task",
    metadata,
    org_column(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("person_id", sa.Integer, nullable=False),
    sa.Column("occasion", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),  # a template: `compose.fill` puts the person in
    sa.Column("assignee", sa.Text),
    sa.Column("due", sa.Date),
    sa.Column("state", sa.Text, nullable=False),  # waiting · open · done · cancelled
    sa.Column("batch", sa.Text),
    sa.Column("made", Utc, nullable=False),
    sa.Column("run", sa.Integer, nullable=False),
)
sa.Index("ix_task_rule", task.c.org, task.c.rule, task.c.state)

deed = sa.Table(
    "deed",
    metadata,
    org_column(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),  # review · forget · notify · webhook · newsletter: see `deeds`
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("person_id", sa.Integer, nullable=False),
    sa.Column("occasion", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),  # JSON: what the action says
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("answer", sa.Text),  # the other side's own words
    sa.Column("batch", sa.Text),
    sa.Column("not_before", Utc, nullable=False),
    sa.Column("no_later_than", Utc),  # of a journey's step; null: 30 days from `made`, or as long as it takes
    sa.Column("made", Utc, nullable=False),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("approved_at", Utc),
    sa.Column("approved_by", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("settled_at", Utc),
    sa.UniqueConstraint("org", "rule", "step", "person_id", "occasion"),
)
sa.Index("ix_deed_kind", deed.c.org, deed.c.kind, deed.c.state)
sa.Index("ix_deed_person", deed.c.org, deed.c.person_id)

staff_mail = sa.Table(
    "staff_mail",
    metadata,
    org_column(),
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("address", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),  # sending · sent · failed · uncertain
    sa.Column("message_id", sa.Text, nullable=False),
    sa.Column("answer", sa.Text),
    sa.Column("made", Utc, nullable=False),
    sa.Column("told", sa.Boolean, nullable=False, default=False),  # a later e-mail said that this one is uncertain
)

outbox = sa.Table(
    "outbox",
    metadata,
    org_column(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("person_id", sa.Integer, nullable=False),
    sa.Column("occasion", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("answer", sa.Text),  # the server's own words
    sa.Column("template", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text),  # None: as the template says
    sa.Column("batch", sa.Text),
    sa.Column("not_before", Utc, nullable=False),
    sa.Column("no_later_than", Utc, nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("created_run", sa.Integer, nullable=False),
    sa.Column("approved_at", Utc),
    sa.Column("approved_by", sa.Text),
    sa.Column("text", sa.Text),  # of one that waits or was approved alone: how its template read when it was shown
    sa.Column("language", sa.Text),
    sa.Column("subject", sa.Text),
    sa.Column("basis", sa.Text),  # by what right: consent · customer · gift · service
    sa.Column("address_hash", sa.Text),
    sa.Column("message_id", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("sending_run", sa.Integer),
    sa.Column("settled_at", Utc),
    sa.UniqueConstraint("org", "rule", "step", "person_id", "occasion"),
    sa.CheckConstraint(sa.column("state").in_(OUTBOX_STATES), name="state"),
)
sa.Index("ix_outbox_state", outbox.c.org, outbox.c.state, outbox.c.not_before)
sa.Index("ix_outbox_person", outbox.c.org, outbox.c.person_id)
for _known in ("address_hash", "settled_at"):
    _there = sa.text(f"{_known} IS NOT NULL")
    sa.Index(f"ix_outbox_{_known}", outbox.c.org, outbox.c[_known], sqlite_where=_there, postgresql_where=_there)
_gone = outbox.c.state.in_(GONE_STATES)
sa.Index(
    "uq_outbox_address",  # two people on one address: one e-mail an occasion, whatever two senders do at once
    outbox.c.org, outbox.c.rule, outbox.c.step, outbox.c.occasion, outbox.c.address_hash,
    unique=True, sqlite_where=_gone, postgresql_where=_gone,
)  # fmt: skip


def is_in(*states: str) -> sa.ColumnElement[bool]:
    """Whether an e-mail is in one of these states. They stand in the SQL itself: nothing to fill in for each e-mail, and
    both databases can use an index that is kept for some states only.
    """
    return outbox.c.state.in_(_words(states))


def is_now_in(*states: str) -> sa.ColumnElement[bool]:
    """The same of an e-mail that is found by its id, person or address. PostgreSQL's planner, which counts from time to
    time only, else takes the index kept for the gone ones, that was empty when it counted and fills while they leave.
    """
    return sa.func.coalesce(outbox.c.state, "").in_(_words(states))


def _words(states: tuple[str, ...]) -> list[sa.ColumnElement[str]]:
    return [sa.literal_column(f"'{state}'") for state in states]


suppression = sa.Table(
    "suppression",  # whom not to write to, without saying who: it outlives the person's erasure
    metadata,
    org_column(),
    sa.Column("address_hash", sa.Text, primary_key=True),  # see `suppression._keyed`
    sa.Column("reason", sa.Text, primary_key=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Column("lifted_at", Utc),
    sa.Column("lifted_by", sa.Text),  # the person's own act, in words
)

wish = sa.Table(
    "wish",  # what people told us themselves of what they want to receive; only added to, the newest counts
    metadata,
    org_column(),
    sa.Column("no", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("person_id", sa.Integer, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("topic", sa.Text),  # as templates name it; null: everything of this purpose
    sa.Column("granted", sa.Boolean, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("how", sa.Text, nullable=False),  # page · one-click · mail · complaint
)
sa.Index("ix_wish_person", wish.c.org, wish.c.person_id)

returned = sa.Table(
    "returned",  # what came back of an e-mail that was sent: one a mail, the worst
    metadata,
    org_column(),
    sa.Column("mail", sa.Text, primary_key=True),  # its id in the outbox
    sa.Column("kind", sa.Text, nullable=False),  # bad-address · full-or-away · policy · complaint
    sa.Column("status", sa.Text, nullable=False),  # x.y.z of RFC 3463
    sa.Column("at", Utc, nullable=False),
)
sa.Index("ix_outbox_message_id", outbox.c.org, outbox.c.message_id)
