"""Doors and directions: which room may know which."""

from __future__ import annotations

import ast
import re
import socket
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


def test_no_test_reaches_outside_this_machine() -> None:
    with socket.socket() as outside, pytest.raises(AssertionError, match="tried to reach"):
        outside.connect(("192.0.2.1", 80))


CLOCKS = re.compile(r"\b(?:datetime|date)\.(?:now|today|utcnow)\(|\btime\.time\(")
MAY_ASK_THE_TIME = {
    "sync/clock.py",
    "connectors/source.py",  # the default of `Setting.now`, for those who use a connector without the rest
}


def test_only_the_clock_asks_what_time_it_is() -> None:
    askers = {
        file.relative_to(ROOT).as_posix()
        for room in ("connectors", "rules", "sync")
        for file in (ROOT / room).rglob("*.py")
        if CLOCKS.search(file.read_text("utf-8"))
    }
    assert askers <= MAY_ASK_THE_TIME
