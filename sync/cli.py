"""The command line. Each command is a few lines here; what it does stands in its own room.

Exit codes: 0 done · 1 done in part, running again may help · 2 config, rules or arguments are wrong, nothing was done ·
7 a person has to decide.
"""

from __future__ import annotations

import errno
import json
import os
import shlex
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from connectors.trouble import FixFile, Trouble
from sync.cli_person import person_app
from sync.cli_rules import rules_app
from sync.command import (
    DECIDE,
    LANGUAGE,
    OPTIONS,
    PARTIAL,
    WRONG,
    AsJson,
    Today,
    check_language,
    day,
    finish,
    open_desk,
    progress,
    told,
)
from sync.messages import say

STEPS = ("pull", "people", "rules", "sheet", "mail")


app = typer.Typer(
    name="filrouge",
    help=told("help-filrouge"),
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 110},  # else the list of commands is cut after eight words
)
app.add_typer(person_app, name="person")
app.add_typer(rules_app, name="rules")


def _tell_version(wanted: bool) -> None:  # noqa: FBT001  typer calls it so
    if wanted:
        from importlib.metadata import version as installed

        typer.echo(f"filrouge {installed('filrouge')}")
        raise typer.Exit


@app.callback(no_args_is_help=True)
def before(
    config: Annotated[Path, typer.Option(help=told("help-config"))] = Path("config.yaml"),
    language: Annotated[str | None, typer.Option(help=told("help-language"), metavar="fr|en")] = None,
    version: Annotated[  # noqa: ARG001  its callback has answered before
        bool, typer.Option("--version", help=told("help-version"), callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    check_language(language)
    OPTIONS.config, OPTIONS.language, OPTIONS.spoken = config, language, None
    from sync.logs import configure

    configure("warning")


@app.command(help=told("help-demo"))
def demo(
    folder: Annotated[Path, typer.Argument(help=told("help-demo-folder"))] = Path("demo"), today: Today = None
) -> None:
    from sync.demonstration import demonstrate

    raise typer.Exit(demonstrate(folder, day(today), OPTIONS.language or LANGUAGE, typer.echo))


@app.command(help=told("help-init"))
def init(
    folder: Annotated[Path, typer.Argument(help=told("help-init-folder"))] = Path(),
    name: Annotated[str | None, typer.Option(help=told("help-init-name"))] = None,
    country: Annotated[str | None, typer.Option(help=told("help-init-country"))] = None,
    timezone: Annotated[str | None, typer.Option(help=told("help-init-timezone"))] = None,
    sheet: Annotated[str | None, typer.Option(help=told("help-init-sheet"))] = None,
    tab: Annotated[str | None, typer.Option(help=told("help-init-tab"))] = None,
    credentials: Annotated[str | None, typer.Option(help=told("help-init-credentials"))] = None,
    endpoint: Annotated[str | None, typer.Option(help=told("help-init-endpoint"))] = None,
    source: Annotated[list[str] | None, typer.Option(help=told("help-init-source"))] = None,
    rule: Annotated[list[str] | None, typer.Option(help=told("help-init-rule"))] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=told("help-init-yes"))] = False,
) -> None:
    from sync.setup import Answers, set_up

    sources, rules = tuple(source or ()), tuple(rule or ())
    answers = Answers(name, country, timezone, sheet, tab, sources, credentials, endpoint, rules)
    ask = None if yes else typer.prompt
    raise typer.Exit(set_up(folder, answers, OPTIONS.language or LANGUAGE, ask, typer.echo))


@app.command(help=told("help-schema"))
def schema(
    what: Annotated[str, typer.Argument(help=told("help-schema-what"), metavar="rules|config")] = "rules",
    language: Annotated[str | None, typer.Option(help=told("help-schema-language"), metavar="fr|en")] = None,
) -> None:
    from sync.editing import schema_of

    if what not in {"rules", "config"}:
        raise FixFile("schema-unknown", found=what)
    check_language(language)
    found = schema_of(what, OPTIONS.config, language or OPTIONS.language, OPTIONS.language, LANGUAGE)
    typer.echo(json.dumps(found, ensure_ascii=False, indent=1))


@app.command(help=told("help-check"))
def check(
    online: Annotated[bool, typer.Option("--online", help=told("help-online"))] = False,
    sources: Annotated[bool, typer.Option("--sources", help=told("help-check-sources"))] = False,
    today: Today = None,
    as_json: AsJson = False,
) -> None:
    from sync.check import check as look_over

    finish(look_over(OPTIONS.config, OPTIONS.language, online=online, sources=sources, today=day(today)), as_json)


@app.command(help=told("help-run"))
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help=told("help-dry-run"))] = False,
    only: Annotated[list[str] | None, typer.Option(help=told("help-only"), metavar="|".join(STEPS))] = None,
    source: Annotated[list[str] | None, typer.Option(help=told("help-source"))] = None,
    today: Today = None,
    allow_missing: Annotated[int | None, typer.Option(help=told("help-allow-missing"))] = None,
    allow_changed: Annotated[int | None, typer.Option(help=told("help-allow-changed"))] = None,
    allow_headers: Annotated[int | None, typer.Option(help=told("help-allow-headers"))] = None,
    allow_mapping: Annotated[int | None, typer.Option(help=told("help-allow-mapping"))] = None,
    allow_gone: Annotated[int | None, typer.Option(help=told("help-allow-gone"))] = None,
    allow_clock: Annotated[int | None, typer.Option(help=told("help-allow-clock"))] = None,
    allow_foreign: Annotated[int | None, typer.Option(help=told("help-allow-foreign"))] = None,
    allow_older: Annotated[int | None, typer.Option(help=told("help-allow-older"))] = None,
    as_json: AsJson = False,
) -> None:
    from sync.run import run_once
    from sync.work import Wishes

    allowed = {
        "missing": allow_missing,
        "changed": allow_changed,
        "headers": allow_headers,
        "mapping": allow_mapping,
        "gone": allow_gone,
        "clock": allow_clock,
        "foreign": allow_foreign,
        "older": allow_older,
    }
    allow = {gate: number for gate, number in allowed.items() if number is not None}
    if strange := set(only or ()) - set(STEPS):
        raise FixFile("unknown-step", found=", ".join(sorted(strange)), known=", ".join(STEPS))
    with open_desk(today) as desk:
        wishes = Wishes(steps=frozenset(only or STEPS), sources=tuple(source or ()), allow=allow)
        if dry_run:
            from sync.rehearsal import rehearse

            finish(rehearse(desk, wishes, pull=True), as_json)
        finish(run_once(desk, wishes, "cli", progress(quiet=as_json)), as_json)


