"""Ghost: the members of a newsletter, what they receive and their labels (Admin API, Ghost 5 and 6).

In Ghost 6 an unsubscribe or a changed label does not move `updated_at` and a deletion leaves no trace, so no filter finds
what changed. Each pull asks three small questions (how many members and which was edited last, how many events and the
newest, how many members per label) and reads everybody as soon as one answer differs, and at least once a day. What the
questions can't see (two members who swap labels, a suppression lifted by hand, a newsletter renamed) is therefore known within a day.

Facts: Ghost's Admin API documentation, and Ghost 6.65 itself, against which `tests/real/test_ghost.py` runs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec
import pydantic
from pydantic_core import PydanticCustomError

from connectors.client import Answer, Client
from connectors.records import Consent, Engagement, Person, Record, Subscription
from connectors.source import Account, Broken, Object, Page, Setting
from connectors.sources.ghost_login import Signature, its_time
from connectors.sources.ghost_shapes import Listing, Member, Newsletter
from connectors.sources.ghost_writing import Writing
from connectors.trouble import FixFile, GiveUp, SetAside

SERVICE = "Ghost"
MOST = 100  # Ghost 6 gives no more, whatever is asked, and does not say so
EVERYBODY_EVERY = timedelta(hours=20)  # less than a day, so that a daily run always reads everybody
SETTLED_AFTER = timedelta(seconds=2)  # times have a grain of one second: an edit within it can't be told from the last
KEY = re.compile(r"^[0-9a-f]{24}:(?:[0-9a-f]{2}){16,}$", re.IGNORECASE)
KEPT = ("id", "email", "name", "status", "subscribed", "created_at", "updated_at", "email_suppression")
COUNTED = ("email_count", "email_opened_count", "last_seen_at")
EVENTS = (
    "newsletter_event",
    "email_change_event",
    "email_delivered_event",
    "email_opened_event",
    "email_failed_event",
    "email_complained_event",
)
Shape = TypeVar("Shape")


def site_address(text: str) -> str:
    """`https://phare.example/ghost/#/members`, as copied from a browser, means the site `https://phare.example`."""
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PydanticCustomError("ghost-url", "must be the address of the site, e.g. https://phare.example")
    return f"{parts.scheme}://{parts.netloc}{re.sub(r'/ghost(/.*)?$', '', parts.path).rstrip('/')}"


def admin_key(secret: pydantic.SecretStr) -> pydantic.SecretStr:
    if not KEY.match(secret.get_secret_value().strip()):
        raise PydanticCustomError("ghost-key", "must be an Admin API key, id:secret")
    return pydantic.SecretStr(secret.get_secret_value().strip())


class GhostSettings(pydantic.BaseModel):
    """The block of a Ghost in the config."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, pydantic.AfterValidator(site_address)] = pydantic.Field(
        validation_alias=pydantic.AliasChoices("url", "endpoint"),
        description="The address of the site: https://phare.example",
    )
    key: Annotated[pydantic.SecretStr, pydantic.AfterValidator(admin_key)] = pydantic.Field(
        description="Admin API key (Settings, Advanced, Integrations, Add custom integration)."
    )
    newsletters: tuple[str, ...] = pydantic.Field((), description="Only these newsletters, by slug; all when left out.")
    engagement: bool = pydantic.Field(
        True, description="Whether to keep how many e-mails a member received and opened."
    )


class Place(msgspec.Struct):
    """The cursor: the three answers at the last reading of everybody, and when that was. No mark: read again."""

    everybody: datetime
    mark: str | None = None


