"""What goes wrong every day: each has a clear sentence, the right exit code, and nothing is lost."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sync.desk import Desk
from sync.run import run_once
from sync.work import Wishes
from tests.thread.small import HEAD, LINES, Small, line

AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def test_an_unknown_key_in_the_config(small: Small) -> None:
    small.change("config.yaml", "schedule:", "shedule:")
    done = small.filrouge("run")
    assert done.code == 2
    assert "config.yaml:11:1" in done.erred
    assert "`schedule`" in done.erred
    assert "^" in done.erred


def test_a_rule_broken_on_purpose(small: Small) -> None:
    small.change("rules/public.yaml", "au moins 2", "au moin 2")
    done = small.filrouge("run")
    assert done.code == 2
    assert "rules/public.yaml:3:" in done.erred
    assert "au moins 2" in done.erred
    assert not (small.folder / "Contacts.xlsx").exists()
    checked = small.filrouge("check", "--json")
    assert (checked.code, len(checked.facts["mistakes"])) == (2, 1)


def test_a_rule_that_lies_too_deep_is_told(small: Small) -> None:
    archive = small.folder / "rules" / "archives"
    archive.mkdir()
    (archive / "vieux.yaml").write_text("règles:\n", "utf-8")
    checked = small.filrouge("check")
    assert checked.code == 0
    assert "rules/archives/vieux.yaml n'est pas lu" in checked.said


def test_a_template_with_a_mistake(small: Small) -> None:
    small.change("rules/templates/on-se-revoit.md", '{{ prénom or "à vous" }}', "{{ prenon }}")
    done = small.filrouge("check")
    assert done.code == 2
    assert "on-se-revoit.md:5" in done.said
    assert "prénom" in done.said


def test_a_wrong_token_leaves_the_rest_of_the_run_done(small: Small) -> None:
    from tests.fakes.pretix import FakePretix

    with FakePretix() as fake:
        small.change(
            "config.yaml",
            "sources:\n",
            f'sources:\n  billets: {{type: pretix, url: "{fake.url}", organizer: phare, token: "${{TOKEN}}"}}\n',
        )
        done = small.filrouge("run", "--json", TOKEN="wrong", no_proxy="127.0.0.1")
        assert done.code == 1
        assert done.facts["state"] == "partial"
        assert "jeton" in done.facts["sources"]["billets"]["error"]
        assert "wrong" not in done.said + done.erred
        assert done.facts["people"]["total"] == 3
        assert done.facts["cells"]["rows_added"] == 3


def test_a_service_that_is_down(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    small.change(
        "config.yaml", "sources:\n", 'sources:\n  lettre: {type: ghost, url: "http://127.0.0.1:9", key: "${KEY}"}\n'
    )
    monkeypatch.setenv("KEY", f"{'a' * 24}:{'b' * 64}")
    waits: list[float] = []
    monkeypatch.setattr("connectors.client.time.sleep", waits.append)
    desk = Desk.open(small.folder / "config.yaml", None)
    done = run_once(desk, Wishes(), "test")
    desk.close()
    assert done.code == 1
    assert "127.0.0.1" in done.facts["sources"]["lettre"]["error"]
    assert done.facts["people"]["total"] == 3
    assert len(waits) >= 2


def test_a_half_written_csv(small: Small) -> None:
    small.run()
    whole = "\n".join([HEAD, *LINES, line(6, "Zoé Martin", "Ubu roi", "01/03/2026")]) + "\n"
    small.write("exports/billets.csv", whole[: whole.rindex("Zoé") + 2])
    done = small.run()
    assert done.facts["people"]["total"] == 3
    small.write("exports/billets.csv", whole)
    assert small.run().facts["people"]["total"] == 4


def test_a_line_that_cannot_be_understood(small: Small) -> None:
    small.export((*LINES, line(6, "Zoé Martin", "Ubu roi", "bientôt")))
    done = small.run()
    assert done.facts["sources"]["exports"]["set_aside"] == 1
    assert "billets.csv:7" in (small.folder / "report.html").read_text("utf-8")


@pytest.mark.parametrize("lock", ["~$Contacts.xlsx", ".~lock.Contacts.xlsx#"])
def test_a_workbook_that_is_open(small: Small, lock: str) -> None:
    small.run()
    small.export((*LINES, line(6, "Zoé Martin", "Ubu roi", "01/03/2026")))
    (small.folder / lock).write_bytes(b"Marie")
    before = (small.folder / "Contacts.xlsx").read_bytes()
    done = small.run()
    assert done.code == 1
    assert "Contacts.xlsx" in " ".join(done.facts["notes"])
    assert (small.folder / "Contacts.xlsx").read_bytes() == before
    assert done.facts["people"]["total"] == 4
    (small.folder / lock).unlink()
    assert small.run().facts["cells"]["rows_added"] == 1


def test_a_workbook_that_is_none(small: Small) -> None:
    small.write("Contacts.xlsx", "ceci n'est pas un classeur")
    done = small.run()
    assert done.code == 1
    assert (small.folder / "Contacts.xlsx").read_text("utf-8") == "ceci n'est pas un classeur"


def test_an_emptied_sheet_closes_the_gate_until_a_person_says_so(small: Small) -> None:
    many = tuple(line(100 + n, f"Prénom{n} Nom{n}", "Cyrano", "10/03/2024") for n in range(30))
    small.export(many)
    small.run()
    import openpyxl

    file = small.folder / "Contacts.xlsx"
    book = openpyxl.load_workbook(file)
    book["Contacts"].delete_rows(2, 25)
    book.save(file)
    done = small.run()
    assert (done.code, done.facts["state"]) == (7, "waiting")
    assert "--allow-missing 25" in " ".join(done.facts["gates"])
    assert len(small.rows()) == 5
    for _ in range(2):
        small.run("--allow-missing", "25")
    assert len(small.rows()) == 5


def test_a_clock_set_back(small: Small) -> None:
    small.run()
    import sqlite3

    with sqlite3.connect(small.folder / "filrouge.db") as store:
        store.execute("UPDATE run SET started = started + 7200000000")
    store.close()
    done = small.filrouge("run")
    assert done.code == 7
    assert "--allow-clock" in done.erred
    hours = done.erred.split("--allow-clock ")[1].split("`")[0]
    assert small.filrouge("run", "--allow-clock", hours).code in (0, 7)


@pytest.mark.skipif(
    not Path("/dev/full").exists() or not AS_ROOT or shutil.which("mount") is None,
    reason="needs root and a small file system to fill",
)
def test_a_full_disk(small: Small, tmp_path: Path) -> None:
    import subprocess

    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], check=False, capture_output=True
    ).returncode:
        pytest.skip("no small file system can be mounted here")
    try:
        on_disk = Small(disk / "phare")
        on_disk.run()
        rows = on_disk.rows()
        on_disk.export((*LINES, line(6, "Zoé Martin", "Ubu roi", "01/03/2026")))
        filler = disk / "filler"
        filler.write_bytes(b"x" * (shutil.disk_usage(disk).free - 12_000))
        done = on_disk.filrouge("run", "--json")
        assert done.code == 1, done.said + done.erred
        assert on_disk.rows() == rows
        filler.unlink()
        again = on_disk.run()
        assert again.code in (0, 7), again.erred
        assert on_disk.run().facts["people"]["total"] == 4
        assert len(on_disk.rows()) == 4
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_no_config_no_rule_no_such_thing(small: Small, tmp_path: Path) -> None:
    assert "filrouge init" in small.filrouge("--config", "nowhere.yaml", "check").erred
    assert small.filrouge("approve", "rien").code == 2
    assert small.filrouge("run", "--source", "nope").code == 2
    assert small.filrouge("run", "--only", "everything").code == 2
    assert small.filrouge("run", "--today", "hier").code == 2
    assert small.filrouge("outbox", "--state", "lost").code == 2


def test_the_words_are_the_readers(small: Small) -> None:
    small.change("config.yaml", "schedule:", "shedule:")
    assert "Vouliez-vous dire" in small.filrouge("check").said
    assert "Did you mean" in small.filrouge("--language", "en", "check").said


def test_an_email_that_is_there_in_another_language_only_is_told(small: Small) -> None:
    assert "dans votre langue" not in small.filrouge("check").said
    letter = small.folder / "rules" / "templates" / "on-se-revoit.md"
    letter.rename(letter.with_name("on-se-revoit.en.md"))
    done = small.filrouge("check")
    assert "Écrivez aussi `on-se-revoit.fr.md`" in done.said
    assert done.code == 0
