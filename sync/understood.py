"""How export files are read, in a line for those that are alike, or as small tables of their columns."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Sequence

from connectors.files.understanding import Column, Understanding
from connectors.sources.files import Files
from sync.desk import Desk

LONGEST = 36  # characters of a header or an example


def understood(desk: Desk, *, columns: bool) -> list[str]:
    """One line (with `columns`, one table) for the files that are read alike; then what is doubtful or can't be read; below
    tables, how to correct it.
    """
    said: list[str] = []
    for name, source in desk.sources().items():
        if isinstance(source, Files):
            found = list(source.looked_at())
            alike = _alike([(file, about) for file, about, _ in found if about])
            if columns:
                said += ["", desk.say("check-source", name=name), *_tables(desk, alike)]
            elif found:
                said += [desk.say("check-source-short", name=name, command=desk.command("check", "--sources"))]
                said += [line for same in alike for line in _line(desk, same)]
            said += [f"  ! {desk.say(code, **facts)}" for _, _, doubts in found for code, facts in doubts]
            said += ["", desk.say("check-correct", name=name)] if found and columns else []
            said += [] if found else [f"{name}: {desk.say('files-none-yet', folder=source.settings.folder)}"]
            said += [""]
        source.close()
    return said


def _alike(files: Sequence[tuple[str, Understanding]]) -> list[list[tuple[str, Understanding]]]:
    alike: dict[object, list[tuple[str, Understanding]]] = {}
    for name, about in files:
        shape = about.kind, about.ignored, tuple((column.field, column.header) for column in about.columns)
        alike.setdefault(shape, []).append((name, about))
    return list(alike.values())


def _line(desk: Desk, same: Sequence[tuple[str, Understanding]]) -> list[str]:
    about = same[0][1]
    kind, used = desk.say(f"check-read-{about.kind}"), len(about.columns)
    files = " · ".join(name for name, _ in same)
    return _wrapped(desk.say("check-read-short", files=files, kind=kind, n=used, all=used + len(about.ignored)), "  ")


def _tables(desk: Desk, alike: Sequence[Sequence[tuple[str, Understanding]]]) -> Iterator[str]:
    for same in alike:
        yield ""
        yield from _wrapped(" · ".join(name for name, _ in same), "  ")
        yield f"  {desk.say(f'check-read-{same[0][1].kind}')}"
        yield from _table(desk, same[0][1])


def _table(desk: Desk, about: Understanding) -> Iterator[str]:
    rows = [(_short(column.header), _means(desk, column), _short(column.example)) for column in about.columns]
    wide = [max((len(row[place]) for row in rows), default=0) for place in (0, 1)]
    for header, means, example in rows:
        yield f"    {header:<{wide[0]}} → {means:<{wide[1]}}   {example}".rstrip()
    if about.ignored:
        yield from _wrapped(desk.say("check-not-used", columns=", ".join(about.ignored)), "    ")


def _means(desk: Desk, column: Column) -> str:
    word = desk.say(f"column-{column.field}")
    return word if word == column.field else f"{word} ({column.field})"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _wrapped(text: str, margin: str) -> list[str]:
    width = max(60, shutil.get_terminal_size().columns)
    return textwrap.wrap(text, width, initial_indent=margin, subsequent_indent=margin + "  ", break_on_hyphens=False)
