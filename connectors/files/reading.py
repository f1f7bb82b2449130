"""Any table as lines of text cells with their line numbers: CSV in any dress, and Excel workbooks.

CSV is streamed; broken quotes cost only their own line. Excel cells come as text too, dates and times in ISO form, so
that everything after this sees one kind of table.
"""

from __future__ import annotations

import codecs
import csv
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Literal
from zipfile import is_zipfile

from python_calamine import CalamineWorkbook, SheetVisibleEnum

from connectors.files.words import fold, headers

SEPARATORS = (";", ",", "\t", "|")
LARGEST_CELL = 10 * 1024 * 1024
LONGEST_QUOTE = 500  # lines that one quoted cell may span
BROKEN_QUOTES = 20  # after so many, quotes mean nothing in this file
_SAMPLE = 256 * 1024
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Unfit(Exception):  # noqa: N818  it names what the file is
    """This file can't be read as a table; `code` as in `sync/words/*/files.yaml`. `growing`: perhaps it is not all here."""

    def __init__(self, code: str, *, growing: bool = False, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.growing = growing
        self.detail = detail


@dataclass(frozen=True)
class Line:
    """`number` is where it begins in the file (in a workbook: the row), counted from 1."""

    number: int
    cells: Sequence[str]


@dataclass(frozen=True)
class Form:
    """How a table is written down: `encoding` and `separator` of a text, `tab` of a workbook."""

    encoding: str | None = None
    separator: str = ""
    tab: str | None = None
    whole: bool = True
    mixed: bool = False


def form_of(file: Path, separator: str | None = None, tab: str | None = None) -> Form:
    """Look at a file's bytes and tell how to read it. Raises `Unfit` and OSError."""
    with file.open("rb") as stream:
        head = stream.read(_SAMPLE)
    if not head.strip(b"\x00\xff\xfe\xef\xbb\xbf \r\n\t"):
        raise Unfit("files-empty", growing=True)
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return Form(tab=_tab(file, tab))
    if head.startswith(b"%PDF") or head.lstrip()[:9].lower().startswith((b"<!doctype", b"<html", b"<table", b"<?xml")):
        raise Unfit("files-not-a-table")
    encoding, mixed = _encoding(file, head)
    separator = separator or _separator(head, encoding)
    return Form(encoding, separator, whole=_ends_whole(file, encoding), mixed=mixed)


def lines(file: Path, form: Form) -> Iterator[Line]:
    """Every line that holds something. Raises `Unfit` where the file turns out to be no table after all."""
    every = _workbook_lines(file, form.tab) if form.encoding is None else _text_lines(file, form)
    return (line for line in every if any(cell and not cell.isspace() for cell in line.cells))


def _encoding(file: Path, head: bytes) -> tuple[str, bool]:
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name, name == "utf-8-sig" and _share_of_wrong(file) > 0
    if b"\x00" in head[:4096]:
        even, odd = head[:4096:2].count(0), head[1:4096:2].count(0)
        if max(even, odd) > 4 * min(even, odd) and max(even, odd) > len(head[:4096]) // 8:
            return ("utf-16-le" if odd > even else "utf-16-be"), False
    wrong = _share_of_wrong(file)
    return ("utf-8", wrong > 0) if wrong < 0.1 else ("cp1252", False)


def _share_of_wrong(file: Path) -> float:
    """Of the letters outside ASCII, how many are not UTF-8. One copied line must not turn a whole file to mojibake."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    wrong = beyond = 0
    with file.open("rb") as stream:
        while piece := stream.read(1 << 20):
            if piece.isascii():
                continue
            text = decoder.decode(piece)
            wrong += text.count("\ufffd")
            beyond += len(text) - len(text.encode("ascii", "ignore"))
    return wrong / beyond if beyond else 0.0


def _separator(head: bytes, encoding: str) -> str:
    text = head.decode(encoding, "replace")
    if text[:4].lower() == "sep=" and text[4:5] in SEPARATORS:
        return text[4]
    sample = [line for line in islice(text.lstrip("\ufeff").splitlines(keepends=True), 200) if line.strip()]

    def agreement(separator: str) -> tuple[int, float, int]:
        """How many headers it shows; then how many lines are as wide as most."""
        rows = list(_split(iter(sample), separator))
        known = max(sum(fold(cell) in headers() for cell in line.cells) for line in rows[:20]) if rows else 0
        widths = Counter(len(line.cells) for line in rows)
        many = [(times, width) for width, times in widths.items() if width > 1]
        times, width = max(many, default=(0, 0))
        return (known if width else 0), times / max(1, len(rows)), width

    best = max(SEPARATORS, key=agreement)
    return best if agreement(best)[1] else ";"


def _ends_whole(file: Path, encoding: str) -> bool:
    """Whether the last line is closed: a file that is still being written mostly ends inside one."""
    with file.open("rb") as stream:
        stream.seek(0, 2)
        stream.seek(max(0, stream.tell() - 4))
        tail = stream.read()
    return (tail.replace(b"\x00", b"") if encoding.startswith("utf-16") else tail).endswith((b"\n", b"\r"))


def _text_lines(file: Path, form: Form) -> Iterator[Line]:
    errors = "replace" if form.encoding != "cp1252" else "files-cp1252"
    with file.open("rb") as raw, TextIOWrapper(raw, form.encoding, errors=errors, newline="") as text:
        for line in _split(_bounded(text), form.separator):
            if line.number > 1 or not line.cells[0].lower().startswith("sep="):
                yield line


def _bounded(text: TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LARGEST_CELL):
        yield line


def _keep_undefined(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        return "".join(chr(byte) for byte in error.object[error.start : error.end]), error.end
    raise error


codecs.register_error("files-cp1252", _keep_undefined)


def _split(physical: Iterator[str], separator: str) -> Iterator[Line]:
    """Physical lines to table lines. A quote that never closes is taken as a plain character of its own line."""
    waiting: deque[str] = deque()
    number, broken = 1, 0
    while True:
        first = waiting.popleft() if waiting else next(physical, None)
        if first is None:
            return
        if '"' not in first or broken >= BROKEN_QUOTES:
            yield Line(number, first.rstrip("\r\n").split(separator))
            number += 1
            continue
        taken = [first]
        cells = _quoted(taken, separator)
        size = len(first)
        while cells == "open" and len(taken) < LONGEST_QUOTE and size < LARGEST_CELL:
            following = waiting.popleft() if waiting else next(physical, None)
            if following is None:
                break
            taken.append(following)
            size += len(following)
            cells = _quoted(taken, separator) if '"' in following else "open"
        if isinstance(cells, str):
            broken += 1
            waiting.extendleft(reversed(taken[1:]))
            taken, cells = taken[:1], first.rstrip("\r\n").split(separator)
        yield Line(number, cells)
        number += len(taken)


def _quoted(taken: list[str], separator: str) -> list[str] | Literal["open", "broken"]:
    """The cells of these lines; or that a quote is still open at their end; or that quotes do not fit together."""
    csv.field_size_limit(LARGEST_CELL * 2)
    try:
        rows = list(csv.reader([*taken, "x\n"], delimiter=separator, strict=True))
    except csv.Error as error:
        if "unexpected end" in str(error):
            return "open"
        return _loosely(taken[0], separator) if len(taken) == 1 else "broken"
    return rows[0]


def _loosely(line: str, separator: str) -> list[str] | Literal["open", "broken"]:
    """`"Le Grand" Paul` in a cell: not well written, but what is meant is plain as long as the line ends closed."""
    try:
        rows = list(csv.reader([line, "x\n"], delimiter=separator))
    except csv.Error:
        return "broken"
    return rows[0] if len(rows) == 2 else "broken"


def _tab(file: Path, wanted: str | None) -> str:
    book = _workbook(file)
    names = [sheet.name for sheet in book.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]
    if wanted and wanted not in names:
        raise Unfit("files-no-tab", detail=wanted)
    if not names:
        raise Unfit("files-empty")
    return wanted or names[0]


def _workbook(file: Path) -> CalamineWorkbook:
    with file.open("rb") as stream:
        zipped = stream.read(2) == b"PK"
    if zipped and not is_zipfile(file):
        raise Unfit("files-workbook-broken", growing=True)
    try:
        return CalamineWorkbook.from_path(file)
    except OSError:
        raise
    except BaseException as error:  # noqa: BLE001  a Rust panic is no Exception; the rest is raised again
        raise _as_unfit(error) from None


def _as_unfit(error: BaseException) -> BaseException:
    """A damaged or password-protected workbook. Rust's panics are no `Exception`, so they are told by their name."""
    if isinstance(error, Exception) or type(error).__name__ == "PanicException":
        return Unfit("files-workbook-broken")
    return error


def _workbook_lines(file: Path, tab: str | None) -> Iterator[Line]:
    book = _workbook(file)
    try:
        rows = book.get_sheet_by_name(tab or "").iter_rows()
        for number, cells in enumerate(rows, 1):
            yield Line(number, [_cell_text(cell) for cell in cells])
    except BaseException as error:  # noqa: BLE001  a Rust panic is no Exception; the rest is raised again
        raise _as_unfit(error) from None


def _cell_text(cell: object) -> str:
    match cell:
        case str():
            return cell
        case bool():
            return "true" if cell else "false"
        case float():
            return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(round(cell, 9))
        case datetime() | date() | time() | timedelta():
            return str(cell).split(".")[0]
    return str(cell)
