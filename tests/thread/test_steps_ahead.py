"""What preview says of the steps to come is what the run of that day does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.thread.small import Small, line
from tests.thread.test_comes_and_goes import bare

GIFTS = """\
Référence commande;Date de la commande;Statut de la commande;Nom donateur;Prénom donateur;Nom payeur;Prénom payeur;Email payeur;Raison sociale;Moyen de paiement;Type;Montant du don
1;24/12/2025 10:00;Validé;Roy;Ana;Roy;Ana;ana.roy@example.org;;Carte bancaire;Don unique;30,00
2;24/12/2025 10:00;Validé;Roy;Luc;Roy;Luc;luc.roy@example.org;;Carte bancaire;Don unique;30,00
3;20/11/2026 10:00;Validé;Roy;Luc;Roy;Luc;luc.roy@example.org;;Carte bancaire;Don unique;30,00
"""
JOURNEY = """\
parcours:
  - nom: Après
    autour: {around}
    étapes: [{{à: {at}, {asked}, tâche: "Écrire à {{{{ prénom }}}}"}}]
"""
BEFORE, DAY = "2026-11-23", "2026-11-24"


@pytest.fixture
def phare(tmp_path: Path) -> Small:
    small = Small(tmp_path / "phare")
    (small.folder / "rules" / "public.yaml").unlink()
    small.write("exports/helloasso-dons.csv", GIFTS)
    small.export((line(1, "Zoé Loin", "Cyrano", "23/11/2026"), line(2, "Max Loin", "Ubu", "23/11/2025"),
                  line(3, "Max Loin", "Cyrano", "23/11/2026")))  # fmt: skip
    small.write(
        "rules/parcours.yaml", JOURNEY.format(around="chaque don", at="1 jour après", asked="au plus tard: 3 jours")
    )
    small.run(today="2026-11-22")
    return small


def promised(small: Small, **journey: str) -> tuple[list[str], list[str]]:
    """Whom preview names on the day before, and whom the day's run gives a task."""
    small.write("rules/parcours.yaml", JOURNEY.format(**journey))
    (told,) = small.filrouge("preview", "--json", today=BEFORE).facts["coming"]
    done = small.filrouge("preview", "--json", today=DAY).facts["tasks"]
    return told["likely"], sorted(one["person"] for one in done)


@pytest.mark.parametrize(
    ("asked", "who"),
    [
        ("sauf: {dernier don: il y a moins de 11 mois}", ["Ana Roy"]),
        ("sauf: {dons: {nombre: au moins 1, sur: 11 mois}}", ["Ana Roy"]),
        ("quand: {dernier don: il y a 11 mois}", ["Ana Roy"]),
        ("quand: {dernier don: avant le 2026-11-01}", ["Ana Roy"]),
        ("sauf: {dons depuis: au moins 1}", ["Ana Roy"]),
        ("quand: {dons: {nombre: au moins 2, sur: 12 mois}}", ["Luc Roy"]),
        ("quand: {dernière visite: connue}", []),
    ],
)
def test_a_condition_on_days_is_judged_by_the_day_of_the_step(phare: Small, asked: str, who: list[str]) -> None:
    assert promised(phare, around="chaque don", at="11 mois après", asked=asked) == (who, who)


@pytest.mark.parametrize(
    ("asked", "who"),
    [
        ("quand: {visites: 1}", ["Zoé Loin"]),
        ("quand: {dernière visite: il y a 1 jour}", ["Max Loin", "Zoé Loin"]),
        ("sauf: {prochaine visite: connue}", ["Max Loin", "Zoé Loin"]),
        ("quand: {visites: {nombre: au moins 2, sur: 13 mois}}", ["Max Loin"]),
        ("quand: {première visite: il y a moins de 2 jours}", ["Zoé Loin"]),
    ],
)
def test_what_is_booked_until_then_counts_as_visited(phare: Small, asked: str, who: list[str]) -> None:
    told, done = promised(phare, around="chaque billet", at="1 jour après", asked=asked)
    assert (sorted(told), done) == (who, who)


HALF_A_DAY = "sauf: {dons depuis: au moins 1}, au plus tard: 12 heures"


def test_a_step_that_every_run_misses_is_promised_to_nobody(phare: Small) -> None:
    asked = {"around": "chaque don", "at": "11 mois après", "asked": HALF_A_DAY}
    assert promised(phare, **asked)[0] == ["Ana Roy"]
    said = bare(phare.filrouge("preview", today=BEFORE).said)
    assert ": Ana Roy – seulement dans un passage jusqu'au 24 nov. 2026 12:00" in said
    phare.change("config.yaml", "every day at 06:00", "every day at 14:00")
    assert promised(phare, **asked)[0] == []
    late = bare(phare.filrouge("preview", "apres", today=BEFORE).said)
    assert "(personne sur 2 : l'étape peut partir jusqu'au 24 nov. 2026 12:00," in late
    assert "celui du 24 nov. 2026 14:00, trop tard." in late
    assert "ou donnez plus de temps à l'étape avec `au plus tard`)" in late
    assert "« Après » ne concerne personne" in late
    phare.change("config.yaml", "language: fr", "language: en")
    english = phare.filrouge("preview", today=BEFORE).said
    assert "the first run of the schedule after its time comes on 24 Nov 2026 14:00, too late." in english


def test_what_goes_hours_before_a_show_needs_a_run_in_them(phare: Small) -> None:
    asked = {"around": "chaque billet", "at": "2 heures avant", "asked": "quand: {visites: au plus 9}"}
    phare.write("rules/parcours.yaml", JOURNEY.format(**asked))
    said = bare(phare.filrouge("preview", today="2026-11-22").said)
    assert (
        "jusqu'au 23 nov. 2026 20:00, et le premier passage prévu après son moment est celui du 24 nov. 2026 06:00"
        in said
    )
    assert "`schedule` dans config.yaml)" in said
    phare.change("config.yaml", "every day at 06:00", "every hour")
    assert "2 heures avant · tâche « Écrire à {{ prénom }} » (2) :" in bare(
        phare.filrouge("preview", today="2026-11-22").said
    )


def test_a_day_of_the_week_on_which_it_runs_is_the_day_it_judges_by(phare: Small) -> None:
    """24 November 2026 is a Tuesday; on Thursday the gift is longer ago than eleven months and a day."""
    phare.change("config.yaml", "every day at 06:00", "every thursday at 06:00")
    asked = "quand: {dernier don: il y a plus de 336 jours}, au plus tard: 3 jours"
    phare.write("rules/parcours.yaml", JOURNEY.format(around="chaque don", at="11 mois après", asked=asked))
    assert phare.filrouge("preview", "--json", today=BEFORE).facts["coming"][0]["likely"] == ["Ana Roy"]


def test_where_no_source_gives_donations_check_says_what_brings_them(tmp_path: Path) -> None:
    small = Small(tmp_path / "phare")
    small.write(
        "rules/parcours.yaml",
        JOURNEY.format(around="chaque billet", at="1 jour après", asked="sauf: {dons depuis: au moins 1}"),
    )
    small.run()
    said = bare(small.filrouge("check").said)
    assert "`dons depuis` n'est connu de personne pour l'instant" in said
    assert "Les dons viennent d'un export de dons" in said
