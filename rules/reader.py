"""A folder of rule files as one `Book`, or all its mistakes at once.

Each file is read in its own language, seen from its keys. A rule with a mistake costs only itself, a file that is not
sound YAML costs only its own rules; in both cases the last version that was right keeps standing (`previous`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby

from rules.action_reader import not_among, read_actions
from rules.assemble import Part, assemble
from rules.condition_reader import field_named, read_all
from rules.conditions import (
    SHEET,
    Action,
    AllOf,
    Book,
    Condition,
    Example,
    Fact,
    NoneOf,
    Rule,
    Segment,
)
from rules.context import STRUCTURE, Context, Outside, language_of
from rules.encoding import misnamed
from rules.fact_reader import read_fact
from rules.follow_ons import DOUBLED, without_doubtful_names, without_follow_ons
from rules.journey_reader import read_course, read_example_at
from rules.journeys import Journey, Step, asked_of
from rules.mistakes import Mistake, fold
from rules.names_given import columns_made, segments_named, slug
from rules.never_true import tell_waits_in_vain
from rules.nobody_left import tell_nobody_left
from rules.one_line import told_as_one
from rules.twice import TOLD as TWICE
from rules.unset_flags import unset_flags
from rules.words import Vocabulary, vocabulary
from rules.yamltext import Block, Entry, Items, Node, Text, Tree, in_order, tree_of

LOST_INDENTS = 3


@dataclass(frozen=True)
class Reading:
    """`book` holds every rule that is right, and the earlier version of those that no longer are (`kept`: their ids).
    `mistakes` stand in the order of files and lines; so does `advice`, on what is right and was probably meant otherwise.
    `written`: all that acts, as the files have it, right or wrong.
    """

    book: Book
    mistakes: list[Mistake]
    kept: frozenset[str] = frozenset()
    written: tuple[Rule | Journey, ...] = ()
    advice: list[Mistake] = field(default_factory=list)


def read(
    files: Mapping[str, bytes],
    *,
    columns: Collection[str] | None = None,
    templates: Collection[str] | None = None,
    outside: Outside | None = None,
    previous: Book | None = None,
    language: str = "en",
) -> Reading:
    """Read rule files by their name, in the order of names. Never raises, whatever the bytes.

    `columns` are the headers of the team's sheet and `templates` the names of their e-mail templates (without `.md`);
    `outside` is what the config offers to actions; None leaves each of them unchecked. `language` serves files that do not show their own.
    """
    sources = [_source(name, files[name], language) for name in sorted(files)]
    names = {
        fold(found): identity for source in sources for found, identity in segments_named(source.node, source.words)
    }
    shown = [found for source in sources for found, _ in segments_named(source.node, source.words)]
    headers = (
        None
        if columns is None
        else [*columns, *(name for source in sources for name in columns_made(source.node, source.words))]
    )

    def part(source: _Source) -> Part:
        context = Context(source.words, headers, templates, outside, names, shown, own=columns)
        return _FileReader(source, context).read()

    parts = [part(source) for source in sources]
    for source, found in zip(sources, parts, strict=True):
        again = partial(_mistakes, source.name, language, part)
        found.mistakes = told_as_one(files[source.name], source.name, found.mistakes, again)
    book, kept, across = assemble(parts, previous or Book())
    told = [*across, *(mistake for part in parts for mistake in part.mistakes)]
    every = sorted(without_doubtful_names(told, [source.tree for source in sources]), key=lambda found: found.place)
    written: list[Rule | Journey] = [one for part in parts for one in part.rules]
    written += [one for part in parts for one in part.journeys]
    by_file = groupby(every, key=lambda found: found.place.file)
    advised = (*(one for part in parts for one in part.advice), *unset_flags(book))
    mistakes = [mistake for _, found in by_file for mistake in in_order(list(found))]
    return Reading(book, mistakes, kept, tuple(written), sorted(advised, key=lambda one: one.place))


def _mistakes(name: str, language: str, part: Callable[[_Source], Part], data: bytes) -> list[Mistake]:
    return part(_source(name, data, language)).mistakes


@dataclass
class _Source:
    name: str
    tree: Tree
    words: Vocabulary

    @property
    def node(self) -> Node | None:
        return self.tree.node

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        return self.tree.mistakes


def _source(name: str, data: bytes, language: str) -> _Source:
    if mistakes := misnamed(name):
        return _Source(name, Tree(None, tuple(mistakes)), vocabulary(language))
    tree = tree_of(data, name)
    return _Source(name, tree, vocabulary(language_of(tree.node, language)))


class _FileReader:
    def __init__(self, source: _Source, context: Context) -> None:
        self.source, self.context, self.words = source, context, source.words
        self.part = Part(source.name, sound=not source.mistakes)
        self.stray: frozenset[str] = frozenset()  # what stands at the left edge and belongs to a rule

    def read(self) -> Part:
        node = self.source.node
        if isinstance(node, Block):
            tops = self.context.entries(node, ("top",), "")
            self.stray = frozenset(self.context.misplaced)
            self._tell_lost_indents(tops)
            self.part.sound = self.part.sound and not self.context.mistakes
            for name, entry in tops.items():
                self._read_top(name, entry)
        elif node is not None and not self.source.mistakes:
            self.context.tell(node.place, "no-rules-here", "")
        told, self.part.advice = self.context.mistakes, [*self.context.advice, *self.source.tree.advice]
        merged = any(mistake.code == "merge-mark" for mistake in self.source.mistakes)  # then one of the two goes
        better = set() if merged else {mistake.place for mistake in told if mistake.code in TWICE}
        known = [one for one in self.source.mistakes if one.code not in DOUBLED or one.place not in better]
        tree = replace(self.source.tree, mistakes=tuple(known))
        self.part.mistakes = [*known, *without_follow_ons(told, tree)]
        return self.part

    def _tell_lost_indents(self, tops: Collection[str]) -> None:
        """One mistake where a copy lost the spaces before every line, instead of one for each."""
        lost = [one for one in self.context.mistakes if one.code.startswith("misplaced-")]
        headless = not tops and self.stray & {"when", "then"}
        if len(lost) < (1 if headless else LOST_INDENTS):
            return
        self.context.mistakes[:] = [one for one in self.context.mistakes if one not in lost]
        code = ("no-top" if "then" in self.stray else "no-top-group") if headless else "indents-lost"
        self.context.tell(lost[0].place, code, lost[0].path, lost[0].found, n=len(lost))

    def _read_top(self, name: str, entry: Entry) -> None:
        shown = entry.key.value
        if isinstance(entry.value, Text) and not entry.value.value.strip():
            return  # `rules:` with nothing below it yet is an empty list
        for n, item in enumerate(self._listed(name, entry.value, shown), 1):
            path = f"{shown}[{n}]"
            if isinstance(item, Text) and item.value.strip() and not item.quoted:
                right = f"{self.words.key('rule', 'name')}: {item.value.strip()}"
                self.context.tell(item.place, "only-name", path, item.value, suggestion=right)
            elif (key := self._name_as_key(item)) is not None:
                right = f"{self.words.key('rule', 'name')}: {key.value}"
                self.context.tell(key.place, "only-name", path, key.value, suggestion=right)
            elif isinstance(item, Items) and any(isinstance(one, Block) for one in item.items):
                self.context.tell(item.place, "dash-twice", path)
            elif block := self.context.block(item, path, name):
                self._read_one(name, block, path)

    def _name_as_key(self, item: Node) -> Text | None:
        """`- Fidèles: {visites: 3}`: the name of a rule or segment where the word `nom` should stand."""
        if not isinstance(item, Block) or len(item.entries) != 1 or not isinstance(item.entries[0].value, Block):
            return None
        key = item.entries[0].key
        return None if self.context.find(STRUCTURE, key.value) else key

    def _listed(self, name: str, node: Node, path: str) -> tuple[Node, ...]:
        """The rules below `rules:`; of one without a dash it is told, and it is read for more mistakes."""
        if isinstance(node, Items):
            return node.items
        if isinstance(node, Block) and any(self.words.find("rule", entry.key.value) for entry in node.entries):
            self.context.tell(node.place, "no-dash", path, node.entries[0].key.value)
            self.part.sound = False
            return (node,)
        self.context.wrong_shape(node, path, name)
        return ()

    def _read_one(self, name: str, block: Block, path: str) -> None:
        before = len(self.context.mistakes)
        kinds: dict[str, Callable[[Block, str], Rule | Segment | Journey]] = {
            "rules": self._rule,
            "segments": self._segment,
            "journeys": self._journey,
        }
        good = kinds[name](block, path)
        if len(self.context.mistakes) > before:
            self.part.broken.add(id(good))
        self.part.add(good)

    def _rule(self, block: Block, path: str) -> Rule:
        self.context.misplaced.clear()
        entries = self.context.entries(block, ("rule",), path)
        name, identity, was = self._names(entries, block, path)
        when = self._conditions(entries, "when", path)
        unless = self._conditions(entries, "unless", path)
        tell_nobody_left(self.context, when, unless, path)
        if "when" not in entries and "when" not in self.stray and not self._conditions_elsewhere():
            self.context.tell(block.place, "missing-when", path, name, expected="when")
        actions: tuple[Action, ...] = ()
        then = entries.get("then")
        if then is not None:
            actions = read_actions(self.context, then.value, f"{path}.{then.key.value}")
            tell_waits_in_vain(self.context, when, then.value, f"{path}.{then.key.value}")
        elif "then" not in self.context.misplaced | self.stray:
            self.context.tell(block.place, "missing-then", path, name, expected="then")
        return Rule(
            identity,
            name,
            AllOf(when),
            NoneOf(unless) if unless else None,
            actions,
            self._active(entries.get("active"), path),
            self._examples(entries.get("examples"), path),
            was,
            place=block.place,
        )

    def _active(self, entry: Entry | None, path: str) -> bool:
        return entry is None or self.context.yes(entry.value, f"{path}.{entry.key.value}") is not False

    def _journey(self, block: Block, path: str) -> Journey:
        self.context.misplaced.clear()
        entries = self.context.entries(block, ("journey",), path)
        name, identity, was = self._names(entries, block, path)
        course = read_course(self.context, entries, block, path, name)
        return Journey(
            identity,
            name,
            course.around,
            course.steps,
            course.when,
            course.unless,
            course.stop,
            self._active(entries.get("active"), path),
            self._examples(entries.get("examples"), path, course.steps, asked_of(course.around.kind)),
            was,
            place=block.place,
        )

    def _segment(self, block: Block, path: str) -> Segment:
        self.context.misplaced.clear()
        entries = self.context.entries(block, ("segment",), path)
        name, identity, was = self._names(entries, block, path)
        when = self._conditions(entries, "when", path)
        unless = self._conditions(entries, "unless", path)
        tell_nobody_left(self.context, when, unless, path)
        if "when" not in entries and not self._conditions_elsewhere():
            self.context.tell(block.place, "missing-when", path, name, expected="when")
        condition = AllOf((*when, NoneOf(unless)) if unless else when)
        return Segment(identity, name, condition, was, place=block.place)

    def _conditions_elsewhere(self) -> bool:
        """Whether there are conditions that stand in a wrong place, which is told: nobody forgot them."""
        known = self.words.words["fields"].keys() | self.words.words["logic"].keys()
        return bool(self.context.misplaced & known)

    def _conditions(self, entries: dict[str, Entry], key: str, path: str) -> tuple[Condition, ...]:
        entry = entries.get(key)
        return () if entry is None else read_all(self.context, entry.value, f"{path}.{entry.key.value}")

    def _names(self, entries: dict[str, Entry], block: Block, path: str) -> tuple[str, str, tuple[str, ...]]:
        """Name, id and former ids. Without a name the id is empty, and the mistake is told."""
        texts = {key: self._text(entries.get(key), path) for key in ("name", "id")}
        if "name" not in entries:
            self.context.tell(block.place, "missing-name", path, expected="name")
        given = entries.get("id")
        if given is not None and texts["id"] and slug(texts["id"]) != texts["id"]:
            meant = slug(texts["id"]) or None
            self.context.tell(given.value.place, "bad-id", f"{path}.{given.key.value}", texts["id"], suggestion=meant)
        name = texts["name"] or ""
        identity = slug(texts["id"] or name)
        if name and not identity:
            self.context.tell(entries["name"].value.place, "name-without-letters", path, name)
        return name, identity, self._was(entries.get("was"), path)

    def _text(self, entry: Entry | None, path: str) -> str | None:
        return None if entry is None else self.context.text(entry.value, f"{path}.{entry.key.value}", "name")

    def _was(self, entry: Entry | None, path: str) -> tuple[str, ...]:
        if entry is None:
            return ()
        items = entry.value.items if isinstance(entry.value, Items) else (entry.value,)
        texts = [self.context.text(item, f"{path}.{entry.key.value}", "name") for item in items]
        return tuple(slug(text) for text in texts if text)

    def _examples(
        self,
        entry: Entry | None,
        path: str,
        steps: tuple[Step, ...] | None = None,
        occasion: frozenset[str] | None = None,
    ) -> tuple[Example, ...]:
        """`steps`: those of a journey, of which an example may name one; `occasion`: what may be told of what it is around."""
        if entry is None:
            return ()
        here = f"{path}.{entry.key.value}"
        if not isinstance(entry.value, Items):
            self.context.wrong_shape(entry.value, here, "examples")
            return ()
        self.context.occasion = occasion
        found = [self._example(item, f"{here}[{n}]", steps) for n, item in enumerate(entry.value.items, 1)]
        self.context.occasion = None
        return tuple(example for example in found if example)

    def _example(self, node: Node, path: str, steps: tuple[Step, ...] | None) -> Example | None:
        block = self.context.block(node, path, "examples")
        if block is None:
            return None
        section = "example" if steps is None else "example_journey"
        known = [entry for entry in block.entries if not self.words.find(section, entry.key.value)]
        bare = [entry.key for entry in known if field_named(self.context, entry.key.value)]
        if bare and not any(self.words.find(section, entry.key.value) == "person" for entry in block.entries):
            word = self.words.key("example", "person")
            self.context.tell(bare[0].place, "example-no-person", path, bare[0].value, person=word)
            return None
        entries = self.context.entries(block, (section,), path)
        expect, person = entries.get("expect"), entries.get("person")
        if expect is None or person is None:
            self.context.tell(block.place, "example-incomplete", path, expected="examples")
            return None
        answer = self._expected(expect, path)
        facts = self._facts(person, f"{path}.{person.key.value}")
        at = read_example_at(self.context, entries.get("at"), path, steps or ())
        return None if answer is None else Example(facts, answer, at, block.place)

    def _expected(self, entry: Entry, path: str) -> bool | None:
        here = f"{path}.{entry.key.value}"
        shown = [self.words.shown("expect", name) for name in ("match", "no_match")]
        text = self.context.text(entry.value, here, ", ".join(f"`{word}`" for word in shown))
        found = None if text is None else self.words.find("expect", text)
        if text is not None and found is None:
            not_among(self.context, "expect", shown, text, entry.value.place, here)
        return None if found is None else found == "match"

    def _facts(self, entry: Entry, path: str) -> tuple[tuple[str, Fact], ...]:
        if isinstance(entry.value, Text) and entry.value.value.strip() in {"", "{}"}:
            return ()
        block = self.context.block(entry.value, path, "person")
        if block is None:
            return ()
        found: list[tuple[str, Fact]] = []
        for line in block.entries:
            here = f"{path}.{line.key.value}"
            if self.words.find("logic", line.key.value) == "sheet" and isinstance(line.value, Block):
                found += self._cells(line.value, here)
            elif name := field_named(self.context, line.key.value):
                fact = read_fact(self.context, name, line, here)
                found += [(name, fact[0])] if fact else []
            else:
                self.context.unknown_key(line.key, ("fields",), path)
        return tuple(found)

    def _cells(self, block: Block, path: str) -> Iterator[tuple[str, Fact]]:
        for line in block.entries:
            here = f"{path}.{line.key.value}"
            if column := self.context.column_named(line.key, here):
                fact = read_fact(self.context, SHEET + column, line, here)
                if fact:
                    yield SHEET + column, fact[0]
