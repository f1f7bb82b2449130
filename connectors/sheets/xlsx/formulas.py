"""Formulas moved by some rows or columns, as when a person fills them down."""

from __future__ import annotations

import re

from connectors.sheets.xlsx.places import LAST_COLUMN, LAST_ROW, letters, number

_TOKEN = re.compile(
    r"""(?P<kept>"(?:[^"]|"")*"            # text
         |'(?:[^']|'')*'!?                 # a sheet's name
         |\[(?:[^\[\]]|\[[^\[\]]*\])*\])   # a table's column, another workbook
      |(?<![\w.\\$])(?P<dc>\$?)(?P<column>[A-Za-z]{1,3})(?P<dr>\$?)(?P<row>[0-9]{1,7})(?![\w.(!])
      |(?<![\w.\\:$])(?P<d1>\$?)(?P<first>[0-9]{1,7}):(?P<d2>\$?)(?P<last>[0-9]{1,7})(?![\w.])""",
    re.VERBOSE,
)


def moved(formula: str, rows: int, columns: int = 0) -> str:
    """The same formula `rows` lower and `columns` to the right: relative references follow, `$` ones stay."""

    def shift(match: re.Match[str]) -> str:
        if match["kept"] is not None:
            return match[0]
        if match["column"] is not None:
            return _cell(match, rows, columns)
        return f"{match['d1']}{_row(match['d1'], match['first'], rows)}:{match['d2']}{_row(match['d2'], match['last'], rows)}"

    return _TOKEN.sub(shift, formula)


def _cell(match: re.Match[str], rows: int, columns: int) -> str:
    column = number(match["column"])
    if not match["dc"]:
        column += columns
    if not (1 <= column <= LAST_COLUMN and int(match["row"]) <= LAST_ROW):
        return "#REF!" if number(match["column"]) <= LAST_COLUMN and int(match["row"]) <= LAST_ROW else match[0]
    row = _row(match["dr"], match["row"], rows)
    return "#REF!" if row == "#REF!" else f"{match['dc']}{letters(column)}{match['dr']}{row}"


def _row(fixed: str, row: str, rows: int) -> str:
    if fixed:
        return row
    moved_row = int(row) + rows
    return str(moved_row) if 1 <= moved_row <= LAST_ROW else "#REF!"
