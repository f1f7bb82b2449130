"""`--help` in the reader's language: typer's own words on it are English, and some are a developer's."""

from __future__ import annotations

import re
from collections.abc import Sequence

from typer._click import Context, HelpFormatter  # typer gives its copy of click no public name

from sync.messages import say, sentences

WHOLE = {
    "Options": "help-word-options",
    "Arguments": "help-word-arguments",
    "Commands": "help-word-commands",
    "Show this message and exit.": "help-word-help",
    "Install completion for the current shell.": "help-word-install-completion",
    "Show completion for the current shell, to copy it or customize the installation.": "help-word-show-completion",
}
"""A heading or a sentence of typer's, and ours for it."""
PARTS = {
    "COMMAND [ARGS]...": "help-word-command",
    "<path>": "help-word-path",
    "<int>": "help-word-int",
    "<str>": "help-word-str",
    "<list[str]>": "help-word-str",
    "YYYY-MM-DD": "help-word-day",
}
"""What stands for something to be typed."""
ADDED = re.compile(r"\[((?:default: |required)[^\[\]]*)\]$")
NAMED = re.compile(r"\{(\w+)\}|(?<=\[)([a-z]+)(?=\])")  # `explain {person}`, `demo [folder]`
GIVEN = re.compile(r"^([a-z|]+)(?:\.{3})? <[^>]*>$")


def speak(language: str) -> None:
    """From now on help is written in this language."""

    class Page(HelpFormatter):
        def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
            super().write_usage(prog, _typed(args, language), prefix or say(language, "help-word-usage"))

        def write_heading(self, heading: str) -> None:
            self.write(f"{'':>{self.current_indent}}{_whole(heading, language)}\n")

        def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
            told = [(_typed(first, language), _told(second, language)) for first, second in rows]
            super().write_dl(told, col_max, col_spacing)

    Context.formatter_class = Page


def argument(name: str, language: str) -> str:
    """How an argument is called on the page of help."""
    code = f"help-argument-{name}"
    return say(language, code) if code in sentences(language) else name


def _whole(text: str, language: str) -> str:
    return say(language, WHOLE[text]) if text in WHOLE else text


def _typed(text: str, language: str) -> str:
    """`explain {person}` and `--rule <str>` in words of the reader's."""
    if given := GIVEN.match(text):
        return given[1] if "|" in given[1] else argument(given[1], language).upper()
    text = NAMED.sub(lambda found: argument(found[1] or found[2], language).upper(), text)
    for part, code in PARTS.items():
        text = text.replace(part, say(language, code))
    return text


def _told(text: str, language: str) -> str:
    """The sentence beside an option, with what typer adds: its default, and that it must be given."""

    def said(added: str) -> str:
        if added == "required":
            return say(language, "help-word-required")
        return say(language, "help-word-default", value=added.removeprefix("default: "))

    return ADDED.sub(lambda found: f"[{', '.join(map(said, found[1].split('; ')))}]", _whole(text, language))
