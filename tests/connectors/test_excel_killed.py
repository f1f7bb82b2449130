"""`kill -9` at any instant of a write, and a disk that really refuses: the workbook is the old one or the new one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from connectors.sheets.sheet import Changes
from tests.connectors.sheet_contract import TAB, cell, filled, read, write
from tests.connectors.test_excel import excel

WRITE = """
import os, resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from connectors.sheets.excel import Excel, ExcelSettings
from connectors.sheets.sheet import CellWrite, Changes
from connectors.source import Setting
from connectors.trouble import Trouble

folder, value, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
sheet = Excel(ExcelSettings(file="Contacts.xlsx"), Setting("sheet", folder, now=lambda: datetime(2026, 11, 22, tzinfo=UTC)))
if limit:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    for turn in range(1 if limit else 10_000):
        table = sheet.read("Contacts")
        cells = [CellWrite(row.ref, row.key, "A", f"{value} {turn}", None) for row in table.rows]
        print("stamp", flush=True)
        sheet.write(table, Changes(cells=cells), lambda batch: None, lambda batch: None)
except Trouble as trouble:
    print(trouble.code, flush=True)
"""
PEOPLE = [(f"Personne {n}", f"p{n}@example.org", None, n, None, None) for n in range(400)]


def writer(folder: Path, value: str, limit: int = 0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITE, str(folder), value, str(limit)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip


def names(folder: Path) -> set[str]:
    """What stands in the first column, read by us and by openpyxl: each must find the whole workbook."""
    table = read(excel(folder))
    page = openpyxl.load_workbook(folder / "Contacts.xlsx")[TAB]
    ours = [row.cells[0] for row in table.rows]
    assert ours == [page.cell(row, 1).value for row in range(2, len(PEOPLE) + 2)]
    assert [row.cells[1] for row in table.rows] == [person[1] for person in PEOPLE]
    return {str(name) for name in ours}


def _killed_often(folder: Path, times: int) -> None:
    filled(excel(folder), PEOPLE)
    chance = random.Random(7)
    for turn in range(times):
        with writer(folder, f"turn {turn}") as process:
            assert process.stdout is not None
            process.stdout.readline()
            try:
                process.wait(timeout=chance.uniform(0, 0.12))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        found = names(folder)
        assert len(found) == 1 or found == {person[0] for person in PEOPLE}
    sheet = excel(folder)
    table = read(sheet)
    write(sheet, table, Changes(cells=[cell(table, 0, 0, "after all")]))
    assert "after all" in names(folder)
    assert not [path for path in folder.iterdir() if path.name.endswith(".tmp")]


def test_killed_at_random_instants_the_workbook_is_whole(tmp_path: Path) -> None:
    _killed_often(tmp_path, 5)


@pytest.mark.long
def test_killed_at_many_random_instants_the_workbook_is_whole(tmp_path: Path) -> None:
    _killed_often(tmp_path, 100)


@pytest.mark.parametrize("limit", [1, 4_000, 9_000])
def test_when_the_disk_takes_no_more_the_workbook_stays(tmp_path: Path, limit: int) -> None:
    """The system itself refuses to write past `limit` bytes, in the copy or in the new file."""
    table = filled(excel(tmp_path), PEOPLE)
    before = (tmp_path / "Contacts.xlsx").read_bytes()
    assert len(before) > limit
    with writer(tmp_path, "new", limit) as process:
        assert process.stdout is not None
        assert process.stdout.read().split() == ["stamp", "workbook-disk-full"]
    assert (tmp_path / "Contacts.xlsx").read_bytes() == before
    assert read(excel(tmp_path)) == table
    assert {path.name for path in tmp_path.iterdir()} <= {"Contacts.xlsx", ".filrouge-backups"}
