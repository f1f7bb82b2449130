"""Who has to say yes is told of all that waits: tasks as well as e-mails, why, and until when it is in time."""

from __future__ import annotations

from datetime import date
from html import unescape

from sync.desk import Desk
from sync.service import what_waits
from tests.thread.small import Small, line
from tests.thread.test_comes_and_goes import bare
from tests.thread.test_saying_yes import Page

CALL = """\
règles:
  - nom: À appeler
    quand: {dernière visite: il y a plus de 6 mois}
    alors:
      - tâche: Appeler {{ prénom }}
        pour: Accueil
"""
JOURNEY = """\
parcours:
  - nom: Après le spectacle
    autour: chaque billet
    étapes:
      - {à: 1 jour après, courriel: on-se-revoit}
"""


def _many(small: Small) -> None:
    small.write("rules/public.yaml", CALL)
    names = (f"P{chr(97 + number // 26)}{chr(97 + number % 26)} Nom" for number in range(60))
    small.export(tuple(line(number, name, "Cyrano", "20/03/2024") for number, name in enumerate(names)))


def _tickets(small: Small) -> None:
    """Two came on the 10th, one on the 12th."""
    small.write("rules/public.yaml", JOURNEY)
    days = {"Jeanne Exemple": "10/03/2026", "Awa Diallo": "10/03/2026", "Eve Petit": "12/03/2026"}
    small.export(tuple(line(n, who, "Cyrano", day) for n, (who, day) in enumerate(days.items(), 1)))


def test_tasks_that_wait_are_named_wherever_somebody_looks(small: Small) -> None:
    _many(small)
    command = "60 tâches de « À appeler » attendent votre accord : filrouge approve a-appeler"
    ran = small.filrouge("run", today="2026-03-14")
    said = bare(ran.said).splitlines()
    assert ran.code == 7
    assert "60 tâches attendent votre accord." in said
    assert f"  {command}" in said
    for other in ("status", "outbox"):
        assert command in bare(small.filrouge(other).said).splitlines(), other
    status = small.filrouge("status", "--json")
    assert (status.code, status.facts["waiting"]) == (7, [{"rule": "a-appeler", "mails": 0, "tasks": 60, "deeds": 0}])
    report = bare((small.folder / "report.html").read_text("utf-8"))
    assert "<b>60</b><span>attendent un oui</span>" in report
    assert "À appeler · 60 tâches" in report
    page = Page(small)
    assert "Ce qui attend votre oui : 60 tâches. Regardez" in bare(page.ask("GET", "/").text)
    assert "<p>60 tâches</p>" in page.ask("GET", "/waiting").text
    assert what_waits(Desk.open(small.folder / "config.yaml", "en")) == "60 tasks"


def test_a_preview_says_once_why_tasks_would_wait(small: Small) -> None:
    _many(small)
    said = bare(small.filrouge("preview", "À appeler", today="2026-03-14").said)
    assert said.count("oui") == 1
    above = said[said.index("60 tâches pour l'équipe") :].splitlines()[1]
    assert above.startswith("  Dont 60, de « À appeler », qui attendent votre oui : ")
    assert "pour plus de 50 personnes à la fois" in above
    small.export((line(1, "Jeanne Exemple", "Cyrano", "20/03/2024"),))
    assert "votre oui" not in small.filrouge("preview", "À appeler", today="2026-03-14").said


def test_until_when_an_email_is_in_time_stands_beside_it_the_nearest_first(small: Small) -> None:
    _tickets(small)
    ran = bare(small.filrouge("run", today="2026-03-13").said).splitlines()
    nearest = "dont 2 seulement jusqu'au 14 mars 2026 · dont 1 seulement jusqu'au 16 mars 2026"
    of_rule = "3 courriels de « Après le spectacle » attendent votre accord : filrouge approve apres-le-spectacle"
    place = ran.index(f"  {of_rule}")
    assert ran[place + 1].strip() == nearest
    for command in ("outbox", "status"):
        told = bare(small.filrouge(command, today="2026-03-14").said).splitlines()
        assert told[told.index(of_rule) + 1].strip() == nearest, command
    assert nearest in unescape(bare((small.folder / "report.html").read_text("utf-8")))
    over = bare(small.filrouge("status", today="2026-03-15").said)
    assert "dont 2 pour qui il est déjà trop tard · dont 1 seulement jusqu'au 16 mars 2026" in over
    english = small.filrouge("--language", "en", "status", today="2026-03-13").said
    assert "2 of them only until 14 March 2026 · 1 of them only until 16 March 2026" in english
    given = bare(small.filrouge("approve", "apres-le-spectacle", today="2026-03-14").said)
    assert f"Le prochain passage doit venir à temps : {nearest}." in given


def test_what_is_too_late_first_stands_first(small: Small) -> None:
    small.run(today="2026-03-12")
    small.write("rules/parcours.yaml", JOURNEY)
    small.export((line(9, "Eve Petit", "Ubu", "12/03/2026"),), "encore.csv")
    small.run(today="2026-03-13")
    told = bare(small.filrouge("status", today="2026-03-13").said)
    assert 0 < told.index("« Après le spectacle »") < told.index("« Perdus de vue »")


def test_what_was_not_approved_in_time_is_told_once(small: Small) -> None:
    _tickets(small)
    small.run(today="2026-03-13")
    late = small.run(today="2026-03-15").facts
    assert (late["mail"]["late"], late["mail"]["waiting"]) == (2, 1)
    small.export((line(9, "Ida Roy", "Ubu", "30/03/2026"),), "encore.csv")
    told = bare(small.filrouge("run", today="2026-03-17").said)
    assert "1 courriel n'est pas parti à temps" in told
    assert "à temps" not in bare(small.filrouge("run", today="2026-03-18").said)


def test_the_page_says_it_before_the_button(small: Small) -> None:
    _tickets(small)
    small.run(today="2026-03-13")
    page = Page(small)
    page.asking.desk = lambda: Desk.open(small.folder / "config.yaml", None, date(2026, 3, 14))
    shown = bare(unescape(page.ask("GET", "/waiting").text))
    assert "3 courriels <strong>· dont 2 seulement jusqu'au 14 mars 2026 · dont 1" in shown


def test_a_preview_says_how_long_a_new_journeys_emails_wait_for_a_yes(small: Small) -> None:
    _tickets(small)
    asked = "attendent un oui, à partir de leur jour, pas plus longtemps que cela : on-se-revoit 3 jours."
    assert asked in bare(small.filrouge("preview", today="2026-03-13").said)
    small.run(today="2026-03-13")
    assert asked in bare(small.filrouge("preview", "Après le spectacle", today="2026-03-13").said)
    small.filrouge("approve", "apres-le-spectacle", today="2026-03-13")
    assert asked not in bare(small.filrouge("preview", today="2026-03-13").said)
