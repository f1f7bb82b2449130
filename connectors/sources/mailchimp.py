"""Mailchimp: one audience, where each member stands, and what they opened and clicked (Marketing API 3.0).

Every change of a member moves `last_changed`, and a deletion for good leaves no trace. Each pull asks one small question
(how many members, and the ten changed last); when the answer differs it reads who changed since, and when there are
fewer members than before, or at least once a day, everybody. A day is thus the longest that a member can stay unseen
whose change was not dated rightly.

Reading goes on from the last `last_changed` seen, not from page to page: a member who changes meanwhile moves to the end
of the list, and with pages would push another one into the gap.

Facts: Mailchimp's Marketing API reference, against whose Swagger file `tests/real/test_mailchimp.py` holds the requests.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, TypeVar

import httpx
import msgspec
import pydantic
from pydantic_core import PydanticCustomError

from connectors.client import Answer, Client
from connectors.records import Record
from connectors.source import Account, Broken, Object, Page, Setting
from connectors.sources.mailchimp_member import Activity, Member, act_records, member_records, time_of
from connectors.sources.mailchimp_shapes import Audience, Audiences, Emails, Members, Report, Reports
from connectors.sources.mailchimp_writing import Writing
from connectors.trouble import FixFile, GiveUp, LogInAgain, SetAside, TryLater

SERVICE = "Mailchimp"
MOST = 1000  # a page can't be larger
NEWEST = 10
OVERLAP = timedelta(minutes=10)
GRAIN = timedelta(seconds=1)
EVERYBODY_EVERY = timedelta(hours=20)  # less than a day, so that a daily run always reads everybody
OPENED_FOR = timedelta(days=30)  # how long after a campaign its opens and clicks are still looked at
LOOKS_BACK = timedelta(days=400)  # older campaigns are not read at all
CAMPAIGNS_A_RUN = 20
PAUSES = (2.0, 10.0, 30.0)  # seconds, when Mailchimp is overloaded and answers 403 with a page
SERVER_GIVES_UP = 120.0
MERGE_FIELDS = ("FNAME", "LNAME", "PHONE", "ADDRESS", "BIRTHDAY", "COMPANY")
READ = [
    "id",
    "email_address",
    "contact_id",
    "full_name",
    "status",
    "merge_fields",
    "timestamp_signup",
    "timestamp_opt",
    "last_changed",
    "language",
    "vip",
    "marketing_permissions",
    "source",
    "tags",
]
ACTS = ("open", "click")
EPOCH = datetime.fromtimestamp(0, UTC)
Newest = tuple[tuple[str, str], ...]
Shape = TypeVar("Shape")


def account_key(secret: pydantic.SecretStr) -> pydantic.SecretStr:
    text = secret.get_secret_value().strip()
    name, dash, centre = text.rpartition("-")
    if not (dash and name.isalnum() and centre.isalnum() and centre.isascii() and centre[-1:].isdigit()):
        raise PydanticCustomError("mailchimp-key", "must be an API key that ends with its data centre, e.g. -us19")
    return pydantic.SecretStr(text)


class MailchimpSettings(pydantic.BaseModel):
    """The block of a Mailchimp audience in the config."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    key: Annotated[pydantic.SecretStr, pydantic.AfterValidator(account_key)] = pydantic.Field(
        description="API key (Account, Extras, API keys); it ends with -us19 or the like."
    )
    list: str = pydantic.Field(
        pattern=r"^\s*[A-Za-z0-9]+\s*$", description="Audience ID (Audience, Settings, Audience name and defaults)."
    )
    engagement: bool = pydantic.Field(True, description="Whether to read what each person opened and clicked.")
    endpoint: str | None = pydantic.Field(
        None, pattern="^(https?://.*)?$", description="Another address of the API, for tests or a proxy."
    )

    @property
    def base(self) -> str:
        centre = self.key.get_secret_value().rpartition("-")[2]
        return self.endpoint or f"https://{centre}.api.mailchimp.com/3.0"


