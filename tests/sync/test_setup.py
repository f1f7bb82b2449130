"""`filrouge init`: what it writes is right at once, and an existing workbook is understood."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from connectors.sheets.sheet import Cell, Column, Formula, Row, Table
from connectors.trouble import FixFile
from sync.check import check
from sync.configfile import read_config
from sync.setup import Answers, set_up
from sync.setup_columns import columns_of, guess_columns
from sync.setup_sheet import place_of
from tests.fakes.airtable import BASE, TOKEN, FakeAirtable

SECRETS = {"PRETIX_TOKEN": "x" * 64, "GHOST_KEY": f"{'a' * 24}:{'b' * 64}", "MAILCHIMP_KEY": f"{'c' * 32}-us19"}


def init(folder: Path, language: str = "fr", **given: Any) -> list[str]:
    said: list[str] = []
    assert set_up(folder, Answers(name="Théâtre: du « Phare »", **given), language, None, said.append) == 0
    return said


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("source", ["files", "pretix", "ghost", "mailchimp"])
def test_what_it_writes_is_right(tmp_path: Path, language: str, source: str) -> None:
    init(tmp_path, language, sources=(source,))
    reading = read_config(tmp_path / "config.yaml", SECRETS)
    assert [mistake.message("en") for mistake in reading.mistakes] == []
    assert reading.config is not None
    assert reading.config.organisation.name == "Théâtre: du « Phare »"


@pytest.mark.parametrize("language", ["fr", "en"])
def test_its_rules_and_templates_are_right(tmp_path: Path, language: str) -> None:
    init(tmp_path, language)
    found = check(tmp_path / "config.yaml", None, online=False)
    assert found.code == 0, found.said


def test_tokens_are_for_the_owner_alone(tmp_path: Path) -> None:
    init(tmp_path, sources=("pretix",))
    env = tmp_path / ".env"
    assert "PRETIX_TOKEN=" in env.read_text("utf-8")
    assert stat.S_IMODE(env.stat().st_mode) == 0o600


def workbook(file: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Contacts 2026"
    sheet.append(["NOM", "Prénoms", "Mél", "Tél. portable", "Remarques", "Ville"])
    sheet.append(["Exemple", "Jeanne", "jeanne@example.org", "06 12 34 56 78", "aime la danse", "Brest"])
    book.save(file)


def test_an_existing_workbook_is_understood(tmp_path: Path) -> None:
    workbook(tmp_path / "Public.xlsx")
    said = "\n".join(init(tmp_path))
    config = read_config(tmp_path / "config.yaml", SECRETS).config
    assert config is not None
    assert config.tab.tab == "Contacts 2026"
    assert config.columns["Mél"] == "email"
    assert config.columns["Ville"] == "city"
    assert "Remarques" not in config.columns
    assert "Remarques" in said
    assert "jeanne@example.org" in said


def test_questions_are_asked_and_answers_taken(tmp_path: Path) -> None:
    answers = iter(["Le Phare", "CA", "America/Montreal", "Gens.xlsx", "files", "bienvenue, birthdays"])
    set_up(tmp_path, Answers(), "fr", lambda _question, **_more: next(answers), lambda _line: None)
    config = read_config(tmp_path / "config.yaml", SECRETS).config
    assert config is not None
    assert (config.organisation.name, config.organisation.law) == ("Le Phare", "casl")
    assert {file.stem for file in tmp_path.glob("rules/*.yaml")} == {"bienvenue", "anniversaires"}


def test_nothing_that_is_there_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("mine", "utf-8")
    with pytest.raises(FixFile):
        init(tmp_path)
    assert (tmp_path / "config.yaml").read_text("utf-8") == "mine"


def test_an_unknown_source_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(FixFile):
        init(tmp_path / "new", sources=("prettix",))
    assert not (tmp_path / "new" / "config.yaml").exists()


# --- what a column is ------------------------------------------------------------------------------------------------


def table(columns: dict[str, list[Any]]) -> Table:
    rows = [Row(str(number), None, list(cells)) for number, cells in enumerate(zip(*columns.values(), strict=True))]
    return Table("Public", [Column(header, header) for header in columns], rows, "")


@pytest.mark.parametrize(
    ("header", "cells", "field"),
    [
        ("Mél", ["a@example.org", None, "b@example.org"], "email"),
        ("Mail perso.", ["a@example.org", "?", "b@example.org"], "email"),
        ("Contact principal", ["a@example.org", "b@example.org", None], "email"),
        ("Mail", ["oui", "non", "oui"], None),
        ("N° de tél.", ["06 12 34 56 78", None, "+33 1 40 00 00 00"], "phone"),
        ("Portable", [612345678, 698765432, None], "phone"),
        ("Mobile", ["oui", "non", None], None),
        ("CP", [29200, 35000, None], "postcode"),
        ("Code postal (facturation)", ["29200", "35000", None], "postcode"),
        ("Né(e) le", ["12/03/1980", "04-11-1975", None], "birthday"),
        ("Année de naissance", [1980, 1975, None], None),
        ("First name", ["Jeanne", "Luc", None], "first_name"),
        ("Ville", ["Brest", "Rennes", None], "city"),
        ("Ville", [1, 3, 2], None),
        ("Ville", ["recAbCdEfGhIjKlMn", "recAbCdEfGhIjKlMn, recBbCdEfGhIjKlMn", None], None),
        ("Langue", ["fr", "Anglais", None], "language"),
        ("Langue", ["maternelle", "seconde", None], None),
        ("Remarques", ["a", "b", "c"], None),
        ("Signaux", [None, None, None], None),
        ("Visites", [None, None, None], "visits"),
        ("Visites", [3, 4, None], None),
        ("Infolettre", ["oui", "non", "oui"], None),
        ("E-mail", [Formula("=A1", "a@example.org")] * 3, None),
    ],
)
def test_a_column_is_taken_where_its_values_bear_out_its_header(
    header: str, cells: list[Cell | Formula], field: str | None
) -> None:
    assert columns_of(guess_columns(table({header: cells}))) == ({header: field} if field else {})


def test_each_field_is_taken_once_by_the_column_that_says_it_best() -> None:
    of = table({
        "Mail du conjoint": ["c@example.org", "d@example.org"],
        "E-mail": ["a@example.org", "b@example.org"],
        "Téléphone": [None, None],
        "Tél.": ["06 12 34 56 78", "06 12 34 56 79"],
    })  # fmt: skip
    assert columns_of(guess_columns(of)) == {"E-mail": "email", "Tél.": "phone"}


def test_a_header_that_stands_twice_and_whole_names_are_left_alone() -> None:
    twice = table({"Nom": ["Jeanne Exemple"], "Ville": ["Brest"], "ville ": ["Rennes"], "Mail": ["a@example.org"]})
    guesses = guess_columns(twice)
    assert columns_of(guesses) == {"Mail": "email"}
    assert [guess.why for guess in guesses] == ["whole-name", "twice", "twice", ""]


def test_a_column_that_fil_rouge_kept_before_is_known_by_its_mark() -> None:
    marked = Table("Public", [Column("A", "Venues", "visits")], [Row("2", "k", [3])], "")
    assert columns_of(guess_columns(marked)) == {"Venues": "visits"}


# --- what is asked ---------------------------------------------------------------------------------------------------


def told(folder: Path, *answers: str, **given: Any) -> list[str]:
    said: list[str] = []
    known = iter(answers)
    basics: dict[str, Any] = {"name": "Le Phare", "country": "FR", "timezone": "Europe/Paris", "sources": ("files",)}
    basics |= {"rules": ("bienvenue",), **given}
    set_up(folder, Answers(**basics), "fr", lambda _question, **_more: next(known), said.append)
    assert not list(known)
    return said


def mapped(folder: Path) -> dict[str, str]:
    config = read_config(folder / "config.yaml", SECRETS).config
    assert config is not None
    return config.columns


def test_what_is_agreed_is_taken_and_nothing_is_added_against_ones_will(tmp_path: Path) -> None:
    workbook(tmp_path / "Public.xlsx")
    told(tmp_path, "oui", "non", sheet="Public.xlsx")
    assert sorted(mapped(tmp_path).values()) == ["city", "email", "first_name", "last_name", "phone"]


def test_columns_are_asked_one_by_one_where_the_guess_is_not_right(tmp_path: Path) -> None:
    workbook(tmp_path / "Public.xlsx")
    answers = ("non", "nom de famille", "-", "courriel", "courriel", "téléphone", "organisme", "-", "oui")
    said = told(tmp_path, *answers, sheet="Public.xlsx")
    assert mapped(tmp_path) == {
        "NOM": "last_name",
        "Mél": "email",
        "Tél. portable": "phone",
        "Remarques": "organisation",
        "Dernière visite": "last_visit",
        "Visites": "visits",
        "Signaux": "flags",
    }
    assert sum("n'est pas un champ encore libre" in line for line in said) == 1


def test_a_tab_where_nobody_is_named_is_not_adopted(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (["Spectacle", "Jauge"], ["Cyrano", 120]):
        book.active.append(row)
    book.save(tmp_path / "Public.xlsx")
    with pytest.raises(FixFile) as refused:
        init(tmp_path, sheet="Public.xlsx")
    assert refused.value.code == "init-nobody"
    assert not (tmp_path / "config.yaml").exists()


def test_the_tab_where_people_are_is_found_among_the_years(tmp_path: Path) -> None:
    workbook(tmp_path / "Public.xlsx")
    book = openpyxl.load_workbook(tmp_path / "Public.xlsx")
    for place, title in enumerate(("2024", "2025")):
        sheet = book.create_sheet(title, place)
        sheet.append(["Spectacle", "Jauge"])
    book["Contacts 2026"].title = "Gens"
    book.save(tmp_path / "Public.xlsx")
    init(tmp_path, sheet="Public.xlsx")
    config = read_config(tmp_path / "config.yaml", SECRETS).config
    assert config is not None
    assert config.tab.tab == "Gens"


def test_among_several_tabs_one_is_asked_for(tmp_path: Path) -> None:
    workbook(tmp_path / "Public.xlsx")
    book = openpyxl.load_workbook(tmp_path / "Public.xlsx")
    book.create_sheet("Anciens", 0).append(["Nom", "Courriel"])
    book.save(tmp_path / "Public.xlsx")
    said = told(tmp_path, "anciens", "oui", "oui", sheet="Public.xlsx")
    assert any(line.replace("\u00a0", " ").startswith("L'onglet « Anciens » a 0 ligne.") for line in said)
    assert mapped(tmp_path)["Courriel"] == "email"


def test_a_token_that_is_typed_goes_into_env_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRTABLE_TOKEN", raising=False)
    (tmp_path / ".env").write_text("# mine\nSMTP_PASSWORD=p\nAIRTABLE_TOKEN=\n", "utf-8")
    with FakeAirtable() as base:
        told(tmp_path, TOKEN, sheet=f"https://airtable.com/{BASE}", endpoint=base.url)
    env = tmp_path / ".env"
    assert env.read_text("utf-8").startswith("# mine\nSMTP_PASSWORD=p\n")
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    config = read_config(tmp_path / "config.yaml", {}).config
    assert config is not None
    assert config.secrets == (TOKEN,)


def test_a_workbook_that_lies_where_the_command_is_run_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workbook(tmp_path / "Public.xlsx")
    monkeypatch.chdir(tmp_path)
    said = init(Path("phare"), sheet="Public.xlsx")
    assert "jeanne@example.org" in "\n".join(said)
    assert "file: ../Public.xlsx" in (tmp_path / "phare" / "config.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("Contacts.xlsx", "excel"),
        ("Contacts_du_theatre_du_phare_et_de_ses_amis_2026.xlsx", "excel"),
        ("gens", "excel"),
        (
            "https://docs.google.com/spreadsheets/d/1fIlRoUgE-contacts_of-the-Phare-0123456789ab/edit?gid=0#gid=0",
            "google",
        ),
        ("https://drive.google.com/file/d/1fIlRoUgE-contacts_of-the-Phare-0123456789ab/view", "google"),
        ("https://drive.google.com/open?id=1fIlRoUgE-contacts_of-the-Phare-0123456789ab", "google"),
        ("1fIlRoUgE-contacts_of-the-Phare-0123456789ab", "google"),
        ("https://airtable.com/appFakeFakeFake01/tblFakeFakeFake01/viwFakeFakeFake01?blocks=hide", "airtable"),
        ("appFakeFakeFake01", "airtable"),
    ],
)
def test_which_kind_of_sheet_is_meant(tmp_path: Path, given: str, kind: str) -> None:
    assert place_of(given, tmp_path).type == kind
