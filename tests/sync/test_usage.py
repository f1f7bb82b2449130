"""A command typed wrongly is told in the reader's language, with what was meant."""

from __future__ import annotations

import sys

import pytest

from sync import cli


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["explain"], "Il manque `person`."),
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