class Place(msgspec.Struct, frozen=True):
    """The cursor: how far members are read, when everybody was, and the mark of each campaign when it was read."""

    list: str
    changed: datetime | None = None
    total: int = 0
    newest: Newest = ()
    everybody: datetime | None = None
    campaigns: dict[str, str] = {}

    def text(self) -> str:
        return msgspec.json.encode(self).decode()


class Mailchimp(Writing):
    """Members of one audience. Objects: `member` (subscriber hash) and `activity` (`campaign/subscriber hash`)."""

    service: ClassVar[str] = "mailchimp"
    version: ClassVar[int] = 1
    gives: ClassVar[frozenset[str]] = frozenset({"person", "subscription", "engagement", "consent"})
    Settings: ClassVar[type[pydantic.BaseModel]] = MailchimpSettings

    def __init__(self, settings: MailchimpSettings, setting: Setting) -> None:
        self._settings = settings
        self._setting = setting
        self._list = settings.list.strip()
        key = settings.key.get_secret_value()
        self._client = Client(
            SERVICE,
            settings.base,
            setting=setting,
            auth=httpx.BasicAuth("filrouge", key),
            pace=(8, 1.0),
            timeout=SERVER_GIVES_UP,
            secrets=[key, key.rpartition("-")[0]],
        )

    @property
    def calls(self) -> int:
        return self._client.calls

    def check(self) -> Account:
        """The audience's name and how many members are subscribed; names the audiences there are if this one is not."""
        found = self._audience()
        return Account(found.name or self._list, [("mailchimp-found", {"subscribed": str(found.stats.member_count)})])

    def pull(self, cursor: str | None) -> Iterator[Page]:
        """Members that changed since `cursor`, then what was opened and clicked in campaigns of the last 30 days."""
        place = msgspec.json.decode(cursor, type=Place) if cursor else None
        if place is None or place.list != self._list:
            place = Place(self._list)
        total, newest = self._look()
        if (total, newest) != (place.total, place.newest) or not self._fresh(place):
            reading = self._some if self._fresh(place) and total >= place.total else self._everybody
            for page in reading(place, total, newest):
                place = msgspec.json.decode(page.cursor, type=Place) if page.cursor else place
                yield page
        if self._settings.engagement:
            yield from self._engagement(place)
        elif place.campaigns:
            yield Page(cursor=msgspec.structs.replace(place, campaigns={}).text(), complete=("activity",))

    def records(self, thing: Object) -> Sequence[Record]:
        """Who a member is, where they stand, their consent; or one act for each opening and click."""
        try:
            if thing.kind == "member":
                return tuple(member_records(msgspec.json.decode(thing.raw, type=Member)))
            return tuple(act_records(msgspec.json.decode(thing.raw, type=Activity), thing.id))
        except msgspec.MsgspecError as fault:
            raise SetAside("mailchimp-unreadable", detail=str(fault)) from None

    def close(self) -> None:
        self._client.close()

    # --- members ---------------------------------------------------------------------------------------------------

    def _look(self) -> tuple[int, Newest]:
        """How many members, and the last changed ones: two changes in one second can't be told by the time alone."""
        found = self._members(fields="members.id,members.last_changed,total_items", count=NEWEST, sort_dir="DESC")
        return found.total_items, tuple(sorted(map(_version, found.members)))

    def _fresh(self, place: Place) -> bool:
        if place.everybody is None or place.changed is None:
            return False
        return timedelta(0) <= self._setting.now() - place.everybody < EVERYBODY_EVERY

    def _some(self, place: Place, total: int, newest: Newest) -> Iterator[Page]:
        changed, name = place.changed or EPOCH, self._audience().name
        for members in self._walk(changed - OVERLAP):
            changed = max([changed, *_changes(members)])
            place = msgspec.structs.replace(place, changed=changed)
            yield _members_page(members, name, cursor=place.text())
        yield Page(cursor=msgspec.structs.replace(place, total=total, newest=newest).text())

    def _everybody(self, place: Place, total: int, newest: Newest) -> Iterator[Page]:
        """All members. Called complete only if no number moved meanwhile; otherwise the next pull reads all again."""
        started, name, seen, reached = self._setting.now(), self._audience().name, set[str](), EPOCH
        for members in self._walk(None):
            seen.update(str(member.get("id")) for member in members)
            reached = max([reached, *_changes(members)])
            yield _members_page(members, name)
        steady = total == self._members(fields="total_items", count=1).total_items == len(seen)
        place = Place(self._list, reached, total, newest, started if steady else None, place.campaigns)
        yield Page(cursor=place.text(), complete=("member",) if steady else ())

    def _walk(self, since: datetime | None) -> Iterator[list[dict[str, Any]]]:
        """Members changed after `since`, oldest change first, each change once."""
        known: set[tuple[str, str]] = set()
        fields, offset = f"{','.join(f'members.{name}' for name in READ)},total_items", 0
        while True:
            page = self._members(fields=fields, count=MOST, since=since, offset=offset)
            found = page.members
            yield [member for member in found if _version(member) not in known]
            known = set(map(_version, found))
            if not found or offset + len(found) >= page.total_items:
                return
            last = max(_changes(found), default=None)
            if last and (since is None or last - GRAIN > since):
                since, offset = last - GRAIN, 0
            else:
                offset += len(found)

    def _members(
        self, *, fields: str, count: int, since: datetime | None = None, offset: int = 0, sort_dir: str = "ASC"
    ) -> Members:
        params: dict[str, Any] = {"fields": fields, "count": count, "sort_field": "last_changed", "sort_dir": sort_dir}
        if since:
            params["since_last_changed"] = since.isoformat(timespec="seconds")
        if offset:
            params["offset"] = offset
        answer = self._get(f"lists/{self._list}/members", expect=(404,), **params)
        return _shaped(self._or_no_list(answer), Members)

    # --- what they opened and clicked --------------------------------------------------------------------------------

    def _engagement(self, place: Place) -> Iterator[Page]:
        """Campaigns in which something happened since they were read, oldest first, at most 20 a run.

        A campaign is read whole each time: `since` only spares those to whom nothing happened, so that what was read
        before is replaced by all that is now known. Campaigns older than 30 days are read once.
        """
        reports = self._reports()
        recent = self._setting.now() - OPENED_FOR
        marks = {report.id: place.campaigns[report.id] for report in reports if report.id in place.campaigns}
        due = [r for r in reports if r.id not in marks or (r.mark != marks[r.id] and r.sent and r.sent > recent)]
        for report in due[:CAMPAIGNS_A_RUN]:
            yield from self._campaign(report)
            marks = marks | {report.id: report.mark}
            yield Page(cursor=msgspec.structs.replace(place, campaigns=marks).text())

    def _reports(self) -> list[Report]:
        since = (self._setting.now() - LOOKS_BACK).astimezone(UTC).isoformat(timespec="seconds")
        fields = "reports.id,reports.list_id,reports.send_time,reports.opens,reports.clicks,total_items"
        found: list[Report] = []
        while True:
            params: dict[str, Any] = {"fields": fields, "count": MOST, "since_send_time": since}
            if found:
                params["offset"] = len(found)
            page = _shaped(self._get("reports", **params), Reports)
            found += page.reports
            if not page.reports or len(found) >= page.total_items:
                break
        return sorted((r for r in found if r.list_id == self._list), key=lambda report: (report.send_time, report.id))

    def _campaign(self, report: Report) -> Iterator[Page]:
        """Everybody to whom something happened in one campaign; who is not among them any more is gone."""
        params: dict[str, Any] = {"fields": "emails.email_id,emails.activity,total_items", "count": MOST}
        if report.sent:
            params["since"] = (report.sent - timedelta(days=1)).isoformat(timespec="seconds")
        offset, totals, seen = 0, set[int](), set[str]()
        while True:
            if offset:
                params["offset"] = offset
            page = _shaped(self._get(f"reports/{report.id}/email-activity", **params), Emails)
            totals.add(page.total_items)
            seen.update(str(found.get("email_id")) for found in page.emails)
            offset += len(page.emails)
            over = not page.emails or offset >= page.total_items
            whole = over and totals == {len(seen)}
            yield Page(
                _activities(report.id, page.emails),
                complete=("activity",) if whole else (),
                scope=f"{report.id}/" if whole else "",
            )
            if over:
                return

    # --- asking ------------------------------------------------------------------------------------------------------

    def _audience(self) -> Audience:
        answer = self._get(f"lists/{self._list}", expect=(404,), fields="id,name,stats.member_count")
        return _shaped(self._or_no_list(answer), Audience)

    def _or_no_list(self, answer: Answer) -> Answer:
        if answer.status != 404:
            return answer
        listed = _shaped(self._get("lists", count=MOST, fields="lists.id,lists.name"), Audiences).lists
        known = ", ".join(f"{found.id} ({found.name})" for found in listed)
        raise FixFile("mailchimp-no-list", list=self._list, known=known)

    def _get(self, path: str, *, expect: tuple[int, ...] = (), **params: Any) -> Answer:
        for pause in (*PAUSES, None):
            answer = self._client.get(path, params, expect=(*expect, 403))
            if answer.status != 403:
                return answer
            if answer.type.endswith("json"):
                raise LogInAgain("login-not-allowed", service=SERVICE, path=answer.path)
            if pause is not None:
                (self._setting.sleep or time.sleep)(pause)
        raise TryLater("service-busy", service=SERVICE)


