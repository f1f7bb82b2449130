"""`preview RULE`: only what that rule moves, its tasks, and why nobody is in it; `explain` after a rule was changed."""

from __future__ import annotations

import pytest

from tests.thread.small import TODAY, Small

RULES = """\
règles:
  - nom: Perdus de vue
    quand: {dernière visite: il y a plus de 6 mois}
    alors:
      - signaler: À relancer
      - tâche: Appeler {{ prénom }}
        pour: Marie
        échéance: dans 5 jours
  - nom: Revenus
    quand: {dernière visite: il y a moins de 6 mois}
    alors:
      - signaler: Revenu
      - écrire: {Priorité: Haute}
      - prévenir: "{{ prénom }} est de retour"
  - nom: Concerts
    quand:
      visites: {nombre: au moins 1, genre: concerts}
      fin d'adhésion: dans les 30 prochains jours
      genres: contiennent concerts
      ville: Lyon
    sauf: {infolettre: inscrit}
    alors:
      - signaler: Concerts
"""


@pytest.fixture
def phare(small: Small) -> Small:
    small.write("rules/public.yaml", RULES)
    config = (small.folder / "config.yaml").read_text("utf-8")
    small.write(
        "config.yaml",
        config.replace("rules: rules/", "rules: rules/\nstaff: {email: [nom@example.org]}").replace(
            "Signaux: flags", "Signaux: flags, Genres: genres, Ville: city"
        ),
    )
    small.run()
    return small


@pytest.fixture
def changed(phare: Small) -> Small:
    swapped = RULES.replace("plus de 6", "@").replace("moins de 6", "plus de 6").replace("@", "moins de 6")
    phare.write("rules/public.yaml", swapped)
    return phare


def test_it_shows_only_the_cells_of_that_rule_and_its_tasks(changed: Small) -> None:
    lost, back = (
        changed.filrouge("preview", name, "--json", today=TODAY).facts for name in ("Perdus de vue", "Revenus")
    )
    columns = [{(cell["column"], cell["from"], cell["to"]) for cell in one["cells"]} for one in (lost, back)]
    assert {column for column, _, _ in columns[0]} == {"Signaux"}
    assert {("Priorité", "", "Haute")} < columns[1]
    assert [(one["person"], one["what"], one["who"], one["until"]) for one in lost["tasks"]] == [
        ("Awa Diallo", "Appeler Awa", "Marie", "2026-03-19")
    ]
    assert back["tasks"] == []
    assert [one["what"].endswith("Jeanne est de retour") for one in back["deeds"]] == [True]
    everything = changed.filrouge("preview", "--json", today=TODAY).facts
    assert (len(lost["cells"]), len(everything["cells"])) == (2, 3)
    said = changed.filrouge("preview", "Perdus de vue", today=TODAY).said
    assert "Awa Diallo · Appeler Awa · Marie · pour le 19 mars 2026" in said
    assert "Jeanne Exemple · Signaux\xa0: À relancer → Revenu" in said


def test_of_a_rule_without_anybody_it_tells_which_condition_nobody_meets(phare: Small) -> None:
    said = phare.filrouge("preview", "Concerts", today=TODAY).said.replace("\xa0", " ").replace("\u202f", " ")
    assert "Personne n'est concerné par « Concerts »" in said
    assert "0 · visites en concerts : au moins 1" in said
    assert "? · fin d'adhésion : dans les 30 prochains jours" in said
    assert "sauf infolettre : inscrit" in said
    assert "`filrouge preview concerts`" in phare.filrouge("preview", today=TODAY).said
    assert "2 personnes" not in phare.filrouge("preview", "Perdus de vue", today=TODAY).said


def test_explain_tells_what_was_said_of_this_person(phare: Small) -> None:
    said = phare.filrouge("explain", "awa.diallo@example.org", "--rule", "Revenus", today=TODAY).said
    assert "Awa est de retour" in said


def test_explain_does_not_say_that_somebody_is_in_a_rule_that_no_longer_holds(changed: Small) -> None:
    said = changed.filrouge("explain", "jeanne.exemple@example.org", "--rule", "Perdus de vue", today=TODAY).said
    assert "n'est pas dans" in said
    assert "dedans depuis" not in said
    assert "au dernier passage" in said
