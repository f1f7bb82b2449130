"""config.yaml: read whole, judged whole, each mistake at its place and in the writer's language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.configfile import Reading, read_config
from sync.desk import show_mistakes

RIGHT = """\
organisation:
  name: Théâtre du Phare
  language: fr
  timezone: America/Montreal
  country: CA
  address: 12, rue du Phare, Québec (Québec) G1R 1A1
sources:
  exports: {type: files, folder: exports/}
sheet:
  type: excel
  file: Contacts.xlsx
  tab: Contacts
  columns:
    Courriel: email
    Dernière visite: last_visit
mail: {type: folder, folder: outbox/, from: "Théâtre du Phare <bonjour@phare.example>"}
rules: rules/
schedule: every day at 06:00
store: sqlite:///filrouge.db
"""


def read(folder: Path, text: str | bytes, **environment: str) -> Reading:
    file = folder / "config.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_config(file, environment)


def told(reading: Reading, language: str = "fr") -> list[str]:
    return [f"{mistake.place}  {mistake.message(language)}" for mistake in reading.mistakes]


def test_a_right_file(tmp_path: Path) -> None:
    reading = read(tmp_path, RIGHT)
    assert told(reading) == []
    config = reading.config
    assert config is not None
    assert config.columns == {"Courriel": "email", "Dernière visite": "last_visit"}
    assert (config.organisation.law, config.organisation.money) == ("casl", "CAD")
    assert config.store_url == f"sqlite:///{tmp_path.resolve() / 'filrouge.db'}"
    assert config.freshness.total_seconds() == 2 * 86_400


def test_columns_that_are_not_named_are_the_usual_ones_in_the_organisations_language(tmp_path: Path) -> None:
    short = re.sub(r"  columns:\n(    .*\n)+", "", RIGHT)
    config = read(tmp_path, short).config
    assert config is not None
    assert config.columns["Dernière visite"] == "last_visit"


@pytest.mark.parametrize(
    ("old", "new", "place", "word"),
    [
        ("language: fr", "language: de", "3:13", "en"),
        ("timezone: America/Montreal", "timezone: America/Montréal", "4:13", "America/Montreal"),
        ("country: CA", "country: Canada", "5:12", "deux lettres"),
        ("  name: Théâtre du Phare\n", "", "1:1", "name"),
        ("type: files", "type: filess", "8:19", "files"),
        ("folder: exports/}", "folder: exports/, foldr: x}", "8:51", "folder"),
        ("Courriel: email", "Courriel: emial", "14:15", "courriel"),
        ("Dernière visite: last_visit", "Mél: email", "15:10", "Courriel"),
        ("schedule: every day at 06:00", "schedule: souvent", "18:11", "cron"),
        ("store: sqlite:///filrouge.db", "store: mysql://x", "19:8", "postgresql"),
        ("rules: rules/", "regles: rules/", "17:9", "rules"),
    ],
)
def test_each_mistake_has_its_place_and_its_mend(tmp_path: Path, old: str, new: str, place: str, word: str) -> None:
    assert old in RIGHT
    sentences = told(read(tmp_path, RIGHT.replace(old, new)))
    assert len(sentences) == 1, sentences
    assert sentences[0].startswith(f"config.yaml:{place}  ")
    assert word in sentences[0]


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    text = (
        RIGHT.replace("country: CA", "country: Canada").replace("type: excel", "type: exel").replace("06:00", "26:00")
    )
    assert len(told(read(tmp_path, text))) == 3


@pytest.mark.parametrize(
    "slips",
    [
        {"  timezone": "   timezone", "CA": "Canada", "  tab:": "  tabb:"},
        {"name: Théâtre": 'name: "Théâtre', "06:00": "26:00"},
        {"name: Théâtre": "name: Théâtre: grand", "type: excel": "type: exel"},
        {"sheet:": "sheet", "country: CA": "country: Canada", "email": "emial"},
        {"files, folder": "files folder", "type: folder": "type: foldr"},
        {"  type: excel": "\ttype: excel", "06:00": "26:00"},
        {"    Dernière": "   Dernière", "last_visit": "last_visitt", "store:": "stroe:", "country": "contry"},
        {"mail:": "mial:", "  name: Théâtre du": "  name: [Théâtre du"},
        {"rules: rules/": "rules:rules/", "language: fr": "language: “de”"},
    ],
)
def test_a_slip_of_the_pen_hides_no_mistake_and_makes_none(tmp_path: Path, slips: dict[str, str]) -> None:
    text = RIGHT
    for old, new in slips.items():
        text = text.replace(old, new, 1)
    lines = [n for n, (old, new) in enumerate(zip(RIGHT.split("\n"), text.split("\n"), strict=True), 1) if old != new]
    assert sorted({mistake.place.line for mistake in read(tmp_path, text).mistakes}) == lines


@pytest.mark.parametrize(
    "written", ["token: “s3cr3t”", "token: 's3cr3t", "token: s3cr3t: x", "token:s3cr3t", "tokn: [s3cr3t"]
)
def test_a_slip_beside_a_secret_does_not_repeat_it(tmp_path: Path, written: str) -> None:
    block = f"billets:\n    type: pretix\n    organizer: phare\n    {written}"
    reading = read(tmp_path, RIGHT.replace("exports: {type: files, folder: exports/}", block))
    shown = show_mistakes(reading.mistakes, "fr", {"config.yaml": reading.lines})
    assert reading.mistakes
    assert ("s3cr3t" in shown) is written.startswith("tokn")  # nobody can tell what that was


def test_mistakes_are_told_in_the_files_own_language(tmp_path: Path) -> None:
    reading = read(tmp_path, RIGHT.replace("language: fr", "language: en").replace("country: CA", "country: Canada"))
    assert reading.language == "en"
    assert "two letters" in told(reading, reading.language)[0]


PRETIX = RIGHT.replace(
    "exports: {type: files, folder: exports/}", "billets: {type: pretix, organizer: phare, token: %s}"
)


def test_a_secret_comes_from_the_environment(tmp_path: Path) -> None:
    reading = read(tmp_path, PRETIX % '"${PRETIX_TOKEN}"', PRETIX_TOKEN="abc" * 20)
    assert told(reading) == []
    assert reading.config is not None
    assert reading.config.secrets == ("abc" * 20,)
    assert "abcabc" not in repr(reading.config)


def test_a_secret_comes_from_dotenv_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PRETIX_TOKEN=from-the-file\n")
    first = read(tmp_path, PRETIX % '"${PRETIX_TOKEN}"').config
    second = read(tmp_path, PRETIX % '"${PRETIX_TOKEN}"', PRETIX_TOKEN="from-outside").config
    assert first is not None
    assert second is not None
    assert (first.secrets, second.secrets) == (("from-the-file",), ("from-outside",))


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("in-a-file\n")
    config = read(tmp_path, PRETIX % '"${file:token}"').config
    assert config is not None
    assert config.secrets == ("in-a-file",)


def test_a_secret_in_the_file_is_a_mistake_and_is_not_repeated(tmp_path: Path) -> None:
    reading = read(tmp_path, PRETIX % "s3cr3tt0k3n")
    (sentence,) = told(reading)
    assert "BILLETS_TOKEN" in sentence
    assert "s3cr3t" not in sentence


def test_a_variable_that_is_not_set_says_where_to_set_it(tmp_path: Path) -> None:
    (sentence, *_) = told(read(tmp_path, PRETIX % '"${PRETIX_TOKEN}"'))
    assert "PRETIX_TOKEN=…" in sentence
    assert ".env" in sentence


def test_a_default_serves_where_nothing_is_set(tmp_path: Path) -> None:
    config = read(tmp_path, RIGHT.replace("Contacts.xlsx", '"${BOOK:-Contacts.xlsx}"')).config
    assert config is not None


@given(st.binary(max_size=300))
def test_no_bytes_break_it(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    reading = read(tmp_path_factory.mktemp("config"), data)
    assert reading.config is None
    assert all(told(reading, language) for language in ("fr", "en"))


@given(st.sampled_from(RIGHT.splitlines()), st.sampled_from(RIGHT.splitlines()))
def test_lines_out_of_place_never_break_it(tmp_path_factory: pytest.TempPathFactory, one: str, other: str) -> None:
    read(tmp_path_factory.mktemp("config"), RIGHT.replace(one, other))


EXPORTS = """\
  exports:
    type: files
    folder: exports/
    files:
      - match: "*.csv"
        columns: COLUMNS
