"""Rules and segments in canonical form: the same for the same meaning in either language, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from rules.conditions import (
    Action,
    AllOf,
    AnyOf,
    Book,
    Check,
    Condition,
    Deed,
    Email,
    Example,
    Fact,
    Flag,
    Forget,
    InSegment,
    Newsletter,
    NoneOf,
    Notify,
    Period,
    Review,
    Rule,
    Segment,
    SetCell,
    Shift,
    Task,
    Webhook,
    Window,
    plain_field,
)
from rules.journeys import Journey, Step
from rules.mistakes import fold


def digest(condition: Condition, actions: tuple[Action, ...], segments: Mapping[str, Segment]) -> str:
    """A fingerprint of what a rule means: segments by what they mean, the order of lines apart."""
    plain = [replace(a, column=fold(a.column)) if isinstance(a, SetCell) else a for a in actions]
    meaning = [_meaning(condition, segments), [action_json(action) for action in plain]]
    return hashlib.sha256(json.dumps(meaning, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def _meaning(condition: Condition, segments: Mapping[str, Segment]) -> Any:
    match condition:
        case InSegment(segment=name):
            return {"segment": segments[name].digest}
        case Check():
            return condition_json(replace(condition, field=plain_field(condition.field)))
        case AllOf(items=(only,)):
            return _meaning(only, segments)
        case _:
            items = [_meaning(item, segments) for item in condition.items]
            return {_KIND[type(condition)]: sorted(items, key=lambda item: json.dumps(item, sort_keys=True))}


def journey_digest(journey: Journey, segments: Mapping[str, Segment]) -> str:
    """The same fingerprint for a journey: the order of its steps is part of what it means."""
    around = [journey.around.kind, fold(journey.around.flag)]
    steps = [
        [
            step.name,
            value_json(step.at),
            str(step.no_later_than),
            digest(journey.condition_of(step), (step.action,), segments),
        ]
        for step in journey.steps
    ]
    return hashlib.sha256(json.dumps([around, steps], ensure_ascii=False).encode()).hexdigest()[:16]


_KIND: dict[type, str] = {AllOf: "all_of", AnyOf: "any_of", NoneOf: "none_of"}


def condition_json(condition: Condition) -> dict[str, Any]:
    """A condition in canonical form."""
    match condition:
        case Check(field=name, type=kind, op=op, values=values, window=window):
            told = {"field": name, "type": kind, "op": op, "values": [value_json(value) for value in values]}
            return told if window is None else told | {"window": _window_json(window)}
        case InSegment(segment=name):
            return {"segment": name}
        case _:
            return {_KIND[type(condition)]: [condition_json(item) for item in condition.items]}


def _window_json(window: Window) -> dict[str, Any]:
    told = {
        "within": None if window.within is None else str(window.within),
        "genres": sorted({fold(genre) for genre in window.genres}),
        "each": None if window.each is None else condition_json(window.each),
    }
    # only where it is asked: a rule of before keeps its fingerprint
    return told if window.days is None else told | {"date": condition_json(window.days)}


def value_json(value: Fact | Period | Deed) -> Any:  # noqa: PLR0911  one return a type
    match value:
        case None | bool() | str():
            return value
        case Decimal():
            return format(value.normalize(), "f")
        case date():
            return value.isoformat()
        case Shift(sign=sign, period=period):
            return f"{'-' if sign < 0 else '+'}{period}"
        case Deed():
            told = {"amount": value.amount, "score": value.score, "genre": value.genre, "day": value.day}
            return {name: value_json(one) for name, one in told.items() if one is not None}
        case tuple():
            return [value_json(one) for one in value]
        case _:
            return str(value)


def action_json(action: Action) -> dict[str, Any]:  # noqa: PLR0911  one return a kind
    """An action in canonical form."""
    match action:
        case Flag(name=name):
            return {"flag": name}
        case SetCell(column=column, value=value):
            return {"set": {column: value}}
        case Task(text=text, assignee=assignee, due=due):
            return {"task": text, "for": assignee, "due": None if due is None else str(due)}
        case Email():
            spans = {"wait": action.wait, "again": action.again, "no_later_than": action.no_later_than}
            told = {name: None if span is None else str(span) for name, span in spans.items()}
            told |= {"again": "never"} if action.once else {}
            return {"email": action.template, "purpose": action.purpose, **told}
        case Notify(text=text):
            return {"notify": text}
        case Webhook(name=name, fields=fields):
            return {"webhook": name, "fields": sorted(fields)}
        case Newsletter(change=change, tag=tag, source=source):
            return {"newsletter": change, "tag": tag, "in": source}
        case Review(a_day=count):
            return {"review": count}
        case Forget(reason=text):
            return {"forget": text}


def to_json(book: Book) -> dict[str, Any]:
    """A folder in canonical form: the same for the same meaning in either language, names and texts apart."""
    return {
        "segments": [{"id": s.id, "name": s.name, "when": condition_json(s.condition)} for s in book.segments],
        "rules": [_rule_json(rule) for rule in book.rules],
        "journeys": [_journey_json(journey) for journey in book.journeys],
    }


def _rule_json(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "active": rule.active,
        "when": condition_json(rule.when),
        "unless": _or_none(rule.unless),
        "then": [action_json(action) for action in rule.actions],
        "examples": [_example_json(example) for example in rule.examples],
        "needs": sorted(rule.needs),
        "digest": rule.digest,
    }


def _or_none(condition: Condition | None) -> dict[str, Any] | None:
    return None if condition is None else condition_json(condition)


def _example_json(example: Example) -> dict[str, Any]:
    told = {"person": {name: value_json(fact) for name, fact in example.facts}, "match": example.expect}
    return told if example.at is None else told | {"at": value_json(example.at)}


def _journey_json(journey: Journey) -> dict[str, Any]:
    around = {"kind": journey.around.kind} | ({"flag": journey.around.flag} if journey.around.flag else {})
    return {
        "id": journey.id,
        "name": journey.name,
        "active": journey.active,
        "around": around,
        "when": _or_none(journey.when),
        "unless": _or_none(journey.unless),
        "stop_when": _or_none(journey.stop),
        "steps": [_step_json(step) for step in journey.steps],
        "examples": [_example_json(example) for example in journey.examples],
        "needs": sorted(journey.needs),
        "digest": journey.digest,
    }


def _step_json(step: Step) -> dict[str, Any]:
    told = {"name": step.name, "at": value_json(step.at), "no_later_than": str(step.no_later_than)}
    return told | {"when": _or_none(step.when), "unless": _or_none(step.unless), "then": action_json(step.action)}
