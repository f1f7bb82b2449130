"""What all commands share: the words before them, the desk they work at, and how they end."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.trouble import FixFile
from sync.helppage import speak
from sync.messages import LANGUAGES, say

PARTIAL, WRONG, DECIDE = 1, 2, 7


SPEAKS = re.compile(r"\blanguage:\s*[\"']?(fr|en)\b")
OF_SYSTEM = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")  # in the order in which other programs ask for them
READ_AT_MOST = 65_536  # of a config, for its language alone


def speech(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """The language of help and errors before any config is read for good: `--language`, else the one of
    FILROUGE_LANGUAGE, else the config's, else the system's.
    """
    for position, word in enumerate(arguments):
        value = word.partition("=")[2] or (arguments[position + 1] if position + 1 < len(arguments) else "")
        if word.split("=")[0] == "--language" and value in LANGUAGES:
            return value
    of_system = next((environment[name] for name in OF_SYSTEM if environment.get(name)), "")
    chosen = environment.get("FILROUGE_LANGUAGE") or _of_config(arguments) or of_system
    return "fr" if chosen.lower().startswith("fr") else "en"


def _of_config(arguments: Sequence[str]) -> str:
    file = Path("config.yaml")
    for word, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        if word.split("=")[0] == "--config":
            file = Path(word.partition("=")[2] or following)
    try:
        with file.open(encoding="utf-8", errors="replace") as text:
            found = SPEAKS.search(text.read(READ_AT_MOST))
    except (OSError, ValueError):
        return ""
    return found[1] if found else ""


LANGUAGE = speech(sys.argv[1:], dict(os.environ))


speak(LANGUAGE)


def told(code: str, **facts: object) -> str:
    """A sentence of the command line's own, in the reader's language."""
    return say(LANGUAGE, code, **facts)


class Options:
    """What stands before the command."""

    config = Path("config.yaml")
    language: str | None = None
    spoken: str | None = None


OPTIONS = Options()
AsJson = Annotated[bool, typer.Option("--json", help=told("help-json"))]
Today = Annotated[str | None, typer.Option("--today", metavar="YYYY-MM-DD", help=told("help-today"))]


def check_language(language: str | None) -> None:
    if language is not None and language not in LANGUAGES:
        raise typer.BadParameter(", ".join(LANGUAGES), param_hint="--language")


def day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FixFile("bad-day", found=text) from None


@contextmanager
def open_desk(today: str | None = None) -> Iterator[Any]:
    """The config read, the store open; closed again at the end."""
    from sync.desk import Desk

    desk = Desk.open(OPTIONS.config, OPTIONS.language, day(today))
    OPTIONS.spoken = desk.language
    try:
        yield desk
    finally:
        desk.close()


def finish(outcome: Any, as_json: bool) -> None:  # noqa: FBT001  one flag, the command's own
    """Show what came of a command and end with its code. An outcome has `to_json()`, `lines()` and `code`."""
    if as_json:
        typer.echo(json.dumps(outcome.to_json(), ensure_ascii=False, indent=2, default=str))
    else:
        for line in outcome.lines():
            typer.echo(line)
    raise typer.Exit(outcome.code)


def progress(*, quiet: bool) -> Any:
    from sync.progress import Progress, Silent

    return Silent() if quiet or not sys.stderr.isatty() else Progress(sys.stderr, LANGUAGE)
