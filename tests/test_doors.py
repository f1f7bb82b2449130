"""Doors and directions: which room may know which."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_NOT_KNOW = {"connectors": {"sync", "rules"}, "rules": {"sync", "connectors"}}


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("room", MAY_NOT_KNOW)
def test_a_room_knows_only_the_rooms_it_may(room: str) -> None:
    strangers = {
        f"{file.relative_to(ROOT)} knows {name}"
        for file in (ROOT / room).rglob("*.py")
        for name in imports(file)
        if name in MAY_NOT_KNOW[room]
    }
    assert not strangers
