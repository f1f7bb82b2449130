"""A command typed wrongly is told in the reader's language, with what was meant."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sync import cli
from sync.command import speech


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["explain"], "Il manque `personne`."),
        (["rune"], "vouliez-vous dire `run`"),
        (["person", "shw"], "vouliez-vous dire `show`"),
        (["run", "--dryrun"], "vouliez-vous dire --dry-run"),
        (["run", "--zzz"], "L'option --zzz n'existe pas."),
        (["runs", "-n", "dix"], "La valeur de -n ne convient pas."),
        (["runs", "-n"], "-n demande une valeur"),
        (["run", "--dry-run=3"], "--dry-run ne prend pas de valeur"),
        (["explain", "Marie", "Tremblay"], "Des mots en trop\u00a0: Tremblay."),
    ],
)
def test_a_mistyped_command_is_a_sentence(
    typed: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["filrouge", "--language", "fr", *typed])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert told in said
    assert "--help` dit comment" in said
    assert not [word for word in ("Usage", "Error", "Try ", "No such", "Invalid") if word in said]


@pytest.mark.parametrize("typed", [[], ["--language", "fr"]])
def test_no_command_at_all_shows_them(
    typed: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["filrouge", *typed])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert "preview" in capsys.readouterr().err


PAGES = """
import typer
from sync.cli import app
group = typer.main.get_command(app)
waiting = [(group, None, "filrouge")]
for command, parent, name in waiting:
    context = typer.Context(command, parent=parent, info_name=name)
    print(command.get_help(context))
    waiting += [(one, context, called) for called, one in getattr(command, "commands", {}).items()]
"""
ENGLISH = re.compile(
    r"Usage|Options:|Arguments|Commands|Show|Install|default|required|COMMAND\b|ARGS|<int>|<str|YYYY|\[folder"
)


def test_help_is_in_the_readers_language() -> None:
    """Each page of it, typer's own words too."""
    shown = {
        language: subprocess.run(
            [sys.executable, "-c", PAGES],
            env=os.environ | {"FILROUGE_LANGUAGE": language},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for language in ("fr", "en")
    }
    assert ENGLISH.findall(shown["fr"]) == []
    assert shown["fr"].count("Utilisation\u00a0: ") == shown["en"].count("Usage: ") > 20
    assert "filrouge explain [OPTIONS] PERSONNE" in shown["fr"]
    assert "[obligatoire]" in shown["fr"]
    assert not re.search(r"<int>|list\[str", shown["en"])


def test_help_speaks_the_language_of_the_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("organisation: {name: Théâtre, language: fr}\n", "utf-8")
    (tmp_path / "other.yaml").write_text("organisation:\n  language: en\n", "utf-8")
    assert speech(["--help"], {"LANG": "en_US.UTF-8"}) == speech([], {}) == "fr"
    assert speech(["--config", "other.yaml", "--help"], {"LANG": "fr_CA.UTF-8"}) == "en"
    assert speech(["--config=gone.yaml", "--help"], {"LANG": "fr_CA.UTF-8"}) == "fr"
    assert speech(["--language", "en", "--help"], {}) == speech(["--help"], {"FILROUGE_LANGUAGE": "en"}) == "en"
