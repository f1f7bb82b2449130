"""The whole thread, as its user meets it: the command, the workbook, the mails, the exit codes."""

from __future__ import annotations

from datetime import date

from tests.thread.small import LINES, TODAY, Small, line


def test_from_export_files_to_a_sheet_and_waiting_mails(small: Small) -> None:
    done = small.run()
    assert done.code == 7, done.erred
    assert done.facts["state"] == "waiting"
    assert done.facts["people"] == {"new": 3, "merged": 0, "total": 3}
    jeanne = small.row("Jeanne")
    assert (jeanne["Visites"], jeanne["Dépensé"], jeanne["Signaux"]) == (2, 36, "À relancer")
    assert jeanne["Dernière visite"] == date(2024, 5, 12)
    assert small.row("Luc")["Visites"] == 0
    assert small.row("Awa")["Signaux"] in ("", None)
    assert small.mails() == []


def test_a_second_run_with_nothing_new_changes_nothing_and_says_so(small: Small) -> None:
    small.run()
    small.filrouge("approve", "perdus-de-vue")
    small.run()
    before = (small.folder / "Contacts.xlsx").read_bytes()
    done = small.filrouge("run", today=TODAY)
    assert done.code == 0, done.said
    assert "Rien de nouveau" in done.said
    assert "exports : 0 lu, 0 nouveau ou changé.\n3 personnes (0 nouvelle, 0 réunie)." in done.said.replace(
        "\u00a0", " "
    )
    assert (small.folder / "Contacts.xlsx").read_bytes() == before
    assert small.run().facts["calls"]["sheet"]["write"] == 0
    assert len(small.mails()) == 1


def test_an_approved_mail_goes_once_and_only_once(small: Small) -> None:
    small.run()
    approved = small.filrouge("approve", "perdus-de-vue", "--json")
    assert (approved.code, approved.facts["approved"]) == (0, 1)
    done = small.run()
    assert (done.code, done.facts["mail"]["sent"]) == (0, 1)
    assert len(small.mails()) == 1
    for _ in range(2):
        assert small.run().facts["mail"]["sent"] == 0
    assert len(small.mails()) == 1


def test_the_teams_correction_stands(small: Small) -> None:
    small.run()
    small.edit("Jeanne", "Courriel", "jeanne@example.net")
    small.edit("Jeanne", "Visites", 99)
    done = small.run()
    row = small.row("Jeanne")
    assert (row["Courriel"], row["Visites"]) == ("jeanne@example.net", 2)
    assert done.facts["cells"]["edits_kept"] >= 1
    small.export((*LINES, line(6, "Jeanne Exemple", "Ubu roi", "01/03/2026")))
    small.run()
    row = small.row("Jeanne")
    assert (row["Courriel"], row["Visites"], row["Dernière visite"]) == ("jeanne@example.net", 3, date(2026, 3, 1))
    shown = small.filrouge("person", "show", "Jeanne Exemple", "--json").facts
    assert shown["values"]["email"] == {
        "value": "jeanne@example.net", "source": "sheet", "corrected": True, "seen": shown["values"]["email"]["seen"],
    }  # fmt: skip


def test_tickets_for_one_evening_are_shown_once_with_their_number(small: Small) -> None:
    small.export(
        (*LINES, line(6, "Jeanne Exemple", "Ubu roi", "01/03/2026"), line(7, "Jeanne Exemple", "Ubu roi", "01/03/2026"))
    )
    small.run()
    shown = small.filrouge("person", "show", "Jeanne Exemple").said.replace("\u00a0", " ")
    assert shown.count("visite Ubu roi") == 1
    assert "visite Ubu roi [réservé] (exports)  × 2" in shown


def test_whoever_comes_back_is_not_written_to(small: Small) -> None:
    small.run()
    small.export((*LINES, line(6, "Jeanne Exemple", "Ubu roi", "01/03/2026")))
    done = small.run()
    assert done.facts["rules"]["perdus-de-vue"] == {"entered": 0, "left": 1, "inside": 0, "unknown": 0}
    assert done.facts["mail"]["waiting"] == 0
    assert small.row("Jeanne")["Signaux"] in ("", None)


def test_do_not_contact_in_the_sheet_keeps_an_approved_mail(small: Small) -> None:
    small.change("rules/templates/on-se-revoit.md", "purpose: service", "purpose: marketing")
    small.run()
    import openpyxl

    file = small.folder / "Contacts.xlsx"
    book = openpyxl.load_workbook(file)
    sheet = book["Contacts"]
    last = sheet.max_column + 1
    sheet.cell(1, last).value = "Ne pas relancer"
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, last).value = "oui"
    book.save(file)
    small.filrouge("approve", "perdus-de-vue")
    done = small.run()
    assert done.facts["mail"]["sent"] == 0
    assert done.facts["mail"]["held"] == {"do-not-contact": 1}


def test_preview_and_dry_run_touch_nothing(small: Small) -> None:
    small.run()
    small.export((*LINES, line(6, "Jeanne Exemple", "Ubu roi", "01/03/2026")))
    before = {file: file.read_bytes() for file in small.folder.rglob("*") if file.is_file() and ".db" not in file.name}
    dry = small.filrouge("run", "--dry-run", "--json", today=TODAY)
    assert dry.facts["rules"]["perdus-de-vue"]["leaves"] == ["Jeanne Exemple"]
    assert {cell["column"] for cell in dry.facts["cells"]} == {"Dernière visite", "Visites", "Dépensé", "Signaux"}
    preview = small.filrouge("preview", "--json", today=TODAY)
    assert preview.facts["rules"]["perdus-de-vue"] == {"enters": [], "leaves": []}
    assert preview.facts["mails"][0]["to"] == "jeanne.exemple@example.org"
    after = {file: file.read_bytes() for file in small.folder.rglob("*") if file.is_file() and ".db" not in file.name}
    assert before == after
    assert len(small.filrouge("runs", "--json").facts["runs"]) == 1


