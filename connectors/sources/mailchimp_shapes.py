"""The parts of Mailchimp's lists and reports that we read; a member's own stand in `mailchimp_member`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from connectors.sources.mailchimp_member import time_of


class Stats(msgspec.Struct):
    member_count: int = 0


class Audience(msgspec.Struct):
    """What Mailchimp calls an audience, and its API a list."""

    id: str
    name: str = ""
    stats: Stats = msgspec.field(default_factory=Stats)


class Audiences(msgspec.Struct):
    lists: list[Audience]


class Members(msgspec.Struct):
    total_items: int
    members: list[dict[str, Any]] = []


class Report(msgspec.Struct):
    """`opens` and `clicks` tell whether anything happened since the campaign was last read."""

    id: str
    send_time: str = ""
    list_id: str = ""
    opens: dict[str, Any] = {}
    clicks: dict[str, Any] = {}

    @property
    def sent(self) -> datetime | None:
        return time_of(self.send_time)

    @property
    def mark(self) -> str:
        return f"{self.opens.get('opens_total')}/{self.clicks.get('clicks_total')}"


class Reports(msgspec.Struct):
    total_items: int
    reports: list[Report] = []


class Emails(msgspec.Struct):
    total_items: int
    emails: list[dict[str, Any]] = []
