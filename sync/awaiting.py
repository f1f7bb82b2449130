"""What waits for a yes, in sentences: how much of what, until when, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rules.conditions import Email
from rules.phrases import long_date
from rules.step_times import late_said
from sync.desk import Desk
from sync.followup import approvals
from sync.followup.approvals import Batch
from sync.followup.decide import digest_of
from sync.person import told_when

if TYPE_CHECKING:
    from rules.journeys import Journey
    from sync.work import Work

KINDS = ("mails", "tasks", "deeds")
NAMED = 3
SOON = timedelta(days=14)
BY_THE_HOUR = timedelta(days=2)  # nearer than that, the hour counts
LAST_MINUTE = (23, 59)


def waiting_lines(desk: Desk, batches: Iterable[Batch]) -> list[str]:
    """Each kind of thing that waits of each rule, with the command that lets it go, and until when."""
    return [line for batch in batches for line in _of_rule(desk, batch)]


def _of_rule(desk: Desk, batch: Batch) -> Iterator[str]:
    command = desk.command("approve", batch.rule)
    for kind in KINDS:
        if n := getattr(batch, kind):
            yield desk.say(f"waits-{kind}", rule=batch.rule_name, n=n, command=command)
    if told := until(desk, batch):
        yield f"  {told}"


def until(desk: Desk, batch: Batch) -> str:
    """How many of its e-mails and deeds are too late after which day of the next two weeks, the nearest first; "" for none."""
    now, ends = desk.clock.now(), Counter[str]()
    for moment, n in (one for one in batch.until if one[0] - now < SOON):
        ends["" if moment < now else _end(desk, moment, now)] += n
    over = ends.pop("", 0)
    told = [desk.say("waits-over", n=over)] if over else []
    told += [desk.say("waits-until", n=n, day=day) for day, n in list(ends.items())[:NAMED]]
    return " · ".join(told) + (" …" if len(ends) > NAMED else "")


def _end(desk: Desk, moment: datetime, now: datetime) -> str:
    local = moment.astimezone(desk.config.zone)
    if (local.hour, local.minute) != LAST_MINUTE and moment - now < BY_THE_HOUR:
        return told_when(desk, moment)
    return long_date(desk.language, local.date())


def how_much(desk: Desk, batches: Sequence[Batch]) -> str:
    """`98 e-mails · 135 tasks`; "" where nothing waits."""
    total = {kind: sum(getattr(batch, kind) for batch in batches) for kind in KINDS}
    return " · ".join(desk.say(f"counted-{kind}", n=n) for kind, n in total.items() if n)


def braked(work: Work, tasks: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Of tasks as `one_rule.tasks` tells them, how many of which rule wait for a yes, and the limit that is why."""
    desk, waiting = work.desk, Counter(one["rule"] for one in tasks if one["state"] == "waiting")
    for one in (one for one in work.book.acting if waiting[one.id]):
        with desk.store.look() as connection:
            limit = approvals.brake(connection, desk.store.org, one.id, digest_of(one, desk.templates[0]))
        yield desk.say("preview-tasks-wait", n=waiting[one.id], rule=one.name, limit=limit)


def journeys_ask(desk: Desk, journeys: Iterable[Journey]) -> Iterator[str]:
    """For each journey with e-mails that nobody said yes to, how long each of these waits for a yes."""
    for journey in (one for one in journeys if one.active):
        this, found = (desk.store.org, journey.id, digest_of(journey, desk.templates[0])), dict[str, None]()
        with desk.store.look() as connection:
            for step in journey.steps:
                mail = step.action.template if isinstance(step.action, Email) else None
                if mail and approvals.would_wait(connection, *this, "email", mail):
                    period = late_said(desk.language, step.no_later_than)
                    found[desk.say("preview-journey-asks-each", mail=mail, period=period)] = None
        if found:
            yield desk.say("preview-journey-asks", name=journey.name, mails=" · ".join(found))