def test_explain_tells_why(small: Small) -> None:
    small.run()
    said = small.filrouge("explain", "jeanne.exemple@example.org", today=TODAY).said
    assert "2 visites" in said
    assert "✓" in said
    assert small.filrouge("explain", "nobody@example.org").code == 2


def test_explain_begins_with_the_rules_somebody_is_inside(small: Small) -> None:
    rule = "  - nom: {}\n    quand: {{visites: {}}}\n    alors: [{{signaler: X}}]\n"
    small.write("rules/a.yaml", "règles:\n" + rule.format("Absent", "au moins 99") + rule.format("Zen", "au moins 1"))
    small.run()
    told = small.filrouge("explain", "jeanne.exemple@example.org", "--json", today=TODAY).facts["rules"]
    answers = [why["answer"] for why in told.values()]
    assert answers == sorted(answers, reverse=True)
    assert list(told).index("zen") < list(told).index("absent")


def test_a_rules_file_with_txt_at_its_end_is_told(small: Small) -> None:
    small.write("rules/a.yaml.txt", "règles:\n  - nom: A\n    quand: {visites: 3}\n    alors: [{signaler: X}]\n")
    refused = small.run()
    assert refused.code == 2
    assert "rules/a.yaml.txt:1:1" in refused.erred
    assert "`a.yaml`" in refused.erred


def test_the_page_of_the_run(small: Small) -> None:
    small.run()
    page = (small.folder / "report.html").read_text("utf-8")
    assert "filrouge approve perdus-de-vue" in page
    assert "Cela fait longtemps, Jeanne" in page


def test_status_and_outbox_tell_what_waits(small: Small) -> None:
    assert "filrouge run" in small.filrouge("status").said
    small.run()
    status = small.filrouge("status", "--json")
    assert (status.code, status.facts["waiting"]) == (
        7,
        [{"rule": "perdus-de-vue", "mails": 1, "tasks": 0, "deeds": 0}],
    )
    box = small.filrouge("outbox", "--json").facts
    assert [mail["state"] for mail in box["mails"]] == ["waiting"]
    dropped = small.filrouge("outbox", "--drop", box["mails"][0]["id"])
    assert dropped.code == 0
    small.filrouge("approve", "perdus-de-vue")
    assert small.run().facts["mail"]["sent"] == 0


def test_only_some_steps(small: Small) -> None:
    done = small.run("--only", "pull", "--only", "people")
    assert done.facts["people"]["total"] == 3
    assert not (small.folder / "Contacts.xlsx").exists()


def test_two_names_on_one_address_get_one_mail(small: Small) -> None:
    other = [text.replace("jeanne.exemple@", "foyer@") for text in LINES[:2]]
    couple = [text.replace("Jeanne", "Paul").replace("1;Plein", "9;Plein").replace("1;01", "7;01", 1) for text in other]
    couple[1] = couple[1].replace("2;01", "8;01", 1)
    small.export((*other, *couple))
    small.run()
    assert {row["Prénom"] for row in small.rows()} == {"Jeanne", "Paul"}
    small.filrouge("approve", "perdus-de-vue")
    done = small.run()
    assert done.facts["mail"]["sent"] == 1
    assert done.facts["mail"]["held"] == {"same-address": 1}


def test_another_time_zone_in_the_config_moves_the_days(small: Small) -> None:
    late = tuple(text.replace("12/05/2024 20:00", "12/05/2024 23:30") for text in LINES)
    small.export(late)
    small.run()
    assert small.row("Jeanne")["Dernière visite"] == date(2024, 5, 12)
    small.change("config.yaml", "America/Montreal", "Asia/Tokyo")
    small.change("config.yaml", "folder: exports/", "folder: exports/, files: [{timezone: America/Montreal}]")
    small.run()
    assert small.row("Jeanne")["Dernière visite"] == date(2024, 5, 13)


def test_undo_puts_back_what_nobody_changed_since(small: Small) -> None:
    small.run()
    small.export((*LINES, line(6, "Jeanne Exemple", "Ubu roi", "01/03/2026")))
    second = small.run().facts["run"]
    small.edit("Jeanne", "Dépensé", 1)
    done = small.filrouge("undo", str(second), "--json")
    assert (done.code, done.facts["put_back"], done.facts["since"]) == (0, 3, 1)
    row = small.row("Jeanne")
    assert (row["Visites"], row["Dernière visite"], row["Signaux"]) == (2, date(2024, 5, 12), "À relancer")
    assert row["Dépensé"] == 1
    assert small.filrouge("undo", "99").code == 2


def test_the_page_speaks_the_organisations_language_whoever_runs_the_command(small: Small) -> None:
    done = small.filrouge("--language", "en", "run", today=TODAY)
    assert "e-mail waits for your approval" in done.said
    page = (small.folder / "report.html").read_text("utf-8")
    assert "personnes<" in page
    assert not [word for word in ("cells written", "waits", "people", "read,", "cell ") if f" {word}" in page]
    assert "3 personnes" in small.filrouge("runs").said
