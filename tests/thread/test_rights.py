"""The rights of access and erasure, by the commands: what is given, what remains, and that nobody comes back."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sync import runs
from sync.followup import suppression
from sync.followup.consent import hashed
from sync.store import Store
from tests.thread.small import LINES, Small, line

JEANNE, AWA = "jeanne.exemple@example.org", "awa.diallo@example.org"
TABS = "  tab: Contacts\n  todo: À faire\n  outbox: Courriels\n  check: À vérifier\n  journal: Journal\n"


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with tabs beside, e-mails gone, and a correction of the team's."""
    small = Small(tmp_path_factory.mktemp("rights") / "phare")
    small.change("config.yaml", "  tab: Contacts\n", TABS)
    mail = "      - courriel: on-se-revoit\n"
    small.change("rules/public.yaml", mail, f"{mail}      - tâche: Appeler {{{{ prénom }}}}\n")
    small.run()
    small.edit("Jeanne", "Nom", "Exemplaire")
    small.filrouge("approve", "perdus-de-vue")
    small.run()
    return small.folder


@pytest.fixture
def phare(settled: Path, tmp_path: Path) -> Small:
    shutil.copytree(settled, tmp_path / "phare")
    small = Small.__new__(Small)
    small.folder = tmp_path / "phare"
    return small


def mails_to(small: Small, address: str) -> int:
    return sum(address in (small.folder / "outbox" / name).read_text("utf-8") for name in small.mails())


def traces(folder: Path, *words: str) -> list[str]:
    """Where in the store and the workbook these words still stand, as bytes: free pages and old logs too."""
    found = []
    for file in folder.glob("filrouge.db*"):
        data = file.read_bytes().lower()
        found += [f"{file.name}: {word}" for word in words if word.lower().encode() in data]
    with zipfile.ZipFile(folder / "Contacts.xlsx") as parts:
        for name in parts.namelist():
            text = parts.read(name).decode("utf-8", "replace").lower()
            found += [f"{name}: {word}" for word in words if word.lower() in text]
    return found


def test_without_a_yes_nothing_is_erased(phare: Small) -> None:
    done = phare.filrouge("person", "erase", JEANNE)
    assert done.code == 7
    assert phare.row("Jeanne")["Courriel"] == JEANNE
    assert phare.filrouge("person", "show", JEANNE).code == 0


def test_nothing_of_the_erased_remains_and_the_others_do(phare: Small) -> None:
    awa = phare.row("Awa")
    assert mails_to(phare, JEANNE) == 1
    done = phare.filrouge("person", "erase", JEANNE, "--yes", "--json")
    assert done.code == 0, done.erred
    assert done.facts["sheet"] == "empty"
    assert traces(phare.folder, "jeanne", "exemplaire") == []
    assert mails_to(phare, JEANNE) == 0
    assert phare.row("Awa") == awa
    assert done.facts["files"] == ["exports/billets.csv"]


def told_elsewhere(small: Small) -> None:
    """Jeanne in words: a line that can't be read, a task that is over, the team's words, a server's answer."""
    small.export((*LINES, line(9, "Jeanne Exemple", "Cyrano", "99/99/2026")))
    small.tick("À faire", "Appeler Jeanne")
    for _ in range(2):
        small.run()
    store = Store.open(f"sqlite:///{small.folder}/filrouge.db", "theatre-du-phare", datetime.now(UTC))
    with store.begin() as connection:
        suppression.add(connection, store.org, hashed(JEANNE), "unsubscribed", datetime.now(UTC), "page")
    refused = f"550 5.1.1 <{JEANNE}>: user unknown"
    runs.remember(store, "staff told", json.dumps({"broken": {"mail": ["mail-too-many-refusals", refused]}}))
    runs.finish(store, 1, "partial", {"notes": [refused], "lines": [f"Jeanne EXEMPLE : {refused}"]}, datetime.now(UTC))
    store.close()
    small.filrouge("person", "allow", JEANNE, "Jeanne Exemple l'a dit au guichet")
    (small.folder / "outbox" / "team.eml").write_bytes("Subject: Jeanne Exemplaire est de retour\n\n…".encode())


def test_nothing_remains_of_them_in_words_either(phare: Small) -> None:
    told_elsewhere(phare)
    phare.filrouge("person", "export", JEANNE)
    pages = len(list((phare.folder / "reports").glob("*.html")))
    done = phare.filrouge("person", "erase", JEANNE, "--yes", "--json")
    assert traces(phare.folder, "jeanne", "exemplaire") == []
    ours = [file.read_text("utf-8") for file in (phare.folder / "reports").glob("*.html")]
    assert 0 < len(ours) < pages
    assert not any("Jeanne" in text for text in [*ours, (phare.folder / "report.html").read_text("utf-8")])
    code = done.facts["code"]
    assert done.facts["files"] == ["exports/billets.csv", "outbox/team.eml", f"{code}.html", f"{code}.json"]
    assert phare.run().code == 0, "what is left can be read"


