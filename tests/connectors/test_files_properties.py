"""What must never break in reading files: the dress of a table changes nothing, and no bytes raise anything but trouble."""

from __future__ import annotations

import csv
import os
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.files import values
from connectors.files.cells import Context, Raw
from connectors.files.meaning import records_of, try_line
from connectors.files.reading import Unfit
from connectors.files.rule import Rule, Settings
from connectors.files.understanding import Home, understand
from connectors.files.words import fields
from connectors.records import Order, Person, Record, Visit
from connectors.source import Setting
from connectors.sources.files import Files
from connectors.trouble import SetAside
from tests.connectors.test_files import workbook
from tests.contracts import Ledger, whole

QUICK = settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
PARIS = ZoneInfo("Europe/Paris")
HEADERS = {
    "fr": ("Commande", "Date de la commande", "Montant", "Nom", "Prénom", "Courriel", "Spectacle", "Date du spectacle"),
    "en": ("Order #", "Order Date", "Total Paid", "Last Name", "First Name", "E-mail", "Event Name", "Event Date"),
}
DATES = {
    "french": "%d/%m/%Y %H:%M",
    "short": "%d/%m/%y %H:%M",
    "iso": "%Y-%m-%d %H:%M:%S",
    "english": "%b %d, %Y %I:%M %p",
    "american": "%m/%d/%Y %H:%M",
    "dotted": "%d.%m.%Y %H:%M",
}
NAMES = st.text(st.sampled_from("abcdéèçÀÉœŒ'- ;,|\t\"\nZ12"), min_size=1, max_size=12).map(
    lambda text: ("N" + text).strip().replace("\n", "\r\n")
)
MOMENTS = st.integers(0, 365 * 11).flatmap(
    lambda days: st.times().map(
        lambda at: datetime.combine(
            date(2019, 1, 13) + timedelta(days=days), at.replace(second=0, microsecond=0, fold=0)
        )
    )
)
ROWS = st.lists(st.tuples(MOMENTS, st.integers(0, 999_999), NAMES, NAMES, MOMENTS), min_size=1, max_size=6)


ROOM: list[Path] = []


@pytest.fixture(scope="module", autouse=True)
def room(tmp_path_factory: pytest.TempPathFactory) -> None:
    ROOM[:] = [tmp_path_factory.mktemp("files")]


def folder_with(name: str, content: bytes) -> Path:
    """A fresh folder for each example; hypothesis runs many in one test."""
    folder = Path(tempfile.mkdtemp(dir=ROOM[0]))
    (folder / "exports").mkdir()
    (folder / "exports" / name).write_bytes(content)
    then = time.time() - 100
    os.utime(folder / "exports" / name, (then, then))
    return folder


def pulled(folder: Path, **rule: Any) -> tuple[Ledger, list[Record]]:
    ours = Files(Settings.model_validate({"folder": "exports", "files": [rule]}), Setting("x", folder))
    ledger = whole(ours)
    return ledger, [record for found in ledger.records(ours).values() for record in found]


def money(cents: int, decimal: str) -> str:
    return f"{cents // 100:,}.{cents % 100:02d}".replace(",", " ").replace(".", decimal)


@QUICK
@given(
    rows=ROWS,
    separator=st.sampled_from(";,\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"]),
    language=st.sampled_from(["fr", "en"]),
    style=st.sampled_from(sorted(DATES)),
    decimal=st.sampled_from(".,"),
    end=st.sampled_from(["\r\n", "\n"]),
    above=st.integers(0, 18),
    order=st.permutations(range(8)),
)
def test_the_dress_of_a_table_changes_nothing(
    *,
    rows: list[tuple[datetime, int, str, str, datetime]],
    separator: str,
    encoding: str,
    language: Literal["fr", "en"],
    style: str,
    decimal: str,
    end: str,
    above: int,
    order: list[int],
) -> None:
    written = [
        (f"A{n}", at.strftime(DATES[style]), money(cents, decimal), last, first, f"p{n}@example.org", f"Show {n}", show.strftime(DATES[style]))
        for n, (at, cents, last, first, show) in enumerate(rows)
    ]  # fmt: skip
    lines = [HEADERS[language], *written]
    text = StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=end)
    writer.writerows([["Ventes"], [""] * 8][n % 2] for n in range(above))
    writer.writerows([line[place] for place in order] for line in lines)
    day_first = style != "american"
    folder = folder_with("ventes.csv", text.getvalue().encode(encoding))
    ledger, found = pulled(folder, day_first=day_first)
    assert ledger.broken == {}
    orders = {record.id.split("#")[1]: record for record in found if isinstance(record, Order)}
    people = {record.id: record for record in found if isinstance(record, Person)}
    visits = {record.id.split("#")[1]: record for record in found if isinstance(record, Visit)}
    for n, (at, cents, last, first, show) in enumerate(rows):
        made = orders[f"A{n}"]
        assert made.paid is not None
        assert made.paid.amount == Decimal(cents) / 100
        assert made.at == at.replace(tzinfo=PARIS).astimezone(UTC)
        person = people[made.person]
        assert (person.last_name, person.first_name, person.email) == (last, first, f"p{n}@example.org")
        assert visits[f"A{n}/1"].starts == show.replace(tzinfo=PARIS).astimezone(UTC)
    for thing in ledger.things.values():
        if thing.kind == "order":
            number = int(str(thing.line).rpartition(":")[2])
            physical = text.getvalue().split(end) if end == "\n" else text.getvalue().replace("\r\n", "\n").split("\n")
            assert f"{thing.id.split('#')[1]}" in "".join(physical[number - 1 : number + 13])


