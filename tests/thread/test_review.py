"""Where rooms meet: what the team writes in its own sheet, and what comes of it at the other end of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.thread.small import Small, line

PEOPLE = ("Prénom", "Nom", "Courriel")
JEANNE = ("Jeanne", "Exemple", "jeanne.exemple@example.org")


def workbook(small: Small, *rows: tuple[object, ...]) -> None:
    """A workbook that the team had before us."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Contacts"
    for row in rows:
        sheet.append(list(row))
    book.save(small.folder / "Contacts.xlsx")


def held(small: Small) -> dict[str, int]:
    """What a run holds back when its batch was approved."""
    small.run()
    small.filrouge("approve", "perdus-de-vue")
    done = small.run()
    assert done.facts["mail"]["sent"] + sum(done.facts["mail"]["held"].values()) == 1
    found: dict[str, int] = done.facts["mail"]["held"]
    return found


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("Ne pas relancer", "oui"),
        ("NE PAS CONTACTER ?", "Oui, demande du 12 mars"),
        ("À ne pas contacter", True),
        ("Ne plus relancer", "OK"),
        ("Ne souhaite plus être contacté", "x"),
        ("Ne pas envoyer de courriel", 1),
        ("Do not e-mail", "yes"),
    ],
)
def test_a_no_of_the_team_keeps_every_mail_however_it_is_spelled(small: Small, header: str, says: object) -> None:
    workbook(small, (*PEOPLE, header), (*JEANNE, says))
    assert held(small) == {"do-not-contact": 1}


@pytest.mark.parametrize("header", ["Désinscrit", "Désabonnée le", "Opt-out", "STOP"])
def test_a_column_of_those_who_want_no_news_keeps_news_and_not_what_they_need(small: Small, header: str) -> None:
    workbook(small, (*PEOPLE, header), (*JEANNE, "2024-03-12"))
    assert held(small) == {}
    small.change("rules/public.yaml", "Perdus de vue", "Encore perdus de vue")
    small.change("rules/templates/on-se-revoit.md", "purpose: service", "purpose: marketing")
    small.run()
    small.filrouge("approve", "encore-perdus-de-vue")
    assert small.run().facts["mail"]["held"] == {"unsubscribed": 1}


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("Ne pas relancer", "non"),
        ("Ne pas relancer", "Non "),
        ("Ne pas contacter par téléphone", "oui"),
        ("Arrêt", "x"),
    ],
)
def test_a_plain_no_there_or_another_column_keeps_nothing(small: Small, header: str, says: str) -> None:
    workbook(small, (*PEOPLE, header), (*JEANNE, says))
    assert held(small) == {}


def test_somebody_who_stands_twice_is_not_written_to_when_one_row_says_so(small: Small) -> None:
    workbook(small, (*PEOPLE, "Ne pas relancer"), (*JEANNE, None), (*JEANNE, "oui"))
    assert held(small) == {"do-not-contact": 1}


def test_a_copied_row_says_it_too(small: Small) -> None:
    workbook(small, (*PEOPLE, "Ne pas relancer"), (*JEANNE, "oui"))
    small.run()
    import openpyxl

    file = small.folder / "Contacts.xlsx"
    book = openpyxl.load_workbook(file)
    sheet = book["Contacts"]
    sheet.append([cell.value for cell in sheet[2]])
    book.save(file)
    assert held(small) == {"do-not-contact": 1}


def test_a_mistake_in_a_text_that_a_rule_writes_is_told_where_it_stands(small: Small) -> None:
    small.change(
        "rules/public.yaml", "- courriel: on-se-revoit", "- écrire: {Statut: 'Perdu depuis {{ dernière_visite or }}'}"
    )
    done = small.filrouge("run")
    assert (done.code, "rules/public.yaml:12:" in done.erred) == (2, True)
    small.change("rules/public.yaml", "dernière_visite or }}", "dernière_vsite }}")
    assert "dernière_visite" in small.filrouge("check").said
    small.change("rules/public.yaml", "dernière_vsite }}", "dernière_visite }}")
    assert small.run().code == 0
    assert small.row("Jeanne")["Statut"] == "Perdu depuis 12 mai 2024"


