"""What a file was understood to be, every guess with its reason, so that a person can agree or write it otherwise.

`understand(file, rule, home)` reads as much of the file as it needs; nothing is kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal

from connectors.files import values
from connectors.files.cells import ListStatus
from connectors.files.reading import Form, Line, Unfit, form_of, lines
from connectors.files.rule import Rule
from connectors.files.words import choices, fold, forms, headers

Kind = Literal["orders", "members", "donations", "contacts"]
Why = Literal["header", "values", "config"]
_Chosen = dict[str, tuple[int, int, Why]]
HEADER_WITHIN = 20
SAMPLE = 300
DATES = frozenset(
    {"order_date", "event_date", "event_end_date", "donation_date", "membership_starts", "membership_ends"}
)
DATES |= {"optin_time", "unsub_time", "changed", "birthday"}


@dataclass(frozen=True)
class Home:
    """What of the organisation matters for reading its files. `currency` is an ISO 4217 code."""

    timezone: str = "Europe/Paris"
    country: str = "FR"
    language: str = "fr"

    @property
    def currency(self) -> str:
        return {"CA": "CAD", "US": "USD", "CH": "CHF", "GB": "GBP"}.get(self.country.upper(), "EUR")


@dataclass(frozen=True)
class Column:
    """One column that is used: our `field`, the file's `header`, its place, one `example`, and what the guess rests on."""

    field: str
    header: str
    place: int
    example: str
    why: Why


@dataclass(frozen=True)
class Understanding:
    """How a file is read. `doubts` are (code, facts) in the words of `sync/words/*/files.yaml`.

    `header_line` is None where there is no header. `day_first` tells how `04/06/25` is read. `series` groups files
    that are exports of the same thing; `status` is where all people of the file stand with the newsletter.
    """

    file: Path
    form: Form
    kind: Kind
    series: str
    header_line: int | None
    headers: tuple[str, ...]
    columns: tuple[Column, ...]
    ignored: tuple[str, ...]
    day_first: bool
    timezone: str
    currency: str
    status: ListStatus | None = None
    list: str | None = None
    doubts: tuple[tuple[str, dict[str, str]], ...] = field(default=())

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.field == name), None)

    def told(self) -> tuple[str, dict[str, str]]:
        """What was understood, as a (code, facts) for `sync.messages.say`: the fields are named as in the config."""
        columns = "; ".join(f"{column.field} ← {column.header} ({column.example})" for column in self.columns)
        return f"files-understood-{self.kind}", {"columns": columns, "ignored": ", ".join(self.ignored) or "–"}


def understand(file: Path, rule: Rule, home: Home, name: str | None = None) -> Understanding:
    """Tell what `file` is. `name` is the name to judge by, where the file was renamed. Raises `Unfit` and OSError."""
    name = name or file.name
    form = form_of(file, rule.separator, rule.tab)
    sample = list(islice(lines(file, form), SAMPLE))
    if not sample:
        raise Unfit("files-empty", growing=True)
    header = _header(sample, rule)
    names = tuple(cell.strip().lstrip("\ufeff") for cell in header.cells) if header else _lettered(sample)
    body = [line for line in sample if header is None or line.number > header.number]
    columns = _columns(names, body, rule)
    found = {column.field for column in columns}
    maker = _maker(names, name)
    kind = rule.kind or _kind(found, names, name)
    if not _enough(found, kind):
        raise Unfit("files-no-columns", detail=", ".join(names)[:200])
    day_first, doubts = (
        _day_order(file, form, header, columns, names, home) if rule.day_first is None else (rule.day_first, [])
    )
    used = {column.place for column in columns}
    return Understanding(
        file=file,
        form=form,
        kind=kind,
        series=rule.series or _series(kind, maker, name),
        header_line=header.number if header else None,
        headers=names,
        columns=columns,
        ignored=tuple(header for place, header in enumerate(names) if place not in used and header),
        day_first=day_first,
        timezone=rule.timezone or ("UTC" if maker == "mailchimp" else home.timezone),
        currency=rule.currency or home.currency,
        status=rule.status or (_status_in(name) if kind == "contacts" else None),
        list=rule.list or (maker if maker == "mailchimp" else None),
        doubts=(*doubts, *_doubts(form, found, kind, rule)),
    )


