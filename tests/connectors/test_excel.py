"""The workbook on disk: the contract of every sheet, locks, disks that refuse, files that are none."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import openpyxl
import pytest

from connectors.sheets.excel import Excel, ExcelSettings
from connectors.sheets.sheet import Changes, KeyWrite, Sheet, Table
from connectors.sheets.xlsx import replace
from connectors.source import Setting
from connectors.trouble import FixFile, Trouble, TryLater
from sync.messages import LANGUAGES, say
from tests.connectors.sheet_contract import COLUMNS, PEOPLE, TAB, SheetContract, cell, filled, new_row, read, write

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def excel(folder: Path, file: str = "Contacts.xlsx", now: datetime = NOW, language: str = "fr") -> Excel:
    return Excel(ExcelSettings(file=file), Setting("sheet", folder, language=language, now=lambda: now))


class TestExcel(SheetContract):
    def open(self, folder: Path) -> Sheet:
        return excel(folder)

    def edit(self, folder: Path, tab: str, row: str, column: str, value: Any) -> None:
        book = openpyxl.load_workbook(folder / "Contacts.xlsx")
        book[tab][f"{column}{row}"] = value
        book.save(folder / "Contacts.xlsx")


@pytest.fixture
def sheet(tmp_path: Path) -> Excel:
    return excel(tmp_path)


@pytest.fixture
def table(sheet: Excel) -> Table:
    return filled(sheet, PEOPLE)


def one_change(sheet: Excel, table: Table) -> None:
    write(sheet, table, Changes(cells=[cell(table, 0, 0, "Zoë")]))


def beside(sheet: Excel) -> set[str]:
    return {path.name for path in sheet.path.parent.iterdir()} - {replace.BACKUPS}


def refusal(sheet: Excel, table: Table) -> Trouble:
    """The trouble of a write that must change nothing and leave nothing behind; it has a sentence in each language."""
    before, names = sheet.path.read_bytes(), beside(sheet)
    with pytest.raises(Trouble) as caught:
        one_change(sheet, table)
    assert sheet.path.read_bytes() == before
    assert beside(sheet) == names
    for language in LANGUAGES:
        assert "Contacts.xlsx" in say(language, caught.value.code, **caught.value.facts)
    return caught.value


@pytest.mark.parametrize(
    ("lock", "content", "who"),
    [
        (
            "~$Contacts.xlsx",
            b"\x0bMarie Dupr\xe9".ljust(55) + b"\x0b\0" + "Marie Dupré".encode("utf-16-le").ljust(108, b" "),
            "Marie Dupré",
        ),
        ("~$ntacts.xlsx", b"\x05Marie".ljust(55), "Marie"),
        (".~lock.Contacts.xlsx#", "Zoé Roy,zoe,poste-2,22.11.2026 09:00,file:///home/zoe;".encode(), "Zoé Roy"),
        (".~lock.Contacts.xlsx#", b",zoe,poste-2,22.11.2026 09:00,file:///home/zoe;", "zoe"),
        ("~$Contacts.xlsx", b"", None),
    ],
)
def test_an_open_workbook_is_not_written(
    sheet: Excel, table: Table, lock: str, content: bytes, who: str | None
) -> None:
    path = sheet.path.with_name(lock)
    path.write_bytes(content)
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    trouble = refusal(sheet, table)
    assert isinstance(trouble, TryLater)
    assert (trouble.code, trouble.facts.get("who")) == (
        ("workbook-open", who) if who else ("workbook-open-by-someone", None)
    )
    assert read(sheet) == table
    path.unlink()
    one_change(sheet, table)


def test_an_old_lock_is_said_to_be_old_and_still_respected(sheet: Excel, table: Table) -> None:
    path = sheet.path.with_name("~$Contacts.xlsx")
    path.write_bytes(b"\x05Marie")
    old = (NOW - timedelta(days=9, hours=1)).timestamp()
    os.utime(path, (old, old))
    trouble = refusal(sheet, table)
    assert (trouble.code, trouble.facts["days"]) == ("workbook-open-stale", 9)


def test_opened_while_the_new_file_was_being_written(sheet: Excel, table: Table) -> None:
    lock, before = sheet.path.with_name("~$Contacts.xlsx"), sheet.path.read_bytes()

    def open_it(_batch: object) -> None:
        lock.write_bytes(b"\x05Marie")

    with pytest.raises(TryLater):
        sheet.write(table, Changes(cells=[cell(table, 0, 0, "Zoë")]), open_it, print)
    assert sheet.path.read_bytes() == before


def test_saved_while_the_new_file_was_being_written(sheet: Excel, table: Table) -> None:
    def save(_batch: object) -> None:
        book = openpyxl.load_workbook(sheet.path)
        book[TAB]["A2"] = "by hand"
        book.save(sheet.path)

    with pytest.raises(TryLater) as caught:
        sheet.write(table, Changes(cells=[cell(table, 0, 0, "Zoë")]), save, print)
    assert caught.value.code == "sheet-changed"
    assert read(sheet).rows[0].cells[0] == "by hand"
    assert not list(sheet.path.parent.glob(".*.tmp"))


@pytest.mark.parametrize("nth", range(7))
def test_a_full_disk_leaves_the_workbook_alone(
    sheet: Excel, table: Table, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    """The disk is full at the n-th thing written: the folder of copies, the copy, its name, the file, its content …"""
    left = [nth]

    def full(real: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            if real is not open_ or "wb" in args:
                left[0] -= 1
                if left[0] < 0:
                    raise OSError(errno.ENOSPC, "No space left on device")
            opened = real(*args, **kwargs)
            if real is open_ and "wb" in args:
                return Full(opened, full(opened.write))
            return opened

        return call

    open_ = Path.open
    shutil.rmtree(sheet.path.parent / replace.BACKUPS, ignore_errors=True)
    monkeypatch.setattr(shutil, "copy2", full(shutil.copy2))
    for name in ("mkdir", "replace", "open"):
        monkeypatch.setattr(Path, name, full(getattr(Path, name)))
    monkeypatch.setattr(os, "fsync", full(os.fsync))
    monkeypatch.setattr(os, "replace", full(os.replace))
    trouble = refusal(sheet, table)
    assert (type(trouble), trouble.code) == (TryLater, "workbook-disk-full")


class Full:
    """An open file whose writing fails."""

    def __init__(self, file: Any, write: Any) -> None:
        self.file, self.write = file, write
        self.flush, self.fileno = file.flush, file.fileno

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


@pytest.mark.parametrize("call", ["replace", "fsync"])
@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.EACCES, "workbook-no-permission"), (errno.EROFS, "workbook-no-permission"), (errno.EIO, "workbook-disk")],
)
def test_a_disk_that_refuses(
    sheet: Excel, table: Table, monkeypatch: pytest.MonkeyPatch, call: str, number: int, code: str
) -> None:
    def refuse(*_args: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, refuse)
    assert refusal(sheet, table).code == code


def test_a_read_only_workbook_is_left_alone(sheet: Excel, table: Table) -> None:
    sheet.path.chmod(0o444)
    assert refusal(sheet, table).code == "workbook-read-only"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FixFile) as caught:
        excel(tmp_path, "nowhere/Contacts.xlsx").read(TAB)
    assert caught.value.code == "workbook-folder-missing"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "workbook-empty"),
        (b"\0" * 4096, "workbook-empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000, "workbook-other-format"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "workbook-password"),
        (b"Nom;Courriel\nRoy;roy@example.org\n", "workbook-other-format"),
        (b"<html><table><tr><td>Nom</td></tr></table></html>", "workbook-other-format"),
        (b"PK\x03\x04 and then nothing", "workbook-damaged"),
        (os.urandom(3000), "workbook-damaged"),
    ],
)
def test_what_is_no_workbook_is_called_by_its_name(tmp_path: Path, content: bytes, code: str) -> None:
    sheet = excel(tmp_path)
    sheet.path.write_bytes(content)
    for ask in (sheet.read, sheet.check, lambda tab: sheet.create(tab, COLUMNS)):
        with pytest.raises(FixFile) as caught:
            ask(TAB)
        assert caught.value.code == code
        for language in LANGUAGES:
            assert "Contacts.xlsx" in say(language, code, **caught.value.facts)
    assert sheet.path.read_bytes() == content


def test_a_workbook_cut_anywhere_is_damaged_never_half_read(sheet: Excel, table: Table) -> None:
    whole = sheet.path.read_bytes()
    for share in range(1, 40):
        sheet.path.write_bytes(whole[: len(whole) * share // 40])
        with pytest.raises(FixFile) as caught:
            sheet.read(TAB)
        assert caught.value.code == "workbook-damaged"
    for place in range(40, len(whole) - 40, max(1, len(whole) // 60)):
        spoilt = bytearray(whole)
        spoilt[place] ^= 0x55
        sheet.path.write_bytes(spoilt)
        try:
            found = sheet.read(TAB)
        except FixFile:
            continue
        assert found is None or [row.cells for row in found.rows] == [row.cells for row in table.rows]


def test_other_zip_files_are_no_workbooks(tmp_path: Path) -> None:
    sheet = excel(tmp_path)
    with zipfile.ZipFile(sheet.path, "w") as book:
        book.writestr("readme.txt", "nothing")
    with pytest.raises(FixFile, match="workbook-damaged"):
        sheet.read(TAB)
    with zipfile.ZipFile(sheet.path, "w") as book:
        book.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    with pytest.raises(FixFile, match="workbook-other-format"):
        sheet.read(TAB)


def test_only_names_of_workbooks(tmp_path: Path) -> None:
    with pytest.raises(FixFile, match="workbook-name"):
        excel(tmp_path, "Contacts.csv").check(TAB)


@pytest.mark.parametrize("tab", ["", "a/b", "x" * 32, "[a]", "'a'"])
def test_names_that_no_tab_can_have(sheet: Excel, tab: str) -> None:
    with pytest.raises(FixFile, match="workbook-tab-name"):
        sheet.create(tab, COLUMNS)
    assert not sheet.path.exists()


def test_mode_and_attributes_stay(sheet: Excel, table: Table) -> None:
    sheet.path.chmod(0o664)
    try:
        os.setxattr(sheet.path, "user.colour", b"red")
    except OSError:
        pytest.skip("this file system keeps no extended attributes")
    one_change(sheet, table)
    assert stat.S_IMODE(sheet.path.stat().st_mode) == 0o664
    assert os.getxattr(sheet.path, "user.colour") == b"red"


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "Contacts.xlsx").symlink_to("real/Équipe.xlsx")
    sheet = excel(tmp_path)
    one_change(sheet, filled(sheet, PEOPLE))
    assert (tmp_path / "Contacts.xlsx").is_symlink()
    assert (tmp_path / "real" / "Équipe.xlsx").is_file()
    assert read(sheet).rows[0].cells[0] == "Zoë"


def test_a_copy_a_day_is_kept_and_the_last_ten(tmp_path: Path) -> None:
    filled(excel(tmp_path), PEOPLE)
    for day in range(12):
        for value in ("morning", "evening"):
            sheet = excel(tmp_path, now=NOW + timedelta(days=day))
            table = read(sheet)
            write(sheet, table, Changes(cells=[cell(table, 0, 0, f"{value} {day}")]))
    copies = replace.backups(tmp_path / "Contacts.xlsx")
    assert [copy.name for copy in copies] == [
        f"Contacts {NOW + timedelta(days=day):%Y-%m-%d}.xlsx" for day in range(2, 12)
    ]
    assert openpyxl.load_workbook(copies[-1])[TAB]["A2"].value == "evening 10"


def test_headers_below_a_title_blank_rows_and_a_key_column_made_when_it_is_needed(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    tab = book.active
    assert tab is not None
    tab.title = TAB
    tab["A1"] = "Public du Théâtre du Phare"
    tab.merge_cells("A1:C1")
    for column, header in enumerate(["Nom", "Courriel\nprincipal", "Né le"], 1):
        tab.cell(4, column, header)
    tab.append(["Roy", "roy@example.org", date(1980, 5, 6)])
    tab["A8"], tab["B8"] = "Côté", "cote@example.org"
    tab["A40"] = None
    book.save(tmp_path / "Contacts.xlsx")
    sheet = excel(tmp_path)
    table = read(sheet)
    assert [column.header for column in table.columns] == ["Nom", "Courriel principal", "Né le"]
    assert [(row.ref, row.key, row.cells) for row in table.rows] == [
        ("5", None, ["Roy", "roy@example.org", date(1980, 5, 6)]),
        ("8", None, ["Côté", "cote@example.org", None]),
    ]
    row = new_row(table, "P3", ("Ali", None, date(1990, 1, 2)))
    write(sheet, table, Changes(keys=[KeyWrite("5", "P1"), KeyWrite("8", "P2")], rows=[row]))
    after = read(sheet)
    assert [(row.ref, row.key) for row in after.rows] == [("5", "P1"), ("8", "P2"), ("9", "P3")]
    tab = openpyxl.load_workbook(sheet.path)[TAB]
    assert (tab["D4"].value, tab.column_dimensions["D"].hidden) == ("Fil rouge", True)
    assert [str(place) for place in tab.merged_cells.ranges] == ["A1:C1"]


def test_dates_that_excel_does_not_have_become_text(sheet: Excel) -> None:
    values = (date(1899, 12, 31), date(1900, 1, 1), date(1900, 2, 28), date(1900, 3, 1), date(9999, 12, 31))
    table = filled(sheet, [(None, None, value, None, None, None) for value in values])
    assert [row.cells[2] for row in table.rows] == ["1899-12-31", *values[1:]]


def test_numbers_that_a_cell_can_not_hold(sheet: Excel, table: Table) -> None:
    batches = write(sheet, table, Changes(cells=[cell(table, 0, 3, float("nan")), cell(table, 1, 3, 10**17)]))
    assert [refused.code for refused in batches[0].refused] == ["sheet-no-number"]
    assert [row.cells[3] for row in read(sheet).rows] == [3, str(10**17), None]
    assert batches[0].changes.cells[0].value == str(10**17)


def test_a_cell_of_nobody_is_refused(sheet: Excel, table: Table) -> None:
    strange = cell(table, 0, 0, "x")
    outside = type(strange)(strange.row, strange.key, "ZZ", "x", None)
    header = type(strange)("1", strange.key, "A", "x", None)
    batches = write(sheet, table, Changes(cells=[outside, header]))
    assert [refused.code for refused in batches[0].refused] == ["sheet-no-cell"] * 2
    assert read(sheet) == table


def test_a_new_tab_in_the_teams_workbook_leaves_every_other_part_alone(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.save(tmp_path / "Contacts.xlsx")
    sheet = excel(tmp_path)
    filled(sheet, PEOPLE)
    again = openpyxl.load_workbook(sheet.path)
    assert again.sheetnames == ["Sheet", TAB]
    assert again[TAB]["A1"].font.b
    assert again[TAB].freeze_panes == "A2"
    assert again[TAB].column_dimensions["G"].hidden


def test_an_empty_tab_gets_its_headers(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = TAB  # type: ignore[union-attr]
    book.save(tmp_path / "Contacts.xlsx")
    table = filled(excel(tmp_path), PEOPLE)
    assert [tuple(row.cells) for row in table.rows] == list(PEOPLE)
    assert [row.key for row in table.rows] == ["P0", "P1", "P2"]


def test_the_name_of_a_tab_in_other_letters(sheet: Excel, table: Table) -> None:
    assert read(sheet, " contacts ").rows == table.rows
