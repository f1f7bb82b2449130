"""The store is lost, or put back from an older copy, while the team's sheet goes on: nobody becomes somebody else."""

from __future__ import annotations

import shutil
from typing import Any

import openpyxl

from tests.thread.small import Small, line

NAMES = ("Awa", "Bao", "Clara", "Driss", "Emma", "Fanny", "Gus", "Hugo", "Ida", "Jules", "Karim", "Lina")


def lines(names: tuple[str, ...]) -> tuple[str, ...]:
    """Each came once more than the one before; of two persons, never the same facts."""
    tickets = [(name, visit) for place, name in enumerate(names) for visit in range(place + 1)]
    return tuple(
        line(100 + n, f"{name} Exemple", "Cyrano", f"{visit % 27 + 1:02}/03/2024")
        for n, (name, visit) in enumerate(tickets)
    )


def forget(small: Small) -> None:
    for file in small.folder.glob("filrouge.db*"):
        file.unlink()


def remark(small: Small, remarks: dict[str, str]) -> None:
    """The team's own column, right of everything."""
    file = small.folder / "Contacts.xlsx"
    book = openpyxl.load_workbook(file)
    sheet = book["Contacts"]
    column = sheet.max_column + 1
    sheet.cell(1, column).value = "Remarques"
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, column).value = remarks[str(sheet.cell(row, 1).value)]
    book.save(file)


def said(small: Small) -> dict[str, Any]:
    """By first name what stands in a row, but for its code."""
    return {row.pop("Prénom"): {**row, "Fil rouge": ""} for row in small.rows()}


def codes(small: Small) -> set[str]:
    return {row["Fil rouge"] for row in small.rows()}


def test_a_lost_store_is_noticed_before_a_cell_is_written(small: Small) -> None:
    small.change("config.yaml", "  tab: Contacts\n", "  tab: Contacts\n  outbox: Courriels\n  journal: Journal\n")
    small.export(lines(NAMES))
    small.run()
    before = (small.folder / "Contacts.xlsx").read_bytes()
    forget(small)
    small.export(lines(NAMES[::-1]))
    done = small.filrouge("run", today="2026-03-15")
    assert done.code == 7
    assert "--allow-foreign 12" in done.said
    assert (small.folder / "Contacts.xlsx").read_bytes() == before
    small.filrouge("approve", "perdus-de-vue")
    small.run()
    assert small.mails() == []  # whom not to write to stands in a sheet that can't be read yet


def test_everybody_is_recognised_when_the_team_says_so(small: Small) -> None:
    small.export(lines(NAMES))
    small.run()
    remark(small, {name: f"{name}: place 12" for name in NAMES})
    small.run()
    before, old = said(small), codes(small)
    forget(small)
    small.run("--allow-foreign", "11")
    assert said(small) == before  # yes to 11 is not yes to 12
    small.run("--allow-foreign", "12")
    assert said(small) == before
    assert not codes(small) & old
    again = small.run()
    assert again.facts["cells"]["written"] == 0


def test_a_store_put_back_from_an_older_copy_gives_nobody_the_row_of_another(small: Small) -> None:
    small.export(lines(NAMES[:9]))
    small.run()
    shutil.copy(small.folder / "filrouge.db", small.folder / "copy")
    small.export(lines(NAMES))
    small.run()
    before = said(small)
    forget(small)
    shutil.move(small.folder / "copy", small.folder / "filrouge.db")
    newest = (*lines(NAMES[:9]), line(900, "Lina Exemple", "Ubu roi", "01/02/2026"))
    small.export(newest)
    small.run()
    row = small.row("Lina")
    assert (row["Courriel"], row["Visites"]) == ("lina.exemple@example.org", 1)
    small.export((*lines(NAMES), line(900, "Lina Exemple", "Ubu roi", "01/02/2026")))
    small.run()
    lina = before.pop("Lina")
    found = said(small)
    assert found.pop("Lina")["Visites"] == lina["Visites"] + 1
    assert found == before


def test_an_older_copy_sends_nothing_again_without_a_yes(small: Small) -> None:
    small.export(lines(NAMES[:9]))
    small.run()
    small.filrouge("approve", "perdus-de-vue")
    small.run()
    shutil.copy(small.folder / "filrouge.db", small.folder / "copy")
    small.export(lines(NAMES))
    small.run(today="2026-03-16")
    went = small.mails()
    assert len(went) == 11  # all but Awa, who came once
    forget(small)
    shutil.move(small.folder / "copy", small.folder / "filrouge.db")
    done = small.filrouge("run", today="2026-03-20")
    assert small.mails() == went
    assert "copie plus ancienne" in done.said
    assert small.run(today="2026-03-21").facts["mail"]["waiting"] == 3
    assert small.mails() == went


def test_an_older_copy_is_known_also_when_nobody_new_stands_in_the_sheet(small: Small) -> None:
    small.export((*lines(NAMES[1:3]), line(900, "Awa Diallo", "Cyrano", "10/03/2024")))
    small.run()
    small.filrouge("approve", "perdus-de-vue")
    small.run()
    shutil.copy(small.folder / "filrouge.db", small.folder / "copy")
    small.export((line(901, "Awa Diallo", "Antigone", "12/05/2024"),), "suite.csv")
    small.run(today="2026-03-16")
    went = small.mails()
    assert "awa" in went[-1]
    forget(small)
    shutil.move(small.folder / "copy", small.folder / "filrouge.db")
    done = small.filrouge("run", today="2026-03-20")
    assert small.mails() == went
    assert "copie plus ancienne" in done.said
    again = small.run(today="2026-03-21")
    assert (again.facts["mail"]["waiting"], small.mails()) == (1, went)
    assert "copie plus ancienne" not in str(again.facts["notes"])