class Ghost(Writing):
    """Members of one Ghost site. Objects: `member` and `newsletter`, by Ghost's ids."""

    service: ClassVar[str] = "ghost"
    version: ClassVar[int] = 1
    gives: ClassVar[frozenset[str]] = frozenset({"person", "subscription", "engagement", "consent"})
    Settings: ClassVar[type[pydantic.BaseModel]] = GhostSettings

    def __init__(self, settings: GhostSettings, setting: Setting) -> None:
        self._settings = settings
        self._setting = setting
        self._key = Signature(settings.key.get_secret_value(), setting)
        self._client = Client(
            SERVICE,
            f"{settings.url}/ghost/api/admin/",
            setting=setting,
            headers={"Accept-Version": "v6.0"},
            auth=self._key,
            pace=(10, 1.0),
            secrets=self._key.secrets,
        )

    @property
    def calls(self) -> int:
        return self._client.calls

    def check(self) -> Account:
        """The site's title, how many members it has and which newsletters; says so when this machine's clock is wrong."""
        site = self._client.get("site/", expect=(404,))
        title = site.json().get("site", {}).get("title") if site.status == 200 else None
        if not isinstance(title, str):
            raise FixFile("ghost-not-here", url=self._settings.url)
        total = self._list("members/", limit=1, fields="id").meta.pagination.total
        names = ", ".join(newsletter.name for newsletter in self._newsletters())
        remarks: list[tuple[str, dict[str, str]]] = [("ghost-found", {"members": str(total), "newsletters": names})]
        if self._key.skew:
            remarks.append(("clock-wrong", {"minutes": str(round(abs(self._key.skew) / 60))}))
        return Account(title, remarks)

    def pull(self, cursor: str | None) -> Iterator[Page]:
        """Nothing when nothing changed since `cursor`, else every member. Deletions are known after each whole reading."""
        place = msgspec.json.decode(cursor, type=Place) if cursor else None
        total, mark = self._look()
        if place and place.mark and place.mark == mark and self._fresh(place):
            return
        newsletters = self._newsletters()
        yield Page([_newsletter(newsletter) for newsletter in newsletters], complete=("newsletter",))
        yield from self._everybody(newsletters, total, mark)

    def _everybody(self, newsletters: Sequence[Newsletter], total: int, mark: str | None) -> Iterator[Page]:
        """All members, oldest id first. Each page starts after the last id seen, so that members who are deleted while
        we read move nobody from one page to another. Only if no number moved meanwhile is the reading called complete.
        """
        started = self._setting.now()
        seen: set[str] = set()
        for members in self._members():
            seen.update(str(member["id"]) for member in members if "id" in member)
            yield Page(*self._objects(members, newsletters))
        now = self._list("members/", limit=1, fields="id").meta.pagination.total
        steady = total == now == len(seen)
        place = Place(started, mark if steady else None)
        yield Page(cursor=msgspec.json.encode(place).decode(), complete=("member",) if steady else ())

    def records(self, thing: Object) -> Sequence[Record]:
        """Who a member is, where they stand with each newsletter, their consent and their counts."""
        if thing.kind != "member":
            return ()
        try:
            member = msgspec.json.decode(thing.raw, type=Member)
        except msgspec.MsgspecError as fault:
            raise SetAside("ghost-unreadable", detail=str(fault)) from None
        return (_person(member), *_subscriptions(member), *_consent(member), *_engagement(member))

    def letters(self) -> list[str]:
        return [letter.id for letter in self._newsletters()]

    def close(self) -> None:
        self._client.close()

    # --- asking --------------------------------------------------------------------------------------------------

    def _list(self, path: str, **params: Any) -> Listing:
        return _shaped(self._client.get(path, params), Listing)

    def _newsletters(self) -> list[Newsletter]:
        """The active newsletters that the config asks for, in a lasting order."""
        found = self._list("newsletters/", limit=MOST, filter="status:active", order="id asc").newsletters
        wanted = self._settings.newsletters
        missing = [slug for slug in wanted if slug not in {newsletter.slug for newsletter in found}]
        if missing:
            known = ", ".join(newsletter.slug for newsletter in found)
            raise FixFile("ghost-no-newsletter", missing=", ".join(missing), known=known)
        return [newsletter for newsletter in found if not wanted or newsletter.slug in wanted]

    def _look(self) -> tuple[int, str | None]:
        """How many members there are, and a mark that differs as soon as one of them does (see the top of this file)."""
        answer = self._client.get("members/", {"limit": 1, "order": "updated_at desc", "fields": "id,updated_at"})
        members = _shaped(answer, Listing)
        events = self._list("members/events/", limit=1, filter=f"type:[{','.join(EVENTS)}]")
        labels = self._list("labels/", limit=MOST, include="count.members", order="id asc")
        newest = [{"id": member.get("id"), "updated_at": member.get("updated_at")} for member in members.members[:1]]
        seen = [
            members.meta.pagination.total,
            newest,
            events.meta.pagination.total,
            [event.get("data", {}).get("id") for event in events.events],
            [(label.get("id"), label.get("name"), label.get("count")) for label in labels.labels],
            self._settings.newsletters,
            self._settings.engagement,
        ]
        mark = hashlib.sha256(msgspec.json.encode(seen)).hexdigest()
        return members.meta.pagination.total, mark if self._settled(answer, newest) else None

    def _settled(self, answer: Answer, newest: Sequence[dict[str, Any]]) -> bool:
        """Whether the last edit is long enough ago that another one would carry a later time."""
        edited = _time(newest[0].get("updated_at")) if newest else None
        return edited is None or edited < its_time(answer.headers, self._setting) - SETTLED_AFTER

    def _fresh(self, place: Place) -> bool:
        return timedelta(0) <= self._setting.now() - place.everybody < EVERYBODY_EVERY

    def _members(self) -> Iterator[list[dict[str, Any]]]:
        last = ""
        while True:
            after = {"filter": f"id:>'{last}'"} if last else {}
            listing = self._list("members/", limit=MOST, order="id asc", **after)
            yield listing.members
            if listing.meta.pagination.next is None or not listing.members:
                return
            reached = str(listing.members[-1].get("id", ""))
            if reached <= last:
                raise GiveUp("paging-loop", service=SERVICE, path="/ghost/api/admin/members/")
            last = reached

    def _objects(
        self, members: Sequence[dict[str, Any]], newsletters: Sequence[Newsletter]
    ) -> tuple[list[Object], str | None, tuple[str, ...], str, list[Broken]]:
        objects, broken = [], []
        for member in members:
            raw = msgspec.json.encode(self._kept(member, newsletters))
            if isinstance(member.get("id"), str):
                objects.append(Object("member", member["id"], raw))
            else:
                broken.append(
                    Broken("member", hashlib.sha256(raw).hexdigest(), raw, "ghost-unreadable", {"detail": "id"})
                )
        return objects, None, (), "", broken

    def _kept(self, member: dict[str, Any], newsletters: Sequence[Newsletter]) -> dict[str, Any]:
        """What of a member is written down. Left out above all: `unsubscribe_url` and `uuid`, with which anybody can
        act in a member's name, and the team's private note.
        """
        receives = {
            entry["id"] for entry in member.get("newsletters") or [] if isinstance(entry, dict) and "id" in entry
        }
        names = [{"id": newsletter.id, "name": newsletter.name} for newsletter in newsletters]
        kept = {name: member.get(name) for name in (*KEPT, *(COUNTED if self._settings.engagement else ()))}
        labels = [{"id": label.get("id"), "name": label.get("name")} for label in member.get("labels") or []]
        return kept | {
            "labels": sorted(labels, key=lambda label: str(label["id"])),
            "newsletters": [entry for entry in names if entry["id"] in receives],
            "others": [entry for entry in names if entry["id"] not in receives],
        }