def test_what_they_stood_in_is_not_taken_in_again_but_what_is_new_is(phare: Small) -> None:
    phare.filrouge("person", "erase", JEANNE, "--yes")
    phare.export((*LINES, line(6, "Zoé Neuve", "Ubu roi", "01/03/2026")))  # the whole file is read anew
    phare.run()
    assert sorted(row["Prénom"] for row in phare.rows() if row["Prénom"]) == ["Awa", "Luc", "Zoé"]
    assert traces(phare.folder, "jeanne") == []
    phare.export((*LINES, line(7, "Jeanne Exemple", "Ubu roi", "02/03/2026")))
    phare.run()
    assert phare.row("Jeanne")["Visites"] == 1


def test_who_came_back_is_not_written_to_until_they_ask(phare: Small) -> None:
    phare.filrouge("person", "erase", JEANNE, "--yes")
    before = len(phare.mails())
    phare.export(
        (*LINES, line(7, "Jeanne Exemple", "Ubu roi", "02/03/2024"), line(8, "Jeanne Exemple", "Médée", "05/03/2024"))
    )
    phare.run()
    phare.run()
    assert len(phare.mails()) == before


def test_who_shared_an_address_with_the_erased_is_still_written_to_at_their_own(phare: Small) -> None:
    """Awa once booked with Jeanne's address."""
    shared = line(9, "Awa Diallo", "Cyrano", "01/02/2023").replace(AWA, JEANNE).replace("01/02/2024", "01/02/2022")
    phare.export((shared,), "autres.csv")
    phare.run()
    codes = {name: people_called(phare, name) for name in ("Awa", "Jeanne")}
    assert phare.filrouge("person", "merge", *codes["Awa"]).code == 0
    phare.run()
    assert phare.filrouge("person", "erase", codes["Jeanne"][0], "--yes").code == 0
    rights = phare.filrouge("person", "show", codes["Awa"][0], "--json").facts["rights"]
    assert (rights["marketing"]["may"], rights["service"]["may"]) == (True, True)
    phare.export((*LINES, line(7, "Jeanne Exemple", "Ubu roi", "02/03/2026")))
    phare.run()
    (back,) = people_called(phare, "Jeanne")
    rights = phare.filrouge("person", "show", back, "--json").facts["rights"]
    assert rights["marketing"] == {"may": False, "reason": "erased", "basis": None, "until": None}


def people_called(small: Small, name: str) -> list[str]:
    with sqlite3.connect(small.folder / "filrouge.db") as connection:
        sql = "SELECT p.code FROM person AS p JOIN profile AS f ON f.person = p.id WHERE f.first_name = ? ORDER BY p.id"
        return [code for (code,) in connection.execute(sql, (name,))]


def test_a_workbook_in_use_is_emptied_by_the_next_run(phare: Small) -> None:
    lock = phare.folder / "~$Contacts.xlsx"
    lock.write_bytes(b"\x05marie")
    done = phare.filrouge("person", "erase", JEANNE, "--yes")
    assert done.code == 1
    lock.unlink()
    phare.run()
    phare.run()
    assert traces(phare.folder, "jeanne", "exemplaire") == []
    proof = phare.filrouge("person", "erased", "--json").facts["erased"]
    assert len(proof) == 1
    assert proof[0]["sheet_empty"]


def test_the_erased_are_known_by_their_proof_alone(phare: Small) -> None:
    code = phare.filrouge("person", "show", JEANNE, "--json").facts["code"]
    phare.filrouge("person", "erase", JEANNE, "--yes")
    told = phare.filrouge("person", "show", code)
    assert told.code == 2
    assert "a été effacé" in told.erred
    with sqlite3.connect(phare.folder / "filrouge.db") as connection:
        assert connection.execute("SELECT count(*) FROM erasure WHERE done IS NOT NULL").fetchone() == (1,)


def test_the_export_has_what_is_known_and_nobody_else(phare: Small, tmp_path: Path) -> None:
    target = tmp_path / "to-give"
    done = phare.filrouge("person", "export", JEANNE, "--to", str(target))
    assert done.code == 0, done.erred
    (page,), (data,) = target.glob("*.html"), target.glob("*.json")
    facts = json.loads(data.read_text("utf-8"))
    assert {value["field"]: value["value"] for value in facts["values"]}["last_name"] == "Exemplaire"
    assert facts["row_in_the_sheet"]["Courriel"] == JEANNE
    assert {one["kind"] for one in facts["did"]} == {"order", "visit"}
    assert facts["e-mails"][0]["state"] == "sent"
    for file in (page, data):
        text = file.read_text("utf-8")
        assert "Exemplaire" in text
        assert "Awa" not in text
        assert file.stat().st_mode & 0o077 == 0


def test_an_e_mail_of_which_nobody_knows_whether_it_went_stays_so_without_a_name(phare: Small) -> None:
    with sqlite3.connect(phare.folder / "filrouge.db") as connection:
        connection.execute("UPDATE outbox SET state = 'uncertain', settled_at = ?", (1_773_400_000_000_000,))
    phare.filrouge("person", "erase", JEANNE, "--yes")
    assert phare.run().code == 0
    with sqlite3.connect(phare.folder / "filrouge.db") as connection:
        assert connection.execute("SELECT state, message_id FROM outbox").fetchall() == [("uncertain", None)]
