"""What a file is read with: its language, the names it may use, and the mistakes found so far."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

from rules.mistakes import Mistake, Place, fold, nearest
from rules.words import LANGUAGES, Vocabulary, vocabulary
from rules.yamltext import Block, Entry, Items, Node, Text, tree_of

JOINED = re.compile(r"(ou|or|et|and|si|if)\s+(.+)", re.IGNORECASE)
MORE_OPTIONS = ("option_newsletter", "option_webhook", "change")
STRUCTURE = (
    "top",
    "rule",
    "segment",
    "journey",
    "step",
    "logic",
    "action",
    "option_email",
    "option_task",
    *MORE_OPTIONS,
    "example",
    "fields",
)


@dataclass(frozen=True)
class Outside:
    """What the config offers to actions: its webhooks, the newsletters that can be changed, who of the team is told."""

    webhooks: Collection[str] = ()
    newsletters: Collection[str] = ()
    staff: Collection[str] = ()


@dataclass
class Context:
    """`columns`, `templates` and `outside` None: not known, so not checked. `own`: of the columns those that stand in the
    sheet now; a rule may add others. `segments` are the ids by folded name.
    `occasion`: the fields of `rules.fields.OCCASION` that may stand here; None outside journeys. `around` is what the
    journey is around; `before`: the step comes before it.
    """

    words: Vocabulary
    columns: Collection[str] | None = None
    templates: Collection[str] | None = None
    outside: Outside | None = None
    segments: Mapping[str, str] = field(default_factory=dict)
    segment_names: Collection[str] = ()
    mistakes: list[Mistake] = field(default_factory=list)
    advice: list[Mistake] = field(default_factory=list)
    misplaced: set[str] = field(default_factory=set)
    occasion: frozenset[str] | None = None
    around: str | None = None
    before: bool = False
    own: Collection[str] | None = None

    def tell(self, place: Place, code: str, path: str, found: str = "", **more: object) -> None:
        """Note a mistake. `expected` names an entry of the vocabulary's `expected`, or is the text itself."""
        self.mistakes.append(self._told(place, code, path, found, more))

    def advise(self, place: Place, code: str, path: str, found: str = "", **more: object) -> None:
        """Note what is right, and probably not what was meant."""
        self.advice.append(self._told(place, code, path, found, more))

    def _told(self, place: Place, code: str, path: str, found: str, more: dict[str, object]) -> Mistake:
        expected = str(more.pop("expected", ""))
        suggestion = more.pop("suggestion", None)
        if "\n" in str(suggestion):  # of a text over several lines: nobody could type it here
            suggestion = None
        return Mistake(
            place,
            code,
            path=path,
            found=found,
            expected=str(self.words.words["expected"].get(expected, expected)),
            expecting=expected if expected in self.words.words["expected"] else "",
            suggestion=None if suggestion is None else str(suggestion),
            facts=self._keywords | more,
        )

    @cached_property
    def _keywords(self) -> dict[str, object]:
        """Keywords that sentences name, as the file's language has them."""
        told = {
            "rule": ("name", "when", "unless", "then"),
            "top": ("rules", "segments", "journeys"),
            "logic": ("sheet",),
        }
        told |= {"journey": ("around", "steps"), "step": ("at",)}
        return {name: self.words.key(section, name) for section, names in told.items() for name in names}

    def near(self, place: Place, code: str, path: str, found: str, candidates: Iterable[str]) -> None:
        """A name that is not among those it may be: `code-near` with the nearest, else `code` with all of them."""
        known = list(candidates)
        meant = nearest(found, known)
        expected = ", ".join(f"`{name}`" for name in known[:12]) + (" …" if len(known) > 12 else "")
        if meant is None and not known:
            self.tell(place, f"{code}-none", path, found)
        else:
            self.tell(place, f"{code}-near" if meant else code, path, found, expected=expected, suggestion=meant)

    def column_named(self, key: Text, path: str) -> str | None:
        """The sheet's header a person means, as it stands in the sheet. There is none such: told, and as it is written, so
        that what is compared with it is read too.
        """
        if self.columns is None:
            return key.value.strip() or None
        column = next((name for name in self.columns if fold(name) == fold(key.value)), None)
        if column is None:
            self.near(key.place, "unknown-column", path, key.value, self.columns)
        return column or key.value.strip() or None

    def entries(self, block: Block, sections: tuple[str, ...], path: str) -> dict[str, Entry]:
        """The entries of a block by canonical key; unknown and doubled keys are told."""
        found: dict[str, Entry] = {}
        for entry in block.entries:
            name = self.find(sections, entry.key.value)
            if name is None and sections == ("top",) and self._tell_group(entry, path):
                continue
            if name is None:
                meant = self.unknown_key(entry.key, sections, path)
                if meant and not any(self.find(sections, other.key.value) == meant for other in block.entries):
                    found.setdefault(meant, entry)
            elif name in found:
                first = found[name].key
                facts = {"first": first.place.line, "word": first.value}
                self.tell(entry.key.place, "same-meaning", path, entry.key.value, **facts)
            else:
                found[name] = entry
        return found

    def _tell_group(self, entry: Entry, path: str) -> bool:
        """Tell `Group:` or `Regulars:` with `when:` below, which was to be a segment."""
        lines = (
            {self.words.find("rule", one.key.value): one for one in entry.value.entries}
            if isinstance(entry.value, Block)
            else {}
        )
        if "when" not in lines or "then" in lines or self.words.nearest(("top",), entry.key.value):
            return False
        named = lines.get("name")
        name = named.value.value if named and isinstance(named.value, Text) else entry.key.value
        self.tell(entry.key.place, "group-at-top", path, entry.key.value, called=name)
        return True

    def find(self, sections: tuple[str, ...], text: str) -> str | None:
        return next((name for section in sections if (name := self.words.find(section, text))), None)

    def unknown_key(self, key: Text, sections: tuple[str, ...], path: str, value: str = "…") -> str | None:
        """Tell a key that may not stand here: from the other language, from another place, or misspelled. The key that
        was probably meant comes back, so that what stands below it can be read for more mistakes.
        """
        here = f"{path}.{key.value}" if path else key.value
        for language in LANGUAGES:
            other = vocabulary(language)
            ours = self.find((*STRUCTURE, "window", "occasion"), key.value)  # `genre` is a word of both
            if language != self.words.language and not ours and (match := _in_sections(other, sections, key.value)):
                self.tell(key.place, f"other-language-{language}", here, key.value, suggestion=self.words.key(*match))
                return match[1]
        if meant := self.words.meant(sections, key.value):
            self.tell(key.place, "unknown-key-near", here, key.value, suggestion=meant)
            return self.find(sections, meant.partition(":")[0])
        expected = ", ".join(f"`{word}`" for section in sections for word in self.words.all(section))
        meant = self.words.nearest(sections, key.value)
        elsewhere = _in_sections(self.words, STRUCTURE, key.value)
        if elsewhere and not (meant and alike_in_number(meant, key.value)):
            self.misplaced.add(elsewhere[1])
            self.tell(key.place, _where_it_goes(sections, elsewhere[0]), here, key.value)
            return None
        words = re.split(r"\s*(?:,|&|/|\+)\s*|\s+(?:et|and)\s+", key.value)
        if "fields" in sections and len(words) > 1 and all(self.find(sections, word) for word in words):
            self.tell(key.place, "two-words", here, key.value, first=words[0], second=words[1])
            return None
        joined = JOINED.match(key.value)
        if "fields" in sections and joined and (name := self.find(sections, joined[2])):
            either = joined[1].casefold() in {"ou", "or"}
            right = None if either else joined[2]
            any_of = self.words.key("logic", "any_of")
            self.tell(
                key.place, "or-key" if either else "unknown-key-near", here, key.value, any_of=any_of, suggestion=right
            )
            return None if either else name
        plain = "unknown-field" if "fields" in sections else "unknown-key"
        self.tell(
            key.place,
            "unknown-key-near" if meant else plain,
            here,
            key.value,
            expected=expected,
            suggestion=meant,
            value=value,
        )
        return None if meant is None else self.find(sections, meant)

    def line_meant(self, entry: Entry, sections: tuple[str, ...], path: str, value: str = "…") -> Entry | None:
        """Tell a line whose word may not stand here; gives the line with the word that was probably meant."""
        name = self.unknown_key(entry.key, sections, path, value)
        right = self.mistakes[-1].suggestion
        return replace(entry, key=replace(entry.key, value=right)) if name and right and ":" not in right else None

    def keep_cured(self, since: int) -> None:
        """Of the mistakes told since there were so many, those with a cure: the others may come of a word wrongly guessed."""
        self.mistakes[since:] = [one for one in self.mistakes[since:] if one.suggestion]

    def text(self, node: Node, path: str, expected: str) -> str | None:
        """The node's text; a mistake and None where there is none."""
        if isinstance(node, Text) and node.value.strip():
            return node.value.strip()
        self.wrong_shape(node, path, expected)
        return None

    def block(self, node: Node, path: str, expected: str) -> Block | None:
        if isinstance(node, Block):
            return node
        self.wrong_shape(node, path, expected)
        return None

    def wrong_shape(self, node: Node, path: str, expected: str) -> None:
        """Tell that something else was expected here."""
        if isinstance(node, Text) and not node.value.strip():
            self.tell(node.place, "no-value", path, path.rsplit(".", 1)[-1], expected=expected)
        else:
            code = {Text: "not-a-text-here", Block: "block-here", Items: "list-here"}[type(node)]
            if isinstance(node, Text) and node.quoted and ": " in node.value:
                lines = "\n" in node.value  # below `|` or `>`
                told = ("joined-lines", None) if lines else ("quoted-line", node.value)
                self.tell(node.place, told[0], path, node.value, suggestion=told[1])
                return
            found = node.value if isinstance(node, Text) else ""
            self.tell(node.place, code, path, found, expected=expected)

    def yes(self, node: Node, path: str) -> bool | None:
        text = self.text(node, path, "yesno")
        found = None if text is None else self.words.find("yesno", text)
        if text is not None and found is None:
            self.tell(node.place, "value", path, text, field=path.rsplit(".", 1)[-1], expected="yesno")
        return None if found is None else found == "yes"


