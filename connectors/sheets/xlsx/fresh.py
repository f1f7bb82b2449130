"""A workbook, or a tab in one, that did not exist: quiet, readable, ready to filter, sort and print."""

from __future__ import annotations

import io
import posixpath
from collections.abc import Sequence
from typing import Any

from lxml import etree

from connectors.sheets.sheet import KEY_HEADER, NewColumn
from connectors.sheets.xlsx.book import SHEET_TYPE, Book
from connectors.sheets.xlsx.columns import Look
from connectors.sheets.xlsx.markup import child, namesake, parsed, serialised
from connectors.sheets.xlsx.package import Pieces, folder_of
from connectors.sheets.xlsx.places import letters
from connectors.sheets.xlsx.styles import DATE, DATE_AND_TIME, GENERAL, Styles
from connectors.sheets.xlsx.text import attribute, escaped

INK, PAPER, LINE = "FFFFFF", "8C2332", "6B1824"  # white on the red of a thread, and its shadow
HEADER_HEIGHT, KEY_WIDTH = 26, 4
_WIDTHS = {"date": 13, "datetime": 17, "number": 11, "money": 13, "yesno": 11, "text": 18}
_WIDE = {
    "email": 32,
    "flags": 30,
    "genres": 26,
    "organisation": 26,
    "tags": 26,
    "subject": 40,
    "reason": 40,
    "rule": 36,
    "to": 34,
    "person": 36,
    "what": 40,
    "detail": 74,
    "advice": 130,
    "by": 30,
    "was": 26,
    "now": 26,
    "why": 120,
}
_CURRENCY = {"CA": "$", "US": "$", "GB": "£", "CH": "CHF"}
_LETTER_PAPER = ("CA", "US")
NOTE = {
    "fr": "Cette colonne permet à Fil rouge de reconnaître chaque ligne. Merci de la garder telle quelle.",
    "en": "Fil rouge recognises each row by this column. Please leave it as it is.",
}


def number_format(kind: str, country: str, language: str) -> str | int:
    """How a column of this kind shows its values. Dates follow the regional settings of whoever opens the file."""
    if kind == "money":
        sign = _CURRENCY.get(country, "€")
        return f'"{sign}"#,##0.00' if language == "en" and sign != "CHF" else f'#,##0.00\u00a0"{sign}"'
    if kind == "yesno":  # Excel writes TRUE or VRAI whatever the format; others would show 1 and 0
        return '"oui";"oui";"non"' if language == "fr" else '"yes";"yes";"no"'
    return {"date": DATE, "datetime": DATE_AND_TIME}.get(kind, GENERAL)


def width(column: NewColumn) -> float:
    """Room for the header with its filter arrow, and for the usual content."""
    return max(_WIDE.get(column.tag, _WIDTHS.get(column.kind, 18)), len(column.header) * 1.15 + 4)


def new_workbook(tab: str, columns: Sequence[NewColumn], country: str, language: str) -> bytes:
    """The bytes of a workbook with one tab: bold headers that stay in sight, a filter, our key column hidden."""
    import xlsxwriter

    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet = book.add_worksheet(tab)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, width(column), book.add_format(_body(column.kind, country, language)))
        sheet.write_string(0, place, column.header, book.add_format(_header(column.kind)))
    header = book.add_format(_header("text"))
    key = len(columns)
    sheet.set_column(key, key, KEY_WIDTH, None, {"hidden": True})
    sheet.write_string(0, key, KEY_HEADER, header)
    sheet.write_comment(0, key, NOTE[language], {"author": KEY_HEADER, "x_scale": 1.6})
    sheet.set_row(0, HEADER_HEIGHT)
    _ready_to_use(sheet, key, country)
    book.set_properties({"author": KEY_HEADER})
    book.close()
    return target.getvalue()


def _header(kind: str) -> dict[str, Any]:
    look = {"bold": True, "font_color": f"#{INK}", "bg_color": f"#{PAPER}", "bottom": 2, "bottom_color": f"#{LINE}"}
    return look | _alignment(kind)


def _body(kind: str, country: str, language: str) -> dict[str, Any]:
    return {"num_format": number_format(kind, country, language)} | _alignment(kind)


