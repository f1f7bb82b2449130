"""Orders, dates and products from pretix, hosted or one's own (https://docs.pretix.eu/dev/api/).

How nothing is missed, each point tried on pretix 2026.8:

- Changed orders are asked for with `modified_since` the moment the last walk began (the server's own
  `X-Page-Generated`), less an overlap, because an order is stamped when saved but seen when committed.
- Orders are walked by `datetime`, their default order: by `last_modified` one touched in mid-walk hides another.
- A walk that was cut short goes on with `created_since` the last order it saw. What was slipped in before that place
  meanwhile is as new as the walk, so the next `modified_since` finds it.
- Orders of an event that the token did not see before may be old: such an event is read whole.
- An order does not tell its currency nor what its products are, so they are put beside it. Products are read again
  when an order of their event moves; when one of them changed, its event's orders are read again.
- A partial refund that changes nothing else does not move its order (no `touch` in pretix' OrderRefund), and nothing
  lists refunds: so everything is read again once a week.
- Only test orders are ever deleted, and those are not asked for.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

import msgspec
import pydantic

from connectors.client import Answer, Client
from connectors.records import Record
from connectors.source import Account, Broken, Object, Page, Setting
from connectors.sources.pretix_reading import Wishes, read
from connectors.trouble import FixFile, GiveUp, LogInAgain

OVERLAP = timedelta(minutes=10)
READ_AGAIN = timedelta(days=7)
HOSTED_PACE = (300, 60.0)  # pretix.eu allows 360 a minute to all of an organizer's programs together
ORDERS = {"testmode": "false", "include_canceled_positions": "true"}
# Ways into an order, bank details, keys and long texts: we have no use for them, so they are not kept.
UNWANTED = frozenset(
    {"secret", "url", "payment_url", "downloads", "details", "print_logs", "pseudonymization_id", "plugin_data"}
    | {"valid_keys", "seat_category_mapping", "frontpage_text", "best_availability_state", "description"}
)


class PretixSettings(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    url: str = pydantic.Field(
        "https://pretix.eu",
        validation_alias=pydantic.AliasChoices("url", "endpoint"),
        description="Where pretix runs, if not at pretix.eu.",
    )
    organizer: str = pydantic.Field(
        pattern=r"^[\w.-]+$", description="The organizer's short name, as in the shop's address."
    )
    token: pydantic.SecretStr = pydantic.Field(
        description="An API token of a team that may see orders (Organizer → Teams → API tokens)."
    )
    events: tuple[str, ...] = pydantic.Field((), description="Short names of the only events to read; all by default.")
    consent: str | None = pydantic.Field(
        None, description="Identifier of the yes/no question by which people agree to receive news, e.g. NEWSLETTER."
    )
    genre: str | None = pydantic.Field(None, description="Name of the event property that holds the genre.")
    donations: tuple[str, ...] = pydantic.Field(
        (), description="Products that are gifts and not tickets, by name or number."
    )

    @pydantic.field_validator("url")
    @classmethod
    def _origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("https://… is expected")
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


class Known(msgspec.Struct):
    """What was last seen of an event, to notice what changes the meaning of its orders."""

    digest: str
    currency: str
    items: dict[str, str] = {}


class Place(msgspec.Struct):
    """The cursor. `since`: where finished walks began; `open`: begin and last order of unfinished ones, by walk.

    `whole` are events whose orders must be read from the beginning. `of` is what was asked for: another question
    starts anew. `read_whole`: when the last walk over everything began.
    """

    of: str
    since: dict[str, str] = {}
    open: dict[str, tuple[str, str]] = {}
    whole: list[str] = []
    dates: str | None = None
    events: dict[str, Known] = {}
    read_whole: str | None = None

    def cursor(self) -> str:
        return msgspec.json.encode(self).decode()


class Pretix:
    service: ClassVar[str] = "pretix"
    version: ClassVar[int] = 2
    gives: ClassVar[frozenset[str]] = frozenset({"person", "event", "product", "order", "visit", "donation", "consent"})
    Settings: ClassVar[type[pydantic.BaseModel]] = PretixSettings

    def __init__(self, settings: PretixSettings, setting: Setting) -> None:
        token = settings.token.get_secret_value()
        self._settings = settings
        self._wishes = Wishes(setting.language, settings.consent, settings.genre, settings.donations)
        self._now = setting.now
        self._client = Client(
            "pretix",
            f"{settings.url}/api/v1/organizers/{settings.organizer}",
            setting=setting,
            headers={"Authorization": f"Token {token}"},
            pace=HOSTED_PACE,
            secrets=[token],
        )
        self._items: dict[str, dict[str, Any]] = {}

    @property
    def calls(self) -> int:
        """How many requests were made so far."""
        return self._client.calls

    def records(self, thing: Object) -> Sequence[Record]:
        return read(thing, self._wishes)

    def close(self) -> None:
        self._client.close()

    # --- check ---

    def check(self) -> Account:
        seen = self._events()
        answer = self._client.get("")
        if self._client.get("orders/", {"page_size": 1, **ORDERS}, expect=(403,)).status == 403:
            raise LogInAgain("pretix-no-orders", organizer=self._settings.organizer)
        return Account(str(answer.json().get("name") or self._settings.organizer), self._remarks(seen))

    def _remarks(self, seen: Mapping[str, dict[str, Any]]) -> list[tuple[str, dict[str, str]]]:
        found = [("pretix-events", {"n": str(len(seen)), "events": ", ".join(list(seen)[:20])})]
        if self._settings.consent and not self._is_asked(list(seen)):
            found.append(("pretix-no-question", {"question": self._settings.consent}))
        return found

    def _is_asked(self, slugs: list[str]) -> bool:
        """Is the question of consent asked in one of the ten last events? A token that may not look gets the doubt."""
        for slug in slugs[-10:]:
            answer = self._client.get(f"events/{slug}/questions/", expect=(403,))
            if answer.status == 403 or any(one.get("identifier") == self._settings.consent for one in _results(answer)):
                return True
        return False

    # --- pull ---

    def pull(self, cursor: str | None) -> Iterator[Page]:
        try:
            yield from self._pull(cursor)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise GiveUp("pretix-unexpected", what=type(error).__name__) from error

    def _pull(self, cursor: str | None) -> Iterator[Page]:
        self._items = {}
        place = self._place(cursor)
        events = self._events()
        yield Page([_object("event", slug, event) for slug, event in events.items()])
        yield from self._dates(place, events)
        self._note(place, events)
        for slug in self._settings.events or ("",):
            yield from self._walk(place, slug, f"events/{slug}/orders/" if slug else "orders/")
        while place.whole:
            slug = place.whole[0]
            yield from self._walk(place, f"{slug}/", f"events/{slug}/orders/")

    def _place(self, cursor: str | None) -> Place:
        asked = "\n".join((self._settings.url, self._settings.organizer, *self._settings.events))
        of = _digest(asked)
        try:
            place = msgspec.json.decode(cursor or "", type=Place)
        except (msgspec.ValidationError, msgspec.DecodeError):
            return Place(of)
        if place.of != of:
            return Place(of)
        if place.read_whole and self._now() - datetime.fromisoformat(place.read_whole) > READ_AGAIN:
            place.since, place.open, place.read_whole = {}, {}, None
        return place

    def _events(self) -> dict[str, dict[str, Any]]:
        """All events to be read, by short name. No event at all is a trouble: pretix leaves out what a token may not see."""
        seen: dict[str, dict[str, Any]] = {}
        for page in self._client.pages("events/", None, _next, expect=(403, 404)):
            if page.status != 200:  # 403 for an unknown organizer as well, so that nobody can guess names
                raise LogInAgain("pretix-no-organizer", organizer=self._settings.organizer)
            seen.update({event["slug"]: event for event in _results(page)})
        for slug in self._settings.events:
            if slug not in seen:
                raise FixFile("pretix-event-unseen", event=slug, events=", ".join(list(seen)[:20]))
        if not seen:
            raise LogInAgain("pretix-no-events", organizer=self._settings.organizer)
        return {slug: event for slug, event in seen.items() if slug in (self._settings.events or seen)}

    def _dates(self, place: Place, events: Mapping[str, dict[str, Any]]) -> Iterator[Page]:
        """Dates of series (sub-events): the changed ones, and all of a series that is new to us or was changed itself."""
        series = [slug for slug, event in events.items() if event.get("has_subevents")]
        stamp = place.dates
        if series and (stamp or not self._settings.events):
            params = {"ordering": "id"} | ({"modified_since": stamp} if stamp else {})
            for page in self._client.pages("subevents/", params, _next):
                place.dates = place.dates if place.dates != stamp else _begin(page)
                yield Page([_date(one) for one in _results(page) if one["event"] in events])
        if not (stamp or self._settings.events):
            return
        for slug in series:
            if slug not in place.events or place.events[slug].digest != _digest(events[slug]):
                yield from self._series(place, slug)

    def _series(self, place: Place, slug: str) -> Iterator[Page]:
        for page in self._client.pages(f"events/{slug}/subevents/", {"ordering": "id"}, _next):
            place.dates = place.dates or _begin(page)
            complete = ("event",) if not _next(page) else ()
            yield Page([_date(one) for one in _results(page)], complete=complete, scope=f"{slug}/")

    def _note(self, place: Place, events: Mapping[str, dict[str, Any]]) -> None:
        begun = bool(place.since or place.open)
        for slug, event in events.items():
            known = place.events.get(slug)
            if begun and (known is None or known.currency != event["currency"]):
                self._reread(place, slug)
            place.events[slug] = Known(_digest(event), event["currency"], known.items if known else {})

    def _reread(self, place: Place, slug: str) -> None:
        if slug not in place.whole:
            place.whole.append(slug)
        place.open.pop(f"{slug}/", None)

    def _walk(self, place: Place, walk: str, path: str) -> Iterator[Page]:
        """All orders changed since this walk was last finished, or all there are."""
        begin, reached = place.open.get(walk, (None, None))
        params = ORDERS | _given(modified_since=place.since.get(walk), created_since=reached)
        last: str | None = None
        for page in self._client.pages(path, params, _next):
            begin = begin or _begin(page)
            place.read_whole = place.read_whole or begin
            orders = _results(page)
            known, broken = _sound(orders)
            for slug in dict.fromkeys(order["event"] for order in known):
                if slug not in self._items:
                    yield from self._products(place, slug)
            things = [self._order(place, order) for order in known]
            reached = known[-1]["datetime"] if known else reached
            if not _next(page):
                self._finish(place, walk, begin)
            elif reached:
                place.open[walk] = (begin, reached)
            cursor = place.cursor()
            yield Page(things, cursor=cursor if cursor != last else None, broken=broken)
            last = cursor

    def _finish(self, place: Place, walk: str, begin: str) -> None:
        place.open.pop(walk, None)
        if walk.endswith("/"):
            place.whole.remove(walk.removesuffix("/"))
        else:
            place.since[walk] = begin

    def _products(self, place: Place, slug: str) -> Iterator[Page]:
        items = [one for page in self._client.pages(f"events/{slug}/items/", None, _next) for one in _results(page)]
        self._items[slug] = {str(item["id"]): {key: item.get(key) for key in ("name", "admission")} for item in items}
        if slug not in place.events:  # an event that appeared after the list of events was read
            event = self._client.get(f"events/{slug}/").json()
            place.events[slug] = Known("", event["currency"])
        known, now = place.events[slug], {number: _digest(item) for number, item in self._items[slug].items()}
        if any(now.get(number, digest) != digest for number, digest in known.items.items()):
            self._reread(place, slug)
        known.items = now
        yield Page(
            [_object("item", f"{slug}/{item['id']}", item) for item in items], complete=("item",), scope=f"{slug}/"
        )

    def _order(self, place: Place, order: dict[str, Any]) -> Object:
        slug = order["event"]
        items = self._items[slug]
        used = sorted({str(position["item"]) for position in order.get("positions") or ()})
        about = {
            "currency": place.events[slug].currency,
            "items": {number: items[number] for number in used if number in items},
        }
        return _object("order", order["code"], {"order": order, **about})


def _results(answer: Answer) -> list[dict[str, Any]]:
    found = answer.json()
    if not isinstance(found, dict) or not isinstance(found.get("results"), list):
        raise GiveUp("not-json", service="pretix", path=answer.path, type=answer.type or "?")
    results: list[dict[str, Any]] = found["results"]
    return results


def _next(answer: Answer) -> str | None:
    following: str | None = answer.json().get("next")
    return following


def _sound(orders: Sequence[Any]) -> tuple[list[dict[str, Any]], list[Broken]]:
    """Orders that say which they are, of which event, when and what; and the others, each for itself to be set aside."""
    known, broken = [], []
    for order in orders:
        try:
            msgspec.convert(order, _Core)
        except msgspec.ValidationError as fault:
            broken.append(_broken(order, str(fault).rpartition(" - at ")[2].strip("`")))
        else:
            known.append(order)
    return known, broken


def _broken(order: Any, where: str) -> Broken:
    raw = msgspec.json.encode(_wanted(order))
    code = order.get("code") if isinstance(order, dict) else None
    number = code if isinstance(code, str) and code else _digest(order)
    return Broken("order", number, raw, "pretix-unreadable", {"kind": "order", "id": number, "where": where})


class _Item(msgspec.Struct):
    item: int


class _Core(msgspec.Struct):
    """What the walk itself needs of an order; the rest is the reading's."""

    code: Annotated[str, msgspec.Meta(min_length=1)]
    event: Annotated[str, msgspec.Meta(pattern=r"^[\w.-]+$")]
    datetime: Annotated[dt.datetime, msgspec.Meta(tz=True)]
    positions: list[_Item] = []


def _begin(page: Answer) -> str:
    """When the server looked, less the overlap. `Date` serves where a proxy took pretix' own header away."""
    told = page.headers.get("X-Page-Generated")
    looked = datetime.fromisoformat(told) if told else parsedate_to_datetime(page.headers["Date"])
    return (looked - OVERLAP).isoformat()


def _date(one: dict[str, Any]) -> Object:
    return _object("event", f"{one['event']}/{one['id']}", one)


def _object(kind: str, id: str, value: Any) -> Object:  # noqa: A002  the field's name
    return Object(kind, id, msgspec.json.encode(_wanted(value)))


def _wanted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _wanted(inner) for key, inner in value.items() if key not in UNWANTED}
    return [_wanted(inner) for inner in value] if isinstance(value, list) else value


def _given(**params: str | None) -> dict[str, str]:
    return {name: value for name, value in params.items() if value}


def _digest(value: Any) -> str:
    return hashlib.blake2b(msgspec.json.encode(_wanted(value)), digest_size=6).hexdigest()
