"""`when:` and `unless:` as canonical conditions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial

from rules.by_itself import advise_genre, advise_money
from rules.checks import TICKS
from rules.commas import whole
from rules.conditions import (
    SHEET,
    AllOf,
    AnyOf,
    Check,
    Condition,
    InSegment,
    NoneOf,
    Value,
)
from rules.context import Context
from rules.dashes import advise_dash
from rules.days_meant import DATES
from rules.denied import tell_denied, tell_denied_cell, undenied
from rules.fields import EVERY, FIELDS, FieldType
from rules.fields_meant import may_be_lines, tell_no_line, tell_unknown_field
from rules.lists_meant import ANY, tell_names, tell_phrases, tell_several
from rules.misread import Misread, tell_misread
from rules.mistakes import fold
from rules.money import advise_exact, tell_money, tell_money_counted
from rules.names_meant import choice_meant, is_code, may_be_name, phrase_meant
from rules.never_true import days_asked, sensible
from rules.phrases import OF_SEVERAL, Phrase, read_date, read_number, read_phrase, typed
from rules.since import advise_day, leaves_out, not_since, tell_since
from rules.suggestions import known_or_not, suggest
from rules.thousands import tell_thousands
from rules.times_meant import as_typed, never_in, windowed
from rules.twice import tell_twice
from rules.window_reader import not_counted, read_window
from rules.windows import OPTIONS
from rules.yamltext import Block, Entry, Items, Node, Text

NEGATION = re.compile(
    r"(?:not|pas|non|sauf|except|autre que|other than)\s+\S|!=|<>|≠|n(?:e\s+|')\S+\s+pas\b|(?:does|do|is|are)(?:n't| not)\b"
)
NOT_CONTAINED = re.compile(r"(?:does|do)(?:n't| not) (?:contain|start|begin)|(?:ne )?(?:contien\w+|commence\w*) pas\b")
SIGNED = re.compile(r"(?:!=|>=?)\s*\w")  # quoted by rules.lines, so that it could be read at all
UNREAD = re.compile(r"[\[\]][^\"']*$|\b(?:any|one|all|none) of$|\bau moins un de$", re.IGNORECASE)
UNREAD_LIST = re.compile(
    r"[\[\]]|^(?:any|all|some|none|no|au moins un|aucun|tous|toutes)\b(?: (?:of|de)\b.*)?$", re.IGNORECASE
)
EACH = {"amount", "score"}
LINES = ("logic", "fields")
GROUPS: dict[str, type[AllOf | AnyOf | NoneOf]] = {"any_of": AnyOf, "all_of": AllOf, "none_of": NoneOf}


def read_all(context: Context, node: Node, path: str) -> tuple[Condition, ...]:
    """The conditions in a block of lines, in their order. Those with a mistake are told and left out."""
    if isinstance(node, Text) and node.value.strip() and tell_no_line(context, node, path):
        return ()
    if isinstance(node, Items) and not path.endswith("]"):
        _tell_dashes(context, node, path)
        return ()
    if not (block := context.block(node, path, "when")):
        return ()
    if not block.entries:
        context.tell(block.place, "no-value", path, path.rsplit(".", 1)[-1], expected="when")
    block = whole(context, "", block, path, partial(_kind_of, context))
    tell_twice(context, block, path, field_named)
    found: list[Condition] = []
    for entry in block.entries:
        found += _read_line(context, entry, block, path)
    return tuple(found)


def _tell_dashes(context: Context, node: Items, path: str) -> None:
    """Tell lines that each begin with a dash, as actions do, and what else is wrong in them."""
    code, key = "dashes-unless" if leaves_out(context, path) else "dashes-when", path.rsplit(".", 1)[-1]
    lines = [item for item in node.items if isinstance(item, Text) or may_be_lines(context, item)]
    if len(lines) < len(node.items):
        context.wrong_shape(node, path, "when")
        return
    context.tell(node.place, code, path, key, any_of=context.words.key("logic", "any_of"))
    for item in lines:
        read_all(context, item, path)


def _read_line(context: Context, entry: Entry, block: Block, path: str) -> Iterable[Condition]:
    here = f"{path}.{entry.key.value}"
    logic = context.words.find("logic", entry.key.value)
    if logic in {"any_of", "all_of", "none_of"}:
        return _read_group(context, logic, entry.value, here)
    if logic == "segment":
        return _read_segments(context, entry, path)
    if logic == "sheet":
        return _read_sheet(context, entry.value, here)
    if name := field_named(context, entry.key.value):
        advise_genre(context, entry, block, path)
        return _read_field(context, name, entry, here)
    meant = tell_unknown_field(context, entry, block, path, LINES)
    told, advised = len(context.mistakes), len(context.advice)
    group = meant and context.words.find("logic", meant.key.value)
    if meant and not (group and isinstance(meant.value, Text)):
        list(_read_line(context, meant, block, path))
        del context.advice[advised:]
        if not group:
            context.keep_cured(told)
    return ()


def field_named(context: Context, text: str) -> str | None:
    """The field that a word names here; in a journey around a visit, `genre` is that of this visit."""
    name = context.words.find("occasion", text)
    if name in (context.occasion or ()) and not context.words.has("fields", text):
        return name
    return context.words.find("fields", text)


def _kind_of(context: Context, word: str) -> str | None:
    """The type of a field, or `logic`; None for what is no word of a condition."""
    field = field_named(context, word)
    return EVERY[field].type if field else context.words.find("logic", word) and "logic"


def _read_group(context: Context, logic: str, node: Node, path: str) -> Iterable[Condition]:
    if isinstance(node, Items):
        advise_dash(context, logic, node, path)
        groups = [read_all(context, item, f"{path}[{n}]") for n, item in enumerate(node.items, 1)]
        items: tuple[Condition, ...] = tuple(group[0] if len(group) == 1 else AllOf(group) for group in groups if group)
    else:
        items = read_all(context, node, path)
    if not items:
        return
    yield GROUPS[logic](items)


def _read_segments(context: Context, entry: Entry, above: str) -> Iterable[Condition]:
    node, path, found = entry.value, f"{above}.{entry.key.value}", list[Condition]()
    for item in node.items if isinstance(node, Items) else (node,):
        name = context.text(item, path, "segment")
        if name is None:
            continue
        several = [one.strip() for one in re.split(r",| ou | or ", name, flags=re.IGNORECASE)]
        if identity := context.segments.get(fold(name)):
            found.append(InSegment(identity, item.place))
        elif len(several) > 1 and all(fold(one) in context.segments for one in several):
            context.tell(item.place, "one-name", path, name, suggestion=f"[{', '.join(several)}]")
        elif (rest := undenied(name)) and fold(rest) in context.segments:
            tell_denied(context, item.place, above, name, f"{entry.key.value}: {rest}")
        else:
            context.near(item.place, "unknown-segment", path, name, context.segment_names)
    return [AnyOf(tuple(found))] if len(found) > 1 else found


def _read_field(context: Context, name: str, entry: Entry, path: str) -> Iterable[Condition]:
    check = _Reader(context, name, entry.key.value, path).read(EVERY[name].type, entry.value)
    if check is not None:
        advise_money(context, check, entry, path)
    return sensible(context, name, check, entry, path)


def _read_sheet(context: Context, node: Node, path: str) -> Iterable[Condition]:
    if not (block := context.block(node, path, "sheet_block")):
        return
    block = whole(context, path.rsplit(".", 1)[-1], block, path, partial(_cell, context))
    for entry in block.entries:
        here = f"{path}.{entry.key.value}"
        if tell_denied_cell(context, entry, path):
            continue
        if column := context.column_named(entry.key, here):
            check = _Reader(context, SHEET + column, entry.key.value, here).read_sheet(entry.value)
            if check is not None:
                yield check


def _cell(context: Context, word: str) -> str | None:
    """The kind of what stands in a column; None for what is no column."""
    there = context.columns is None or any(fold(word) == fold(name) for name in context.columns)
    return "sheet" if there and not (context.columns is None and re.match(r"\d", word)) else None


class _Reader:
    """Reads what one field is compared with."""

    def __init__(self, context: Context, field: str, shown: str, path: str) -> None:
        self.context, self.field, self.shown, self.path = context, field, shown, path
        self.language = context.words.language

    def read(self, kind: FieldType, node: Node) -> Check | None:  # noqa: PLR0911  one return a type
        if isinstance(node, Block):
            return self._read_block(kind, node)
        if isinstance(node, Items):
            return self._read_list(kind, node)
        if not node.value.strip():
            return self._fail(node, kind)
        plain = not node.quoted or SIGNED.match(node.value)
        ours = plain and not self.field.startswith(SHEET)
        if ours and (right := known_or_not(self.language, kind, node.value) or self._not_lately(kind, node.value)):
            return self._fail(node, kind, right)
        if plain and (NEGATION if ours else NOT_CONTAINED).match(fold(node.value)):
            return self._negated(kind, node)
        match kind:
            case "choice":
                return self._choices(node, [node])
            case "yesno":
                return self._yesno(node)
            case "text" | "tags" if not plain:
                return self._quoted(kind, node)
            case _:
                return self._phrase(kind, node)

    def _not_lately(self, kind: FieldType, text: str) -> str | None:
        """What says `pas depuis 6 mois`; of a day only where nobody is left out by it."""
        if kind == "date":
            return not_since(self.language, self.field, text) if not leaves_out(self.context, self.path) else None
        return never_in(self.context.words, self.field, text) if kind in {"number", "money"} else None

    def _negated(self, kind: FieldType, node: Text) -> Check | None:
        """Tell a negation; gives None, for the caller to give back."""
        if kind == "date" and tell_since(self.context, self.field, node, self.path):
            return None
        ours = not self.field.startswith(SHEET)
        quotable = ours and kind in {"text", "tags"} and may_be_name(self.context.words, self.field, node.value)
        more = {"quotable": True} if quotable else {}
        code = "negation-left-out" if leaves_out(self.context, self.path) else "negation"
        self.context.tell(node.place, code, self.path, node.value.strip(), field=self.shown, **more)
        return None

    def _quoted(self, kind: FieldType, node: Text) -> Check | None:
        """A name as it stands."""
        words = self.context.words
        if self.field == "membership" and words.find("yesno", node.value):
            return self._fail(node, kind, phrase_meant(words, self.field, kind, node.value))
        kinds = {kind, "tags"} if node.value.rstrip().endswith("]") else {kind} & {"tags"}
        read = [read_phrase(self.language, one, node.value) for one in kinds]
        if any(phrase and (kind == "tags" or phrase.op in OF_SEVERAL) for phrase in read):
            return self._phrase(kind, node)
        return self._check(node, kind, "contain" if kind == "tags" else "is", (node.value,))

    def read_sheet(self, node: Node) -> Check | None:  # noqa: C901, PLR0911  one return a kind of cell
        """A cell of the team's own: the phrase tells how the cell is read."""
        if isinstance(node, Text) and self.context.words.find("yesno", node.value):  # in quotes or not
            return self._yesno(node)
        if not isinstance(node, Text) or (node.quoted and not SIGNED.match(node.value)) or not node.value.strip():
            return self.read("text", node)
        if fold(node.value) in TICKS:
            return self._check(node, "yesno", "is", ("yes",))
        if ticked := self.context.words.meant(("ticked",), node.value):
            return self._fail(node, "sheet", ticked)
        if DATES.fullmatch(node.value.strip()) and read_date(self.language, node.value) is None:
            return self._fail(node, "sheet", suggest(self.language, "date", node.value))
        if tell_since(self.context, self.field, node, self.path, quotable=True):
            return None
        for kind in ("date", "number"):
            phrase = read_phrase(self.language, kind, node.value)
            if phrase and not (phrase.op in {"never", "known"} or is_code(phrase, node.value)):
                return self._phrase(kind, node)
            meant = None if "%" in node.value else suggest(self.language, kind, node.value)
            if not phrase and meant and len(node.value.split()) > 1 and re.search(r"\d", node.value):
                return self._fail(node, "sheet", meant)
        if (phrase := read_phrase(self.language, "date", node.value)) and phrase.op in {"never", "known"}:
            return self._check(node, "text", phrase.op, ())
        return self.read("text", node)

    def _check(self, node: Node, kind: FieldType, op: str, values: tuple[Value, ...]) -> Check:
        return Check(self.field, kind, op, values, node.place)

    def _phrase(self, kind: FieldType, node: Text) -> Check | None:
        phrases = "number" if kind == "money" else kind
        if kind in {"text", "tags"}:
            return self._words(kind, node)
        phrase = read_phrase(self.language, phrases, node.value)
        numbered = (self.context, self.field, self.shown, node, self.path)
        if (kind == "number" and tell_money(*numbered)) or (phrases == "number" and tell_thousands(*numbered)):
            return None
        if phrase is None and kind == "date" and tell_since(self.context, self.field, node, self.path):
            return None
        if phrase is None:
            counted = windowed(self.context.words, self.field, node.value) if phrases == "number" else None
            return self._fail(node, phrases, counted or suggest(self.language, phrases, node.value))
        if phrase.op == "between" and phrase.values[0] > phrase.values[1]:  # type: ignore[operator]
            turned = typed(self.language, phrases, Phrase("between", phrase.values[::-1]))
            self.context.tell(node.place, "between-order", self.path, node.value, suggestion=turned)
            return None
        advise_day(self.context, self.field, phrase, node, self.path)
        advise_exact(self.context, self.field, kind, phrase, node, self.path)
        return self._check(node, kind, phrase.op, phrase.values)

    def _words(self, kind: FieldType, node: Text) -> Check | None:
        """Text and tags: any word is right, so a misspelled phrase is looked for on purpose."""
        if tell_several(self.context, self.field, self.shown, kind, node, self.path):
            return None
        if phrase := read_phrase(self.language, kind, node.value):
            unread = UNREAD_LIST.search(str(phrase.values[0])) if phrase.op == "contain" else UNREAD.search(node.value)
            if phrase.op in ANY and unread:
                return self._fail(node, kind)
            return self._check(node, kind, phrase.op, phrase.values)
        if meant := phrase_meant(self.context.words, self.field, kind, node.value):
            return self._fail(node, kind, meant)
        if tell_names(self.context, self.field, self.shown, kind, node, self.path):
            return None
        return self._check(node, kind, "contain" if kind == "tags" else "is", (node.value.strip(),))

    def _choices(self, node: Node, texts: list[Text]) -> Check | None:
        several = re.split(r"\s*,\s*|\s+(?:ou|et|or|and)\s+", texts[0].value) if len(texts) == 1 else []
        names = [self.context.words.find("choices", name) for name in several]
        if len(several) > 1 and all(name in FIELDS[self.field].choices for name in names):
            listed = ", ".join(self.context.words.shown("choices", str(name)) for name in names)
            self.context.tell(node.place, "one-name", self.path, texts[0].value, suggestion=f"[{listed}]")
            return None
        if len(texts) == 1 and (phrase := read_phrase(self.language, "choice", texts[0].value)):
            return self._check(node, "choice", phrase.op, ())
        allowed = FIELDS[self.field].choices
        found: list[str] = []
        for text in texts:
            choice = self.context.words.find("choices", text.value)
            if choice in allowed:
                found.append(str(choice))
            else:
                self._unknown_choice(text, allowed)
        return self._check(node, "choice", "is", tuple(found)) if len(found) == len(texts) and found else None

    def _unknown_choice(self, text: Text, allowed: tuple[str, ...]) -> None:
        words = self.context.words
        if self.field == "newsletter" and words.find("yesno", text.value) == "no":
            line = f"{self.shown}: {words.shown('choices', 'subscribed')}"
            tell_denied(self.context, text.place, self.path.rsplit(".", 1)[0], text.value, line)
            return
        shown = ", ".join(f"`{words.shown('choices', choice)}`" for choice in allowed)
        self._fail(text, shown, choice_meant(words, allowed, text.value))

    def _yesno(self, node: Text) -> Check | None:
        found = self.context.words.find("yesno", node.value)
        return self._check(node, "yesno", "is", (found,)) if found else self._fail(node, "yesno")

    def _read_list(self, kind: FieldType, node: Items) -> Check | None:
        texts = [item for item in node.items if isinstance(item, Text) and item.value.strip()]
        if len(texts) < len(node.items) or not texts or kind in {"date", "yesno"}:
            return self._fail(node, kind)
        if kind == "choice":
            return self._choices(node, texts)
        if kind in {"number", "money"}:
            return self._numbers(kind, node, texts)
        names = [text.value for text in texts if not text.quoted]
        if tell_phrases(self.context, self.field, self.shown, kind, names, node.place, self.path):
            return None
        op = "contain_any" if kind == "tags" else "is"
        return self._check(node, kind, op, tuple(text.value.strip() for text in texts))

    def _numbers(self, kind: FieldType, node: Items, texts: list[Text]) -> Check | None:
        numbers = [read_number(self.language, text.value) for text in texts]
        known = tuple(number for number in numbers if number is not None)
        return self._check(node, kind, "is", known) if len(known) == len(texts) else self._fail(node, "number")

    def _read_block(self, kind: FieldType, node: Block) -> Check | None:
        """A count over a window; or `{contain any of: [dance]}`, the same as on one line."""
        if self.field in OPTIONS:
            if tell_money_counted(self.context, self.field, self.shown, node, self.path):
                return None
            return read_window(self.context, self.field, self.shown, node, self.path, self._line)
        if any(self.context.words.find("window", entry.key.value) for entry in node.entries):
            not_counted(self.context, self.shown, node, self.path)
            return None
        if kind in {"text", "tags"} and len(node.entries) == 1 and (listed := as_typed(node.entries[0].value)):
            phrase = Text(f"{node.entries[0].key.value} {listed}", node.place)
            if read_phrase(self.language, kind, phrase.value):
                return self._phrase(kind, phrase)
        return self._fail(node, kind)

    def _line(self, kind: FieldType, entry: Entry) -> Check | None:
        """A line of a window as a test."""
        path, shown = f"{self.path}.{entry.key.value}", entry.key.value
        line = self.context.words.find("window", shown)
        field = self.field if line not in EACH else line  # an amount is money, whatever is counted
        return _Reader(self.context, field, shown, path).read(kind, entry.value)

    def _fail(self, node: Node, kind: str, suggestion: str | None = None) -> Check | None:
        """Tell what is wrong; gives None, for the caller to give back."""
        expected = days_asked(self.field) if kind == "date" else {"money": "number", "choice": ""}.get(kind, kind)
        if isinstance(node, Text) and (found := node.value.strip()):
            quotable = kind in {"text", "tags", "sheet"} and may_be_name(self.context.words, self.field, found)
            misread = Misread(node.place, self.path, found, self.shown, kind, expected, "phrase", suggestion, quotable)
            tell_misread(self.context, misread)
        elif kind == "choice":
            shown = [self.context.words.shown("choices", choice) for choice in FIELDS[self.field].choices]
            self.context.wrong_shape(node, self.path, ", ".join(f"`{name}`" for name in shown))
        else:
            self.context.wrong_shape(node, self.path, expected)
        return None
