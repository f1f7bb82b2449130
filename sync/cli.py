"""The command line. Each command is a few lines here; what it does stands in its own room.

Exit codes: 0 done · 1 done in part, running again may help · 2 config, rules or arguments are wrong, nothing was done ·
7 a person has to decide.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.trouble import FixFile, Trouble
from sync.messages import LANGUAGES, say

DONE, PARTIAL, WRONG, DECIDE = 0, 1, 2, 7
STEPS = ("pull", "people", "rules", "sheet", "mail")


def speech(arguments: Sequence[str], environment: dict[str, str]) -> str:
    """The language of help and errors before any config is read: `--language`, else the system's."""
    for position, word in enumerate(arguments):
        value = word.partition("=")[2] or (arguments[position + 1] if position + 1 < len(arguments) else "")
        if word.split("=")[0] == "--language" and value in LANGUAGES:
            return value
    chosen = environment.get("FILROUGE_LANGUAGE") or environment.get("LC_ALL") or environment.get("LANG") or ""
    return "fr" if chosen.lower().startswith("fr") else "en"


LANGUAGE = speech(sys.argv[1:], dict(os.environ))


def _t(code: str, **facts: object) -> str:
    return say(LANGUAGE, code, **facts)


app = typer.Typer(
    name="filrouge",
    help=_t("help-filrouge"),
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 110},  # else the list of commands is cut after eight words
)
person_app = typer.Typer(help=_t("help-person"), no_args_is_help=True)
app.add_typer(person_app, name="person")
rules_app = typer.Typer(help=_t("help-rules"), no_args_is_help=True)
app.add_typer(rules_app, name="rules")


class Options:
    """What stands before the command."""

    config = Path("config.yaml")
    language: str | None = None
    spoken: str | None = None


OPTIONS = Options()
AsJson = Annotated[bool, typer.Option("--json", help=_t("help-json"))]
Today = Annotated[str | None, typer.Option("--today", metavar="YYYY-MM-DD", help=_t("help-today"))]


def _tell_version(wanted: bool) -> None:  # noqa: FBT001  typer calls it so
    if wanted:
        from importlib.metadata import version as installed

        typer.echo(f"filrouge {installed('filrouge')}")
        raise typer.Exit


