"""The parts of Ghost's JSON that we read, as Ghost 5 and 6 give them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

Id = Annotated[str, msgspec.Meta(min_length=1)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**31)]


class Named(msgspec.Struct):
    id: Id
    name: str


class Newsletter(Named):
    slug: str
    status: str = "active"


class Suppression(msgspec.Struct):
    suppressed: bool = False
    info: dict[str, Any] | None = None


class Member(msgspec.Struct):
    """A member as kept: `newsletters` are those they receive, `others` those they do not."""

    id: Id
    email: str | None = None
    name: str | None = None
    subscribed: bool = False
    created_at: Moment | None = None
    updated_at: Moment | None = None
    email_suppression: Suppression | None = None
    labels: list[Named] = []
    newsletters: list[Named] = []
    others: list[Named] = []
    email_count: Number | None = None
    email_opened_count: Number | None = None
    last_seen_at: Moment | None = None


class Pagination(msgspec.Struct):
    total: int
    next: int | None = None


class Meta(msgspec.Struct):
    pagination: Pagination


class Listing(msgspec.Struct):
    """One page of any of Ghost's lists."""

    meta: Meta
    members: list[dict[str, Any]] = []
    newsletters: list[Newsletter] = []
    labels: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
