"""The rule language as a JSON Schema, for editors: completion, a word under the mouse, mistakes while typing.

Made from the same vocabulary as the reader, so that neither knows a word that the other does not. What the reader takes
is right by the schema (but for `true` and `null` as names, which editors take for values); the reader judges more
closely (`filrouge check`). The team's own names (columns, templates,
segments) are offered and not demanded: a file may be ahead of its schema. Draft-07, which yaml-language-server takes;
`defaultSnippets` and `errorMessage` are its own words, and others pass over them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rules.fields import EVERY, FIELDS, OCCASION, Field
from rules.hints import filled, hint, hints, with_stops
from rules.mistakes import messages
from rules.phrases import PhraseType, patterns_of, typed
from rules.unfold import name_pattern, phrase_pattern, word_pattern
from rules.words import vocabulary

Schema = dict[str, Any]
DRAFT = "http://json-schema.org/draft-07/schema#"
PLAIN = ["string", "number"]
ANY_CELL: Schema = {"not": {"type": ["object", "null"]}}
OPTIONS = {
    "email": "option_email",
    "task": "option_task",
    "newsletter": "option_newsletter",
    "webhook": "option_webhook",
}
FACT_DATES = ("ago", "in", "today", "on", "never")


@dataclass(frozen=True)
class Names:
    """The team's own, to be offered: headers of their sheet, templates (without `.md`), segments, what the config names."""

    columns: Collection[str] = ()
    templates: Collection[str] = ()
    segments: Collection[str] = ()
    webhooks: Collection[str] = ()
    newsletters: Collection[str] = ()


def schema(language: str, names: Names | None = None, spoken: str | None = None) -> Schema:
    """The schema of a rules file in `language`; what it says is in `spoken`, by itself the same language."""
    return _Maker(language, names or Names(), spoken or language).make()