# --- what an object means ----------------------------------------------------------------------------------------


def _person(member: Member) -> Person:
    return Person(
        id=member.id,
        email=member.email or None,
        name=member.name or None,
        customer=member.id,
        tags=tuple(label.name for label in member.labels if label.name),
        seen=member.updated_at or member.created_at,
    )


def _subscriptions(member: Member) -> Iterator[Subscription]:
    """Ghost does not tell a newsletter once left from one never asked for: `unsubscribed` is who receives none at all,
    `none` is another newsletter of somebody who receives one.
    """
    reason, at = _suppressed(member)
    here: Literal["bounced", "unsubscribed", "subscribed"] = (
        "bounced" if reason == "bounce" else "unsubscribed" if reason else "subscribed"
    )
    for newsletter in member.newsletters:
        yield Subscription(
            id=f"{member.id}/{newsletter.id}",
            person=member.id,
            list=newsletter.name or newsletter.id,
            status=here,
            at=at,
        )
    for newsletter in member.others:
        yield Subscription(
            id=f"{member.id}/{newsletter.id}",
            person=member.id,
            list=newsletter.name or newsletter.id,
            status="none" if member.subscribed else "unsubscribed",
        )


def _consent(member: Member) -> Iterator[Consent]:
    """One word a member: yes to what they receive, no when they receive nothing or called it spam."""
    reason, at = _suppressed(member)
    names = ", ".join(newsletter.name for newsletter in member.newsletters)
    if reason and reason != "bounce":
        yield Consent(
            id=member.id, person=member.id, purpose="marketing", granted=False, at=at, proof=f"{SERVICE}: {reason}"
        )
    elif names:
        yield Consent(
            id=member.id, person=member.id, purpose="marketing", granted=True, proof=f"{SERVICE}: newsletter {names}"
        )
    elif not member.subscribed:
        yield Consent(
            id=member.id, person=member.id, purpose="marketing", granted=False, proof=f"{SERVICE}: unsubscribed"
        )


def _engagement(member: Member) -> Iterator[Engagement]:
    """Ghost's running totals. It has no time of the last opening; an opening moves `last_seen_at`, and so do a click and
    a visit to the site, so the time given is that of the last opening or later.
    """
    if member.email_count:
        yield Engagement(id=f"{member.id}/sent", person=member.id, action="sent", count=member.email_count)
    if member.email_opened_count:
        yield Engagement(
            id=f"{member.id}/opened",
            person=member.id,
            action="opened",
            count=member.email_opened_count,
            at=member.last_seen_at,
        )


def _suppressed(member: Member) -> tuple[str | None, datetime | None]:
    """Why Ghost no longer writes to this address (`bounce`, `spam`), and since when."""
    if not (member.email_suppression and member.email_suppression.suppressed):
        return None, None
    info = member.email_suppression.info or {}
    reason = info.get("reason")
    return "bounce" if reason in (None, "fail", "bounce") else str(reason), _time(info.get("timestamp"))


def _newsletter(newsletter: Newsletter) -> Object:
    return Object("newsletter", newsletter.id, msgspec.json.encode(newsletter))


def _shaped(answer: Answer, shape: type[Shape]) -> Shape:
    try:
        return msgspec.convert(answer.json(), shape)
    except msgspec.ValidationError as fault:
        raise GiveUp("ghost-strange", path=answer.path, detail=str(fault)) from None


def _time(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
