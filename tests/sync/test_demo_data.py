"""The demo organisation: what its files hold, and that the product's own readers accept them."""

from __future__ import annotations

import hashlib
import zipfile
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from connectors.files.rule import Settings
from connectors.records import Donation, Event, Order, Person, Record, Subscription, Visit
from connectors.source import Setting
from connectors.sources.files import Files
from rules.reader import read
from sync.configfile import read_config
from sync.demo import write_demo
from sync.followup.templatefiles import read_templates
from tests.contracts import Ledger, whole

DAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    write_demo(folder, DAY)
    return folder


@pytest.fixture(scope="module")
def ledger(theatre: Path) -> Ledger:
    return whole(_source(theatre))


@pytest.fixture(scope="module")
def found(theatre: Path, ledger: Ledger) -> list[Record]:
    return [record for records in ledger.records(_source(theatre)).values() for record in records]


def _source(folder: Path) -> Files:
    config = read_config(folder / "config.yaml", {}).config
    assert config is not None
    settings = config.sources["exports"]
    assert isinstance(settings, Settings)
    return Files(settings, Setting("exports", folder))


def _of(kind: type[Any], found: list[Record]) -> list[Any]:
    return [record for record in found if type(record) is kind]


def _hashes(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (folder / "exports").iterdir()}


def test_the_same_day_gives_the_same_files(theatre: Path, tmp_path: Path) -> None:
    write_demo(tmp_path / "again", DAY)
    assert _hashes(tmp_path / "again") == _hashes(theatre)
    write_demo(tmp_path / "later", DAY + timedelta(days=1))
    assert _hashes(tmp_path / "later") != _hashes(theatre)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_its_config_rules_examples_and_templates_are_without_mistake(tmp_path: Path, language: str) -> None:
    write_demo(tmp_path, DAY, language)
    config = read_config(tmp_path / "config.yaml", {})
    assert config.mistakes == []
    folder = tmp_path / "rules"
    templates, mistakes = read_templates({file.name: file.read_bytes() for file in (folder / "templates").iterdir()})
    assert mistakes == []
    rules = {file.name: file.read_bytes() for file in folder.glob("*.yaml")}
    headers = [str(cell.value) for cell in openpyxl.load_workbook(tmp_path / "Contacts.xlsx")["Contacts"][1]]
    reading = read(rules, columns=headers, templates=templates.names)
    assert reading.mistakes == []
    assert not [text for text in tmp_path.rglob("*.yaml") if "@day" in text.read_text("utf-8")]
    assert {template.language for template in templates} == {language}


def test_every_export_is_understood_for_what_it_is(theatre: Path) -> None:
    ours = _source(theatre)
    about = {name: ours.understood(name) for name in ours.exports()}
    assert Counter((one.kind, one.series) for one in about.values()) == {
        ("orders", "box-office-orders"): 3,
        ("orders", "helloasso-orders"): 3,
        ("donations", "helloasso-donations"): 1,
        ("contacts", "mailchimp-contacts"): 3,
    }
    assert about["billetterie-2025-2026.csv"].form.encoding == "cp1252"
    assert about["helloasso-dons.csv"].form.encoding == "utf-8-sig"
    assert [doubt for one in about.values() for doubt in one.doubts] == []


def test_it_is_a_small_theatre_with_the_dirt_of_real_life(found: list[Record], ledger: Ledger) -> None:
    assert 2980 <= len(_of(Order, found)) <= 3000
    assert 700 <= len({(p.email or f"{p.first_name} {p.last_name}").casefold() for p in _of(Person, found)}) <= 900
    assert Counter(order.status for order in _of(Order, found)).keys() == {"paid", "cancelled", "refunded"}
    assert {sub.status for sub in _of(Subscription, found)} == {"subscribed", "unsubscribed", "bounced"}
    assert {broken.code for broken in ledger.broken.values()} == {"files-not-an-email", "files-no-person"}
    names: dict[str, set[str]] = defaultdict(set)
    for person in _of(Person, found):
        assert person.email is None or person.email.casefold().rpartition("@")[2] in {
            "example.org",
            "example.com",
            "example.net",
        }
        if person.email and person.first_name:
            names[person.email.casefold()].add(person.first_name.casefold())
    assert sum(len(first) > 1 for first in names.values()) > 20  # couples, accents left out
    assert any(event.name == "887" for event in _of(Event, found))
    assert {visit.genre for visit in _of(Visit, found)} == {"théâtre", "danse", "cirque", "musique", "jeune public"}


@pytest.mark.parametrize("day", [DAY, date(2026, 7, 20), date(2027, 3, 3), date(2026, 9, 2), date(2028, 2, 29)])
def test_whatever_the_day_its_rules_have_people(tmp_path: Path, day: date) -> None:
    write_demo(tmp_path, day)
    ours = _source(tmp_path)
    found = [record for records in whole(ours).records(ours).values() for record in records]
    now = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    who = {person.id: (person.email or person.id).casefold() for person in _of(Person, found)}
    visits: dict[str, dict[str, datetime]] = defaultdict(dict)
    genres: dict[str, set[str]] = defaultdict(set)
    for visit in _of(Visit, found):
        if visit.status == "booked":
            visits[who[visit.person]][visit.event] = visit.starts
            genres[who[visit.person]].add(visit.genre)
    year, month = now - timedelta(days=365), now - timedelta(days=42)
    came = {person: [at for at in when.values() if at < now] for person, when in visits.items()}
    ahead = {person for person, when in visits.items() if max(when.values()) > now}
    lapsed = [p for p, when in came.items() if len(when) > 2 and max(when) < year and p not in ahead]
    new = [p for p, when in came.items() if len(when) == 1 and when[0] > month]
    thanks = [
        p for p, when in came.items()
        if len(when) > 1 and max(when) > now - timedelta(days=5) and "jeune public" in genres[p]
    ]  # fmt: skip
    gifts = {who[gift.person] for gift in _of(Donation, found) if gift.at > now - timedelta(days=30)}
    assert 30 <= len(lapsed) <= 95
    assert 18 <= len(new) <= 45
    assert 10 <= len(thanks) <= 35
    assert 10 <= len(gifts) <= 30
    soon = now + timedelta(days=4)
    first_ones = {p for p, when in visits.items() if now < min(when.values()) < soon}
    assert len(first_ones) >= 6  # for whom the journey has practical information


def test_an_english_team_has_an_english_workbook(tmp_path: Path) -> None:
    write_demo(tmp_path, DAY, "en")
    book = openpyxl.load_workbook(tmp_path / "Contacts.xlsx")
    assert book.sheetnames == ["Contacts", "Volunteers"]
    assert {cell.value for cell in book["Contacts"]["H"]} == {"Do not contact", "yes", None}


def test_the_workbook_looks_as_a_team_left_it(theatre: Path) -> None:
    book = openpyxl.load_workbook(theatre / "Contacts.xlsx")
    assert book.sheetnames == ["Contacts", "Bénévoles"]
    sheet = book["Contacts"]
    headers = [cell.value for cell in sheet[1]]
    assert {"Nom", "Prénom", "Courriel", "Bénévole", "Ne pas relancer", "Remarques"} <= set(headers)
    assert sheet.max_row == 151
    assert sheet.freeze_panes == "C2"
    assert str(sheet["J2"].value).startswith("=")
    assert sheet.cell(1, headers.index("Ne pas relancer") + 1).comment is not None
    with zipfile.ZipFile(theatre / "Contacts.xlsx") as parts:
        assert "xl/charts/chart1.xml" in parts.namelist()
    assert "oui" in {cell.value for cell in sheet["H"]}
