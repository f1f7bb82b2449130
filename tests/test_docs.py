"""What is written for people holds: the example config, the two READMEs, the words in both languages."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from connectors import catalog
from rules.fields import FIELDS
from sync import messages
from sync.cli import app
from sync.config import walk_settings
from sync.configfile import read_config
from sync.followup.templates import read_templates

ROOT = Path(__file__).parent.parent
SECRETS = {
    "PRETIX_TOKEN": "x" * 64,
    "GHOST_KEY": f"{'a' * 24}:{'b' * 64}",
    "MAILCHIMP_KEY": f"{'c' * 32}-us19",
    "SMTP_PASSWORD": "p",
    "BREVO_KEY": "xkeysib-1",
    "CRM_SECRET": "s",
    "MAILBOX_PASSWORD": "p",
}
EXAMPLE = ROOT / "config.example.yaml"


def test_the_example_config_is_right(tmp_path: Path) -> None:
    reading = read_config(EXAMPLE, SECRETS)
    assert [mistake.message("en") for mistake in reading.mistakes] == []
    assert reading.config is not None


@pytest.mark.parametrize("kind", ["folder", "brevo"])
def test_what_the_example_config_offers_in_comments_is_right_too(tmp_path: Path, kind: str) -> None:
    text = EXAMPLE.read_text("utf-8")
    offered = f"# mail: {{type: {kind}"
    other = next(line.removeprefix("# ") for line in text.splitlines() if line.startswith(offered))
    smtp = text[text.index("\nmail:") : text.index("\nrules:")]
    file = tmp_path / "config.yaml"
    file.write_text(text.replace(smtp, f"\n{other}\n").replace("  # ca_file", "  ca_file"), "utf-8")
    assert [mistake.message("en") for mistake in read_config(file, SECRETS).mistakes] == []


def test_the_example_config_has_every_setting() -> None:
    text = EXAMPLE.read_text("utf-8")
    missing = [
        f"{block}.{name}"
        for block, name, info in walk_settings()
        if not re.search(rf"(^|[\s{{#]){re.escape(info.alias or name)}:", text, re.MULTILINE)
    ]
    assert not missing


def test_every_setting_is_explained() -> None:
    assert not [f"{block}.{name}" for block, name, info in walk_settings() if block and not info.description]


@pytest.mark.parametrize("file", ["README.md", "LISEZMOI.md"])
def test_the_template_in_the_readme_is_right(file: str) -> None:
    (template,) = re.findall(r"```markdown\n(.*?)```", (ROOT / file).read_text("utf-8"), re.DOTALL)
    found, mistakes = read_templates({"saison.fr.md": template.encode()})
    assert [mistake.message("en") for mistake in mistakes] == []
    assert not found.advice


# --- the READMEs ---------------------------------------------------------------------------------------------------


def commands() -> Iterator[str]:
    group = typer.main.get_command(app)
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        yield from (f"{name} {below}" for below in inner) if inner else [name]


@pytest.mark.parametrize("file", ["README.md", "LISEZMOI.md"])
def test_the_readme_names_every_command_source_sheet_mailer_and_exit_code(file: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    wanted = {f"filrouge {command}" for command in commands()}
    wanted |= {f"`{name}`" for kind in ("sources", "sheets", "mailers") for name in catalog.names(kind)}
    wanted |= {f"| {code} |" for code in (0, 1, 2, 7)}
    assert not [word for word in sorted(wanted) if word not in text]


@pytest.mark.parametrize("file", ["README.md", "LISEZMOI.md"])
def test_the_readme_names_every_field(file: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    assert not [name for name in FIELDS if f"`{name}`" not in text]


# --- the words -----------------------------------------------------------------------------------------------------


def parts(sentence: str | dict[str, str]) -> list[str]:
    return list(sentence.values()) if isinstance(sentence, dict) else [sentence]


def facts(sentence: str | dict[str, str]) -> set[str]:
    found = (field for part in parts(sentence) for _, field, _, _ in string.Formatter().parse(part))
    return {field for field in found if field}


def test_both_languages_say_the_same_things() -> None:
    english, french = messages.sentences("en"), messages.sentences("fr")
    assert sorted(english) == sorted(french)
    assert not [code for code in english if facts(english[code]) != facts(french[code])]
    assert not [code for code in english if isinstance(english[code], dict) != isinstance(french[code], dict)]


def raised_codes() -> Iterator[tuple[str, str]]:
    """Codes of troubles as they stand in the source, with where."""
    troubles = {
        "FixFile",
        "LogInAgain",
        "TryLater",
        "SetAside",
        "GiveUp",
        "Trouble",
        "RefusedForGood",
        "RefusedForNow",
        "AnswerLost",
    }
    for room in ("connectors", "sync"):
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Name)
                    and node.func.id in troubles
                    and node.args
                ):
                    first = node.args[0]
                    if isinstance(first, ast.Constant) and isinstance(first.value, str):
                        yield first.value, f"{file.relative_to(ROOT)}:{node.lineno}"


def test_every_trouble_has_its_sentence() -> None:
    known = messages.sentences("en")
    assert not [f"{where} {code}" for code, where in raised_codes() if code not in known]


def test_every_sentence_asked_for_is_there() -> None:
    known = messages.sentences("en")
    asked = re.compile(r"""\bsay\(\s*(?:self\.\w+|language|desk\.language|\w+\.language)?,?\s*"([a-z][a-z0-9_-]+)\"""")
    missing = [
        f"{file.relative_to(ROOT)} {code}"
        for file in (ROOT / "sync").rglob("*.py")
        for code in asked.findall(file.read_text("utf-8"))
        if code not in known
    ]
    assert not missing


def test_french_keeps_its_spaces() -> None:
    """A no-break space stands before : ; ! ? » and after «."""
    bare = re.compile(r"[\w)»…`}] [;:!?»](?![\w/])|« ")
    wrong = [
        code
        for code, sentence in messages.sentences("fr").items()
        if any(bare.search(part) for part in parts(sentence))
    ]
    assert not wrong


# --- the help ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_list_of_commands_shows_each_first_sentence_whole_and_its_help_has_an_example(language: str) -> None:
    known = messages.sentences(language)
    for command in [*commands(), "person", "rules"]:
        told = known[f"help-{command.replace(' ', '-')}"]
        assert isinstance(told, str)
        first = re.split(r"(?<=\.)\s", told)[0]
        assert first.endswith("."), first
        assert len(first) <= 60, first  # what 80 columns show of it
        assert command in {"person", "rules"} or re.search(rf"\n\nEx[ae]mple\s?: filrouge {command}", told), command
