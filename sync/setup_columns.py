"""What the columns of a sheet with years in it are: guessed from headers and values, shown with examples, agreed upon.

A column is taken only where its values bear out its header. What Fil rouge computes (visits, newsletter …) is never put
over what the team has filled in by hand: such a column is named, and left to them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from connectors.files import words as header_words
from connectors.sheets.sheet import Cell, Column, Formula, Table
from rules.fields import COLUMNS, FIELDS
from rules.words import vocabulary
from sync.config import field_named
from sync.messages import say
from sync.people import normalise
from sync.sheet.columns import fold

Ask = Callable[..., Any]
Tell = Callable[[str], None]
RATHER_NOT = frozenset({"flags", "last_emailed", "may_write_until", "verified"})
PEOPLE = ("email", "phone", "last_name", "first_name")
ADDED = ("last_visit", "visits", "flags")
SAMPLE = 500
NONE = "-"
_NO_TEXT = re.compile(r"@|\brec[A-Za-z0-9]{14}\b")  # a link to a record of another table, as Airtable gives it
_DAY = re.compile(r"\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}")
_HINTS = {
    "email": re.compile(r"\b(?:e ?)?mails?\b|\bmel\b|\bcourriels?\b|\belectronique\b"),
    "phone": re.compile(r"\btel\b|\btelephone\b|\bportable\b|\bmobile\b|\bgsm\b|\bcell(?:ulaire)?\b|\bphone\b"),
    "postcode": re.compile(r"\bcp\b|\bpostal\b|\bpostcode\b|\bzip\b"),
    "birthday": re.compile(r"\bnaissance\b|\bnee?\b|\bbirth\w*\b"),
}
"""Words in a header that say enough where the values bear them out, as they do for these fields."""


@dataclass(frozen=True)
class Guess:
    """One column: `field` is ours that it shows, None if it stays theirs. `why` it does, where that is not plain:
    `by-hand` (looks like `like`, but they fill it), `formula`, `twice` (its header stands twice), `whole-name`.
    """

    header: str
    examples: tuple[str, ...] = ()
    field: str | None = None
    why: str = ""
    like: str | None = None


def columns_of(guesses: Sequence[Guess]) -> dict[str, str]:
    """The mapping, as it stands in the config."""
    return {guess.header: guess.field for guess in guesses if guess.field}


def names_people(guesses: Sequence[Guess]) -> bool:
    """Is there a column that tells who somebody is?"""
    return not set(PEOPLE).isdisjoint(columns_of(guesses).values())


def guess_columns(table: Table, country: str = "FR") -> list[Guess]:
    """What each column is, in the order of the sheet. A field is taken once: by its own header first, then by a likely
    one; a filled column before an empty one.
    """
    cells = [[row.cells[place] for row in table.rows[:SAMPLE]] for place in range(len(table.columns))]
    guesses = [_first_sight(column, of) for column, of in zip(table.columns, cells, strict=True)]
    alike = Counter(fold(guess.header) for guess in guesses)
    guesses = [replace(one, why="twice") if alike[fold(one.header)] > 1 else one for one in guesses]
    values = [[cell for cell in of if cell is not None and not isinstance(cell, Formula)] for of in cells]
    firsts = any(_named(guess.header) == "first_name" for guess in guesses)
    for sure in (True, False):
        for place in sorted(range(len(guesses)), key=lambda place: not values[place]):
            taken = {guess.field for guess in guesses} | {guess.like for guess in guesses}
            if not guesses[place].field and not guesses[place].why:
                guesses[place] = _second_sight(guesses[place], values[place], taken, country, sure=sure, firsts=firsts)
    return [guess for guess in guesses if guess.header.strip()]


def _first_sight(column: Column, cells: Sequence[Cell | Formula]) -> Guess:
    filled = [cell for cell in cells if cell is not None]
    computed = sum(isinstance(cell, Formula) for cell in filled)
    shown = tuple(dict.fromkeys(text for cell in filled[:50] if (text := _shown(cell))))[:2]
    if column.tag in COLUMNS:  # a column that Fil rouge has kept before
        return Guess(column.header, shown, column.tag)
    return Guess(column.header, shown, why="formula" if computed * 2 > len(filled) else "")


def _second_sight(
    guess: Guess, values: Sequence[Cell], taken: set[str | None], country: str, *, sure: bool, firsts: bool
) -> Guess:
    name = _named(guess.header) if sure else _likely(guess.header, values)
    if name == "name":
        if not firsts:
            return replace(guess, why="whole-name")
        name = "last_name"
    if name is None or name in taken or name not in FIELDS or name in RATHER_NOT:
        return guess
    if not FIELDS[name].about_person:
        return replace(guess, why="by-hand", like=name) if values else replace(guess, field=name)
    return replace(guess, field=name) if _borne_out(name, values, country) else guess


def _named(header: str) -> str | None:
    """What the header says by itself."""
    known, said = header_words.headers(), header_words.fold(header)
    found = known.get(said) or known.get(said.replace(" ", ""))  # C.P.
    return field_named(header) or (found[0] if found else None)


def _likely(header: str, values: Sequence[Cell]) -> str | None:
    """What a word in the header says, or else values that can be nothing but e-mail addresses."""
    said = header_words.fold(header)
    hinted = next((name for name, hint in _HINTS.items() if values and hint.search(said)), None)
    return hinted or ("email" if values and _most(values, _is_address) else None)


def _borne_out(name: str, values: Sequence[Cell], country: str) -> bool:
    """Do the values look like what the header says? An empty column says nothing against it."""
    tests: dict[str, Callable[[Cell], bool]] = {
        "email": _is_address,
        "phone": lambda cell: _digits(cell) >= 6 and not isinstance(cell, date | float),
        "postcode": lambda cell: isinstance(cell, str | int) and 3 <= len(str(cell)) <= 10 and _digits(cell) > 0,
        "birthday": lambda cell: isinstance(cell, date) or bool(_DAY.fullmatch(str(cell).strip())),
        "language": lambda cell: normalise.language(str(cell)) is not None,
        "country": lambda cell: _is_text(cell) or normalise.country_code(str(cell)) == country,
    }
    return not values or _most(values, tests.get(name, _is_text))


def _most(values: Sequence[Cell], test: Callable[[Cell], bool]) -> bool:
    return sum(map(test, values)) * 2 > len(values)


def _is_address(cell: Cell) -> bool:
    return isinstance(cell, str) and normalise.email(cell)[1] is not None


def _is_text(cell: Cell) -> bool:
    return isinstance(cell, str) and not _NO_TEXT.search(cell) and _digits(cell) * 2 < len(cell)


def _digits(cell: Cell) -> int:
    return sum(letter.isdigit() for letter in str(cell))


# --- showing, and asking ---------------------------------------------------------------------------------------------


def show(table: Table, name: str, guesses: Sequence[Guess], language: str, tell: Tell) -> None:
    """The tab `name`, a line for each column: what it is taken for, and an example or two."""
    tell(say(language, "init-columns", n=len(table.rows), tab=name))
    rows = [(_cut(one.header), _meaning(one, language), " · ".join(one.examples)) for one in guesses]
    wide = [max((len(row[place]) for row in rows), default=0) for place in (0, 1)]
    for header, meaning, shown in rows:
        tell(f"  {header:<{wide[0]}}  {meaning:<{wide[1]}}  {shown}".rstrip())


def _meaning(guess: Guess, language: str) -> str:
    words = vocabulary(language)
    if guess.field:
        return f"→ {words.shown('fields', guess.field)}"
    code = f"init-column-{guess.why}" if guess.why else "init-column-theirs"
    return say(language, code, field=words.shown("fields", guess.like) if guess.like else "")


def agreed(guesses: Sequence[Guess], language: str, ask: Ask, tell: Tell) -> list[Guess]:
    """The guesses as the person wants them: taken as a whole, or asked one by one."""
    if names_people(guesses) and is_yes(ask(say(language, "init-take-columns"), default=say(language, "init-yes"))):
        return list(guesses)
    tell(say(language, "init-one-by-one"))
    found: list[Guess] = []
    for guess in guesses:
        if guess.why in ("twice", "formula"):
            found.append(guess)
            continue
        taken = {one.field for one in found}
        name = _asked(guess, taken, language, ask, tell)
        found.append(replace(guess, field=name, why="" if name else guess.why))
    return found


def _asked(guess: Guess, taken: set[str | None], language: str, ask: Ask, tell: Tell) -> str | None:
    words = vocabulary(language)
    proposed = words.shown("fields", guess.field) if guess.field and guess.field not in taken else NONE
    question = f"{_cut(guess.header)} ({' · '.join(guess.examples)})" if guess.examples else _cut(guess.header)
    while True:
        answer = str(ask(question, default=proposed)).strip()
        if answer in ("", NONE):
            return None
        name = field_named(answer)
        if name and name not in taken and name not in RATHER_NOT:
            return name
        known = ", ".join(words.shown("fields", one) for one in FIELDS if one not in RATHER_NOT | taken)
        tell(say(language, "init-no-field", found=answer, known=known))


def added(guesses: Sequence[Guess], language: str) -> dict[str, str]:
    """Columns of ours that the first run would make at the right end, so that what is found out can be seen."""
    words = vocabulary(language)
    there = {fold(guess.header) for guess in guesses}
    shown = {guess.field or guess.like for guess in guesses} | {_named(guess.header) for guess in guesses}
    return {header: name for header, name in _headers(words) if name not in shown and fold(header) not in there}


def _headers(words: Any) -> Iterator[tuple[str, str]]:
    return ((words.shown("fields", name).capitalize(), name) for name in ADDED)


def is_yes(answer: object) -> bool:
    return fold(str(answer))[:1] in {"o", "y", "1", "t", "v"}


def _shown(cell: Cell | Formula) -> str:
    value = cell.value if isinstance(cell, Formula) else cell
    return _cut("" if value is None else str(value))


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) < 40 else line[:39] + "…"
