"""The schemas in a real editor's hands: yaml-language-server, which VS Code and most other editors run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from rules.recipes import recipes
from rules.schema import Names, schema
from sync.command import LANGUAGE
from sync.demo import write_demo
from tests.real.editor.editor import Editor, editor
from tests.thread.small import Small

pytestmark = pytest.mark.real
RULES = """\
segments:
  - nom: Habitués
    quand: {visites: au moins 2}
règles:
  - nom: Perdus de vue
    quand:
      segment: @
      dernière visite: @
      visites: @
      infolettre: @
      tableau:
        @
      dépensé: 3
      @
    alors:
      - courriel: @
        attendre: @
      - @
      - signaler: À relancer
    @
  - @
"""
EXPECTED: list[set[str]] = [
    {"Habitués", "Habitués perdus de vue"},
    {"il y a plus de 18 mois", "dans les 7 prochains jours", "jamais", "connu"},
    {"au moins 3", "entre 2 et 5"},
    {"inscrit", "désinscrit"},
    {"Ne pas relancer"},
    {"prochaine visite", "au moins un de"},
    {"on-se-revoit", "bienvenue"},
    {"2 jours"},
    {"signaler", "courriel", "tâche", "écrire"},
    {"sauf", "exemples", "actif"},
    {"nom · quand · alors", "nom"},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `filrouge init` leaves it, its schema with a few names of the team's own."""
    team = Small(tmp_path_factory.mktemp("team"))
    assert team.filrouge("--language", "fr", "init", "ours", "--yes", "--source", "files").code == 0
    found = team.folder / "ours"
    names = Names(["Ne pas relancer"], ["on-se-revoit", "bienvenue"], ["Habitués", "Habitués perdus de vue"])
    (found / "schemas" / "rules.json").write_text(json.dumps(schema("fr", names, LANGUAGE)), "utf-8")
    return found


@pytest.fixture(scope="module")
def code(folder: Path) -> Iterator[Editor]:
    with editor(folder, json.loads((folder / ".vscode/settings.json").read_text("utf-8"))) as one:
        yield one


def marks(text: str) -> list[tuple[int, int]]:
    return [(number, line.index("@")) for number, line in enumerate(text.splitlines()) if "@" in line]


def test_everything_is_completed_where_it_may_stand(code: Editor) -> None:
    code.open("rules/new.yaml", RULES.replace("@", ""))
    for (line, column), expected in zip(marks(RULES), EXPECTED, strict=True):
        offered = code.completions("rules/new.yaml", line, column)
        assert expected <= set(offered), RULES.splitlines()[line]
        assert not {"true", "false", "null"} & set(offered), RULES.splitlines()[line]
    code.close("rules/new.yaml")


def test_a_word_under_the_mouse_is_explained(code: Editor) -> None:
    code.open(
        "rules/hover.yaml", "règles:\n  - nom: A\n    quand: {dernière_visite: jamais}\n    alors: {signaler: B}\n"
    )
    told = code.hover("rules/hover.yaml", 2, 14)
    assert "`il y a plus de 18 mois`" in told
    assert code.hover("rules/hover.yaml", 2, 6)
    code.close("rules/hover.yaml")


@pytest.mark.parametrize(
    ("wrong", "line", "column"),
    [
        ("règles:\n  - nom: A\n    quand: {visites: au moin 3}\n    alors: {signaler: B}\n", 2, 21),
        ("règles:\n  - nom: A\n    quand: {vizites: 3}\n    alors: {signaler: B}\n", 2, 12),
        ("règles:\n  - nom: A\n    qand: {visites: 3}\n    alors: {signaler: B}\n", 2, 4),
        ("règles:\n  - nom: A\n    quand: {visites: 3}\n    alors:\n      - signler: B\n", 4, 8),
        ("règles:\n  - nom: A\n    quand: {visites: 3}\n", 1, 4),
        ("règles:\n  - nom: A\n    quand: {infolettre: subscribed}\n    alors: {signaler: B}\n", 2, 24),
    ],
)
def test_what_is_wrong_is_underlined_where_it_stands(code: Editor, wrong: str, line: int, column: int) -> None:
    found = code.open("rules/wrong.yaml", wrong)
    code.close("rules/wrong.yaml")
    assert (line, column) in [(one["range"]["start"]["line"], one["range"]["start"]["character"]) for one in found]


def test_what_init_wrote_gives_no_complaint(code: Editor, folder: Path) -> None:
    files = ["config.yaml", *(f"rules/{file.name}" for file in sorted((folder / "rules").glob("*.yaml")))]
    assert len(files) > 4
    assert [(name, code.open(name)) for name in files] == [(name, []) for name in files]


def test_the_config_is_completed_and_checked(code: Editor) -> None:
    text = "organisation: {name: A, langage: fr}\nsources:\n  a:\n    type: \n"
    found = code.open("config.yaml", f"# yaml-language-server: $schema=schemas/config.json\n{text}")
    assert any("langage" in one["message"] for one in found)
    assert {"files", "pretix"} <= set(code.completions("config.yaml", 4, 10))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_library_and_the_demo_give_no_complaint(language: str, tmp_path: Path) -> None:
    write_demo(tmp_path, date(2026, 3, 14), language)
    for recipe in recipes(language):
        (tmp_path / "rules" / f"library-{recipe.key}.yaml").write_text(recipe.text(recipe.defaults), "utf-8")
    (tmp_path / "rules.json").write_text(json.dumps(schema(language)), "utf-8")
    names = [f"rules/{file.name}" for file in sorted((tmp_path / "rules").glob("*.yaml"))]
    with editor(tmp_path, {"yaml.schemas": {"rules.json": "rules/*.yaml"}}) as one:
        assert [(name, one.open(name)) for name in names] == [(name, []) for name in names]
        assert one.open("rules/wrong.yaml", "rules:\n  - nam: A\n" if language == "en" else "règles:\n  - nam: A\n")
