"""The store is lost, or put back from an older copy, while the team's sheet goes on: nobody becomes somebody else."""

from __future__ import annotations

import re
import shutil
from contextlib import closing
from typing import Any

import openpyxl
import pytest

from sync.desk import Desk
from sync.followup.consent import hashed
from sync.followup.tokens import Meant
from sync.unsubscribing import Unsubscribing
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


def twice(number: int, name: str) -> tuple[str, ...]:
    return tuple(line(number + n, name, show, "12/05/2024") for n, show in enumerate(("Cyrano", "Antigone")))


@pytest.fixture
def put_back(small: Small) -> Small:
    """The whole folder but the workbook, which stood elsewhere, comes from a copy. Since then Awa has unsubscribed on the
    page, Bao by a mail that is still in the mailbox, and Driss was written to; all that had been approved for good.
    """
    small.change("config.yaml", "  tab: Contacts\n", "  tab: Contacts\n  outbox: Courriels\n")
    small.change("config.yaml", "Signaux: flags", "Signaux: flags, Infolettre: newsletter")
    small.change("config.yaml", "rules: rules/", 'rules: rules/\nweb: {address: "https://nouvelles.example.org"}')
    small.change("rules/templates/on-se-revoit.md", "purpose: service\n", "")
    small.change(
        "rules/public.yaml", "- courriel: on-se-revoit", "- courriel: on-se-revoit\n        encore: après 3 jours"
    )
    small.export((*twice(900, "Awa Diallo"), *twice(910, "Bao Exemple"), *twice(920, "Clara Exemple")))
    small.run()
    small.filrouge("approve", "perdus-de-vue")
    small.run()
    assert len(small.mails()) == 3
    kept = small.folder.parent / "copy"
    kept.mkdir()
    for file in (*small.folder.glob("filrouge.db*"), *small.folder.glob("*.sent")):
        shutil.copy(file, kept)
    small.export(twice(930, "Driss Exemple"), "suite.csv")
    with closing(Desk.open(small.folder / "config.yaml", None)) as desk:
        acts = Unsubscribing(desk)
        acts.refuse(acts.seal.token(Meant(hashed("awa.diallo@example.org"), "marketing")), "page")
    small.run(today="2026-03-15")
    assert (len(small.mails()), small.row("Awa")["Infolettre"]) == (4, "désinscrit")
    forget(small)
    for file in kept.iterdir():
        shutil.copy(file, small.folder)
    return small


def test_after_a_whole_folder_was_put_back_no_news_goes_before_a_person_has_looked(put_back: Small) -> None:
    small, went = put_back, put_back.mails()
    done = small.filrouge("run", today="2026-03-18")
    assert done.code == 7
    for word in ("après le", "--allow-older", "POST /stop/", "1 personne figure"):
        assert word in done.said
    small.filrouge("approve", "perdus-de-vue")
    again = small.run(today="2026-03-19")
    assert again.facts["mail"]["held"] == {"older-copy": 3}
    assert again.facts["state"] == "waiting"
    assert small.mails() == went
    number = re.findall(r"--allow-older (\d+)", str(again.facts["notes"]))[0]
    assert small.mails() == went
    small.run("--allow-older", str(int(number) - 1), today="2026-03-19")
    assert small.mails() == went
    last = small.run("--allow-older", number, today="2026-03-19")
    assert "allow-older" not in str(last.facts["notes"])
    new = set(small.mails()) - set(went)
    assert {name.split()[1].rpartition("-")[2] for name in new} == {"bao", "clara"}  # the sheet says that Driss had it
    assert small.row("Awa")["Infolettre"] == "désinscrit"


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
