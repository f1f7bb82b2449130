"""Merge fields: `{{ first_name or "you" }}`, `{{ prénom or "à vous" }}` and `{% if visits > 3 %}` in a text.

A text is filled in two steps, so that nothing a person is called can be read as markup: Jinja puts a mark where a
value goes, and the value takes its place when Markdown has been read and the page laid out. Both are done once for all
people of whom the same is said.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote

import jinja2
import jinja2.sandbox
from babel import Locale, UnknownLocaleError
from babel.dates import format_time
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal
from jinja2 import meta, nodes
from jinja2.ext import Extension
from jinja2.runtime import Context

from rules.fields import FIELDS
from rules.marks import CODE
from rules.mistakes import fold
from rules.unfold import unfolded
from rules.words import vocabulary
from sync.dates import format_date
from sync.messages import LANGUAGES

KEPT = 256  # texts read once for a thousand people
MARK = re.compile(r"z([qu])(\d{4,})\1z")  # zu0000uz: the same value, inside an address
OURS = {"our_name": "house", "notre_nom": "house", "our_address": "house_address", "notre_adresse": "house_address",
        "today": "today", "aujourdhui": "today"}  # fmt: skip
OF_OCCASION = {"event": "event", "show": "event", "show_date": "event_date", "show_time": "event_time", "venue": "event_place",
               "spectacle": "event", "événement": "event", "event_date": "event_date", "date_du_spectacle": "event_date",
               "event_time": "event_time", "heure_du_spectacle": "event_time", "event_place": "event_place",
               "lieu_du_spectacle": "event_place", "donation_amount": "donation_amount",
               "montant_du_don": "donation_amount", "donation_date": "donation_date",
               "date_du_don": "donation_date"}  # fmt: skip
"""What only the e-mail of a journey knows: `sync.followup.occasions`."""


@dataclass(frozen=True)
class Manner:
    """How values are written out for one reader."""

    language: str
    country: str
    currency: str

    @property
    def locale(self) -> Locale:
        for name in (f"{self.language}_{self.country}", "en_GB" if self.language == "en" else self.language, "en"):
            try:
                return Locale.parse(name)
            except (UnknownLocaleError, ValueError):
                continue
        return Locale("en")


@dataclass(frozen=True)
class Empty:
    """A merge field without a fallback, of which nothing is known: `Bonjour {{ prénom }},` for somebody unnamed."""

    name: str
    line: int


class Filled:
    """A text with marks, the values that go there, and the fields that stayed empty."""

    def __init__(self, text: str, values: list[str], empty: list[Empty]) -> None:
        self.text = text
        self.values = values
        self.empty = empty

    def put(self, text: str, escape: Callable[[str], str] = str) -> str:
        """`text`, made of this one, with its values in place: `escape`d as words, quoted inside an address."""

        def value(mark: re.Match[str]) -> str:
            found = self.values[int(mark[2])]
            return quote(found, safe="") if mark[1] == "u" else escape(found)

        return MARK.sub(value, text)

    def __str__(self) -> str:
        return self.put(self.text)


def address_marks(address: str) -> str:
    """An address with its marks turned into those of an address."""
    return MARK.sub(r"zu\2uz", address)


class Money(Decimal):
    """An amount in the organisation's currency, unless it says another."""

    currency: str | None = None


@cache
def known_names() -> dict[str, str]:
    """Every name that a template may use, folded, and the field behind it."""
    names = OURS | OF_OCCASION
    for language in LANGUAGES:
        for field in FIELDS:
            for word in vocabulary(language).words["fields"].get(field, []):
                names[_fold(word)] = field
    return {_fold(name): field for name, field in names.items()} | {_fold(name): name for name in FIELDS}


@cache
def _apart() -> re.Pattern[str]:
    """A name of several words as rules write it: `first name`, `fin d'adhésion`; or a text in quotes, to be left alone."""
    names = sorted((name for name in known_names() if " " in name), key=len, reverse=True)
    words = ("".join("[ _'’-]" if sign == " " else unfolded(sign) for sign in name) for name in names)
    return re.compile(rf""""[^"]*"|(?<!\w)(?:{"|".join(words)})(?!\w)|'[^']*'""")


