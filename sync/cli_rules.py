"""`filrouge rules`: the rules as understood, new ones from the library, mending."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sync.command import LANGUAGE, OPTIONS, AsJson, finish, open_desk, told

rules_app = typer.Typer(help=told("help-rules"), no_args_is_help=True)


@rules_app.command("list", help=told("help-rules-list"))
def rules_list(as_json: AsJson = False) -> None:
    from sync.library import list_rules

    with open_desk() as desk:
        finish(list_rules(desk), as_json)


@rules_app.command("add", help=told("help-rules-add"))
def rules_add(
    name: Annotated[str, typer.Argument(help=told("help-rules-name"))],
    given: Annotated[list[str] | None, typer.Option("--set", help=told("help-rules-set"), metavar="X=Y")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=told("help-rules-yes"))] = False,
    as_json: AsJson = False,
) -> None:
    from sync.library import add_rule

    with open_desk() as desk:
        finish(add_rule(desk, name, given or (), None if yes or as_json else typer.prompt), as_json)


@rules_app.command("fix", help=told("help-rules-fix"))
def rules_fix(
    file: Annotated[Path | None, typer.Argument(help=told("help-rules-fix-file"))] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=told("help-rules-fix-yes"))] = False,
    as_json: AsJson = False,
) -> None:
    from sync.mend import fix_rules

    ask = typer.confirm if sys.stdin.isatty() and not as_json else None
    finish(fix_rules(file, OPTIONS.config, OPTIONS.language, LANGUAGE, ask, yes=yes), as_json)
