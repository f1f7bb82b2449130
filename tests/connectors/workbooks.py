"""Workbooks as others make them, with all that a team may have put into one."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import xlsxwriter

HEADERS = ("Nom", "Courriel", "Dernière visite", "Visites", "Notes", "Total")
ROWS = 8


def png() -> bytes:
    """A red dot of 8 by 8."""
    raw = b"".join(b"\0" + b"\xc0\x20\x30" * 8 for _ in range(8))

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def with_everything(path: Path) -> Path:
    """Two tabs of contacts (`Contacts` with a filter, `Table` with a ListObject) among twenty features and more."""
    book = xlsxwriter.Workbook(path)
    date = book.add_format({"num_format": "dd/mm/yyyy", "italic": True})
    contacts = book.add_worksheet("Contacts")
    _fill(book, contacts, date)
    _dress(book, contacts)
    table = book.add_worksheet("Table")
    _fill(book, table, date, formulas=False)
    table.add_table(0, 0, ROWS, 5, {
        "name": "Public", "style": "Table Style Medium 4",
        "columns": [*({"header": header} for header in HEADERS[:5]), {"header": "Total", "formula": "=Public[[#This Row],[Visites]]*2"}],
    })  # fmt: skip
    for row in range(1, ROWS + 1):
        table.write_datetime(row, 2, _day(row), date)
    _beside(book)
    macros = path.parent / "vbaProject.bin"
    macros.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)) * 8)
    if path.suffix == ".xlsm":
        book.add_vba_project(str(macros))
    book.close()
    macros.unlink()
    return path


def _day(row: int) -> Any:
    from datetime import date

    return date(2025, 1, row)


def _fill(book: Any, sheet: Any, date: Any, *, formulas: bool = True) -> None:
    bold = book.add_format({"bold": True})
    for column, header in enumerate(HEADERS):
        sheet.write_string(0, column, header, bold)
    for row in range(1, ROWS + 1):
        sheet.write_string(row, 0, f"Personne {row}")
        sheet.write_string(row, 1, f"p{row}@example.org")
        sheet.write_datetime(row, 2, _day(row), date)
        sheet.write_number(row, 3, row)
        if formulas:
            sheet.write_formula(row, 5, f"=D{row + 1}*2", None, row * 2)
    sheet.write_rich_string(2, 4, "un ", bold, "mot", " en gras")
    sheet.write_formula(3, 4, "=1/0", None, "#DIV/0!")
    sheet.write_boolean(4, 4, True)


def _dress(book: Any, sheet: Any) -> None:
    red = book.add_format({"font_color": "#9C0006"})
    last = ROWS
    sheet.conditional_format(1, 3, last, 3, {"type": "data_bar", "data_bar_2010": True})
    sheet.conditional_format(1, 2, last, 2, {"type": "cell", "criteria": ">", "value": 45000, "format": red})
    sheet.conditional_format(1, 3, last, 3, {"type": "icon_set", "icon_style": "3_arrows"})
    sheet.conditional_format(1, 0, last, 0, {"type": "3_color_scale"})
    sheet.data_validation(1, 4, last, 4, {"validate": "list", "source": "=Liste!$A$1:$A$3"})
    sheet.write_comment(1, 0, "Une note de Marie")
    sheet.insert_image(12, 7, "dot.png", {"image_data": io.BytesIO(png()), "description": "logo"})
    sheet.write_url(1, 6, "https://example.org/", string="site")
    sheet.merge_range("H1:J1", "Fusion", red)
    sheet.set_row(5, None, None, {"level": 1})
    sheet.set_column("K:N", 9, None, {"level": 1, "hidden": True})
    sheet.protect("", {"sort": True})
    sheet.set_header("&CThéâtre")
    sheet.print_area("A1:F20")
    sheet.repeat_rows(0)
    sheet.autofilter(0, 0, last, 5)
    sheet.insert_textbox(14, 7, "Une zone de texte")
    sheet.insert_button(16, 7, {"macro": "go", "caption": "Go"})
    sheet.ignore_errors({"number_stored_as_text": "A1:F9"})
    sheet.add_sparkline(1, 14, {"range": "Contacts!D2:D9"})
    sheet.set_background(io.BytesIO(png()))
    sheet.freeze_panes(1, 1)


def _beside(book: Any) -> None:
    lists = book.add_worksheet("Liste")
    for row, word in enumerate(("Oui", "Non", "Peut-être")):
        lists.write_string(row, 0, word)
    lists.hide()
    charts = book.add_worksheet("Graphiques")
    charts.write_array_formula("A1:A3", "{=Contacts!D2:D4*2}", None, 2)
    charts.write_dynamic_array_formula("C1", "=UNIQUE(Contacts!A2:A9)", None, "Personne 1")
    chart = book.add_chart({"type": "column"})
    chart.add_series(
        {"values": "=Contacts!$D$2:$D$9", "categories": "=Contacts!$A$2:$A$9", "trendline": {"type": "linear"}}
    )
    charts.insert_chart("E2", chart)
    alone = book.add_chart({"type": "pie"})
    alone.add_series({"values": "=Contacts!$D$2:$D$9"})
    book.add_chartsheet("Camembert").set_chart(alone)
    book.define_name("Visites", "=Contacts!$D$2:$D$9")
    book.set_properties({"title": "Public", "author": "Marie"})
    book.set_custom_property("Saison", "2025-2026")