@QUICK
@given(rows=ROWS, above=st.integers(0, 18))
def test_a_workbook_says_the_same_as_a_text(rows: list[tuple[datetime, int, str, str, datetime]], above: int) -> None:
    lines: list[list[Any]] = [list(HEADERS["fr"])]
    for n, (at, cents, last, first, show) in enumerate(rows):
        lines.append([f"A{n}", at, cents / 100, last, first, f"p{n}@example.org", "Show", show])
    ledger, found = pulled(folder_with("ventes.xlsx", workbook(lines, top=above)))
    assert ledger.broken == {}
    orders = {record.id.split("#")[1]: record for record in found if isinstance(record, Order)}
    for n, (at, cents, *_) in enumerate(rows):
        made = orders[f"A{n}"]
        assert made.paid is not None
        assert (made.paid.amount, made.at) == (Decimal(cents) / 100, at.replace(tzinfo=PARIS).astimezone(UTC))
    assert {thing.line for thing in ledger.things.values() if thing.kind == "order"} == {
        f"ventes.xlsx:{above + 2 + n}" for n in range(len(rows))
    }


PIECES = st.one_of(
    st.binary(max_size=80),
    st.sampled_from(
        [
            b"Courriel;Nom;Date de naissance\r\n", b"a@example.org;Roy;31/12/1999\r\n", b'"', b";", b"\n", b"\x00",
            b"Commande;Date de la commande;Prix;Nom;Spectacle;Date du spectacle\n", b"1;32/01/2026;1e999;\xe9;x;99:99\n",
            b"\xff\xfe", b"\xef\xbb\xbf", b"Montant du don;Nom;Date du don\n", b"sep=;\n", b"TOTAL;;;\n",
            b"PK\x03\x04", b"\xd0\xcf\x11\xe0",
        ]
    ),
)  # fmt: skip


