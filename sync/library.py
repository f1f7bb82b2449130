"""`filrouge rules`: the team's rules and those of the library; copying one, with its templates."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors import catalog
from connectors.trouble import FixFile
from rules import reader
from rules.conditions import SHEET, AnyOf, Book, Check, Condition, Email, InSegment, Rule, Segment, column_of
from rules.examples import run_examples
from rules.fields import EVERY, OCCASION
from rules.journeys import READS, Journey
from rules.mistakes import Mistake, nearest
from rules.recipes import Recipe, named, recipes, template
from rules.words import LANGUAGES, vocabulary
from sync.check import headers_now
from sync.desk import Desk, WrongFiles, show_mistakes
from sync.followup.typography import typeset
from sync.knowledge import feeds, is_fed, told_by_people
from sync.messages import say
from sync.outcome import Outcome

Ask = Callable[..., Any]
WIDE = 110
STARTERS = ("welcome", "thank-you-for-coming", "regulars-not-seen", "donors-to-thank", "addresses-to-correct")


# --- the list --------------------------------------------------------------------------------------------------------


def list_rules(desk: Desk) -> Outcome:
    """The team's rules, and each rule of the library: there already, fed by what is connected, or what it lacks."""
    headers = headers_now(desk, {}, online=False)
    book = desk.read_rules(headers).book
    look = _Look.of(desk, headers)
    shelf = [
        _Shelved(one, _is_there(desk, book, one), *look.lacks(one, one.defaults)) for one in recipes(desk.language)
    ]
    facts = {
        "rules": [
            {"id": rule.id, "name": rule.name, "file": rule.place.file, "line": rule.place.line, "active": rule.active}
            for rule in book.acting
        ],
        "library": [_facts(one) for one in shelf],
    }
    return Outcome(list(_lines(desk, book, shelf)), facts)


@dataclass(frozen=True)
class _Shelved:
    """A rule of the library as it stands with this team. `lacks`: without these it decides nothing, in words; not
    `sure` while exports that were not read yet may give them.
    """

    recipe: Recipe
    there: bool
    lacks: list[str]
    sure: bool

    @property
    def mark(self) -> str:
        return "✓" if self.there else "+" if not self.lacks else "–" if self.sure else "?"


def _facts(one: _Shelved) -> dict[str, Any]:
    told = ("key", "name", "title", "purpose", "needs", "changes", "measure", "minutes")
    inputs = [{"name": asked.name, "ask": asked.ask, "default": asked.default} for asked in one.recipe.inputs]
    fed = (not one.lacks) if one.sure else None
    here = {"inputs": inputs, "there": one.there, "fed": fed, "lacks": one.lacks}
    return {name: getattr(one.recipe, name) for name in told} | here


def _lines(desk: Desk, book: Book, shelf: list[_Shelved]) -> Iterator[str]:
    if book.acting:
        yield desk.say("library-yours")
        wide = max(len(rule.id) for rule in book.acting)
        for rule in book.acting:
            paused = "" if rule.active else f"  ({desk.say('library-paused')})"
            yield f"  {rule.id:<{wide}}  {rule.name}  {rule.place.file}:{rule.place.line}{paused}"
        yield ""
    yield desk.say("library-shelf")
    wide = max(len(one.recipe.name) for one in shelf)
    for one in shelf:
        less = f" {desk.say('library-lacks', what=', '.join(one.lacks))}" if one.lacks and one.sure else ""
        yield f"  {one.mark} {one.recipe.name:<{wide}}  {typeset(one.recipe.purpose, desk.language)}{less}"
    yield ""
    yield desk.say("library-marks")
    if any(one.mark == "?" for one in shelf):
        yield desk.say("library-marks-unread")
    left = [one.recipe.name for one in shelf if not one.there]
    if left:
        yield desk.say("library-add", command=desk.command("rules", "add", left[0]))


