"""`filrouge person`: one person, everything known, and their rights."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sync.command import AsJson, finish, open_desk, told

person_app = typer.Typer(help=told("help-person"), no_args_is_help=True)


@person_app.command("show", help=told("help-person-show"))
def person_show(person: Annotated[str, typer.Argument(help=told("help-who"))], as_json: AsJson = False) -> None:
    from sync.person import show_person

    with open_desk() as desk:
        finish(show_person(desk, person), as_json)


@person_app.command("allow", help=told("help-person-allow"))
def person_allow(
    person: Annotated[str, typer.Argument(help=told("help-who"))],
    words: Annotated[str, typer.Argument(help=told("help-person-allow-words"))],
    as_json: AsJson = False,
) -> None:
    from sync.allow import allow_person

    with open_desk() as desk:
        finish(allow_person(desk, person, words), as_json)


@person_app.command("export", help=told("help-person-export"))
def person_export(
    person: Annotated[str, typer.Argument(help=told("help-who"))],
    to: Annotated[Path | None, typer.Option("--to", help=told("help-person-to"))] = None,
    as_json: AsJson = False,
) -> None:
    from sync.rights.export import export_person

    with open_desk() as desk:
        finish(export_person(desk, person, to), as_json)


@person_app.command("erase", help=told("help-person-erase"))
def person_erase(
    person: Annotated[str, typer.Argument(help=told("help-who"))],
    everywhere: Annotated[bool, typer.Option("--everywhere", help=told("help-person-everywhere"))] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=told("help-person-erase-yes"))] = False,
    as_json: AsJson = False,
) -> None:
    from sync.rights.erasing import erase_person

    ask = typer.confirm if sys.stdin.isatty() and not as_json else None
    with open_desk() as desk:
        finish(erase_person(desk, person, ask, yes=yes, everywhere=everywhere), as_json)


@person_app.command("erased", help=told("help-person-erased"))
def person_erased(as_json: AsJson = False) -> None:
    from sync.rights.erasing import show_erased

    with open_desk() as desk:
        finish(show_erased(desk), as_json)


@person_app.command("merge", help=told("help-person-merge"))
def person_merge(
    person: Annotated[str, typer.Argument(help=told("help-who"))],
    other: Annotated[str, typer.Argument(help=told("help-person-other"))],
    as_json: AsJson = False,
) -> None:
    from sync.who import merge_people

    with open_desk() as desk:
        finish(merge_people(desk, person, other), as_json)


@person_app.command("split", help=told("help-person-split"))
def person_split(
    person: Annotated[str, typer.Argument(help=told("help-who"))],
    entries: Annotated[list[str] | None, typer.Argument(help=told("help-person-entries"))] = None,
    as_json: AsJson = False,
) -> None:
    from sync.who import split_person

    with open_desk() as desk:
        finish(split_person(desk, person, entries or ()), as_json)
