"""What an editor is given: `filrouge schema`, the files that `init` writes for it, and `filrouge rules fix`."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import jsonschema
import pytest

from rules.reader import read
from sync.configfile import read_config
from tests.rules.yaml12 import load
from tests.thread.small import RULES, Small

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"


@pytest.fixture
def team(tmp_path: Path) -> Small:
    return Small(tmp_path)


def test_the_schema_offers_the_teams_own_names(team: Small) -> None:
    assert team.run().code == 7  # the first mails wait

    done = team.filrouge("schema")
    assert done.code == 0
    lines = done.facts["definitions"]["conditions"]["properties"]
    assert "dernière visite" in lines
    assert lines["segment"]["examples"] == ["Habitués"]
    assert {"Prénom", "Visites"} <= set(lines["tableau"]["properties"])
    assert "on-se-revoit" in done.said


def test_the_teams_columns_are_known_from_the_last_run(team: Small) -> None:
    import openpyxl

    assert team.run().code == 7  # the first mails wait
    book = openpyxl.load_workbook(team.folder / "Contacts.xlsx")
    sheet = book["Contacts"]
    sheet.cell(1, sheet.max_column + 1).value = "Ne pas relancer"
    book.save(team.folder / "Contacts.xlsx")
    team.write(
        "rules/public.yaml", RULES.replace("    alors:", "    sauf: {tableau: {Ne pas relancer: oui}}\n    alors:")
    )
    assert team.run().code == 7  # the first mails wait
    lines = team.filrouge("schema").facts["definitions"]["conditions"]["properties"]
    assert "Ne pas relancer" in lines["tableau"]["properties"]


def test_without_a_config_the_schema_has_the_language_alone(tmp_path: Path) -> None:
    team = Small(tmp_path)
    (team.folder / "config.yaml").unlink()
    for language, word in (("fr", "règles"), ("en", "rules")):
        done = team.filrouge("schema", "--language", language)
        assert done.code == 0
        assert word in done.facts["properties"]


def test_the_language_may_be_another(team: Small) -> None:
    assert "rules" in team.filrouge("schema", "--language", "en").facts["properties"]
    assert team.filrouge("schema", "--language", "xx").code == 2
    assert team.filrouge("schema", "recipes").code == 2
    team.write("config.yaml", "organisation: 3\n")
    assert team.filrouge("schema").code == 2


def test_the_schema_of_the_config_takes_right_ones_and_no_other(team: Small) -> None:
    validator = jsonschema.Draft7Validator(team.filrouge("schema", "config").facts)
    for file in (EXAMPLE, team.folder / "config.yaml"):
        assert [error.message for error in validator.iter_errors(load(file.read_text("utf-8")))] == []
    for old, new in (("folder: exports/", "foldr: exports/"), ("type: excel", "type: exel"), ("name:", "nam:")):
        wrong = (team.folder / "config.yaml").read_text("utf-8").replace(old, new)
        assert list(validator.iter_errors(load(wrong))), new


def test_init_writes_what_editors_need_and_overwrites_nothing(tmp_path: Path) -> None:
    team = Small(tmp_path)
    new = tmp_path / "new"
    (new / ".vscode").mkdir(parents=True)
    (new / ".vscode" / "settings.json").write_text("{}", "utf-8")
    assert team.filrouge("--language", "fr", "init", "new", "--yes", "--source", "files").code == 0
    assert (new / ".vscode" / "settings.json").read_text("utf-8") == "{}"
    assert json.loads((new / ".vscode" / "extensions.json").read_text("utf-8"))
    rules = {file.name: file.read_text("utf-8") for file in (new / "rules").glob("*.yaml")}
    assert all(text.startswith("# yaml-language-server: $schema=../schemas/rules.json\n") for text in rules.values())
    validator = jsonschema.Draft7Validator(json.loads((new / "schemas" / "rules.json").read_text("utf-8")))
    assert not [error.message for text in rules.values() for error in validator.iter_errors(load(text))]
    assert not read_config(new / "config.yaml").mistakes


def test_check_keeps_the_schemas_up_to_date(tmp_path: Path) -> None:
    team = Small(tmp_path)
    assert team.filrouge("check").code == 0
    assert not (tmp_path / "schemas").exists()
    (tmp_path / "schemas").mkdir()
    team.write("schemas/rules.json", "{}")
    assert team.filrouge("check").code == 0
    assert "Habitués" in (tmp_path / "schemas/rules.json").read_text("utf-8")


# --- rules fix -------------------------------------------------------------------------------------------------------

SLOPPY = RULES.replace("    quand:", "    si:").replace("dernière visite:", "dernière visite:\u00a0")


def test_fix_shows_first_and_writes_only_what_is_accepted(team: Small) -> None:
    team.write("rules/public.yaml", SLOPPY)
    (team.folder / "rules/public.yaml").chmod(0o640)
    done = team.filrouge("rules", "fix")
    assert done.code == 7
    assert "-    si:" in done.said
    assert "+    quand:" in done.said
    assert (team.folder / "rules/public.yaml").read_text("utf-8") == SLOPPY
    assert team.filrouge("rules", "fix", "--yes").code == 0
    assert (team.folder / "rules/public.yaml").read_text("utf-8") == RULES.replace("visite: il", "visite:  il")
    assert stat.S_IMODE((team.folder / "rules/public.yaml").stat().st_mode) == 0o640
    assert [file.name for file in (team.folder / "rules").iterdir() if file.is_file()] == ["public.yaml"]
    assert team.filrouge("check").code == 0


@pytest.mark.parametrize(
    ("slip", "mends"), [("    \tvisites: 3", True), ("      visites: “3”", True), ("      visites: au moin 3", False)]
)
def test_check_names_fix_where_fix_mends(team: Small, slip: str, *, mends: bool) -> None:
    team.write("rules/public.yaml", RULES.replace("      segment: Habitués", f"      segment: Habitués\n{slip}"))
    checked = team.filrouge("check")
    assert checked.code == 2
    assert ("filrouge rules fix" in checked.said) is mends


def test_fix_says_when_there_is_nothing_and_what_is_left(team: Small) -> None:
    assert team.filrouge("rules", "fix", "--json").facts == {"files": {}, "left": 0, "written": False}
    team.write("rules/public.yaml", SLOPPY.replace("au moins 2", "au moin 2"))
    done = team.filrouge("rules", "fix", "--json", "--yes")
    assert (done.code, done.facts["left"], done.facts["written"]) == (0, 1, True)


def test_fix_takes_one_file_without_any_config(team: Small) -> None:
    (team.folder / "config.yaml").unlink()
    file = team.folder / "rules/public.yaml"
    file.write_bytes(SLOPPY.replace("\u00a0", " ").encode("cp1252"))
    shown = team.filrouge("--language", "en", "rules", "fix", "rules/public.yaml").said
    assert "UTF-8" in shown
    assert "règles:" in shown
    assert team.filrouge("rules", "fix", "rules/public.yaml", "--yes").code == 0
    assert read({"a.yaml": file.read_bytes()}).mistakes == []
    assert team.filrouge("rules", "fix", "rules/none.yaml").code == 2
    assert team.filrouge("rules", "fix").code == 2


def test_fix_goes_through_a_link_and_leaves_it_one(team: Small) -> None:
    real = team.folder / "elsewhere.yaml"
    real.write_text(SLOPPY, "utf-8")
    (team.folder / "rules/public.yaml").unlink()
    (team.folder / "rules/public.yaml").symlink_to(real)
    assert team.filrouge("rules", "fix", "--yes").code == 0
    assert (team.folder / "rules/public.yaml").is_symlink()
    assert "    si:" not in real.read_text("utf-8")


def test_fix_mends_the_heads_of_templates_too(team: Small) -> None:
    sloppy = "---\nobjet: « Rappel : danse »\n# à nous\n---\nBonjour {{ prénom or “à vous” }},\n"
    team.write("rules/templates/rappel.md", sloppy)
    assert "filrouge rules fix" in team.filrouge("check").said
    done = team.filrouge("rules", "fix", "--json", "--yes")
    assert (list(done.facts["files"]), done.facts["left"]) == ([str(Path("rules/templates/rappel.md"))], 1)
    mended = sloppy.replace("« Rappel : danse »", '"Rappel : danse"')
    assert (team.folder / "rules/templates/rappel.md").read_text("utf-8") == mended
    checked = team.filrouge("check").said
    assert "Les guillemets de `{{ prénom or “à vous” }}`" in checked
    assert "filrouge rules fix" not in checked  # of the body it touches nothing
    assert "filrouge rules fix" not in team.filrouge("--language", "en", "check").said
    team.write("rules/templates/rappel.md", sloppy)
    assert team.filrouge("rules", "fix", "rules/templates/rappel.md", "--yes").code == 0
    assert (team.folder / "rules/templates/rappel.md").read_text("utf-8") == mended