def _members_page(members: Sequence[dict[str, Any]], audience: str, cursor: str | None = None) -> Page:
    objects, broken = [], []
    for member in members:
        raw = msgspec.json.encode(_kept(member, audience))
        if isinstance(id_ := member.get("id"), str) and id_:
            objects.append(Object("member", id_, raw))
        else:
            facts = {"detail": "id"}
            broken.append(Broken("member", hashlib.sha256(raw).hexdigest(), raw, "mailchimp-unreadable", facts))
    return Page(objects, cursor, broken=broken)


def _kept(member: dict[str, Any], audience: str) -> dict[str, Any]:
    """What of a member is written down: what is read, and of their own fields only those known to everybody."""
    merge = member.get("merge_fields")
    known = {name: merge[name] for name in MERGE_FIELDS if name in merge} if isinstance(merge, dict) else {}
    return {name: member.get(name) for name in READ} | {"merge_fields": known, "audience": audience}


def _activities(campaign: str, emails: Sequence[dict[str, Any]]) -> list[Object]:
    """Who opened or clicked, and when; where from (IP address) and on what is not kept."""
    objects = []
    for found in emails:
        acts = [act for act in found.get("activity") or [] if isinstance(act, dict) and act.get("action") in ACTS]
        told = sorted((str(act.get("timestamp")), str(act["action"])) for act in acts)
        if told and isinstance(hash_ := found.get("email_id"), str):
            raw = {"person": hash_, "acts": [{"action": action, "timestamp": at} for at, action in told]}
            objects.append(Object("activity", f"{campaign}/{hash_}", msgspec.json.encode(raw)))
    return objects


def _version(member: dict[str, Any]) -> tuple[str, str]:
    return str(member.get("id")), str(member.get("last_changed"))


def _changes(members: Sequence[dict[str, Any]]) -> list[datetime]:
    return [at for member in members if (at := time_of(member.get("last_changed")))]


def _shaped(answer: Answer, shape: type[Shape]) -> Shape:
    try:
        return msgspec.convert(answer.json(), shape)
    except msgspec.ValidationError as fault:
        raise GiveUp("mailchimp-strange", path=answer.path, detail=str(fault)) from None
