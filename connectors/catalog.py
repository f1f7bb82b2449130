"""What can be connected, by the name it has in the config.

Nothing is imported before it is asked for. Other packages add theirs with the entry points `filrouge.sources`,
`filrouge.sheets` and `filrouge.mailers`, whose names are the names in the config.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoints, entry_points
from typing import cast

from connectors.mail.mailer import Mailer
from connectors.sheets.sheet import Sheet
from connectors.source import Source
from connectors.trouble import FixFile

OURS = {
    "sources": {
        "files": "connectors.sources.files:Files",
        "ghost": "connectors.sources.ghost:Ghost",
        "mailchimp": "connectors.sources.mailchimp:Mailchimp",
        "pretix": "connectors.sources.pretix:Pretix",
    },
    "sheets": {
        "airtable": "connectors.sheets.airtable:Airtable",
        "excel": "connectors.sheets.excel:Excel",
        "google": "connectors.sheets.google:Google",
    },
    "mailers": {
        "brevo": "connectors.mail.brevo:Brevo",
        "folder": "connectors.mail.folder:Folder",
        "smtp": "connectors.mail.smtp:Smtp",
    },
}


def source(name: str) -> type[Source]:
    """The class behind a source's name. Raises `FixFile` with the nearest name for an unknown one."""
    return cast("type[Source]", _find("sources", name))


def sheet(name: str) -> type[Sheet]:
    return cast("type[Sheet]", _find("sheets", name))


def mailer(name: str) -> type[Mailer]:
    return cast("type[Mailer]", _find("mailers", name))


def names(kind: str) -> list[str]:
    """All names of a kind (`sources`, `sheets`, `mailers`), ours and those of others."""
    return sorted(_places(kind))


def _places(kind: str) -> dict[str, str]:
    return {**_others(kind, entry_points), **OURS[kind]}


@cache
def _others(kind: str, points: Callable[..., EntryPoints]) -> dict[str, str]:
    """What other packages add; looked for once, since it goes through everything that is installed."""
    return {found.name: found.value for found in points(group=f"filrouge.{kind}")}


def _find(kind: str, name: str) -> object:
    places = _places(kind)
    if name not in places:
        near = difflib.get_close_matches(name.casefold(), places, n=1)
        code = f"unknown-{kind}-near" if near else f"unknown-{kind}"
        raise FixFile(code, name=name, near=near[0] if near else "", known=", ".join(sorted(places)))
    module, _, attribute = places[name].partition(":")
    return getattr(import_module(module), attribute)