@app.callback()
def before(
    config: Annotated[Path, typer.Option(help=_t("help-config"))] = Path("config.yaml"),
    language: Annotated[str | None, typer.Option(help=_t("help-language"), metavar="fr|en")] = None,
    version: Annotated[  # noqa: ARG001  its callback has answered before
        bool, typer.Option("--version", help=_t("help-version"), callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    _check_language(language)
    OPTIONS.config, OPTIONS.language, OPTIONS.spoken = config, language, None
    from sync.logs import configure

    configure("warning")


def _check_language(language: str | None) -> None:
    if language is not None and language not in LANGUAGES:
        raise typer.BadParameter(", ".join(LANGUAGES), param_hint="--language")


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FixFile("bad-day", found=text) from None


@contextmanager
def _desk(today: str | None = None) -> Iterator[Any]:
    """The config read, the store open; closed again at the end."""
    from sync.desk import Desk

    desk = Desk.open(OPTIONS.config, OPTIONS.language, _day(today))
    OPTIONS.spoken = desk.language
    try:
        yield desk
    finally:
        desk.close()


def _finish(outcome: Any, as_json: bool) -> None:  # noqa: FBT001  one flag, the command's own
    """Show what came of a command and end with its code. An outcome has `to_json()`, `lines()` and `code`."""
    if as_json:
        typer.echo(json.dumps(outcome.to_json(), ensure_ascii=False, indent=2, default=str))
    else:
        for line in outcome.lines():
            typer.echo(line)
    raise typer.Exit(outcome.code)


@app.command(help=_t("help-demo"))
def demo(
    folder: Annotated[Path, typer.Argument(help=_t("help-demo-folder"))] = Path("demo"), today: Today = None
) -> None:
    from sync.demonstration import demonstrate

    raise typer.Exit(
        demonstrate(folder, _day(today), OPTIONS.language or LANGUAGE, OPTIONS.language or "fr", typer.echo)
    )


@app.command(help=_t("help-init"))
def init(
    folder: Annotated[Path, typer.Argument(help=_t("help-init-folder"))] = Path(),
    name: Annotated[str | None, typer.Option(help=_t("help-init-name"))] = None,
    country: Annotated[str | None, typer.Option(help=_t("help-init-country"))] = None,
    timezone: Annotated[str | None, typer.Option(help=_t("help-init-timezone"))] = None,
    sheet: Annotated[str | None, typer.Option(help=_t("help-init-sheet"))] = None,
    tab: Annotated[str | None, typer.Option(help=_t("help-init-tab"))] = None,
    credentials: Annotated[str | None, typer.Option(help=_t("help-init-credentials"))] = None,
    endpoint: Annotated[str | None, typer.Option(help=_t("help-init-endpoint"))] = None,
    source: Annotated[list[str] | None, typer.Option(help=_t("help-init-source"))] = None,
    rule: Annotated[list[str] | None, typer.Option(help=_t("help-init-rule"))] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=_t("help-init-yes"))] = False,
) -> None:
    from sync.setup import Answers, set_up

    sources, rules = tuple(source or ()), tuple(rule or ())
    answers = Answers(name, country, timezone, sheet, tab, sources, credentials, endpoint, rules)
    ask = None if yes else typer.prompt
    raise typer.Exit(set_up(folder, answers, OPTIONS.language or LANGUAGE, ask, typer.echo))


@app.command(help=_t("help-schema"))
def schema(
    what: Annotated[str, typer.Argument(help=_t("help-schema-what"), metavar="rules|config")] = "rules",
    language: Annotated[str | None, typer.Option(help=_t("help-schema-language"), metavar="fr|en")] = None,
) -> None:
    from sync.editing import schema_of

    if what not in {"rules", "config"}:
        raise FixFile("schema-unknown", found=what)
    _check_language(language)
    found = schema_of(what, OPTIONS.config, language or OPTIONS.language, OPTIONS.language, LANGUAGE)
    typer.echo(json.dumps(found, ensure_ascii=False, indent=1))


@app.command(help=_t("help-check"))
def check(
    online: Annotated[bool, typer.Option("--online", help=_t("help-online"))] = False, as_json: AsJson = False
) -> None:
    from sync.check import check as look_over

    _finish(look_over(OPTIONS.config, OPTIONS.language, online=online), as_json)


@app.command(help=_t("help-run"))
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_t("help-dry-run"))] = False,
    only: Annotated[list[str] | None, typer.Option(help=_t("help-only"), metavar="|".join(STEPS))] = None,
    source: Annotated[list[str] | None, typer.Option(help=_t("help-source"))] = None,
    today: Today = None,
    allow_missing: Annotated[int | None, typer.Option(help=_t("help-allow-missing"))] = None,
    allow_changed: Annotated[int | None, typer.Option(help=_t("help-allow-changed"))] = None,
    allow_headers: Annotated[int | None, typer.Option(help=_t("help-allow-headers"))] = None,
    allow_mapping: Annotated[int | None, typer.Option(help=_t("help-allow-mapping"))] = None,
    allow_gone: Annotated[int | None, typer.Option(help=_t("help-allow-gone"))] = None,
    allow_clock: Annotated[int | None, typer.Option(help=_t("help-allow-clock"))] = None,
    allow_foreign: Annotated[int | None, typer.Option(help=_t("help-allow-foreign"))] = None,
    as_json: AsJson = False,
) -> None:
    from sync.run import Wishes, run_once

    allowed = {
        "missing": allow_missing,
        "changed": allow_changed,
        "headers": allow_headers,
        "mapping": allow_mapping,
        "gone": allow_gone,
        "clock": allow_clock,
        "foreign": allow_foreign,
    }
    allow = {gate: number for gate, number in allowed.items() if number is not None}
    if strange := set(only or ()) - set(STEPS):
        raise FixFile("unknown-step", found=", ".join(sorted(strange)), known=", ".join(STEPS))
    with _desk(today) as desk:
        wishes = Wishes(steps=frozenset(only or STEPS), sources=tuple(source or ()), allow=allow)
        if dry_run:
            from sync.rehearsal import rehearse

            _finish(rehearse(desk, wishes, pull=True), as_json)
        _finish(run_once(desk, wishes, "cli", _progress(quiet=as_json)), as_json)


def _progress(*, quiet: bool) -> Any:
    from sync.progress import Progress

    return Progress(sys.stderr, LANGUAGE, shown=not quiet and sys.stderr.isatty())


@app.command(help=_t("help-serve"))
def serve(
    host: Annotated[str | None, typer.Option(help=_t("help-host"))] = None,
    port: Annotated[int | None, typer.Option(help=_t("help-port"))] = None,
) -> None:
    from sync.logs import configure
    from sync.service import serve_desk

    configure("info")

    raise typer.Exit(serve_desk(OPTIONS.config, OPTIONS.language, host, port))


@app.command(help=_t("help-preview"))
def preview(
    rule: Annotated[str | None, typer.Argument(help=_t("help-preview-rule"))] = None,
    today: Today = None,
    as_json: AsJson = False,
) -> None:
    from sync.rehearsal import preview as look_ahead

    with _desk(today) as desk:
        _finish(look_ahead(desk, rule), as_json)