@app.command(help=told("help-serve"))
def serve(
    host: Annotated[str | None, typer.Option(help=told("help-host"))] = None,
    port: Annotated[int | None, typer.Option(help=told("help-port"))] = None,
) -> None:
    from sync.logs import configure
    from sync.service import serve_desk

    configure("info")

    raise typer.Exit(serve_desk(OPTIONS.config, OPTIONS.language, host, port))


@app.command(help=told("help-preview"))
def preview(
    rule: Annotated[str | None, typer.Argument(help=told("help-preview-rule"))] = None,
    page: Annotated[Path | None, typer.Option(help=told("help-preview-page"), metavar="FILE.html")] = None,
    everybody: Annotated[bool, typer.Option("--all", help=told("help-preview-all"))] = False,
    today: Today = None,
    as_json: AsJson = False,
) -> None:
    from sync.rehearsal import preview as look_ahead

    with open_desk(today) as desk:
        finish(look_ahead(desk, rule, page, everybody=everybody), as_json)


@app.command(help=told("help-explain"))
def explain(
    person: Annotated[str, typer.Argument(help=told("help-who"))],
    rule: Annotated[str | None, typer.Option(help=told("help-explain-rule"))] = None,
    today: Today = None,
    as_json: AsJson = False,
) -> None:
    from sync.explaining import explain_person

    with open_desk(today) as desk:
        finish(explain_person(desk, person, rule), as_json)


@app.command(name="test", help=told("help-test"))
def test_examples(as_json: AsJson = False, today: Today = None) -> None:
    from sync.telling import run_examples

    with open_desk(today) as desk:
        finish(run_examples(desk), as_json)


@app.command(help=told("help-approve"))
def approve(
    what: Annotated[str, typer.Argument(help=told("help-approve-what"))], today: Today = None, as_json: AsJson = False
) -> None:
    from sync.letting_go import approve_waiting

    with open_desk(today) as desk:
        finish(approve_waiting(desk, what), as_json)