def _alignment(kind: str) -> dict[str, Any]:
    """Numbers to the right, the rest to the left, a little away from the lines."""
    side = {"number": "right", "money": "right", "yesno": "center"}.get(kind, "left")
    return {"align": side, "valign": "vcenter"} | ({"indent": 1} if side != "center" else {})


def _ready_to_use(sheet: Any, last: int, country: str) -> None:
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, 0, last)
    sheet.set_landscape()
    sheet.set_paper(1 if country in _LETTER_PAPER else 9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.set_footer("&L&A&R&P / &N")


def looks(styles: Styles, columns: Sequence[NewColumn], country: str, language: str) -> list[Look]:
    """The widths and formats of new columns in a workbook that exists."""
    return [
        Look(
            width(column),
            styles.dressed(
                number_format=number_format(column.kind, country, language), alignment=_alignment_xml(column.kind)
            ),
        )
        for column in columns
    ]


def header_style(styles: Styles, kind: str) -> int:
    return styles.dressed(
        font=f'<font><b/><sz val="11"/><color rgb="FF{INK}"/><name val="Calibri"/><family val="2"/></font>',
        fill=f'<fill><patternFill patternType="solid"><fgColor rgb="FF{PAPER}"/><bgColor indexed="64"/></patternFill></fill>',
        border=f'<border><left/><right/><top/><bottom style="medium"><color rgb="FF{LINE}"/></bottom><diagonal/></border>',
        alignment=_alignment_xml(kind),
    )


def _alignment_xml(kind: str) -> str:
    look = _alignment(kind)
    indent = f' indent="{look["indent"]}"' if "indent" in look else ""
    return f'<alignment horizontal="{look["align"]}" vertical="center"{indent}/>'


def new_tab(book: Book, tab: str, columns: Sequence[NewColumn], country: str, language: str) -> dict[str, Pieces]:
    """The parts that give an existing workbook one more tab, last in line."""
    folder = posixpath.join(folder_of(book.part), "worksheets")
    part = next(name for n in range(1, 10_000) if (name := f"{folder}/sheet{n}.xml") not in book.package)
    styles = book.styles
    xml = _sheet_xml(book, columns, looks(styles, columns, country, language))
    relation, parts = book.announced(part, "worksheet", SHEET_TYPE)
    root = parsed(book.package.read(book.part), book.file)
    sheets = child(root, "sheets")
    assert sheets is not None
    number = max((int(sheet.get("sheetId", 0)) for sheet in sheets), default=0) + 1
    id_name = next((name for sheet in sheets for name in sheet.attrib if name.endswith("}id")), "id")
    element = etree.SubElement(sheets, namesake(sheets, "sheet"), name=tab, sheetId=str(number))
    element.set(id_name, relation)
    parts |= {part: [xml], book.part: [serialised(root)]}
    return parts | ({book.styles_part: [styles.xml()]} if styles.changed else {})


def _sheet_xml(book: Book, columns: Sequence[NewColumn], shown: Sequence[Look]) -> bytes:
    namespace = attribute(etree.QName(book.root).namespace or "")
    last = len(columns) + 1
    cols = "".join(
        f'<col min="{n}" max="{n}" width="{look.width:g}" style="{look.style}" customWidth="1"/>'
        for n, look in enumerate(shown, 1)
    )
    titles = [*((column.header, column.kind) for column in columns), (KEY_HEADER, "text")]
    cells = "".join(
        f'<c r="{letters(n)}1" s="{header_style(book.styles, kind)}" t="inlineStr"><is><t xml:space="preserve">{escaped(title)}</t></is></c>'
        for n, (title, kind) in enumerate(titles, 1)
    )
    area = f"A1:{letters(last)}1"
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<worksheet xmlns="{namespace}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><dimension ref="{area}"/>'
        '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" '
        'state="frozen"/><selection pane="bottomLeft"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/>'
        f'<cols>{cols}<col min="{last}" max="{last}" width="{KEY_WIDTH}" hidden="1" customWidth="1"/></cols>'
        f'<sheetData><row r="1" ht="{HEADER_HEIGHT}" customHeight="1">{cells}</row></sheetData>'
        f'<autoFilter ref="{area}"/><pageMargins left="0.4" right="0.4" top="0.5" bottom="0.6" header="0.3" '
        'footer="0.3"/><pageSetup orientation="landscape" fitToHeight="0"/></worksheet>'
    ).encode()
