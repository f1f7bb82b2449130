"""A command typed wrongly, told in the reader's language: typer's own sentences are English."""

from __future__ import annotations

import re
from typing import Any

from typer.exceptions import TyperException

from rules.mistakes import nearest
from sync.helppage import argument
from sync.messages import say

QUOTED = re.compile(r"'([^']*)'")
BRACKETED = re.compile(r"\(([^()]*)\)$")


def usage_words(error: TyperException, language: str) -> str:
    """What is wrong with the words of the command, and where to read how it is written."""
    context: Any = getattr(error, "ctx", None)
    if (
        type(error).__name__ in {"NoArgsIsHelpError", "UsageError"}
        and context
        and not context.args
        and getattr(context.command, "commands", None)
        and not QUOTED.search(error.message)
    ):
        return str(context.get_help())  # no command was typed at all
    command = context.command_path if context else "filrouge"
    return f"{_wrong(error, context, language)} {say(language, 'usage-help', command=f'{command} --help')}"


def _wrong(error: TyperException, context: Any, language: str) -> str:
    parameter, option = getattr(error, "param", None), getattr(error, "option_name", "")
    name = parameter.get_error_hint().strip("'") if parameter else str(getattr(error, "param_hint", None) or option)
    name = argument(name, language)
    match type(error).__name__:
        case "MissingParameter":
            wrong = say(language, "usage-missing", name=name)
        case "NoSuchOption":
            options = [text for one in context.command.params for text in one.opts] if context else []
            wrong = _unknown("usage-option", option, options, language)
        case "BadOptionUsage":
            wrong = say(language, "usage-no-value" if "not take" in error.message else "usage-value-missing", name=name)
        case "BadParameter":
            wrong = say(language, "usage-value", name=name)
        case _:
            wrong = _words(error, context, language)
    return wrong


def _words(error: TyperException, context: Any, language: str) -> str:
    """A command that there is not, or words too many: typer tells them by its sentence only."""
    commands = list(getattr(context.command, "commands", ())) if context else []
    if commands and (found := QUOTED.search(error.message)):
        return _unknown("usage-command", found[1], commands, language)
    if found := BRACKETED.search(error.message):
        return say(language, "usage-extra", words=found[1])
    return error.format_message()


def _unknown(code: str, found: str, known: list[str], language: str) -> str:
    near = nearest(found, known)
    return say(language, f"{code}-near", found=found, near=near) if near else say(language, code, found=found)
