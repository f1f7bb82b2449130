"""What of the folder was read already: the cursor of the `files` source."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from connectors.files.rule import Rule

READABLE = {".csv", ".tsv", ".txt", ".tab", ".xlsx", ".xlsm", ".xls", ".ods"}
WAY = "1"
"""Raise it when files are understood differently: all are then read anew."""
_RACY = 3_000_000_000  # ns: a file saved so shortly before it was read may change again within its own time stamp


class Read(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file as it was when it was read. `way` stands for the settings it was read with, `named` for the name it had
    then; `gone` when it is no longer there; `copy` when another file held the same; `lines` were looked at.
    """

    size: int
    mtime: int
    sha256: str
    way: str
    named: str
    series: str = ""
    lines: int = 0
    gone: bool = False
    copy: bool = False


Memory = dict[str, Read]


def remembered(cursor: str | None) -> Memory:
    """The cursor's files; empty at the first time and where the cursor is not ours."""
    try:
        return msgspec.json.decode(cursor or "{}", type=Memory)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return {}


def cursor_of(memory: Mapping[str, Read]) -> str:
    return msgspec.json.encode(dict(sorted(memory.items()))).decode()


def files_below(folder: Path) -> dict[str, Path]:
    """Every export file below the folder by its path from there; lock files and hidden ones are none."""
    found = (file for file in folder.rglob("*") if file.suffix.lower() in READABLE and file.is_file())
    relative = {file.relative_to(folder).as_posix(): file for file in found}
    return {
        name: file
        for name, file in sorted(relative.items())
        if not any(part.startswith((".", "~$")) for part in name.split("/"))
    }


def way_of(rule: Rule, home: object) -> str:
    """Changes when the same bytes would be read otherwise."""
    told = f"{WAY}|{rule.model_dump_json()}|{home}"
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def look(file: Path, named: str, before: Read | None, way: str, now: float) -> Read:
    """The file as it is now. Its bytes are hashed only where its size, time or way of reading moved. Raises OSError."""
    stat = file.stat()
    if before and (before.size, before.mtime, before.way) == (stat.st_size, stat.st_mtime_ns, way) and not before.gone:
        return before
    with file.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    settled = int(now * 1e9) - stat.st_mtime_ns > _RACY
    return Read(stat.st_size, stat.st_mtime_ns if settled else 0, sha256, way, named)
