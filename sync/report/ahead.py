"""What a run would do, as one page that opens by a double click: who moves, each e-mail as it would be seen, each cell.

The e-mails stand in frames that may run nothing and lead nowhere. The page holds names and addresses: only its owner may
read the file.
"""

from __future__ import annotations

import hashlib
import os
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice, zip_longest
from pathlib import Path

import jinja2
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from connectors.trouble import FixFile
from sync.dates import format_date
from sync.drafts import Draft
from sync.followup.proof import CLIPPED
from sync.messages import say
from sync.roll import Person

SEEN_WHOLE = 200  # e-mails with their text: about 3 MB


@dataclass(frozen=True)
class RuleAhead:
    """One rule: who comes in (each with what the rule asks about, below its `titles`), who goes out, what it would write."""

    id: str
    name: str
    mails: Sequence[Draft]
    titles: Sequence[str] = ()
    enters: Sequence[Person] = ()
    leaves: Sequence[Person] = ()
    stays: Sequence[Person] = ()

    @property
    def shown(self) -> Sequence[Draft]:
        """Those that would go first, then those with a text."""
        return sorted(self.mails, key=lambda mail: (mail.reason is not None, not mail.html))

    @property
    def held(self) -> int:
        return sum(mail.reason is not None for mail in self.mails)


@dataclass(frozen=True)
class Ahead:
    """All that the page shows. `cells` are person, column, before, after; `deeds` person, what, state; `notes` sentences;
    `coming` the steps of journeys, a sentence and a line each; `why` in the same way, why a rule or journey concerns nobody.
    """

    organisation: str
    language: str
    day: date
    rules: Sequence[RuleAhead]
    cells: Sequence[tuple[str, str, str, str]]
    rows_added: int
    deeds: Sequence[tuple[str, str, str]]
    notes: Sequence[str]
    coming: Sequence[Sequence[str]] = ()
    why: Sequence[Sequence[str]] = ()

    @property
    def tiles(self) -> Mapping[str, int]:
        """By the word of each, how many."""
        return {
            "enter": sum(len(rule.enters) for rule in self.rules),
            "leave": sum(len(rule.leaves) for rule in self.rules),
            "would-go": sum(len(rule.mails) - rule.held for rule in self.rules),
            "would-not": sum(rule.held for rule in self.rules),
            "cells": len(self.cells),
        }


def render(ahead: Ahead) -> str:
    """The whole page as HTML."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("sync.report", "."), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.globals["say"] = lambda code, **facts: say(ahead.language, f"ahead-{code}", **facts)
    environment.filters["typed"] = _typed
    environment.globals["standing"] = lambda mail: mail.standing(ahead.language)
    environment.filters["number"] = lambda value: format_decimal(value, locale=ahead.language)
    whole = set(islice(_by_turns(ahead.rules), SEEN_WHOLE))
    script = environment.get_template("ahead.js").render().strip()
    return environment.get_template("ahead.html.j2").render(
        ahead=ahead, whole=whole, clipped=CLIPPED, script=Markup(script),  # noqa: S704  our own file
        proof=b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        day=format_date(ahead.day, "full", locale=ahead.language),
    )  # fmt: skip


def _typed(sentence: str) -> Markup:
    """With what is to be typed set as such."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(sentence))))  # noqa: S704  escaped just before


def _by_turns(rules: Sequence[RuleAhead]) -> Iterator[str]:
    """The numbers of e-mails that can be shown, one of each rule after the other: a large rule leaves room for small."""
    for turn in zip_longest(*([mail.id for mail in rule.shown if mail.html] for rule in rules)):
        yield from filter(None, turn)


def write(ahead: Ahead, file: Path) -> None:
    """Write the page. Raises `FixFile` for a file that is no page, so that nothing else is written over."""
    if not re.fullmatch(r"\.html?", file.suffix, re.IGNORECASE):
        raise FixFile("preview-page-name", found=str(file))
    draft = file.with_name(f".{file.name}.part")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as part:
        part.write(render(ahead))
    draft.replace(file)
