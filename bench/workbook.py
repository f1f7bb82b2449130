"""100 cells changed in a workbook of 100,000 rows by 25 columns: Fil rouge beside openpyxl. `python -m bench.workbook`

Each runs in a process of its own on the same file; seconds are wall time of read, change and save together, memory is
the peak of the process (`getrusage`).
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

ROWS, COLUMNS, CHANGED = 100_000, 25, 100
TAB, FILE = "Contacts", "Contacts.xlsx"


@dataclass(frozen=True)
class Result:
    name: str
    seconds: float
    megabytes: float


def make(folder: Path, rows: int = ROWS) -> None:
    """The workbook: names and towns as shared texts, numbers, dates."""
    import xlsxwriter

    chance = random.Random(4)
    book = xlsxwriter.Workbook(folder / FILE)
    day = book.add_format({"num_format": 14})
    page = book.add_worksheet(TAB)
    for column in range(COLUMNS):
        page.write_string(0, column, f"Colonne {column}")
    for row in range(1, rows + 1):
        for column in range(COLUMNS):
            if column % 4 == 0:
                page.write_string(row, column, f"personne {row} {column}")
            elif column % 4 == 1:
                page.write_number(row, column, chance.randint(0, 100_000))
            elif column % 4 == 2:
                page.write_datetime(row, column, date(2020, 1, 1) + timedelta(days=chance.randint(0, 2000)), day)
            else:
                page.write_string(row, column, chance.choice(("Paris", "Lyon", "Québec", "Liège")))
    book.close()


def ours(folder: Path) -> None:
    from connectors.sheets.excel import Excel, ExcelSettings
    from connectors.sheets.sheet import CellWrite, Changes, Table
    from connectors.source import Setting

    sheet = Excel(ExcelSettings(file=FILE), Setting("sheet", folder))
    table = Table(TAB, (), (), sheet.revision(TAB) or "")
    cells = [CellWrite(str(row), "", "A", f"changed {row}", None) for row in _changed()]
    sheet.write(table, Changes(cells=cells), lambda _: None, lambda _: None)


def ours_reading(folder: Path) -> None:
    from connectors.sheets.excel import Excel, ExcelSettings
    from connectors.source import Setting

    table = Excel(ExcelSettings(file=FILE), Setting("sheet", folder)).read(TAB)
    assert table is not None
    assert len(table.rows) == ROWS


def openpyxl(folder: Path) -> None:
    import openpyxl as library

    book = library.load_workbook(folder / FILE)
    for row in _changed():
        book[TAB].cell(row, 1, f"changed {row}")
    book.save(folder / FILE)


def calamine_reading(folder: Path) -> None:
    import python_calamine

    rows = python_calamine.CalamineWorkbook.from_path(folder / FILE).get_sheet_by_name(TAB).to_python()
    assert len(rows) == ROWS + 1


def _changed() -> range:
    return range(2, ROWS, ROWS // CHANGED)


TASKS: dict[str, Callable[[Path], None]] = {
    task.__name__: task for task in (make, ours, openpyxl, ours_reading, calamine_reading)
}


def measure() -> list[Result]:
    """Every task once, each on a fresh copy in a fresh process."""
    found = []
    with tempfile.TemporaryDirectory() as made:
        subprocess.run([sys.executable, "-m", "bench.workbook", "make", made], check=True, capture_output=True)
        whole = (Path(made) / FILE).read_bytes()
        for name in ("ours", "openpyxl", "ours_reading", "calamine_reading"):
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / FILE).write_bytes(whole)
                command = [sys.executable, "-m", "bench.workbook", name, folder]
                answer = subprocess.run(command, check=True, capture_output=True, text=True)
                found.append(Result(**json.loads(answer.stdout)))
    return found


def alone(name: str, folder: Path) -> Result:
    started = time.perf_counter()
    TASKS[name](folder)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Result(name, round(seconds, 2), round(peak))


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(asdict(alone(sys.argv[1], Path(sys.argv[2])))))
        return
    results = {result.name: result for result in measure()}
    for result in results.values():
        print(f"{result.name:18} {result.seconds:7.2f} s {result.megabytes:6.0f} MB")
    print(f"100 of {ROWS * COLUMNS:,} cells: {results['openpyxl'].seconds / results['ours'].seconds:.1f} times faster")


if __name__ == "__main__":
    main()
