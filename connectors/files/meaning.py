"""What lines of an export mean: from an object's raw (text cells by field) to records.

Pure: the raw holds everything that the reading of the cells depends on (`Context`), so the same raw always gives the
same records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import cast

import msgspec

from connectors.files import values
from connectors.files.cells import (
    Context,
    Fields,
    ListStatus,
    OrderStatus,
    Raw,
    day,
    digest,
    moment,
    money,
    order_status,
    reading,
)
from connectors.files.people import bad_email, holder_of, names_somebody, person_of, sides
from connectors.files.words import fold, forms
from connectors.records import (
    Consent,
    Donation,
    Event,
    Membership,
    Money,
    Order,
    Person,
    Product,
    Record,
    Subscription,
    Visit,
)
from connectors.trouble import SetAside


class Ticket(msgspec.Struct, frozen=True):
    """One line of an orders file, read."""

    status: OrderStatus
    at: datetime | None
    amount: Money | None
    total: Money | None
    tickets: int
    starts: datetime | None
    attended: bool | None


def records_of(kind: str, thing: str, raw: bytes) -> Sequence[Record]:
    """What the object `thing` of this kind means. Raises only `SetAside`."""
    try:
        read = msgspec.json.decode(raw, type=Raw)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        raise SetAside("files-bad-object", id=thing) from None
    mean = _MEANINGS.get(kind)
    if mean is None or (not read.lines and kind not in _SILENT):
        raise SetAside("files-bad-object", id=thing)
    try:
        return mean(thing, read.context, read.lines)
    except SetAside:
        raise
    except (
        ValueError,
        ArithmeticError,
        KeyError,
        OSError,
    ) as error:  # an impossible zone or time in a raw that we did not write
        raise SetAside("files-bad-object", id=thing) from error


def try_line(kind: str, context: Context, cells: Fields) -> None:
    """Raise `SetAside` where this line alone can't be understood, so that it costs only itself."""
    if kind == "order":
        _try_order(context, cells)
    else:
        _MEANINGS[kind]("#", context, [(0, dict(cells))])


def _try_order(context: Context, cells: Fields) -> None:
    """What `_order` asks of each line, without making the records."""
    read = ticket(context, cells)
    if read.at is None and "order_date" in cells:
        raise SetAside("files-no-date", column="order_date")
    payer, participant = sides(cells)
    if not names_somebody(payer) and not (participant and names_somebody(participant)):
        raise SetAside("files-no-person")


def ticket(context: Context, cells: Fields) -> Ticket:
    """One line of an orders file. Raises `SetAside`."""
    status = order_status(context, cells)
    count = reading("quantity", cells.get("quantity", ""), lambda: values.count(cells.get("quantity", "")))
    return Ticket(
        status=status,
        at=moment(context, cells, "order_date", "order_time"),
        amount=money(context, cells, "amount"),
        total=money(context, cells, "total"),
        tickets=1 if count is None else count,
        starts=starts_of(context, cells),
        attended=True if fold(cells.get("status", "")) == "checked in" else values.yes(cells.get("attended", "")),
    )


def starts_of(context: Context, cells: Fields) -> datetime | None:
    found = moment(context, cells, "event_date", "event_time")
    if found is None and context.event_date:
        planned = datetime.fromisoformat(context.event_date)
        found = values.in_utc(planned.date(), planned.time(), context.timezone)
    return found


def event_key(context: Context, cells: Fields) -> str | None:
    """Which event a line is about: the service's own id, or else its title and time. None: it names none."""
    own = cells.get("event_id", "").strip()
    if own:
        return own[:80]
    name = cells.get("event_name", "").strip() or context.event
    if not name:
        return None
    starts = starts_of(context, cells)
    return digest(fold(name) or name, starts.isoformat() if starts else "")


def genre_of(context: Context, cells: Fields) -> str | None:
    """The genre as the file says, or as a word in the title tells."""
    if written := cells.get("genre", "").strip():
        return written
    title = f" {fold(cells.get('event_name', '') or context.event or '')} "
    told = (genre for word, genre in context.genres.items() if f" {fold(word)} " in title)
    return next(filter(None, told), context.genre) or None