def _where_it_goes(sections: tuple[str, ...], belongs: str) -> str:
    if "segment" in sections and belongs in {"rule", "action"}:
        return "misplaced-in-segment"
    if "journey" in sections and belongs in {"rule", "action", "step"}:
        return "misplaced-in-journey"
    if belongs in {"journey", "step"}:
        return f"misplaced-{belongs}"
    if belongs.startswith("option_") and "step" not in sections:
        return "misplaced-option"
    known = {"top": "top", "rule": "rule", "logic": "condition", "fields": "condition", "action": "action"}
    return f"misplaced-{known[belongs]}" if belongs in known else "misplaced"


def alike_in_number(one: str, other: str) -> bool:
    """`flag` and `flags`, `next visit` and `next visits`: the same word, of one and of several."""
    first, second = ([word.rstrip("sx") for word in re.split("[ _]", fold(text))] for text in (one, other))
    return first == second


def _in_sections(words: Vocabulary, sections: tuple[str, ...], text: str) -> tuple[str, str] | None:
    return next(((section, name) for section in sections if (name := words.find(section, text))), None)


def language_of(node: Node | None, default: str) -> str:
    """The language a file is written in, by its keys; those at the top count most."""
    votes = dict.fromkeys(LANGUAGES, 0)
    level: list[Node] = [] if node is None else [node]
    for weight in (100, 0, 3, 1, 1, 1):
        below: list[Node] = []
        for item in level:
            if isinstance(item, Block):
                for entry in item.entries:
                    below.append(entry.value)
                    for language in LANGUAGES:
                        votes[language] += weight * _is_word(language, entry.key.value)
            elif isinstance(item, Items):
                below.extend(item.items)
        level = below
    best = max(LANGUAGES, key=lambda language: (votes[language], language == default))
    return best if votes[best] else default


def languages_of(files: Mapping[str, bytes], default: str) -> dict[str, str]:
    """The language of each of these rule files, as `language_of` its text."""
    return {name: language_of(tree_of(data, name).node, default) for name, data in files.items()}


def _is_word(language: str, text: str) -> bool:
    return fold(text) in _words(language)


@cache
def _words(language: str) -> frozenset[str]:
    words = vocabulary(language).words
    return frozenset(fold(word) for section in STRUCTURE for names in words[section].values() for word in names)