class _Names(Extension):
    """`{{ first name }}` is `{{ first_name }}`, as in a rule; of the same length, so that places stay what they are."""

    def preprocess(self, source: str, *_: str | None) -> str:
        return CODE.sub(lambda code: _apart().sub(_joined, code[0]), source)


def _joined(found: re.Match[str]) -> str:
    return found[0] if found[0][0] in "\"'" else re.sub(r"[ '’-]", "_", found[0])


def _fold(name: str) -> str:
    return fold(name).replace("'", " ").replace("-", " ")


@lru_cache(KEPT)
def field_of(name: str) -> str | None:
    """The canonical field behind a name in a template, in either language; None if there is no such field."""
    found = known_names().get(_fold(name))
    if found is not None:
        return found
    return next((f for lang in LANGUAGES if (f := vocabulary(lang).find("fields", name)) in FIELDS), None)


@lru_cache(KEPT)
def names_in(text: str) -> frozenset[str]:
    """The names that a template reads. Raises `jinja2.TemplateSyntaxError`, also for what templates may not do."""
    try:
        tree = _environment().parse(unicodedata.normalize("NFC", text))
    except RecursionError:  # hundreds of brackets, one in the other
        raise jinja2.TemplateSyntaxError("too deep", 1) from None
    for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Macro)):
        raise jinja2.TemplateSyntaxError("include", node.lineno)
    _compiled(text)  # unknown filters are told only here
    return frozenset(meta.find_undeclared_variables(tree))


@lru_cache(KEPT)
def _compiled(text: str) -> jinja2.Template:
    """Each `{{ … }}` is told of with its line, so that what stays empty can be found in the file."""
    environment = _environment()
    tree = environment.parse(text)
    for output in tree.find_all(nodes.Output):
        output.nodes = [one if isinstance(one, nodes.TemplateData) else _told(one) for one in output.nodes]
    return environment.from_string(tree)


def _told(shown: nodes.Expr) -> nodes.Expr:
    """The expression, each field of it told of that nothing else stands in for."""
    match shown:
        case nodes.Filter(name=name, node=nodes.Expr() as inner) if name not in {"default", "d"}:
            shown.node = _told(inner)
        case nodes.Concat(nodes=parts):
            shown.nodes = [_told(part) for part in parts]
    first = shown if isinstance(shown, nodes.Name) else next(shown.find_all(nodes.Name), None)
    where: list[nodes.Expr] = [nodes.Const(first.name if first else ""), nodes.Const(shown.lineno)]
    return nodes.Filter(shown, "told", where, [], None, None, lineno=shown.lineno)


def bare_fields(text: str) -> list[Empty]:
    """The fields of a text that would leave a hole for somebody of whom nothing is known: neither a fallback stands
    behind them, nor a condition on the same field around them.
    """
    tree = _environment().parse(unicodedata.normalize("NFC", text))
    return list(dict.fromkeys(_bare(tree, frozenset())))


def _bare(node: nodes.Node, sure: frozenset[str]) -> Iterator[Empty]:
    match node:
        case nodes.Or() | nodes.Filter(name="default" | "d"):
            return
        case nodes.Name() if node.name not in sure and field_of(node.name):
            yield Empty(node.name, node.lineno)
        case nodes.If():
            tested = _names(node.test)
            yield from _ordered(node.test, sure)
            for inner in node.body:
                yield from _bare(inner, sure | tested)
            for inner in (*node.elif_, *node.else_):
                yield from _bare(inner, sure)
        case nodes.CondExpr():
            tested = _names(node.test)
            yield from _ordered(node.test, sure)
            yield from _bare(node.expr1, sure | tested)
            if node.expr2 is not None:
                yield from _bare(node.expr2, sure)
        case _:
            for inner in node.iter_child_nodes():
                yield from _bare(inner, sure)


