"""What is written for people holds: the example config, the READMEs and pages, the words in both languages."""

from __future__ import annotations

import ast
import re
import string
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connectors import catalog
from rules.context import language_of
from rules.fields import COLUMNS
from rules.reader import read
from rules.words import vocabulary
from rules.yamltext import parse
from sync import messages
from sync.cli import app
from sync.config import BESIDE, walk_settings
from sync.configfile import read_config
from sync.followup.templatefiles import read_templates

ROOT = Path(__file__).parent.parent
SECRETS = {
    "FILROUGE_PASSWORD": "not-to-be-guessed",
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


# --- the READMEs and the pages of docs/ -----------------------------------------------------------------------------

READMES = {"en": ROOT / "README.md", "fr": ROOT / "LISEZMOI.md"}
PAGES = {language: sorted((ROOT / "docs" / language).glob("*.md")) for language in READMES}
WRITTEN = [page for language, readme in READMES.items() for page in (readme, *PAGES[language])]
every_page = pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
LARGEST = 14_000  # what is read in one sitting; the rest has its page


def blocks(page: Path, kind: str) -> list[str]:
    """What stands in the page's fences of this kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def headings(page: Path) -> list[str]:
    return re.findall(
        r"^#+ .+", re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE), re.MULTILINE
    )


def anchor(heading: str) -> str:
    """The name by which GitHub links to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lstrip("# ").lower()).replace(" ", "-")


def commands() -> Iterator[str]:
    group = typer.main.get_command(app)
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        yield from (f"{name} {below}" for below in inner) if inner else [name]


@pytest.mark.parametrize("readme", READMES.values(), ids=READMES)
def test_the_readme_is_short_and_names_every_command_source_sheet_mailer_and_exit_code(readme: Path) -> None:
    text = readme.read_text("utf-8")
    wanted = {f"filrouge {command}" for command in commands()}
    wanted |= {f"`{name}`" for kind in ("sources", "sheets", "mailers") for name in catalog.names(kind)}
    wanted |= {f"| {code} |" for code in (0, 1, 2, 7)}
    assert not [word for word in sorted(wanted) if word not in text]
    assert len(text.encode()) < LARGEST


@pytest.mark.parametrize("language", READMES)
def test_the_readme_leads_to_every_page(language: str) -> None:
    text = READMES[language].read_text("utf-8")
    assert not [page.name for page in PAGES[language] if f"(docs/{language}/{page.name})" not in text]


@pytest.mark.parametrize("language", READMES)
def test_the_pages_name_every_field_action_tab_and_way_through_a_gate(language: str) -> None:
    rules, sheet = ((ROOT / "docs" / language / name).read_text("utf-8") for name in ("rules.md", "sheet.md"))
    assert not [name for name in COLUMNS if f"| `{name}`" not in rules]
    words = vocabulary(language)
    assert not [name for name in words.words["action"] if f"`{words.shown('action', name)}: " not in rules]
    assert not [name for name in BESIDE if f"| `{name}: " not in sheet]
    run = typer.main.get_command(app).commands["run"]  # type: ignore[attr-defined]
    allowed = [option for one in run.params for option in one.opts if option.startswith("--allow-")]
    assert allowed
    assert not [option for option in allowed if f"{option} " not in sheet]


def test_both_languages_have_the_same_pages_and_headings() -> None:
    assert [page.name for page in PAGES["en"]] == [page.name for page in PAGES["fr"]] != []
    for english, french in zip(WRITTEN[: len(WRITTEN) // 2], WRITTEN[len(WRITTEN) // 2 :], strict=True):
        levels = [[heading.split(" ")[0] for heading in headings(page)] for page in (english, french)]
        assert levels[0] == levels[1], english.name
        assert [len(blocks(english, kind)) for kind in KINDS] == [len(blocks(french, kind)) for kind in KINDS]


KINDS = ("yaml", "markdown", "sh")


@every_page
def test_no_link_is_dead(page: Path) -> None:
    for target in re.findall(
        r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    ):
        if re.match(r"https?:", target):
            continue
        file, _, part = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.is_file(), target
        assert not part or part in {anchor(heading) for heading in headings(there)}, target


@every_page
def test_the_templates_are_right(page: Path) -> None:
    for template in blocks(page, "markdown"):
        found, mistakes = read_templates({"saison.fr.md": template.encode()})
        assert [mistake.message("en") for mistake in mistakes] == []
        assert not found.advice


RULES = re.compile(r"^(rules|règles|segments|journeys|parcours|when|quand):", re.MULTILINE)
WHOLE = {
    "en": "rules:\n- name: A\n{when}  then:\n  - flag: B\n",
    "fr": "règles:\n- nom: A\n{when}  alors:\n  - signaler: B\n",
}


@every_page
def test_the_rules_are_right(page: Path) -> None:
    language = "fr" if page.name == "LISEZMOI.md" or page.parent.name == "fr" else "en"
    for block in filter(RULES.search, blocks(page, "yaml")):
        whole = block
        if block.startswith(("when:", "quand:")):
            whole = WHOLE[language].format(when=textwrap.indent(block, "  "))
        assert [mistake.message("en") for mistake in read({"one.yaml": whole.encode()}).mistakes] == []
        assert language_of(parse(whole.encode(), "one.yaml")[0], "") == language


def laid_over(under: Any, over: Any) -> Any:
    """A config with a part of it said anew. A block with its own `type` is another block."""
    if not isinstance(under, dict) or not isinstance(over, dict) or "type" in over:
        return over
    return under | {name: laid_over(under.get(name), value) for name, value in over.items()}


@every_page
def test_the_configs_are_right(page: Path, tmp_path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    (tmp_path / "dkim.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    file = tmp_path / "config.yaml"
    for block in blocks(page, "yaml"):
        if not RULES.search(block):
            file.write_text(
                yaml.safe_dump(laid_over(yaml.safe_load(EXAMPLE.read_text("utf-8")), yaml.safe_load(block)))
            )
            assert [mistake.message("en") for mistake in read_config(file, SECRETS).mistakes] == [], block


@every_page
def test_what_is_set_in_the_pages_is_french_where_it_is_french(page: Path) -> None:
    """The words' own test, for pages: a no-break space before : ; ! ? » and after «, outside what is typed."""
    if page.name != "LISEZMOI.md" and page.parent.name != "fr":
        return
    text = re.sub(r"`[^`]*`", "`", re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE))
    assert not re.findall(r".{0,20}(?:[\w)»…`}*] [;:!?»](?=\s|$)|« ).{0,20}", text)


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
