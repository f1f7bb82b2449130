"""`filrouge init`: what it writes is right at once, and an existing workbook is understood."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from connectors.trouble import FixFile
from sync.check import check
from sync.configfile import read_config
from sync.setup import Answers, set_up

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
    answers = iter(["Le Phare", "CA", "America/Montreal", "Gens.xlsx", "files"])
    set_up(tmp_path, Answers(), "fr", lambda _question, **_more: next(answers), lambda _line: None)
    config = read_config(tmp_path / "config.yaml", SECRETS).config
    assert config is not None
    assert (config.organisation.name, config.organisation.law) == ("Le Phare", "casl")


def test_nothing_that_is_there_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("mine", "utf-8")
    with pytest.raises(FixFile):
        init(tmp_path)
    assert (tmp_path / "config.yaml").read_text("utf-8") == "mine"


def test_an_unknown_source_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(FixFile):
        init(tmp_path / "new", sources=("prettix",))
    assert not (tmp_path / "new" / "config.yaml").exists()