def _ordered(test: nodes.Node, sure: frozenset[str]) -> Iterator[Empty]:
    """In a condition: `visits > 3` can't be told of somebody of whom no visits are known; `visits == 3` can."""
    match test:
        case nodes.And(left=left, right=right):
            yield from _ordered(left, sure)
            yield from _ordered(right, sure | _names(left))
        case nodes.Compare(expr=expr, ops=ops) if any(one.op in {"gt", "gteq", "lt", "lteq"} for one in ops):
            for side in (expr, *(one.expr for one in ops)):
                yield from _bare(side, sure)
        case _:
            for inner in test.iter_child_nodes():
                yield from _ordered(inner, sure)


def _names(test: nodes.Node) -> frozenset[str]:
    itself = {test.name} if isinstance(test, nodes.Name) else set()
    return frozenset(itself | {name.name for name in test.find_all(nodes.Name)})


@jinja2.pass_context
def _tell(context: Context, value: Any, name: str, line: int) -> Any:
    if value is None or value == []:
        context["_empty"].append(Empty(name, line))
    return value


def fill(text: str, person: Mapping[str, Any], manner: Manner, ours: Mapping[str, Any]) -> Filled:
    """The text for one person. `ours` holds `house`, `house_address` and `today`; `person` also what `OF_OCCASION` names.

    Raises `jinja2.TemplateError` for what `names_in` would have told.
    """
    text = unicodedata.normalize("NFC", text)
    values: list[str] = []
    empty: list[Empty] = []
    given: dict[str, Any] = {"_values": values, "_empty": empty, "_manner": manner}
    for name in names_in(text):
        field = field_of(name)
        if field is None:
            raise jinja2.UndefinedError(name)
        given[name] = ours[field] if field in ours else _typed(field, person.get(field))
    return Filled(_compiled(text).render(given), values, empty)


def fill_plain(text: str, person: Mapping[str, Any], manner: Manner, ours: Mapping[str, Any]) -> str:
    """One line of plain text: a subject, a task, a cell."""
    return " ".join(str(fill(text, person, manner, ours)).split())


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        finalize=_mark,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[_Names],
    )  # nothing is escaped here: values are put in by `Filled`, and escaped by whoever writes the page
    environment.globals.clear()
    environment.filters["told"] = _tell
    return environment


@jinja2.pass_context
def _mark(context: Context, value: Any) -> str:
    values: list[str] = context["_values"]
    values.append(_clean(written(value, context["_manner"])))
    return f"zq{len(values) - 1:04d}qz"


def _typed(field: str, value: Any) -> Any:
    if field in FIELDS and FIELDS[field].type == "money" and value is not None:
        return Money(value)
    return value


def written(value: Any, manner: Manner) -> str:  # noqa: PLR0911  one return a type
    """A value as a reader expects it: `1er mars 2026`, `20 h 30`, `25,00 €`, `danse et cirque`. Nothing for what is not there."""
    match value:
        case None:
            return ""
        case Money():
            return str(format_currency(value, value.currency or manner.currency, locale=manner.locale))
        case bool():
            return vocabulary(manner.language if manner.language in LANGUAGES else "en").shown(
                "yesno", "yes" if value else "no"
            )
        case datetime() | date():
            return _day(value, manner)
        case time():
            return _hour(value, manner)
        case int() | float() | Decimal():
            return str(format_decimal(value, locale=manner.locale))
        case list() | tuple() | set():
            return format_list([written(item, manner) for item in value], locale=manner.locale)
        case _:
            return str(value)


def _day(day: date, manner: Manner) -> str:
    return format_date(day, "long", locale=manner.locale)


def _hour(hour: time, manner: Manner) -> str:
    if manner.language != "fr":
        return str(format_time(hour, "short", locale=manner.locale))
    return f"{hour.hour}\u00a0h" + (f"\u00a0{hour.minute:02}" if hour.minute else "")


def _clean(text: str) -> str:
    """On one line, without the invisible characters that turn a text around (Unicode TR 36)."""
    kept = (
        c if unicodedata.category(c) != "Cc" else " "
        for c in text
        if c not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
    )
    return " ".join("".join(kept).split(" ")).strip()