@app.command(help=told("help-outbox"))
def outbox(
    state: Annotated[str | None, typer.Option(help=told("help-outbox-state"))] = None,
    drop: Annotated[str | None, typer.Option(help=told("help-outbox-drop"))] = None,
    release: Annotated[str | None, typer.Option(help=told("help-outbox-release"))] = None,
    today: Today = None,
    as_json: AsJson = False,
) -> None:
    from sync.letting_go import show_outbox

    with open_desk(today) as desk:
        finish(show_outbox(desk, state, drop=drop, release=release), as_json)


@app.command(help=told("help-undo"))
def undo(run: Annotated[int, typer.Argument(help=told("help-undo-run"))], as_json: AsJson = False) -> None:
    from sync.takeback import undo_run

    with open_desk() as desk:
        finish(undo_run(desk, run), as_json)


@app.command(help=told("help-runs"))
def runs(most: Annotated[int, typer.Option("-n", help=told("help-runs-n"))] = 20, as_json: AsJson = False) -> None:
    from sync.telling import show_runs

    with open_desk() as desk:
        finish(show_runs(desk, most), as_json)


@app.command(help=told("help-status"))
def status(today: Today = None, as_json: AsJson = False) -> None:
    from sync.telling import show_status

    with open_desk(today) as desk:
        finish(show_status(desk), as_json)


def main() -> None:
    """The command `filrouge`. Whatever goes wrong ends as a sentence and an exit code, never as a traceback."""
    try:
        sys.exit(_answered())
    except TyperException as error:
        from sync.usage import usage_words

        typer.echo(usage_words(error, _language()), err=True)
        sys.exit(WRONG)
    except Trouble as trouble:
        from sync.desk import WrongFiles

        if isinstance(trouble, WrongFiles):
            typer.echo(trouble.shown, err=True)
        else:
            typer.echo(say(_language(), trouble.code, **_facts(trouble)), err=True)
        sys.exit(_code(trouble))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(PARTIAL)
    except OSError as error:
        code = "disk-full" if error.errno == errno.ENOSPC else "no-access"
        typer.echo(say(_language(), code, file=str(error.filename or "?"), detail=error.strerror or ""), err=True)
        sys.exit(PARTIAL)
    except _database_error() as error:
        # SQLite says so in words only; the statement and its values must not be shown
        cause = getattr(error, "orig", None) or error
        code = "disk-full" if "full" in str(cause) else "database-away"
        typer.echo(say(_language(), code, file="filrouge.db", detail=type(cause).__name__), err=True)
        sys.exit(PARTIAL)
    except Exception as error:
        from sync.outcome import where

        if os.environ.get("FILROUGE_DEBUG"):
            raise
        typer.echo(say(_language(), "unexpected", what=type(error).__name__, where=where(error)), err=True)
        sys.exit(PARTIAL)


def _answered() -> int:
    """The exit code of the command as typed. Somebody who stops at a question has had nothing done."""
    try:
        code: int | None = _command()(standalone_mode=False)
    except typer.Abort:
        typer.echo(say(_language(), "usage-stopped"), err=True)
        return PARTIAL
    return code or 0


@cache
def _command() -> Any:
    """The tree of commands; made once, however many of them one process is given."""
    return typer.main.get_command(app)


def _database_error() -> type[Exception]:
    """Asked for only when something was raised: SQLAlchemy takes longer to load than all of `--help`."""
    from sqlalchemy.exc import SQLAlchemyError

    return SQLAlchemyError


def _language() -> str:
    """The language to complain in: as asked for, else the config's if it could be read, else the system's."""
    return OPTIONS.language or OPTIONS.spoken or LANGUAGE


def _facts(trouble: Trouble) -> Mapping[str, Any]:
    """What the sentence needs; where several people fit, for each of them the command as it was typed, with their code."""
    from sync.desk import typed_here
    from sync.people.story import Ambiguous

    if not isinstance(trouble, Ambiguous):
        return trouble.facts
    typed = [typed_here(), *sys.argv[1:]]
    some = trouble.some(lambda code: shlex.join(code if word == trouble.wanted else word for word in typed))
    return {**trouble.facts, "some": some}


def _code(trouble: Trouble) -> int:
    from sync.beginning import ClockWentBack

    return DECIDE if isinstance(trouble, ClockWentBack) else WRONG if isinstance(trouble, FixFile) else PARTIAL


if __name__ == "__main__":
    main()