class _Maker:
    def __init__(self, language: str, names: Names, spoken: str) -> None:
        self.words, self.names, self.spoken = vocabulary(language), names, spoken
        self.language = language

    def make(self) -> Schema:
        tops = {name: self._list_of(name) for name in ("segments", "rules", "journeys")}
        return {
            "$schema": DRAFT,
            "description": hints(self.spoken)["file"],
            **self._block({"top": tops}),
            "type": ["object", "null"],
            "definitions": self._definitions(),
        }

    def _definitions(self) -> Schema:
        kinds = ("date", "number", "again", "due", "wait", "latest", "review", "around", "at")
        phrases = {kind: self._phrases(kind) for kind in kinds}
        return {
            **phrases,
            "text": self._words("text"),
            "tags": self._words("tags"),
            "newsletter": self._choices("newsletter"),
            "yesno": self._one_of("yesno"),
            "name": {"type": PLAIN, "errorMessage": hints(self.spoken)["wrong-name"]},
            "cell": {**ANY_CELL, **self._offered(self._samples("sheet"))},
            "fact_date": self._phrases("date", FACT_DATES),
            "fact_number": self._fact_number(),
            "fact_choice": self._choices("newsletter"),
            "conditions": self._conditions(FIELDS, {"fields": FIELDS}),
            "occasion": self._conditions(EVERY, {"occasion": OCCASION, "fields": FIELDS}),
            "rule": self._rule("rule", ("name", "when", "then")),
            "segment": self._rule("segment", ("name", "when")),
            "journey": self._rule("journey", ("name", "around", "steps")),
            "step": self._step(),
            "action": self._action(),
            "example": self._example("example", FIELDS),
            "example_journey": self._example("example_journey", EVERY),
        }

    # --- blocks -------------------------------------------------------------------------------------------------------

    def _block(self, sections: Mapping[str, Mapping[str, Schema]]) -> Schema:
        """Lines whose keys are words of the vocabulary: as shown for completion, as anybody may write them besides."""
        shown: Schema = {}
        written: Schema = {}
        for section, values in sections.items():
            for name, value in values.items():
                key = self.words.key(section, name)
                shown[key] = {**self._hint(section, name), **value}
                alone = name in OCCASION or (name == "genres" and "occasion" in sections)
                pattern = (
                    name_pattern(self.words.words[section][name]) if alone else word_pattern(self.words, section, name)
                )
                written[pattern] = shown[key]
        return {"type": "object", "properties": shown, "patternProperties": written, "additionalProperties": False}

    def _hint(self, section: str, name: str) -> Schema:
        """What a word means and, of a field, what it is compared with."""
        said = hint(self.spoken, section, name)
        samples = self._expected(EVERY[name].type) if section in {"fields", "occasion"} else ""
        marked = f"{said}\n\n{samples}" if samples else said
        plain = {"description": marked.replace("`", "")}
        return {**plain, "markdownDescription": marked} if "`" in marked else plain

    def _needing(self, section: str, names: Iterable[str]) -> list[Schema]:
        """At least one key is a word for each of these."""
        return [
            {
                "if": {"propertyNames": {"not": {"pattern": word_pattern(self.words, section, name)}}},
                "then": {"required": [self.words.key(section, name)]},
            }
            for name in names
        ]

    def _list_of(self, name: str) -> Schema:
        return {"type": ["array", "null"], "items": _ref(name.removesuffix("s"))}

    def _rule(self, section: str, needed: tuple[str, ...]) -> Schema:
        values: Schema = {
            "name": {**_ref("name")},
            "id": {"type": PLAIN, "pattern": "^[a-z0-9-]+$", "errorMessage": hints(self.spoken)["wrong-id"]},
            "was": {"type": [*PLAIN, "array"]},
            "active": _ref("yesno"),
            "when": _ref("conditions"),
            "unless": _ref("conditions"),
            "then": {"type": ["array", "object"], "items": _ref("action"), **self._single_action()},
            "examples": {"type": "array", "items": _ref("example")},
        }
        if section == "journey":
            values |= {
                **dict.fromkeys(("when", "unless", "stop_when"), _ref("occasion")),
                "around": _ref("around"),
                "steps": {"type": "array", "items": _ref("step"), "minItems": 1},
                "no_later_than": _ref("latest"),
                "examples": {"type": "array", "items": _ref("example_journey")},
            }
        offered = {name: values[name] for name in self.words.words[section]}
        return {
            **self._block({section: offered}),
            "allOf": self._needing(section, needed),
            "defaultSnippets": [self._start(section, needed)],
        }

    def _start(self, section: str, needed: tuple[str, ...]) -> Schema:
        """A whole rule to begin with, from the samples of the vocabulary."""
        keys = [self.words.key(section, name) for name in needed]
        body: Schema = {}
        for stop, (name, key) in enumerate(zip(needed, keys, strict=True), 1):
            sample = self._samples(name)[0]
            word, colon, value = sample.removeprefix("- ").partition(": ")
            block = {word: f"${{{stop}:{value}}}"}
            body[key] = ([block] if sample.startswith("- ") else block) if colon else f"${{{stop}:{sample}}}"
        return {"label": " · ".join(keys), "body": body}

    def _single_action(self) -> Schema:
        return {"if": {"type": "object"}, "then": _ref("action")}

    def _conditions(self, known: Mapping[str, Field], sections: Mapping[str, Collection[str]]) -> Schema:
        """`sections` of the vocabulary that name the fields which may be asked here."""
        own = "occasion" if "occasion" in sections else "conditions"
        group: Schema = {"type": ["object", "array"], "items": _ref(own), **_ref_unless_list(own)}
        logic: Schema = dict.fromkeys(("any_of", "all_of", "none_of"), group)
        logic["segment"] = {"type": [*PLAIN, "array"], **self._examples(self.names.segments)}
        logic["sheet"] = self._own_columns(_ref("cell"))
        fields = {part: {name: _ref(self._kind(known[name])) for name in names} for part, names in sections.items()}
        return {**self._block({"logic": logic, **fields}), "minProperties": 1}

    def _kind(self, field: Field) -> str:
        kind, name = field.type, field.name
        return {"money": "number", "choice": name}.get(kind, kind)

    def _own_columns(self, value: Schema) -> Schema:
        """The team's columns are offered; another may have come since."""
        return {
            "type": "object",
            "properties": dict.fromkeys(self.names.columns, value),
            "additionalProperties": value,
        }

    def _step(self) -> Schema:
        """When, for whom, and one action."""
        own: Schema = {"at": _ref("at"), "no_later_than": _ref("latest")}
        own |= dict.fromkeys(("when", "unless"), _ref("occasion"))
        return {
            "type": "object",
            "anyOf": self._actions({"step": own}, self.words.words["action"]),
            "allOf": self._needing("step", ("at",)),
            "defaultSnippets": [self._first_step()],
        }

    def _first_step(self) -> Schema:
        at, email = self.words.key("step", "at"), self.words.key("action", "email")
        sample = self._samples("at")[0]
        return {
            "label": f"{at} · {email}",
            "body": {at: f"${{1:{sample}}}", email: f"${{2:{self._samples('template')[0]}}}"},
        }

    def _action(self) -> Schema:
        return {"type": "object", "anyOf": self._actions({}, self.words.words["action"])}

    def _actions(self, more: Mapping[str, Schema], names: Iterable[str]) -> list[Schema]:
        """For each action a block of it, its options and what may stand beside any."""
        values: Schema = {
            "flag": _ref("name"),
            "set": self._own_columns({"not": {"type": ["object", "array"]}}),
            "email": {"type": PLAIN, **self._examples(self.names.templates)},
            "task": _ref("name"),
            "notify": _ref("name"),
            "webhook": {"type": PLAIN, **self._examples(self.names.webhooks)},
            "newsletter": self._newsletter(),
            "review": _ref("review"),
            "forget": _ref("name"),
        }
        told = self._field_names()
        options: dict[str, Schema] = {
            "option_email": {
                "wait": _ref("wait"),
                "again": _ref("again"),
                "purpose": self._one_of("purpose"),
                "no_later_than": _ref("wait"),
            },
            "option_task": {"for": _ref("name"), "due": _ref("due")},
            "option_newsletter": {"source": {"type": PLAIN, **self._examples(self.names.newsletters)}},
            "option_webhook": {"fields": {**told, "type": ["string", "array"], "items": told}},
        }
        if more:  # a step says when, once
            options["option_email"] = {"purpose": options["option_email"]["purpose"]}
        kinds = []
        for name in names:
            section = OPTIONS.get(name)
            own = {section: options[section]} if section else {}
            block = self._block({**more, "action": {name: values[name]}, **own})
            kinds.append({**block, "allOf": self._needing("action", (name,))})
        return kinds

    def _newsletter(self) -> Schema:
        """`subscribe`, or `{add tag: Regulars}`."""
        tag = {"type": [*PLAIN, "array"], "items": {"type": PLAIN}}
        block = self._block({"change": {"add_tag": tag, "remove_tag": tag}})
        plain = [self.words.key("change", name) for name in ("subscribe", "unsubscribe")]
        patterns = [word_pattern(self.words, "change", name) for name in ("subscribe", "unsubscribe")]
        text = {"pattern": "|".join(patterns), "errorMessage": self._write(plain), "examples": plain}
        return {**block, **text, "type": ["string", "object"], "minProperties": 1}

    def _field_names(self) -> Schema:
        patterns = [word_pattern(self.words, "fields", name) for name in FIELDS]
        return {"type": "string", "pattern": "|".join(patterns), "examples": self.words.all("fields")}

    def _example(self, section: str, known: Mapping[str, Field]) -> Schema:
        facts = {"text": "name", "yesno": "yesno", "tags": "tags", "money": "fact_number"}
        fields = {name: _ref(facts.get(f.type) or f"fact_{f.type}") for name, f in known.items()}
        parts = {
            "fields": {name: one for name, one in fields.items() if name in FIELDS},
            "occasion": {name: one for name, one in fields.items() if name in OCCASION},
        }
        sheet = {"sheet": self._own_columns(ANY_CELL)}
        person = {**self._block({"logic": sheet, **parts}), "type": ["object", "null"]}
        needed = {"person": person, "expect": self._one_of("expect")}
        values = needed | ({"at": _ref("at")} if section == "example_journey" else {})
        return {**self._block({section: values}), "allOf": self._needing(section, needed)}

    # --- values -------------------------------------------------------------------------------------------------------

    def _phrases(self, kind: str, ops: Collection[str] | None = None) -> Schema:
        """Text that is a phrase of this type. `ops`: only these phrases."""
        return {
            "type": ["number", "string", "array", "object"] if kind == "number" else "string",
            "pattern": phrase_pattern(self.language, kind, ops),
            **({**self._window(), "items": {"type": PLAIN}} if kind == "number" else {}),
            "errorMessage": self._wrong(kind),
            **self._offered(self._phrases_offered(kind, ops)),
        }

    def _window(self) -> Schema:
        """A count over a period: `{count: at least 2, within: 12 months, genre: dance}`."""
        values: Schema = {name: {"type": [*PLAIN, "array"]} for name in self.words.words["window"]}
        found = self._block({"window": values | {"within": _ref("wait")}})
        return {key: found[key] for key in ("properties", "patternProperties", "additionalProperties")}

    def _phrases_offered(self, kind: str, ops: Collection[str] | None = None) -> list[str]:
        """Every phrase of a type in its first wording, with something in its holes."""
        found = dict.fromkeys(op for op, _, _ in sorted(patterns_of(self.language, kind), key=self._in_order(kind)))
        return [typed(self.language, kind, filled(kind, op)) for op in found if ops is None or op in ops]

    def _in_order(self, kind: str) -> Any:
        order = list(self.words.words["phrases"].get(kind, {kind: 0}))
        return lambda found: order.index(found[0])

    def _words(self, kind: PhraseType) -> Schema:
        """Any word is right here; the phrases are offered."""
        return {
            "type": [*PLAIN, "array", "object"],
            "items": {"type": PLAIN},
            **self._offered(self._phrases_offered(kind)),
        }

    def _fact_number(self) -> Schema:
        never = name_pattern(word for kind in ("date",) for word in self.words.words["phrases"][kind]["never"])
        return {
            "type": ["number", "string", "array", "object"],
            "pattern": f"{phrase_pattern(self.language, 'number')}|{never}",
            "errorMessage": self._wrong("fact_number"),
        }

    def _choices(self, field: str) -> Schema:
        shown = [self.words.shown("choices", choice) for choice in FIELDS[field].choices]
        phrases = [phrase_pattern(self.language, "choice"), phrase_pattern(self.language, "date")]
        patterns = [word_pattern(self.words, "choices", choice) for choice in FIELDS[field].choices]
        one = {"type": "string", "pattern": "|".join([*patterns, phrases[0]]), "errorMessage": self._write(shown)}
        return {
            **one,
            "type": ["string", "array"],
            "items": one,
            "examples": [*shown, *self._phrases_offered("choice")],
        }

    def _one_of(self, section: str) -> Schema:
        names = list(self.words.words[section])
        shown = self.words.all(section)
        pattern = "|".join(word_pattern(self.words, section, name) for name in names)
        text: Schema = {"pattern": pattern, "errorMessage": self._write(shown)}
        if section == "yesno" and self.words.find(section, "true"):  # with a type, editors would offer `true` first
            return {**text, "not": {"type": ["object", "array", "null", "number"]}, **self._offered(shown)}
        return {**text, "type": "string", "examples": shown}

    def _offered(self, phrases: Iterable[str]) -> Schema:
        """Completions; the numbers and dates in them are typed over, one after the other."""
        return {"defaultSnippets": [{"label": phrase, "body": with_stops(phrase)} for phrase in phrases]}

    def _examples(self, names: Collection[str]) -> Schema:
        return {"examples": list(names)} if names else {}

    # --- sentences ----------------------------------------------------------------------------------------------------

    def _samples(self, kind: str) -> list[str]:
        return re.findall(r"`([^`]+)`", str(self.words.words["expected"][kind]))

    def _expected(self, kind: str) -> str:
        kind = "number" if kind == "money" else kind
        samples = self.words.words["expected"].get(kind)
        if samples is None:  # a choice has its own values
            return ""
        prose = messages(self.spoken).get(f"expected-{kind.replace('_', '-')}", "{samples}")
        return prose.format(samples=samples)

    def _wrong(self, kind: str) -> str:
        return str(hints(self.spoken)["write"]).format(expected=self._expected(kind))

    def _write(self, shown: Iterable[str]) -> str:
        return str(hints(self.spoken)["write"]).format(expected=", ".join(f"`{word}`" for word in shown))


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _ref_unless_list(name: str) -> Schema:
    return {"if": {"type": "object"}, "then": _ref(name)}
