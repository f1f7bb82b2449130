"""From the lines of one file to objects: which cells matter, which lines belong together, and what can't be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from connectors.files.cells import Context, digest, moment
from connectors.files.meaning import event_key, try_line
from connectors.files.people import bad_email, email_of
from connectors.files.reading import Line, lines
from connectors.files.rule import Rule
from connectors.files.understanding import Understanding
from connectors.files.words import choices, fold
from connectors.source import Broken, Object
from connectors.trouble import SetAside

OBJECT = {"orders": "order", "members": "member", "donations": "donation", "contacts": "contact"}
_EVENT = ("event_id", "event_name", "event_date", "event_time", "event_end_date", "event_end_time", "genre", "location")
_WORST = ("subscribed", "pending", "none", "unsubscribed", "bounced")
_BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Found:
    """An object, and how it compares with others of the same id: the greater `rank` is the one to believe."""

    object: Object
    rank: tuple[datetime, int] = (_BEFORE_ALL, 0)


@dataclass
class Gathering:
    """One file being turned into objects. `read` lines were looked at, `ignored` were blank, repeated or totals."""

    understood: Understanding
    rule: Rule
    path: str
    read: int = 0
    ignored: int = 0
    broken: list[Broken] = field(default_factory=list)
    _times: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        about = self.understood
        consent = about.column("consent")
        self.kind = OBJECT[about.kind]
        self.context = Context(
            timezone=about.timezone,
            currency=about.currency,
            day_first=about.day_first,
            status=about.status,
            list=about.list,
            statuses=dict(self.rule.statuses),
            event=self.rule.event,
            event_date=self.rule.event_date.isoformat() if self.rule.event_date else None,
            genre=self.rule.genre,
            genres=dict(self.rule.genres),
            consent=consent.header if consent else None,
        )
        self._totals = tuple(choices("totals"))
        self._context = msgspec.json.encode(self.context)

    def found(self) -> Iterator[Found]:
        """Every object of the file. Orders come at the end, as their lines may stand anywhere."""
        orders: dict[str, list[tuple[int, bytes]]] = {}
        told: set[str] = set()
        for number, cells in self._good_lines():
            key = self._key(cells)
            encoded = msgspec.json.encode((number, cells))
            if self.kind == "order":
                yield from self._beside(number, cells, told)
                orders.setdefault(key, []).append((number, encoded))
            else:
                yield Found(self._object(self.kind, self._once(key, "~"), number, [encoded]), self._rank(cells))
        for key, of_order in orders.items():
            yield Found(self._object("order", key, of_order[0][0], [encoded for _, encoded in of_order]))

    def _good_lines(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Lines with their cells by field; what can't be read goes to `broken`."""
        about = self.understood
        places = [(column.field, column.place) for column in about.columns]
        for line in lines(about.file, about.form):
            if about.header_line is not None and line.number <= about.header_line:
                continue
            self.read += 1
            if self._is_no_data(line):
                self.ignored += 1
                continue
            width = len(line.cells)
            named = ((name, line.cells[place] if place < width else "") for name, place in places)
            cells = {name: cell for name, cell in named if cell.strip() or name == "order_date"}
            if self._is_good(line, cells):
                yield line.number, cells

    def _is_no_data(self, line: Line) -> bool:
        """A totals line, or the header once more."""
        place, first = next((place, cell) for place, cell in enumerate(line.cells) if cell and not cell.isspace())
        word = fold(first)
        if word.startswith(self._totals) and f"{word} ".startswith(tuple(f"{total} " for total in self._totals)):
            return not any("@" in cell for cell in line.cells)
        header = self.understood.headers if self.understood.header_line else ()
        return (
            place < len(header)
            and fold(header[place]) == word
            and all(fold(cell) == fold(name) for cell, name in zip(line.cells, header, strict=False))
        )

    def _is_good(self, line: Line, cells: dict[str, str]) -> bool:
        if any(cell.strip() for cell in line.cells[len(self.understood.headers) :]):
            self._set_aside(line.number, cells, SetAside("files-too-many-cells", n=len(line.cells)))
            return False
        try:
            try_line(self.kind, self.context, cells)
        except SetAside as trouble:
            self._set_aside(line.number, cells, trouble)
            return False
        if bad_email(cells):
            self._set_aside(line.number, cells, SetAside("files-not-an-email"), "address")
        return True

    def _set_aside(self, number: int, cells: dict[str, str], trouble: SetAside, kind: str | None = None) -> None:
        facts = {name: str(fact) for name, fact in trouble.facts.items()}
        if column := self.understood.column(facts.get("column", "")):
            facts["column"] = column.header
        encoded = msgspec.json.encode((number, cells))
        key = self._once("!" + digest(*cells.keys(), *cells.values()), "~")
        raw = self._raw([encoded])
        self.broken.append(
            Broken(
                kind=kind or self.kind,
                id=f"{self.understood.series}#{key}",
                raw=raw,
                code=trouble.code,
                facts=facts,
                line=f"{self.path}:{number}",
            )
        )

    def _key(self, cells: dict[str, str]) -> str:
        """What makes this line this line, whatever file it stands in."""
        if self.kind in {"order", "donation", "member"}:
            if own := (cells.get("order", "") or cells.get("ticket", "")).strip():
                return own if len(own) <= 80 else digest(own)
            return self._once("=" + digest(*cells.keys(), *cells.values()), "~")
        if email := email_of(cells):
            return digest(email.casefold())
        return "=" + digest(*(cells.get(name, "").casefold() for name in ("name", "first_name", "last_name", "phone")))

    def _once(self, key: str, mark: str) -> str:
        self._times[key] += 1
        return key if self._times[key] == 1 else f"{key}{mark}{self._times[key]}"

    def _rank(self, cells: dict[str, str]) -> tuple[datetime, int]:
        """Of two lines about one address of a newsletter the later counts; at the same time the one that stops mail."""
        changed = moment(self.context, cells, "changed")
        status = self.context.status
        return changed or _BEFORE_ALL, _WORST.index(status) if status in _WORST else 0

    def _beside(self, number: int, cells: dict[str, str], told: set[str]) -> Iterator[Found]:
        """The event and the product that this line names, each once in a file."""
        event = event_key(self.context, cells)
        product = cells.get("product", "")
        for kind, key, names in (("event", event, _EVENT), ("product", product and digest(product), ("product",))):
            if key and f"{kind} {key}" not in told:
                told.add(f"{kind} {key}")
                part = {name: cells[name] for name in names if name in cells}
                yield Found(self._object(kind, key, number, [msgspec.json.encode((number, part))]))

    def _object(self, kind: str, key: str, number: int, encoded: Sequence[bytes]) -> Object:
        return Object(kind, f"{self.understood.series}#{key}", self._raw(encoded), f"{self.path}:{number}")

    def _raw(self, encoded: Sequence[bytes]) -> bytes:
        return b'{"context":' + self._context + b',"lines":[' + b",".join(encoded) + b"]}"