def _header(sample: Sequence[Line], rule: Rule) -> Line | None:
    """The line within the first 20 that holds the most known headers; none where data begins at once."""
    if rule.header:
        return next((line for line in sample if line.number == rule.header), None)
    given = {fold(header) for header in rule.columns}
    early = [line for line in sample if line.number <= HEADER_WITHIN]

    def known(line: Line) -> int:
        return len({cell for cell in map(fold, line.cells) if cell in headers() or cell in given})

    best = max(early, key=lambda line: (known(line), -line.number), default=None)
    if best is not None and known(best) and not any(_is_email(cell) for cell in best.cells):
        return best
    widest = max((len(line.cells) for line in early), default=0)
    for line in early:
        if len(line.cells) >= widest and not any(_is_email(cell) or cell.strip()[:1].isdigit() for cell in line.cells):
            return line
    return None


def _lettered(sample: Sequence[Line]) -> tuple[str, ...]:
    """Names for the columns of a file without headers, as a spreadsheet names them."""
    widest = min(702, max(len(line.cells) for line in sample))
    return tuple((chr(64 + place // 26) if place >= 26 else "") + chr(65 + place % 26) for place in range(widest))


def _columns(names: Sequence[str], body: Sequence[Line], rule: Rule) -> tuple[Column, ...]:
    chosen: _Chosen = {}
    given = {fold(header): target for header, target in rule.columns.items()}
    for place, name in enumerate(names):
        word = fold(name)
        if word in given:
            if given[word] != "ignore":
                chosen[given[word]] = (-1, place, "config")
            continue
        known = headers().get(word)
        if known and (known[0] not in chosen or known[1] < chosen[known[0]][0]):
            chosen[known[0]] = (known[1], place, "header")
    _tell_names_apart(chosen, names)
    _give_participants_their_address(chosen, names, given)
    if (
        "email" not in chosen
        and (place := _full_of_emails(names, body, {p for _, p, _ in chosen.values()}, given)) >= 0
    ):
        chosen["email"] = (99, place, "values")
    return tuple(
        Column(target, names[place], place, _example(body, place), why)
        for target, (_, place, why) in sorted(chosen.items(), key=lambda item: item[1][1])
    )


def _tell_names_apart(chosen: _Chosen, names: Sequence[str]) -> None:
    """`Nom` beside `Prénom` is the last name; alone it is the whole name."""
    if "name" in chosen and fold(names[chosen["name"][1]]) in {"nom", "name"}:
        if "first_name" in chosen and "last_name" not in chosen:
            chosen["last_name"] = chosen["name"]
        if "last_name" in chosen:
            del chosen["name"]


def _give_participants_their_address(chosen: _Chosen, names: Sequence[str], given: Mapping[str, str]) -> None:
    """Beside `Email payeur`, an `Adresse mail` that the form asked for is the participant's own."""
    paying = "email" in chosen and set(fold(names[chosen["email"][1]]).split()) & {
        "payeur",
        "acheteur",
        "buyer",
        "purchaser",
    }
    taking_part = any(name.startswith("participant_") for name in chosen)
    if not paying or not taking_part or "participant_email" in chosen:
        return
    for place, name in enumerate(names):
        known = headers().get(fold(name))
        if known and known[0] == "email" and place != chosen["email"][1] and fold(name) not in given:
            chosen["participant_email"] = (known[1], place, "header")
            return


def _full_of_emails(names: Sequence[str], body: Sequence[Line], used: set[int], given: Mapping[str, str]) -> int:
    for place, name in enumerate(names):
        cells = [line.cells[place] for line in body if place < len(line.cells) and line.cells[place].strip()]
        if place not in used and fold(name) not in given and cells and sum(map(_is_email, cells)) > len(cells) * 0.6:
            return place
    return -1


def _is_email(cell: str) -> bool:
    try:
        return values.email(cell) is not None
    except values.Unreadable:
        return False


def _example(body: Sequence[Line], place: int) -> str:
    cells = (line.cells[place].strip() for line in body if place < len(line.cells))
    return next((cell[:60] for cell in cells if cell), "")


def _maker(names: Iterable[str], name: str) -> str | None:
    """Whose export it is, seen from headers that nobody else uses."""
    folded = {fold(header) for header in names}
    if {"cle representation", "numero billet"} <= folded or {"numero billet", "filiere de vente"} <= folded:
        return "box-office"
    if "email payeur" in folded and "reference commande" in folded:
        return "helloasso"
    if {"attendee", "order", "ticket type"} <= folded or {"eventbrite fees"} <= folded or "eventbrite" in fold(name):
        return "eventbrite"
    if {"email address", "leid", "euid"} <= folded or {"member rating", "optin time"} <= folded:
        return "mailchimp"
    return None


def _kind(found: set[str], names: Sequence[str], name: str) -> Kind:
    folded = " ".join(fold(header) for header in names)
    title = set(fold(name).split())
    if (
        "donation_amount" in found
        or "donateur" in folded
        or (title & {"don", "dons", "donations"} and "amount" in found)
    ):
        return "donations"
    if "membership" in found or "membership_ends" in found or ("adherent" in folded and "order_date" in found):
        return "members"
    if found & {"order", "ticket", "event_name", "event_date"} and found & {"order_date", "event_date", "event_name"}:
        return "orders"
    return "contacts"


def _enough(found: set[str], kind: Kind) -> bool:
    person = found & {"email", "name", "last_name", "first_name", "phone", "participant_email", "customer"}
    return bool(person) and (kind != "donations" or bool(found & {"donation_amount", "amount", "total"}))


def _series(kind: Kind, maker: str | None, name: str) -> str:
    """`contacts-mai-2026 (1).csv` and `contacts-juin-2026.csv` are of one series; a known maker's exports are one anyway."""
    if maker:
        return f"{maker}-{kind}"
    words = [word for word in fold(Path(name).stem).split() if word not in forms("months") and not word.isdigit()]
    rest = [word for word in words if not re.fullmatch(r"\d+\w{0,2}|export|copie|copy|de|final|v\d+", word)]
    return f"{kind}-{'-'.join(rest) or 'file'}"


def _status_in(name: str) -> ListStatus | None:
    words = set(fold(name).split())
    if words & {"unsubscribed", "desinscrits", "desabonnes"}:
        return "unsubscribed"
    if words & {"cleaned", "nettoyes", "erreurs", "bounced"}:
        return "bounced"
    return "subscribed" if words & {"subscribed", "inscrits", "abonnes"} else None


def _day_order(
    file: Path, form: Form, header: Line | None, columns: Sequence[Column], names: Sequence[str], home: Home
) -> tuple[bool, list[tuple[str, dict[str, str]]]]:
    """Day or month first: the first value that can be read one way only decides for the whole file."""
    places = [column.place for column in columns if column.field in DATES]
    unsure = 0
    if places:
        for line in lines(file, form):
            if header is not None and line.number <= header.number:
                continue
            for place in places:
                parts = values.day_parts(line.cells[place]) if place < len(line.cells) else None
                if parts and parts[0] > 12 >= parts[1]:
                    return True, []
                if parts and parts[1] > 12 >= parts[0]:
                    return False, []
                unsure += parts is not None and parts[0] != parts[1]
    day_first = _speaks_french(names, home)
    code = "files-day-first-assumed" if day_first else "files-month-first-assumed"
    return day_first, [(code, {"file": file.name})] if unsure else []


def _speaks_french(names: Sequence[str], home: Home) -> bool:
    seen = Counter(language for name in names for language in ("french", "english") if fold(name) in choices(language))
    if seen["french"] != seen["english"]:
        return seen["french"] > seen["english"] or home.country.upper() not in {"US", "CA"}
    return home.language == "fr" or home.country.upper() not in {"US", "CA"}


def _doubts(form: Form, found: set[str], kind: Kind, rule: Rule) -> list[tuple[str, dict[str, str]]]:
    doubts: list[tuple[str, dict[str, str]]] = []
    if form.mixed:
        doubts.append(("files-mixed-encoding", {}))
    if kind == "orders" and "event_date" not in found and not rule.event_date:
        doubts.append(("files-no-event-date", {}))
    if kind == "orders" and "order_date" not in found:
        doubts.append(("files-no-order-date", {}))
    if not found & {"email", "participant_email"}:
        doubts.append(("files-no-email-column", {}))
    return doubts