def test_what_a_rule_sets_in_a_paused_row_stands_there_when_the_pause_is_over(small: Small) -> None:
    workbook(small, (*PEOPLE, "Pause"), (*JEANNE, None))
    small.run()
    small.edit("Jeanne", "Pause", "x")
    small.change("rules/public.yaml", "- courriel: on-se-revoit", "- écrire: {Statut: Perdue}")
    small.change("rules/public.yaml", "Perdus de vue", "Encore")
    small.run()
    assert not small.row("Jeanne")["Statut"]
    small.edit("Jeanne", "Pause", None)
    small.run()
    assert small.row("Jeanne")["Statut"] == "Perdue"


def test_looking_ahead_leaves_the_store_as_it_is(small: Small) -> None:
    import sqlite3

    def everything() -> list[str]:
        store = sqlite3.connect(small.folder / "filrouge.db")
        try:
            return list(store.iterdump())
        finally:
            store.close()

    small.run()
    small.change("rules/public.yaml", "au moins 2", "au moins 1")
    before = everything()
    small.filrouge("run", "--dry-run")
    small.filrouge("preview")
    assert everything() == before


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_the_env_file_as_notepad_saves_it(small: Small, encoding: str) -> None:
    (small.folder / ".env").write_bytes("ADRESSE=12, rue de l'été\n".encode(encoding))
    small.change("config.yaml", 'address: "12, rue du Phare, Québec"', 'address: "${ADRESSE}"')
    assert small.filrouge("check").code == 0


def test_an_evening_in_quebec_is_of_its_own_month(small: Small) -> None:
    head = "1;01/02/2024 10:00;Validé;Exemple;Jeanne;j@example.org;Cyrano;31/10/2024 23:30;11;Plein;18,00"
    small.export((head,))
    small.run()
    page = (small.folder / "report.html").read_text("utf-8")
    assert "oct. 24" in page
    assert "nov. 24" not in page


def test_rules_may_stand_elsewhere(small: Small, tmp_path: Path) -> None:
    (small.folder / "rules").rename(tmp_path / "elsewhere")
    small.change("config.yaml", "rules: rules/", f"rules: {tmp_path / 'elsewhere'}")
    assert small.run().facts["rules"]["perdus-de-vue"]["entered"] == 1


def test_a_secret_written_out_is_not_shown_again(small: Small) -> None:
    small.change(
        "config.yaml", "sources:\n", "sources:\n  billets: {type: pretix, organizer: phare, token: s3cr3tw0rd}\n"
    )
    done = small.filrouge("run")
    assert done.code == 2
    assert "BILLETS_TOKEN" in done.erred
    assert "s3cr3tw0rd" not in done.said + done.erred


def test_the_store_is_for_its_owner_alone(small: Small) -> None:
    small.run()
    assert (small.folder / "filrouge.db").stat().st_mode & 0o077 == 0


def test_a_paused_row_without_key_is_known_all_the_same(small: Small) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Contacts"
    sheet.append(
        ["Prénom", "Nom", "Courriel", "Dernière visite", "Visites", "Dépensé", "Signaux", "Pause", "Ne pas relancer"]
    )
    sheet.append(["Jeanne", "Exemple", "jeanne.exemple@example.org", None, None, None, None, "x", "oui"])
    book.save(small.folder / "Contacts.xlsx")
    small.run()
    assert small.row("Jeanne")["Visites"] in ("", None)
    small.filrouge("approve", "perdus-de-vue")
    assert small.run().facts["mail"]["sent"] == 0


def test_a_yes_to_twenty_gone_is_no_yes_to_more(small: Small) -> None:
    many = tuple(line(100 + n, f"Prénom{n} Nom{n}", "Cyrano", "10/03/2024") for n in range(60))
    small.export(many)
    small.run()
    small.export(many[:10])
    closed = small.run()
    assert (closed.code, closed.facts["people"]["total"]) == (7, 60)
    assert small.run("--allow-gone", "20").facts["people"]["total"] == 60


def test_looking_ahead_before_the_first_run_leaves_no_trace(small: Small) -> None:
    seen = small.filrouge("run", "--dry-run", "--json", today="2026-03-14")
    assert seen.facts["rules"]["perdus-de-vue"]["enters"] == ["Jeanne Exemple"]
    assert {file.name for file in small.folder.iterdir()} == {"config.yaml", "exports", "rules"}


def test_preview_of_a_rule_that_is_not_there(small: Small) -> None:
    done = small.filrouge("preview", "nope")
    assert done.code == 2
    assert "`Perdus de vue`" in done.erred
