"""Journeys as a team meets them: the library's path for newcomers in both languages, day by day, and what goes wrong."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.thread.small import HEAD, Small, line

PATH = {
    "fr": ("premiere-visite", ["bientot-chez-nous", "avant-votre-premiere-visite", "bienvenue", "deuxieme-visite"]),
    "en": ("first-visit", ["soon-your-first-visit", "before-your-first-visit", "welcome", "second-visit"]),
}
AROUND = """\
parcours:
  - nom: Autour du spectacle
    autour: chaque billet
    étapes:
      - à: 3 jours avant
        courriel: infos
      - à: 1 jour après
        courriel: merci
"""
TEMPLATE = "---\nobjet: {name}\nfinalité: service\n---\nBonjour {{{{ prénom or 'vous' }}}}.\n"


class Phare(Small):
    def __init__(self, folder: Path, *, journeys: str = "", language: str = "fr") -> None:
        super().__init__(folder)
        for name in ("public.yaml", "templates/on-se-revoit.md"):
            (folder / "rules" / name).unlink()
        self.change("config.yaml", "language: fr", f"language: {language}")
        if journeys:
            self.write("rules/parcours.yaml", journeys)
            for name in ("infos", "merci"):
                self.write(f"rules/templates/{name}.md", TEMPLATE.format(name=name))

    def day(self, today: str, approve: str | None = None) -> list[str]:
        """One run; if something waits for approval and it is given, the run after it too. Gives the subjects that went."""
        before = set(self.mails())
        self.run(today=today)
        if approve and self.filrouge("approve", approve).code == 0:
            self.run(today=today)
        gone = [self.folder / "outbox" / name for name in sorted(set(self.mails()) - before)]
        return [str(message_from_bytes(file.read_bytes(), policy=policy.default)["Subject"]) for file in gone]

    def texts(self) -> list[str]:
        """The words of every e-mail that went, one after the other."""
        found = [
            message_from_bytes((self.folder / "outbox" / name).read_bytes(), policy=policy.default)
            for name in self.mails()
        ]
        return [str(body.get_content()) for message in found if (body := message.get_body(("plain",)))]

    def plays(self, show: str, hour: str, place: str, *who: str) -> None:
        """An export in which a show has a number of its own, so that it is the same one at another hour."""
        lines = [line(n, one, show, "20/03/2026").replace("20:00", hour) for n, one in enumerate(who, 1)]
        text = [f"{HEAD};Code séance;Salle", *(f"{one};S1;{place}" for one in lines)]
        self.write("exports/billets.csv", "\n".join(text) + "\n")

    def steps(self, who: str, today: str) -> list[str]:
        """How each step stands for somebody, as explain says it."""
        said = self.filrouge("explain", who, today=today).said.splitlines()
        return [one.strip() for one in said if one.startswith(("  ✓", "  ✗", "  →", "  ?"))]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_newcomer_is_welcomed_told_thanked_and_invited_back(tmp_path: Path, language: str) -> None:
    """Nadia books for the first time; Paul has come before; Bea books again after her first visit."""
    phare = Phare(tmp_path / "phare", language=language)
    name, templates = PATH[language]
    assert phare.filrouge("rules", "add", name, "--yes").code == 0
    assert phare.filrouge("check").code == 0
    assert phare.filrouge("test").code == 0
    nadia = line(1, "Nadia Nouvelle", "Cyrano", "20/03/2026")
    paul = (line(2, "Paul Ancien", "Cyrano", "20/03/2024"), line(3, "Paul Ancien", "Ubu", "20/03/2026"))
    bea = line(4, "Bea Bientot", "Cyrano", "20/03/2026")
    phare.export((nadia, *paul, bea))

    expected = {
        "2026-03-01": 2,  # both newcomers are welcomed: they have booked
        "2026-03-17": 2,  # three days before: practical information
        "2026-03-20": 0,
        "2026-03-21": 2,  # the day after: thanks
    }
    assert {day: len(phare.day(day, name)) for day in expected} == expected
    phare.export((nadia, *paul, bea, line(5, "Bea Bientot", "Antigone", "01/06/2026")))
    later = {"2026-04-18": 0, "2026-04-19": 1}  # Bea has booked again, and is not invited
    assert {day: len(phare.day(day, name)) for day in later} == later

    told = phare.filrouge("explain", "Nadia Nouvelle", "--json", today="2026-04-20").facts["journeys"][name]
    assert [step["step"] for step in told[0]["steps"]] == templates
    assert [one.split()[0] for one in phare.steps("Nadia Nouvelle", "2026-04-20")] == ["✓"] * 4
    assert [one.split()[0] for one in phare.steps("Bea Bientot", "2026-04-20")] == ["✓", "✓", "✓", "✗"]
    assert phare.steps("Paul Ancien", "2026-04-20") == []


@pytest.fixture
def phare(tmp_path: Path) -> Phare:
    return Phare(tmp_path / "phare", journeys=AROUND)


def test_each_show_is_an_occasion_and_several_tickets_are_one(phare: Phare) -> None:
    phare.export((
        line(1, "Nadia Nouvelle", "Cyrano", "20/03/2026"), line(2, "Nadia Nouvelle", "Cyrano", "20/03/2026"),
        line(3, "Nadia Nouvelle", "Ubu", "21/03/2026"),
    ))  # fmt: skip
    assert phare.day("2026-03-17", "autour-du-spectacle") == ["infos"]
    assert phare.day("2026-03-18") == ["infos"]
    assert phare.day("2026-03-21", "autour-du-spectacle") == ["merci"]


def test_a_yes_is_to_what_could_be_seen_and_a_later_steps_email_asks_for_its_own(phare: Phare) -> None:
    shows = [("Cyrano", "20/03/2026"), ("Ubu", "25/03/2026")]
    phare.export(tuple(line(number, "Nadia Nouvelle", *show) for number, show in enumerate(shows)))
    phare.run(today="2026-03-17")
    said = phare.filrouge("approve", "autour-du-spectacle").said
    assert [one.strip() for one in said.splitlines() if "n'attendait pas encore" in one] == [
        "1 jour après · courriel «\u00a0merci\u00a0» · information pratique, même à qui ne veut pas de nouvelles · n'attendait pas encore\u00a0: demandera son propre oui, la première fois"
    ]
    assert phare.day("2026-03-17") == ["infos"]
    assert phare.day("2026-03-21") == []
    assert "attend" in next(one for one in phare.steps("Nadia Nouvelle", "2026-03-21") if "merci" in one)
    assert "n'attendait" not in phare.filrouge("approve", "autour-du-spectacle").said
    assert phare.day("2026-03-21") == ["merci"]
    assert phare.day("2026-03-22") == ["infos"]
    assert phare.day("2026-03-26") == ["merci"]


def test_what_went_before_this_was_kept_counts_as_seen(phare: Phare) -> None:
    phare.export((line(1, "Nadia Nouvelle", "Cyrano", "20/03/2026"),))
    assert phare.day("2026-03-17", "autour-du-spectacle") == ["infos"]
    with closing(sqlite3.connect(phare.folder / "filrouge.db")) as store, store:
        store.execute("DROP TABLE approved_action")
        store.execute("UPDATE alembic_version SET version_num = '0014'")
    phare.export((line(1, "Nadia Nouvelle", "Cyrano", "20/03/2026"), line(2, "Luc Roy", "Cyrano", "20/03/2026")))
    assert phare.day("2026-03-18") == ["infos"]
    assert phare.day("2026-03-21") == []


def test_a_refunded_ticket_takes_back_what_waits(phare: Phare) -> None:
    phare.export((line(1, "Nadia Nouvelle", "Cyrano", "20/03/2026"),))
    assert phare.day("2026-03-17") == []  # it waits for approval
    phare.export((line(1, "Nadia Nouvelle", "Cyrano", "20/03/2026", status="Annulé"),))
    assert phare.day("2026-03-18", "autour-du-spectacle") == []
    (mail,) = phare.filrouge("outbox", "--json").facts["mails"]
    assert (mail["state"], mail["reason"]) == ("cancelled", "occasion-gone")
    phare.export((line(1, "Nadia Nouvelle", "Cyrano", "20/03/2026"),))  # and back again
    assert phare.day("2026-03-19", "autour-du-spectacle") == ["infos"]


def test_a_journey_does_not_reach_back_and_an_outage_is_listed_not_sent(phare: Phare) -> None:
    phare.export((line(1, "Awa Diallo", "Cyrano", "10/03/2026"), line(2, "Luc Roy", "Ubu", "20/03/2026")))
    assert phare.run(today="2026-03-15").facts["journeys"]["autour-du-spectacle"]["late"] == 0
    assert phare.run(today="2026-03-16").facts["mail"]["waiting"] == 0
    ran = phare.run(today="2026-03-28")  # twelve days without a run: both steps of Luc came too late
    assert ran.facts["journeys"]["autour-du-spectacle"]["late"] == 2
    mails = phare.filrouge("outbox", "--json").facts["mails"]
    assert {(mail["state"], mail["reason"]) for mail in mails} == {("held", "too-late")}
    assert len(mails) == 2
    assert phare.day("2026-03-29", "autour-du-spectacle") == []


def test_whoever_books_late_is_told_at_once_and_never_after_it_began(phare: Phare) -> None:
    phare.export((line(1, "Nadia Nouvelle", "Cyrano", "20/03/2026"),))
    phare.day("2026-03-17", "autour-du-spectacle")
    phare.export((line(1, "Nadia Nouvelle", "Cyrano", "20/03/2026"), line(2, "Luc Roy", "Cyrano", "20/03/2026")))
    assert phare.day("2026-03-19") == ["infos"]
    phare.export((line(1, "Nadia Nouvelle", "Cyrano", "20/03/2026"), line(3, "Eve Petit", "Cyrano", "20/03/2026")))
    assert phare.day("2026-03-21", "autour-du-spectacle") == [
        "merci",
        "merci",
    ]  # of Nadia and Eve; Luc's ticket is gone


def test_preview_and_the_report_tell_of_journeys(phare: Phare) -> None:
    phare.export((line(1, "Nadia Nouvelle", "Cyrano", "20/03/2026"),))
    phare.run(today="2026-03-15")
    ahead = phare.filrouge("preview", "--json", today="2026-03-15").facts["coming"]
    assert [(one["step"], one["due"][:10], one["people"]) for one in ahead] == [
        ("infos", "2026-03-17", ["Nadia Nouvelle"]),
        ("merci", "2026-03-21", ["Nadia Nouvelle"]),
    ]
    said = phare.filrouge("preview", "autour-du-spectacle", today="2026-03-15").said
    assert "3 jours avant · courriel «\u00a0infos\u00a0» (1)\u00a0: Nadia Nouvelle" in said
    assert "Autour du spectacle\u00a0: 1 étape faite." in phare.filrouge("run", today="2026-03-17").said
    assert "Autour du spectacle" in (phare.folder / "report.html").read_text("utf-8")
    waiting = phare.filrouge("outbox").said
    assert "Autour du spectacle" in waiting


def test_preview_begins_with_who_is_at_a_step_and_explain_says_of_them_what_it_says(phare: Phare) -> None:
    phare.export((
        line(1, "Nadia Nouvelle", "Cyrano", "20/03/2026"), line(2, "Luc Roy", "Ubu", "21/03/2026"),
        line(3, "Eve Petit", "Ubu", "22/03/2026"),
    ))  # fmt: skip
    phare.run(today="2026-03-15")
    nothing = phare.filrouge("preview", "autour-du-spectacle", today="2026-03-15").said
    assert nothing.startswith("Autour du spectacle\u00a0: aucune étape à ce passage.")

    def told(who: str, today: str) -> tuple[str, str]:
        return phare.steps(who, today)[0], phare.filrouge("preview", "autour-du-spectacle", today=today).said

    step, ahead = told("Nadia Nouvelle", "2026-03-17")
    assert "puis attend votre accord" in step
    assert ahead.startswith(
        "Autour du spectacle, à ce passage\u00a0: 1 étape faite.\n"
        "  + Nadia Nouvelle · 3 jours avant · courriel «\u00a0infos\u00a0»\n"
    )
    assert "(attend votre accord)" in ahead
    assert phare.filrouge("preview", "--json", today="2026-03-17").facts["journeys"] == {
        "autour-du-spectacle": [
            {"person": "Nadia Nouvelle", "step": "infos", "at": "3 jours avant", "what": "courriel «\u00a0infos\u00a0»"}
        ]
    }

    assert phare.day("2026-03-17", "autour-du-spectacle") == ["infos"]
    step, ahead = told("Luc Roy", "2026-03-18")
    assert step.endswith("part au prochain passage")
    assert "(accordé)" in ahead
    phare.change("rules/templates/infos.md", "Bonjour", "Bonsoir")  # other words are not the approved ones
    step, ahead = told("Luc Roy", "2026-03-18")
    assert "puis attend votre accord" in step
    assert "(attend votre accord)" in ahead
    english = phare.filrouge("--language", "en", "explain", "Luc Roy", today="2026-03-18").said
    assert "is prepared by the next run, then waits for approval" in english


def test_of_a_journey_that_sleeps_explain_promises_nothing(phare: Phare) -> None:
    phare.export((line(1, "Nadia Nouvelle", "Cyrano", "20/03/2026"),))
    phare.run(today="2026-03-15")
    assert "en pause" not in "".join(phare.steps("Nadia Nouvelle", "2026-03-17"))
    phare.change("rules/parcours.yaml", "    autour:", "    actif: non\n    autour:")
    assert ["en pause" in step for step in phare.steps("Nadia Nouvelle", "2026-03-17")] == [True, True]


def test_a_renamed_journey_repeats_nothing(phare: Phare) -> None:
    phare.export((line(1, "Nadia Nouvelle", "Cyrano", "20/03/2026"),))
    phare.day("2026-03-17", "autour-du-spectacle")
    phare.change(
        "rules/parcours.yaml", "nom: Autour du spectacle", "nom: Avant et après\n    ancien nom: Autour du spectacle"
    )
    assert phare.day("2026-03-18") == []
    phare.export((line(1, "Nadia Nouvelle", "Cyrano", "20/03/2026"), line(2, "Luc Roy", "Cyrano", "20/03/2026")))
    assert phare.day("2026-03-19") == ["infos"], "the yes goes with it"
    assert phare.day("2026-03-21", "avant-et-apres") == ["merci", "merci"]


SAYS = {
    "fr": (
        "À bientôt pour Cyrano, le 20 mars 2026",
        "Le lieu\u00a0: Grande salle",
        "L'heure\u00a0: 20\u00a0h\u00a0;",
        "18\u00a0h\u00a030",
    ),
    "en": (
        "See you soon for Cyrano, on March 20, 2026",
        "The place: Grande salle",
        "The time: 8:00\u202fp.m.",
        "6:30\u202fp.m.",
    ),
}


@pytest.mark.parametrize("language", ["fr", "en"])
def test_practical_information_names_the_show_its_place_and_its_hour_as_they_are_when_it_goes(
    tmp_path: Path, language: str
) -> None:
    phare = Phare(tmp_path / "phare", language=language)
    name, _ = PATH[language]
    subject, place, hour, new_hour = SAYS[language]
    assert phare.filrouge("rules", "add", name, "--yes").code == 0
    phare.plays("Cyrano", "20:00", "Grande salle", "Nadia Nouvelle")
    assert phare.day("2026-03-17") == []  # it waits for approval
    (mail,) = phare.filrouge("preview", "--json", "--page", "preview.html", today="2026-03-17").facts["mails"]
    assert mail["subject"] == subject
    page = (phare.folder / "preview.html").read_text("utf-8")
    assert place.partition(":")[2].strip() in page
    phare.plays("Cyrano", "18:30", "Grande salle", "Nadia Nouvelle")
    assert phare.day("2026-03-18", name) == [subject]
    (text,) = phare.texts()
    assert place in text
    assert new_hour in text
    assert hour not in text


def test_a_show_whose_place_nobody_knows_holds_the_e_mail_unless_it_says_what_else(phare: Phare) -> None:
    told = "Rendez-vous : {{ lieu_du_spectacle }}, {{ heure_du_spectacle or 'voir le billet' }}."
    phare.write("rules/templates/infos.md", TEMPLATE.format(name="infos") + told + "\n")
    phare.plays("Cyrano", "", "", "Nadia Nouvelle")
    assert phare.day("2026-03-17", "autour-du-spectacle") == []
    (mail,) = phare.filrouge("outbox", "--json").facts["mails"]
    assert (mail["state"], mail["reason"]) == ("held", "empty-field")
    phare.plays("Cyrano", "", "Petite salle", "Nadia Nouvelle")
    phare.day("2026-03-18", "autour-du-spectacle")
    assert "Petite salle, voir le billet." in phare.texts()[0]  # a day without its hour is not midnight


GIFTS = """\
Référence commande;Date de la commande;Statut de la commande;Nom donateur;Prénom donateur;Email payeur;Montant du don
1;10/03/2026 10:00;Validé;Grande;Denise;denise.grande@example.org;300,00
2;11/03/2026 10:00;Validé;Grande;Denise;denise.grande@example.org;25,00
"""
THANKS = """\
parcours:
  - nom: Merci du don
    autour: chaque don
    étapes:
      - à: 1 jour après
        courriel: merci