@dataclass(frozen=True)
class _Look:
    """What the sources feed, what those may feed whose exports were not read yet, and what the sheet has (`headers`
    None: not known here).
    """

    language: str
    kinds: Mapping[str, frozenset[str]]
    possible: Mapping[str, frozenset[str]]
    headers: Collection[str] | None

    @classmethod
    def of(cls, desk: Desk, headers: Collection[str] | None) -> _Look:
        kinds, ours = feeds(desk), told_by_people(desk)
        may = {name: catalog.source(desk.config.source_type(name)).gives for name in kinds}
        possible = {n: may[n] if known <= {"person"} else known for n, known in kinds.items()}
        return cls(desk.language, kinds | ours, possible | ours, headers)

    def lacks(self, recipe: Recipe, values: Mapping[str, str]) -> tuple[list[str], bool]:
        """The fields and columns without which the rule can't be decided, in words; and whether that is sure."""
        book = _book(recipe, values)
        surely = self._words(book, self.possible)
        lacking = surely or self._words(book, self.kinds)
        return lacking, bool(surely) or not lacking

    def _words(self, book: Book, fed: Mapping[str, frozenset[str]]) -> list[str]:
        every: list[Rule | Segment | Journey] = [*book.acting, *book.segments]
        names = dict.fromkeys(name for one in every for name in self._rests_on(one, fed))
        words = vocabulary(self.language)
        return [
            say(self.language, "library-column-lacks", column=name.removeprefix(SHEET))
            if name.startswith(SHEET)
            else words.shown("occasion" if name in OCCASION else "fields", name)
            for name in names
        ]

    def _rests_on(self, one: Rule | Segment | Journey, fed: Mapping[str, frozenset[str]]) -> list[str]:
        if not isinstance(one, Journey):
            return self._needed(one.condition, fed)
        anchor = READS[one.around.kind]
        asked = [name for condition in one.conditions for name in self._needed(condition, fed)]
        return asked if self._has(anchor, fed) else [anchor, *asked]

    def _needed(self, condition: Condition, fed: Mapping[str, frozenset[str]]) -> list[str]:
        match condition:
            case Check(field=name):
                return [] if self._has(name, fed) else [name]
            case InSegment():
                return []  # it stands in the same file, and is looked at itself
            case AnyOf(items=items):
                found = [self._needed(item, fed) for item in items]
                return [] if not all(found) else [name for some in found for name in some]
            case _:
                return [name for item in condition.items for name in self._needed(item, fed)]

    def _has(self, name: str, fed: Mapping[str, frozenset[str]]) -> bool:
        if name.startswith(SHEET):
            known = None if self.headers is None else [SHEET + header for header in self.headers]
            return known is None or column_of(name, known) is not None
        return is_fed(EVERY[name].source, fed)


def _book(recipe: Recipe, values: Mapping[str, str]) -> Book:
    return reader.read({recipe.name: recipe.text(values).encode()}, language=recipe.language).book


def _ids(recipe: Recipe) -> dict[str, str]:
    """The ids of the recipe's rules in every language, with their names: the same rule twice would write twice."""
    same = [one for language in LANGUAGES for one in recipes(language) if one.key == recipe.key]
    return {rule.id: rule.name for one in same for rule in _book(one, one.defaults).acting}


def _is_there(desk: Desk, book: Book, recipe: Recipe) -> bool:
    return _file_of(desk.config.rules_folder, recipe).exists() or bool(_ids(recipe).keys() & book.names.keys())


# --- copying ---------------------------------------------------------------------------------------------------------


def add_rule(desk: Desk, name: str, given: Collection[str], ask: Ask | None) -> Outcome:
    """Copy a rule of the library and its templates into the team's folder. What is there is never overwritten; what
    would not pass `check` is not copied. `given` are `input=value`; `ask` None takes the defaults.
    """
    recipe = recipe_named(name, desk.language)
    headers = headers_now(desk, {}, online=False)
    _refuse_what_is_there(desk, desk.read_rules(headers).book, recipe)
    values = _values(recipe, given, ask)
    _try(desk, recipe, values, headers)
    file, written, kept = copy(desk.config.rules_folder, recipe, values)
    seen = desk.as_seen(file.parent)
    said = [desk.say("library-copied", file=(seen / file.name).as_posix())]
    said += [desk.say("library-copied", file=(seen / "templates" / one).as_posix()) for one in written]
    said += [desk.say("library-kept", file=(seen / "templates" / one).as_posix()) for one in kept]
    said.append(desk.say("library-needs", needs=typeset(recipe.needs, desk.language)))
    look = _Look.of(desk, headers)
    lacks, sure = look.lacks(recipe, values)
    if lacks:
        said.append(desk.say("library-waits" if sure else "library-waits-unread", what=", ".join(lacks)))
    rules = [rule.id for rule in _book(recipe, values).acting]
    said.append(desk.say("library-next", command=desk.command("preview", rules[0])))
    facts = {"file": (seen / file.name).as_posix(), "rules": rules, "inputs": values, "lacks": lacks}
    return Outcome(said, facts | {"templates": {"written": written, "kept": kept}})


def recipe_named(name: str, language: str) -> Recipe:
    """Raises `FixFile` with the nearest name, or all of them."""
    if recipe := named(name, language):
        return recipe
    known = [recipe.name for recipe in recipes(language)]
    near = nearest(name, [recipe.name for spoken in LANGUAGES for recipe in recipes(spoken)])
    if near:
        raise FixFile("library-unknown-near", found=name, near=near)
    raise FixFile("library-unknown", found=name, known=", ".join(known))


