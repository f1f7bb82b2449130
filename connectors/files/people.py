"""The people of one line: who paid, who takes part, and their addresses."""

from __future__ import annotations

from datetime import date, datetime

from connectors.files import values
from connectors.files.cells import Context, Fields, day
from connectors.records import Person
from connectors.trouble import SetAside

_FIELDS = (
    "phone",
    "first_name",
    "last_name",
    "name",
    "language",
    "postcode",
    "city",
    "region",
    "country",
    "organisation",
)
_TELLING = ("last_name", "name", "first_name", "phone", "organisation")
_BIRTHDAY_PIVOT = 20  # `12/05/31` is 1931: nobody's birthday lies in the future


def email_of(cells: Fields, field: str = "email") -> str | None:
    """The e-mail address of a line; what is none is left out here and set aside by itself (`bad_email`)."""
    try:
        return values.email(cells.get(field, ""))
    except values.Unreadable:
        return None


def bad_email(cells: Fields) -> bool:
    """Whether the line names an address that can't be one."""
    return any(
        cells.get(field, "").strip() and email_of(cells, field) is None for field in ("email", "participant_email")
    )


def names_somebody(cells: Fields) -> bool:
    """Whether there is anything to know a person by."""
    return any(cells.get(name, "").strip() for name in _TELLING) or email_of(cells) is not None


def person_of(thing: str, context: Context, cells: Fields, seen: datetime | None = None) -> Person | None:
    """The person of a line, or None where it names nobody."""
    if not names_somebody(cells):
        return None
    given = {name: cells[name] for name in _FIELDS if cells.get(name, "").strip()}
    return Person(
        id=thing,
        email=email_of(cells),
        birthday=birthday(context, cells),
        customer=cells.get("customer", "").strip() or None,
        tags=values.tags(cells.get("tags", "")),
        seen=seen,
        **given,
    )


def birthday(context: Context, cells: Fields) -> date | None:
    try:
        return day(context, cells, "birthday", _BIRTHDAY_PIVOT)
    except SetAside:  # `12/05` without a year: no reason to lose the person
        return None


def sides(cells: Fields) -> tuple[Fields, Fields | None]:
    """Who paid, and who takes part where that is somebody who can be written to by themselves."""
    part = {
        name.removeprefix("participant_"): cell
        for name, cell in cells.items()
        if name.startswith("participant_") and cell.strip()
    }
    if not part:
        return cells, None
    if not any(cells.get(name, "").strip() for name in ("first_name", "last_name", "name")):
        whole = dict(cells) | part
        whole["email"] = part.get("email") or cells.get("email", "")
        return whole, None
    own, paying = email_of(part), email_of(cells)
    if own is None or (paying and own.casefold() == paying.casefold()):
        return cells, None
    return cells, part


def holder_of(cells: Fields) -> Fields:
    payer, participant = sides(cells)
    return participant or payer