def _order(thing: str, context: Context, lines: Sequence[tuple[int, Fields]]) -> Sequence[Record]:
    tickets = [(cells, ticket(context, cells)) for _, cells in _each_ticket_once(lines)]
    at = next((ticket.at for _, ticket in tickets if ticket.at), None)
    if at is None and any(cells.get("order_date") is not None for cells, _ in tickets):
        raise SetAside("files-no-date", column="order_date")
    people: dict[tuple[str, str], Person] = {}
    records: list[Record] = []
    for place, (cells, read) in enumerate(tickets, 1):
        payer, participant = sides(cells)
        buyer = _among(people, thing, context, payer, at)
        holder = _among(people, thing, context, participant, at) if participant else buyer
        holder = holder or buyer
        if holder is None:
            raise SetAside("files-no-person")
        if event_key(context, cells) or read.starts or cells.get("ticket"):
            records.append(_visit(thing, place, context, cells, read, holder, ordered=at is not None))
        records.extend(_consent(thing, place, context, cells, holder, at))
    if at is not None:
        records.insert(0, _purchase(thing, at, [read for _, read in tickets], next(iter(people.values()))))
    return (*people.values(), *records)


def _each_ticket_once(lines: Sequence[tuple[int, Fields]]) -> Iterator[tuple[int, Fields]]:
    last = {cells["ticket"]: place for place, (_, cells) in enumerate(lines) if cells.get("ticket")}
    for place, line in enumerate(lines):
        if last.get(line[1].get("ticket", ""), place) == place:
            yield line


def _among(
    people: dict[tuple[str, str], Person], thing: str, context: Context, cells: Fields, seen: datetime | None
) -> Person | None:
    """The same person on several lines of one order stands once."""
    person = person_of(f"{thing}/p{len(people) + 1}", context, cells, seen)
    if person is None:
        return None
    name = fold(" ".join(filter(None, (person.first_name, person.last_name, person.name))))
    if not person.email and name:  # the same name with an address on another line of the order
        same = (other for key, other in people.items() if key[1] == name)
        return next(same, None) or people.setdefault(("", name), person)
    return people.setdefault(((person.email or person.phone or "").casefold(), name), person)


def _visit(
    thing: str, place: int, context: Context, cells: Fields, read: Ticket, holder: Person, *, ordered: bool
) -> Visit:
    series = thing.partition("#")[0]
    key = event_key(context, cells)
    product = cells.get("product", "").strip()
    return Visit(
        id=f"{thing}/{cells.get('ticket', '').strip() or place}",
        person=holder.id,
        order=thing if ordered else None,
        event=f"{series}#{key}" if key else None,
        starts=read.starts,
        genre=genre_of(context, cells),
        product=f"{series}#{digest(product)}" if product else None,
        status="booked" if read.status == "paid" else "pending" if read.status == "pending" else "cancelled",
        attended=read.attended,
        tickets=read.tickets,
    )


def _purchase(thing: str, at: datetime, tickets: Sequence[Ticket], buyer: Person) -> Order:
    standing = [ticket for ticket in tickets if ticket.status in {"paid", "pending"}]
    statuses = {ticket.status for ticket in tickets}
    priority: tuple[OrderStatus, ...] = ("paid", "pending", "refunded", "cancelled")
    status = next(status for status in priority if status in statuses)
    return Order(
        id=thing,
        person=buyer.id,
        at=at,
        status=status,
        paid=_paid([ticket for ticket in tickets if ticket.status == "paid"], tickets),
        tickets=sum(ticket.tickets for ticket in standing),
    )


def _paid(paid: Sequence[Ticket], every: Sequence[Ticket]) -> Money | None:
    """What stands in the end. A total of the whole order is repeated on each of its lines, so it counts once."""
    known = [charged for ticket in every if (charged := ticket.amount or ticket.total)]
    if not known:
        return None
    currency = known[0].currency
    amounts = [ticket.amount.amount for ticket in paid if ticket.amount]
    totals = [ticket.total.amount for ticket in paid if ticket.total]
    return Money(sum(amounts, Decimal(0)) if amounts else max(totals, default=Decimal(0)), currency)


def _consent(
    thing: str, place: int, context: Context, cells: Fields, person: Person, at: datetime | None
) -> Iterator[Consent]:
    answer = cells.get("consent", "").strip()
    granted = values.yes(answer)
    if granted is not None and context.consent:
        yield Consent(
            id=f"{thing}/c{place}",
            person=person.id,
            purpose="marketing",
            granted=granted,
            at=at,
            proof=f"{context.consent}: {answer}",
        )


def _event(thing: str, context: Context, lines: Sequence[tuple[int, Fields]]) -> Sequence[Record]:
    cells = lines[0][1]
    name = cells.get("event_name", "").strip() or context.event or cells.get("event_id", "").strip()
    ends = _ends(context, cells)
    starts = starts_of(context, cells)
    return [
        Event(
            id=thing,
            name=name,
            starts=starts,
            ends=ends if ends and starts and ends > starts else None,
            genre=genre_of(context, cells),
            location=cells.get("location", "").strip() or None,
        )
    ]


