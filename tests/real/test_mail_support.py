"""The HTML of e-mails held against what mail programs know (caniemail.com, through the npm package `caniemail`)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.config import Organisation
from sync.followup.compose import House, compose, page
from sync.followup.consent import Right
from sync.followup.templatefiles import read_templates
from tests.real import npm
from tests.sync.followup.test_compose import NOW
from tests.sync.followup.theatre import HOUSE, person

pytestmark = pytest.mark.real
HERE = Path(__file__).parent / "mailsupport"
LIBRARY = Path(__file__).parents[2] / "rules" / "library"
PROGRAMS = (
    "gmail.desktop-webmail",
    "gmail.ios",
    "gmail.android",
    "outlook.*",
    "apple-mail.*",
    "yahoo.*",
    "thunderbird.macos",
)
HARMLESS = {
    "<body> element": "its colour is repeated on the first table",
    "@media": "without it: the light page at its desktop width, which fits a telephone",
    "Attribute selector": "only for Outlook.com in dark mode",
    "Chaining selectors": "only for other programs' own fixes",
    "aria-label attribute": "names the page for screen readers that know it",
    "role attribute": "as above",
    "border-radius": "corners are square",
    "border-spacing": "MJML sets cellspacing, too",
    "color-scheme CSS property": "the program darkens as it likes, or not",
    "color-scheme meta tag": "as above",
    "cursor": "the arrow stays an arrow",
    "height property": "of images; they have the attribute",
    "max-height property": "of the hidden preview, hidden in three more ways",
    "opacity": "as above",
    "overflow": "as above",
    "outline": "of images, without consequence",
    "target attribute": "links open as the program opens links",
    "transform": "text-transform: none, read wrongly",
    "word-break": "long words run on",
    "word-spacing": "normal anyway",
}
RICH = """---
objet: La saison
aperçu: Dix-huit spectacles
---
# La saison

[![La salle](https://phare.example/s.jpg)](https://phare.example/)

- un
- deux

> cité

---

**[Voir](https://phare.example/saison)**
"""


def pages() -> Iterator[tuple[str, str]]:
    """Every template of the library, and one with everything that can stand in one."""
    house = House(Organisation(name="Le Phare", logo="https://phare.example/logo.png"), HOUSE.sender)
    files = {f"{file.stem}.{file.parts[-3]}.md": file.read_bytes() for file in LIBRARY.glob("??/templates/*.md")}
    found, mistakes = read_templates({**files, "riche.fr.md": RICH.encode()})
    assert not mistakes
    for template in found:
        message = compose(person(1), template, house, NOW, message_id="<1@a.example>", right=Right(basis="customer"))
        yield template.name, page(message)


def test_what_a_mail_program_does_not_know_does_no_harm() -> None:
    modules = npm.installed(HERE) / "node_modules"
    command = ["node", str(HERE / "ask.mjs"), str(modules), *PROGRAMS]
    asked = json.dumps(list(pages()))
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    told: dict[str, list[str]] = {}
    for name, feature, program in json.loads(done.stdout):
        told.setdefault(feature, []).append(f"{program} ({name})")
    assert "@media" in told  # it looks, indeed
    assert {feature: where[:5] for feature, where in told.items() if feature not in HARMLESS} == {}