"""


def test_each_gift_is_thanked_for_by_its_amount_and_day(tmp_path: Path) -> None:
    phare = Phare(tmp_path / "phare", journeys=THANKS)
    phare.write("rules/templates/merci.md", TEMPLATE.format(name="'{{ montant_du_don }}, {{ date_du_don }}'"))
    phare.write("exports/dons.csv", GIFTS)
    assert phare.filrouge("check").code == 0
    assert phare.day("2026-03-11", "merci-du-don") == ["300,00\u00a0$, 10 mars 2026"]
    assert phare.day("2026-03-12", "merci-du-don") == ["25,00\u00a0$, 11 mars 2026"]


def test_only_large_gifts_are_thanked_for_and_explain_says_why(tmp_path: Path) -> None:
    large = THANKS.replace("chaque don\n", "chaque don\n    quand: {montant: au moins 100}\n")
    phare = Phare(tmp_path / "phare", journeys=large)
    phare.write("rules/templates/merci.md", TEMPLATE.format(name="'{{ montant_du_don }}'"))
    phare.write("exports/dons.csv", GIFTS)
    assert phare.day("2026-03-11", "merci-du-don") == ["300,00\u00a0$"]
    assert phare.day("2026-03-12", "merci-du-don") == []
    told = phare.filrouge("explain", "denise.grande@example.org", today="2026-03-12").said
    assert "montant\u00a0: 25 (au moins 100 ✗)" in told


MISPLACED = {
    "fr": ("lieu_du_spectacle", "«\u00a0Sans billet\u00a0» envoie ce courriel sans qu'il y en ait un"),
    "en": ("event_place", "“Sans billet” sends this e-mail without one"),
}


@pytest.mark.parametrize("language", ["fr", "en"])
def test_check_tells_of_a_rule_whose_e_mail_speaks_of_a_show(tmp_path: Path, language: str) -> None:
    field, said = MISPLACED[language]
    phare = Phare(tmp_path / "phare", journeys=AROUND, language=language)
    phare.write("rules/templates/infos.md", TEMPLATE.format(name="infos") + f"\nÀ {{{{ {field} or 'nous' }}}}.\n")
    assert phare.filrouge("check").code == 0  # a journey around tickets has one
    rule = "règles:\n  - nom: Sans billet\n    quand: {visites: au moins 1}\n    alors:\n      - courriel: infos\n"
    phare.write("rules/sans-billet.yaml", rule)
    told = phare.filrouge("check")
    assert told.code == 2
    assert "rules/templates/infos.md:7:6" in told.said
    assert said in told.said
    phare.write("rules/sans-billet.yaml", rule.replace("courriel: infos", f'tâche: "Dire {{{{ {field} }}}}"'))
    assert "sans-billet.yaml:5:" in phare.filrouge("check").said
