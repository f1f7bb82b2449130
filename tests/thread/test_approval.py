"""What a yes is for is said before it is given and after: each e-mail, each step, and when; what was approved is counted for what it is."""

from __future__ import annotations

from tests.thread.small import Small, line
from tests.thread.test_comes_and_goes import bare

RULES = """\
règles:
  - nom: Perdus de vue
    quand: {dernière visite: il y a plus de 6 mois}
    alors:
      - {courriel: on-se-revoit, attendre: 2 jours, encore: après 6 mois}
      - tâche: Appeler {{ prénom }}
parcours:
  - nom: Autour du spectacle
    autour: chaque billet
    étapes:
      - {à: 3 jours avant, courriel: on-se-revoit}
      - {à: 1 jour après, signaler: Venu}
      - {à: 8 jours après, courriel: encore}
"""
YES = "Un oui à « Autour du spectacle » laisse partir ce qui attend et, sans redemander, la même chose pour ceux qui viendront :"
STEPS = [
    "3 jours avant · courriel « on-se-revoit » · information pratique, même à qui ne veut pas de nouvelles",
    "8 jours après · courriel « encore » · n'attendait pas encore : demandera son propre oui, la première fois",
]


def test_a_yes_to_a_journey_names_all_of_its_emails(small: Small) -> None:
    small.write("rules/public.yaml", RULES)
    small.write("rules/templates/encore.md", "---\nobjet: Encore\nfinalité: promotion\n---\nBonjour.\n")
    small.export((line(1, "Jeanne Exemple", "Cyrano", "20/03/2026"),))
    small.run(today="2026-03-17")
    for command in ("outbox", "approve autour-du-spectacle"):
        said = bare(small.filrouge(*command.split()).said).splitlines()
        place = said.index(YES)
        assert [one.strip() for one in said[place + 1 : place + 3]] == STEPS
        assert said[place + 3].startswith("Il est redemandé quand un texte change")
    assert said[0] == "1 courriel accordé. Le prochain passage l'envoie (`filrouge run`)."


def test_the_report_says_it_too(small: Small) -> None:
    small.write("rules/public.yaml", RULES.replace("encore}", "on-se-revoit}").replace("attendre: 2 jours, ", ""))
    small.run()
    page = bare((small.folder / "report.html").read_text("utf-8"))
    assert "Un oui à « Perdus de vue » laisse partir ce qui attend" in page
    assert (
        "<li>tout de suite · courriel « on-se-revoit » · information pratique, même à qui ne veut pas de nouvelles · encore après 6 mois</li>"
        in page.replace("  ", "")
    )


def test_tasks_that_were_let_go_are_called_tasks(small: Small) -> None:
    small.write(
        "rules/public.yaml",
        RULES.replace("      - {courriel: on-se-revoit, attendre: 2 jours, encore: après 6 mois}\n", "").partition(
            "parcours"
        )[0],
    )
    small.export(
        tuple(
            line(number, f"P{chr(97 + number // 26)}{chr(97 + number % 26)} Nom", "Cyrano", "20/03/2024")
            for number in range(60)
        )
    )
    small.run()
    said = bare(small.filrouge("approve", "perdus-de-vue").said)
    assert said.startswith("60 tâches accordées. Elles sont dans votre liste dès le prochain passage.")
    assert "tout de suite · tâche « Appeler {{ prénom }} »" in said