"""


def with_columns(folder: Path, columns: str) -> Reading:
    block = EXPORTS.replace("COLUMNS", columns)
    return read(folder, RIGHT.replace("  exports: {type: files, folder: exports/}\n", block))


def test_a_column_of_an_export_is_named_in_either_language(tmp_path: Path) -> None:
    columns = "{Né le: date de naissance, Ville: city, Prix: Montant, Note: ignorer, Day: order_date, Mail: courriel}"
    reading = with_columns(tmp_path, columns)
    assert told(reading) == []
    assert reading.config
    [rule] = reading.config.sources["exports"].files  # type: ignore[attr-defined]
    assert rule.columns == {
        "Né le": "birthday", "Ville": "city", "Prix": "amount", "Note": "ignore", "Day": "order_date", "Mail": "email",
    }  # fmt: skip


def test_what_no_column_of_an_export_can_be_is_told_with_the_nearest_word(tmp_path: Path) -> None:
    found = told(with_columns(tmp_path, "{A: date de naissanse, B: xyzzy, Âge: anniversaire}"))
    assert len(found) == 3
    assert "`date de naissanse`" in found[0]
    assert "Vouliez-vous dire `date de naissance`" in found[0]
    assert "Les mots\xa0: " in found[1]
    assert "nom de famille" in found[1]
    assert "`tableau: {Âge: moins de 26}`" in found[2]
    assert not any("amount" in one or "Value error" in one for one in found)