@settings(max_examples=250, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(content=st.lists(PIECES, max_size=12).map(b"".join), ending=st.sampled_from(["csv", "xlsx", "txt", "xls"]))
def test_no_bytes_raise_anything(content: bytes, ending: str) -> None:
    folder = folder_with(f"x.{ending}", content)
    ours = Files(Settings(folder="exports"), Setting("x", folder))
    ours.check()
    ledger = whole(ours)
    ledger.records(ours)
    size = content.count(b"\n") + content.count(b"\r") + 1
    for broken in ledger.broken.values():
        if broken.kind != "file":
            assert 1 <= int(str(broken.line).rpartition(":")[2]) <= size


WORKBOOK = workbook([["Courriel", "Nom"], ["a@example.org", "Roy"], ["b@example.org", "=1+1"]])


@QUICK
@given(data=st.data())
def test_a_damaged_workbook_is_trouble_at_worst(data: st.DataObject) -> None:
    content = bytearray(WORKBOOK)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    folder = folder_with("x.xlsx", bytes(content[: data.draw(st.integers(0, len(content)))]))
    ours = Files(Settings(folder="exports"), Setting("x", folder))
    whole(ours).records(ours)


@settings(max_examples=400, deadline=None, database=None)
@given(st.text(max_size=40))
def test_no_cell_raises_anything_but_unreadable(text: str) -> None:
    told = set()
    for read in (values.moment, values.clock, values.amount, values.count, values.email, values.tags, values.yes):
        try:
            read(text)
        except values.Unreadable as trouble:
            told.add(trouble.code)
    assert told <= {"bad-date", "bad-amount", "bad-count", "not-an-email"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("04/06/25 00:00", (date(2025, 6, 4), "00:00:00")),
        ("4.6.2025", (date(2025, 6, 4), None)),
        ("2026-03-04T10:00:00.000Z", (date(2026, 3, 4), "10:00:00")),
        ("20260304", (date(2026, 3, 4), None)),
        ("Sep 26, 2026 7:05 PM", (date(2026, 9, 26), "19:05:00")),
        ("12:05 am", None),
        ("September 26th, 2026 12 AM", (date(2026, 9, 26), "00:00:00")),
        ("3 mars 2026", (date(2026, 3, 3), None)),
        ("mar. 3 février 2026 à 20h30", (date(2026, 2, 3), "20:30:00")),
        ("mardi 1er août 2026 20 h", (date(2026, 8, 1), "20:00:00")),
        ("26 Sep 2026", (date(2026, 9, 26), None)),
        ("46085.60069", (date(2026, 3, 4), "14:25:00")),
        ("31/02/2026", None),
        ("04/06", None),
        ("04/06/0025", None),
        ("demain", None),
    ],
)
def test_dates_as_people_write_them(text: str, expected: tuple[date, str | None] | None) -> None:
    if expected is None:
        with pytest.raises(values.Unreadable):
            values.moment(text)
        return
    found = values.moment(text)
    assert found is not None
    assert (found[0], str(found[1]) if found[1] else None) == expected


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("18,00", "18.00", None), ("1 234,50 €", "1234.50", "EUR"), ("1\u202f234,50\u00a0€", "1234.50", "EUR"),
        ("$1,234.50", "1234.50", None), ("1.234,50", "1234.50", None), ("1'234.50 CHF", "1234.50", "CHF"),
        ("1,234", "1234.00", None), ("0,125", "0.12", None), ("(12.00)", "-12.00", None), ("-5", "-5.00", None),
        ("CA$60", "60.00", "CAD"), ("27", "27.00", None), (",50", "0.50", None), ("1,234,567", "1234567.00", None),
    ],
)  # fmt: skip
def test_amounts_as_people_write_them(text: str, amount: str, currency: str | None) -> None:
    assert values.amount(text) == (Decimal(amount), currency)


@pytest.mark.parametrize("text", ["gratis", "1e999", "12 kg", "12-50", "1,2,3.4.5", "--5", "9" * 40])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(values.Unreadable):
        values.amount(text)


def test_the_hours_that_clocks_repeat_and_skip() -> None:
    def utc(text: str) -> datetime:
        found = values.moment(text)
        assert found is not None
        assert found[1] is not None
        return values.in_utc(found[0], found[1], "Europe/Paris")

    assert utc("25/10/2026 02:30") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # its first time
    assert utc("29/03/2026 02:30") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # moved on by the gap
    assert utc("29/03/2026 03:30") - utc("29/03/2026 01:30") == timedelta(hours=1)


@pytest.mark.parametrize(
    "text", ["jean ne@example.org", "jéanne@example.org", "jeanne@", "jeanne", "a@b", "a..b@example.org"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(values.Unreadable):
        values.email(text)


CELLS = st.dictionaries(
    st.sampled_from(sorted(fields())),
    st.sampled_from(
        ["", " ", "Roy", "a@example.org", "a @example.org", "12", "12,50", "x", "31/12/2026 20:00", "20h30", "Validé", "Oui"]
    ),
)  # fmt: skip


@settings(max_examples=400, deadline=None, database=None)
@given(cells=CELLS)
def test_a_line_that_is_let_through_means_something(cells: dict[str, str]) -> None:
    context = Context("Europe/Paris", "EUR")
    for kind in ("order", "member", "donation", "contact"):
        raw = msgspec.json.encode(Raw(context, [(2, cells)]))
        try:
            try_line(kind, context, cells)
        except SetAside as trouble:
            with pytest.raises(SetAside, match=trouble.code):
                records_of(kind, "x#1", raw)
        else:
            assert records_of(kind, "x#1", raw)


def test_a_mapping_to_an_unknown_field_names_those_there_are() -> None:
    with pytest.raises(ValueError, match="last_name"):
        Rule(columns={"Truc": "nom"})


def test_a_file_that_says_nothing_of_anybody_is_not_guessed() -> None:
    folder = folder_with("x.csv", b"1;2;3\n4;5;6\n")
    with pytest.raises(Unfit):
        understand(folder / "exports" / "x.csv", Rule(), Home())
