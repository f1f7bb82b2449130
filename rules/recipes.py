"""The library: rules ready to copy. Each says what it is for, what it needs, and asks for a few values of the team.

A file in `library/{en,fr}` has a head and a body, both YAML. In the body `<months>` stands for an input, `<months+6>`
for more than it, so that the examples hold whatever the team chose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from rules import ouryaml
from rules.mistakes import fold
from rules.words import LANGUAGES

PLACEHOLDER = re.compile(r"<([a-z]+)([+-]\d+)?>")
WHOLE = re.compile(r"[1-9]\d{0,5}")
PLAIN = re.compile(r"[^\W_](?:[\w '’./&-]*[\w.)])?")
ALONE = re.compile(r"(?:[:,-] |\{)$"), re.compile(r"\s*(?:[:,}#]|$)", re.MULTILINE)


@dataclass(frozen=True)
class Input:
    """Something the team is asked for: `ask` is the question without its mark."""

    name: str
    ask: str
    default: str

    @property
    def is_number(self) -> bool:
        return self.default.isdigit()

    def accepts(self, value: str) -> bool:
        return bool(WHOLE.fullmatch(value)) if self.is_number else value.isprintable() and bool(value.strip())


@dataclass(frozen=True)
class Recipe:
    """One file of the library. `name` is its own in this language, `key` the same in all."""

    key: str
    name: str
    language: str
    place: int
    title: str
    purpose: str
    needs: str
    changes: str
    measure: str
    minutes: int
    inputs: tuple[Input, ...]
    body: str

    @property
    def defaults(self) -> dict[str, str]:
        return {one.name: one.default for one in self.inputs}

    def text(self, values: Mapping[str, str]) -> str:
        """The rules with `values` in their places. Raises `ValueError` with the name of an input that does not fit."""
        for one in self.inputs:
            if not one.accepts(values[one.name]):
                raise ValueError(one.name)
        return PLACEHOLDER.sub(lambda match: self._put(match, values), self.body)

    def _put(self, match: re.Match[str], values: Mapping[str, str]) -> str:
        name, more = match[1], match[2]
        value = values[name].strip()
        if more:
            return str(int(value) + int(more))
        if PLAIN.fullmatch(value):
            return value
        before, after = ALONE
        if before.search(match.string[: match.start()]) and after.match(match.string, match.end()):
            return json.dumps(value, ensure_ascii=False)
        raise ValueError(name)  # inside a phrase nothing can be quoted


@cache
def recipes(language: str) -> tuple[Recipe, ...]:
    """The whole library in one language, in its order."""
    folder = files("rules").joinpath("library", language)
    found = [_read(item.name, item.read_text("utf-8"), language) for item in folder.iterdir() if _is_rule(item.name)]
    return tuple(sorted(found, key=lambda recipe: recipe.place))


def _is_rule(name: str) -> bool:
    return name.endswith(".yaml")


def _read(file: str, text: str, language: str) -> Recipe:
    _, head, body = text.split("---\n", 2)
    facts = ouryaml.read(head)
    asked = facts.pop("inputs")
    inputs = tuple(Input(name, about["ask"], str(about["default"])) for name, about in asked.items())
    return Recipe(name=file.removesuffix(".yaml"), language=language, inputs=inputs, body=body, **facts)


def named(name: str, language: str) -> Recipe | None:
    """The recipe with this name or title, in either language; what comes back is in `language`."""
    wanted = fold(name.removesuffix(".yaml")).replace(" ", "-")
    known = (language, *(other for other in LANGUAGES if other != language))
    every = [recipe for spoken in known for recipe in recipes(spoken)]
    keys = [r.key for r in every if wanted in {r.name, r.key, fold(r.title).replace(" ", "-")}]
    return next((recipe for recipe in recipes(language) if keys and recipe.key == keys[0]), None)


def template(name: str, language: str) -> str:
    """An e-mail template of the library, as it is copied."""
    return files("rules").joinpath("library", language, "templates", f"{name}.md").read_text("utf-8")


def guide(language: str) -> str:
    """The page from which somebody who has never written a rule writes one."""
    return files("rules").joinpath("library", language, "GUIDE.md").read_text("utf-8")
