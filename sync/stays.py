"""A person's time in the segments, told: for `explain` and `person show`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sync.dates import format_date
from sync.desk import Desk
from sync.followup.segments import Stay


def stay_line(desk: Desk, stay: Stay) -> str:
    """`Regulars · since 3 September 2026`; "or earlier" where the segment was only drawn on that day."""
    told = "stay" if stay.until else "stay-open"
    code = f"{told}-drawn" if stay.drawn else told
    return f"{stay.name} · {desk.say(code, since=_day(desk, stay.since), until=_day(desk, stay.until))}"


def _day(desk: Desk, moment: datetime | None) -> str:
    return format_date(moment.astimezone(desk.config.zone), "long", locale=desk.language) if moment else ""


def stay_facts(stays: Sequence[Stay]) -> dict[str, Any]:
    """The same for `--json`, with the runs that say so."""
    return {
        "segments": [
            {
                "id": one.segment,
                "name": one.name,
                "since": one.since.isoformat(),
                "or_earlier": one.drawn,
                "run": one.run,
                "until": one.until.isoformat() if one.until else None,
                "until_run": one.until_run,
            }
            for one in stays
        ]
    }