def _refuse_what_is_there(desk: Desk, book: Book, recipe: Recipe) -> None:
    file = _file_of(desk.config.rules_folder, recipe)
    if file.exists():
        raise FixFile("library-taken", file=(desk.as_seen(file.parent) / file.name).as_posix())
    for identity, name in _ids(recipe).items():
        if rule := next((one for one in book.acting if one.id == identity), None):
            raise FixFile("library-same-name", name=name, file=str(rule.place))
    for segment in _book(recipe, recipe.defaults).segments:
        if there := book.segment.get(segment.id):
            raise FixFile("library-same-segment", name=there.name, file=str(there.place))


def _values(recipe: Recipe, given: Collection[str], ask: Ask | None) -> dict[str, str]:
    values: dict[str, str] = {}
    known = ", ".join(recipe.defaults) or say(recipe.language, "library-no-inputs")
    for text in given:
        name, sign, value = text.partition("=")
        if name.strip() not in recipe.defaults or not sign:
            raise FixFile("library-no-input", found=text, known=known)
        values[name.strip()] = value.strip()
    for one in recipe.inputs:
        if one.name not in values:
            asked = ask(typeset(one.ask, recipe.language), default=one.default) if ask else one.default
            values[one.name] = str(asked).strip()
    return {one.name: values[one.name] for one in recipe.inputs}


def _try(desk: Desk, recipe: Recipe, values: Mapping[str, str], headers: Collection[str] | None) -> None:
    """Raises for values that do not fit, for a column the sheet has not, and for examples that would not hold."""
    try:
        text = recipe.text(values)
    except ValueError as fault:
        (one,) = (one for one in recipe.inputs if one.name == str(fault))
        code = "library-not-a-number" if one.is_number else "library-not-a-text"
        raise FixFile(code, name=one.name, found=values[one.name]) from None
    name = (desk.as_seen(desk.config.rules_folder) / f"{recipe.name}.yaml").as_posix()
    found = reader.read({name: text.encode()}, columns=headers, language=recipe.language)
    if any(mistake.code.startswith("unknown-column") for mistake in found.mistakes):
        raise WrongFiles(found.mistakes, _shown(desk, found.mistakes, name, text, recipe))
    if found.mistakes or not all(one.passed for one in run_examples(found.book, desk.clock.today(), desk.language)):
        raise FixFile("library-examples", values=", ".join(f"{key}={value}" for key, value in values.items()))


def _shown(desk: Desk, mistakes: list[Mistake], name: str, text: str, recipe: Recipe) -> str:
    columns = [one.name for one in recipe.inputs if not one.is_number]
    hint = desk.say("library-column-hint", name=columns[0] if columns else "…", recipe=recipe.name)
    once = {(mistake.code, mistake.found): mistake for mistake in reversed(mistakes)}  # the examples name it again
    return "\n\n".join([show_mistakes(reversed(once.values()), desk.language, {name: text.splitlines()}), hint])


def copy(folder: Path, recipe: Recipe, values: Mapping[str, str]) -> tuple[Path, list[str], list[str]]:
    """Write the rule's file and its templates into a rules folder: the file, the templates written, and those of the
    team that were there and stay. Raises `FileExistsError` when the rule's own file is there.
    """
    folder.joinpath("templates").mkdir(parents=True, exist_ok=True)
    file = _file_of(folder, recipe)
    if file.exists():
        raise FileExistsError(file)
    written, kept = [], []
    actions = [action for rule in _book(recipe, values).acting for action in rule.actions]
    for name in dict.fromkeys(action.template for action in actions if isinstance(action, Email)):
        theirs = [*folder.glob(f"templates/{name}.md"), *folder.glob(f"templates/{name}.??.md")]
        if theirs:
            kept += [one.name for one in theirs]
        else:
            _write_new(folder / "templates" / f"{name}.md", template(name, recipe.language))
            written.append(f"{name}.md")
    _write_new(file, "\n".join([*_top(recipe), recipe.text(values)]))
    return file, written, kept


def _file_of(folder: Path, recipe: Recipe) -> Path:
    return folder / f"{recipe.name}.yaml"


def _write_new(file: Path, text: str) -> None:
    with file.open("x", encoding="utf-8") as handle:
        handle.write(text)


def _top(recipe: Recipe) -> Iterable[str]:
    """What the rule is for, above it in its file."""
    language = recipe.language
    for code in ("purpose", "needs", "changes", "measure"):
        text = say(language, f"library-top-{code}", text=typeset(getattr(recipe, code), language))
        yield from textwrap.wrap(text, WIDE, initial_indent="# ", subsequent_indent="#   ", break_on_hyphens=False)
    yield f"# {say(language, 'library-top-minutes', minutes=recipe.minutes)}"
    yield f"# {say(language, 'library-top-yours')}"
    yield ""
