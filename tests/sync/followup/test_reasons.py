"""Every e-mail that is not sent has a reason, and every reason has its words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync.followup.tables import PASSING, SUPPRESSIONS
from sync.messages import LANGUAGES, sentences

SYNC = Path(__file__).parents[3] / "sync"
SAY_WHY_NOT = {
    "right",
    "_refusals",
    "_implied",
    "_write",
    "_letter",
    "_may",
    "_not_now",
    "claim",
    "bar",
    "_full",
    "quiet",
}
"""Functions whose texts are reasons."""
NO_REASONS = {"", "marketing", "service", "subscribed", "granted", "default", "customer", "member", "consent"}


def constants(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value


def given(node: ast.AST) -> Iterator[ast.AST]:
    """Where a reason is written down: `reason="x"`, `{"reason": "x"}`, `cancel(…, "x")`, `Draft(…, reason="x")`."""
    for inner in ast.walk(node):
        match inner:
            case ast.keyword(arg="reason", value=value):
                yield value
            case ast.Dict(keys=keys, values=values):
                yield from (
                    v for k, v in zip(keys, values, strict=True) if isinstance(k, ast.Constant) and k.value == "reason"
                )
            case ast.Call(func=ast.Attribute(attr="cancel"), args=[_, _, _, reason, *_]):
                yield reason
            case ast.FunctionDef(name=name) if name in SAY_WHY_NOT:
                yield from (told for each in ast.walk(inner) for told in returned(each))


def returned(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Return(value=ast.Constant() | ast.IfExp() as value):
            yield value
        case ast.Yield(value=ast.Tuple(elts=[first, *_])):
            yield first
        case ast.Call(func=ast.Name(id="Right"), args=[first, *_]):
            yield first
        case ast.Assign(targets=[ast.Name(id="reason")], value=ast.Constant() as value):
            yield value


def reasons() -> set[str]:
    trees = [ast.parse(file.read_text("utf-8")) for file in SYNC.rglob("*.py")]
    words = {word for tree in trees for node in given(tree) for word in constants(node)}
    return words - NO_REASONS


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_its_words(language: str) -> None:
    found = reasons()
    assert {"unsubscribed", "no-consent", "too-late", "cap", "quiet-day", "left", "template", "same-address"} <= found
    known = {code.removeprefix("reason-") for code in sentences(language) if code.startswith("reason-")}
    begun = {word for word in found if word.endswith("-")}  # f"back-{…}"
    assert found - begun | {*PASSING, *SUPPRESSIONS} <= known
    assert all(any(word.startswith(beginning) for word in known) for beginning in begun)


def test_no_words_are_kept_for_a_reason_that_nobody_gives() -> None:
    known = {code.removeprefix("reason-") for code in sentences("en") if code.startswith("reason-")}
    written: set[Any] = {word for file in SYNC.rglob("*.py") for word in constants(ast.parse(file.read_text("utf-8")))}
    assert {word for word in known if word not in written and f"{word.partition('-')[0]}-" not in written} == set()