@app.command(help=_t("help-explain"))
def explain(
    person: Annotated[str, typer.Argument(help=_t("help-who"))],
    rule: Annotated[str | None, typer.Option(help=_t("help-explain-rule"))] = None,
    today: Today = None,
    as_json: AsJson = False,
) -> None:
    from sync.telling import explain_person

    with _desk(today) as desk:
        _finish(explain_person(desk, person, rule), as_json)


@app.command(name="test", help=_t("help-test"))
def test_examples(as_json: AsJson = False, today: Today = None) -> None:
    from sync.telling import run_examples

    with _desk(today) as desk:
        _finish(run_examples(desk), as_json)


@app.command(help=_t("help-approve"))
def approve(what: Annotated[str, typer.Argument(help=_t("help-approve-what"))], as_json: AsJson = False) -> None:
    from sync.telling import approve_waiting

    with _desk() as desk:
        _finish(approve_waiting(desk, what), as_json)


@app.command(help=_t("help-outbox"))
def outbox(
    state: Annotated[str | None, typer.Option(help=_t("help-outbox-state"))] = None,
    drop: Annotated[str | None, typer.Option(help=_t("help-outbox-drop"))] = None,
    release: Annotated[str | None, typer.Option(help=_t("help-outbox-release"))] = None,
    as_json: AsJson = False,
) -> None:
    from sync.telling import show_outbox

    with _desk() as desk:
        _finish(show_outbox(desk, state, drop=drop, release=release), as_json)


@app.command(help=_t("help-undo"))
def undo(run: Annotated[int, typer.Argument(help=_t("help-undo-run"))], as_json: AsJson = False) -> None:
    from sync.takeback import undo_run

    with _desk() as desk:
        _finish(undo_run(desk, run), as_json)


@app.command(help=_t("help-runs"))
def runs(most: Annotated[int, typer.Option("-n", help=_t("help-runs-n"))] = 20, as_json: AsJson = False) -> None:
    from sync.telling import show_runs

    with _desk() as desk:
        _finish(show_runs(desk, most), as_json)


@app.command(help=_t("help-status"))
def status(as_json: AsJson = False) -> None:
    from sync.telling import show_status

    with _desk() as desk:
        _finish(show_status(desk), as_json)


@person_app.command("show", help=_t("help-person-show"))
def person_show(person: Annotated[str, typer.Argument(help=_t("help-who"))], as_json: AsJson = False) -> None:
    from sync.telling import show_person

    with _desk() as desk:
        _finish(show_person(desk, person), as_json)


@rules_app.command("list", help=_t("help-rules-list"))
def rules_list(as_json: AsJson = False) -> None:
    from sync.library import list_rules

    with _desk() as desk:
        _finish(list_rules(desk), as_json)


@rules_app.command("add", help=_t("help-rules-add"))
def rules_add(
    name: Annotated[str, typer.Argument(help=_t("help-rules-name"))],
    given: Annotated[list[str] | None, typer.Option("--set", help=_t("help-rules-set"), metavar="X=Y")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=_t("help-rules-yes"))] = False,
    as_json: AsJson = False,
) -> None:
    from sync.library import add_rule

    with _desk() as desk:
        _finish(add_rule(desk, name, given or (), None if yes or as_json else typer.prompt), as_json)


@rules_app.command("fix", help=_t("help-rules-fix"))
def rules_fix(
    file: Annotated[Path | None, typer.Argument(help=_t("help-rules-fix-file"))] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=_t("help-rules-fix-yes"))] = False,
    as_json: AsJson = False,
) -> None:
    from sync.mend import fix_rules

    ask = typer.confirm if sys.stdin.isatty() and not as_json else None
    _finish(fix_rules(file, OPTIONS.config, OPTIONS.language, LANGUAGE, ask, yes=yes), as_json)


def main() -> None:
    """The command `filrouge`. Whatever goes wrong ends as a sentence and an exit code, never as a traceback."""
    try:
        app(standalone_mode=True)
    except Trouble as trouble:
        from sync.desk import WrongFiles

        if isinstance(trouble, WrongFiles):
            typer.echo(trouble.shown, err=True)
        else:
            typer.echo(say(_language(), trouble.code, **trouble.facts), err=True)
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


def _database_error() -> type[Exception]:
    """Asked for only when something was raised: SQLAlchemy takes longer to load than all of `--help`."""
    from sqlalchemy.exc import SQLAlchemyError

    return SQLAlchemyError


def _language() -> str:
    """The language to complain in: as asked for, else the config's if it could be read, else the system's."""
    return OPTIONS.language or OPTIONS.spoken or LANGUAGE


def _code(trouble: Trouble) -> int:
    from sync.beginning import ClockWentBack

    return DECIDE if isinstance(trouble, ClockWentBack) else WRONG if isinstance(trouble, FixFile) else PARTIAL


if __name__ == "__main__":
    main()