def _ends(context: Context, cells: Fields) -> datetime | None:
    try:
        return moment(context, cells, "event_end_date", "event_end_time")
    except SetAside:  # when it ends is no reason to lose the event
        return None


def _product(thing: str, context: Context, lines: Sequence[tuple[int, Fields]]) -> Sequence[Record]:  # noqa: ARG001  one shape for all meanings
    return [Product(id=thing, name=lines[0][1].get("product", "").strip())]


def _someone(thing: str, context: Context, cells: Fields, seen: datetime | None) -> Person:
    person = person_of(f"{thing}/p1", context, holder_of(cells), seen)
    if person is None:
        raise SetAside("files-no-person")
    return person


def _donation(thing: str, context: Context, lines: Sequence[tuple[int, Fields]]) -> Sequence[Record]:
    cells = lines[0][1]
    at = moment(context, cells, "donation_date", "order_time") or moment(context, cells, "order_date", "order_time")
    if at is None:
        raise SetAside("files-no-date", column="donation_date")
    paid = next(filter(None, (money(context, cells, name) for name in ("donation_amount", "amount", "total"))), None)
    if paid is None:
        raise SetAside("files-no-amount", column="donation_amount")
    person = person_of(f"{thing}/p1", context, sides(cells)[0], at)
    if person is None:
        raise SetAside("files-no-person")
    status = order_status(context, cells)
    if status == "cancelled":
        return [person]
    return [person, Donation(id=thing, person=person.id, at=at, status=status, paid=paid)]


def _member(thing: str, context: Context, lines: Sequence[tuple[int, Fields]]) -> Sequence[Record]:
    cells = lines[0][1]
    ordered = moment(context, cells, "order_date", "order_time")
    person = _someone(thing, context, cells, ordered)
    status = order_status(context, cells)
    starts = day(context, cells, "membership_starts") or day(context, cells, "order_date")
    name = cells.get("membership", "").strip() or cells.get("product", "").strip() or "Adhésion"
    membership = Membership(
        id=thing,
        person=person.id,
        name=name,
        starts=starts,
        ends=day(context, cells, "membership_ends"),
        status="active" if status == "paid" else "cancelled",
    )
    standing: list[Record] = [] if status == "pending" else [membership]
    return [person, *standing, *_consent(thing, 1, context, cells, person, ordered)]


def _contact(thing: str, context: Context, lines: Sequence[tuple[int, Fields]]) -> Sequence[Record]:
    cells = lines[0][1]
    changed = moment(context, cells, "changed")
    person = _someone(thing, context, cells, changed)
    records: list[Record] = [person]
    status = _list_status(context, cells)
    joined = moment(context, cells, "optin_time")
    if status:
        left = moment(context, cells, "unsub_time") or changed
        records.append(
            Subscription(
                id=f"{thing}/list",
                person=person.id,
                list=context.list or thing.partition("#")[0],
                status=status,
                at=(joined or changed) if status in {"subscribed", "pending"} else left,
            )
        )
    return [*records, *_consent(thing, 1, context, cells, person, joined)]


def _list_status(context: Context, cells: Fields) -> ListStatus | None:
    text = cells.get("list_status", "").strip()
    known = forms("list_status").get(fold(text or cells.get("status", "")))
    if text and known is None and values.yes(text) is not None:
        known = "subscribed" if values.yes(text) else "unsubscribed"
    if text and known is None:
        raise SetAside("files-unknown-status", found=text[:80])
    return cast(ListStatus | None, known or context.status)


def _address(thing: str, context: Context, lines: Sequence[tuple[int, Fields]]) -> Sequence[Record]:  # noqa: ARG001  one shape for all meanings
    """An address that was none when its line was read. Nothing to say when it has become one: its line says it."""
    if bad_email(lines[0][1]):
        raise SetAside("files-not-an-email")
    return ()


def _file(thing: str, context: Context, lines: Sequence[tuple[int, Fields]]) -> Sequence[Record]:  # noqa: ARG001  one shape for all meanings
    return ()


_SILENT = {"file"}
_MEANINGS: dict[str, Callable[[str, Context, Sequence[tuple[int, Fields]]], Sequence[Record]]] = {
    "order": _order,
    "member": _member,
    "donation": _donation,
    "contact": _contact,
    "event": _event,
    "product": _product,
    "address": _address,
    "file": _file,
}
