"""`filrouge demo`: the theatre is in the reader's language, and what it says to type can be typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.command import speech
from sync.demonstration import demonstrate
from sync.desk import Desk
from sync.outcome import Outcome
from tests.thread.small import Small

WORDS = {"fr": ("Un petit théâtre", "relancez `{}`"), "en": ("A small theatre", "`{}` again")}


@pytest.fixture
def typed(small: Small, monkeypatch: pytest.MonkeyPatch) -> Small:
    """As typed where there is no make; the runs themselves are tried elsewhere."""
    monkeypatch.delenv("MAKELEVEL", raising=False)
    monkeypatch.setattr("sync.demonstration.run_once", lambda *_: Outcome([]))
    return small


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_theatre_is_in_the_readers_language(typed: Small, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.cli.LANGUAGE", language)
    done = typed.filrouge("demo", "scène")
    assert done.code == 0, done.erred
    assert f"  language: {language} " in (typed.folder / "scène/config.yaml").read_text("utf-8")
    written, again = WORDS[language]
    assert written in done.said
    assert again.format("filrouge demo 'scène'") in done.said
    assert "make demo" not in done.said


def test_who_asks_for_a_language_gets_the_theatre_in_it(typed: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.cli.LANGUAGE", "fr")
    done = typed.filrouge("--language", "en", "demo", "stage")
    assert "A small theatre" in done.said
    assert "  language: en " in (typed.folder / "stage/config.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("called", "make", "again"),
    [
        ("filrouge", {}, "filrouge demo"),
        (".venv/bin/filrouge", {}, ".venv/bin/filrouge demo"),
        (".venv/bin/filrouge", {"MAKELEVEL": "1"}, "make demo"),
    ],
)
def test_what_to_type_next_is_what_was_typed(
    typed: Small, called: str, make: dict[str, str], again: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(typed.folder)
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("sys.argv", [called])
    for name, value in make.items():
        monkeypatch.setenv(name, value)
    said: list[str] = []
    demonstrate(Path("demo"), None, "en", said.append)
    assert f"`{again}` again" in "\n".join(said)


def test_so_is_what_a_run_asks_to_type(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small.folder)
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("sys.argv", [".venv/bin/filrouge"])
    desk = Desk.open(Path("config.yaml"), None)
    assert desk.command("approve", "perdus") == ".venv/bin/filrouge approve perdus"
    desk.close()


def told(**environment: str) -> str:
    return speech([], environment)


def test_the_systems_language_is_asked_for_as_other_programs_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert told(LANG="fr_FR.UTF-8") == told(LC_MESSAGES="fr_FR", LANG="en_US") == "fr"
    assert told(LANGUAGE="fr:en", LC_ALL="en_US.UTF-8") == "fr"
    assert told(LC_ALL="en_GB", LANG="fr_FR") == told(LANG="C.UTF-8") == told() == "en"
    assert told(FILROUGE_LANGUAGE="fr", LANGUAGE="en") == "fr"
