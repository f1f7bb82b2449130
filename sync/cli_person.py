"""`filrouge person`: one person, everything known, and their rights."""

from __future__ import annotations

from typing import Annotated

import typer

from sync.command import AsJson, finish, open_desk, told

person_app = typer.Typer(help=told("help-person"), no_args_is_help=True)


@person_app.command("show", help=told("help-person-show"))
def person_show(person: Annotated[str, typer.Argument(help=told("help-who"))], as_json: AsJson = False) -> None:
    from sync.person import show_person

    with open_desk() as desk:
        finish(show_person(desk, person), as_json)
