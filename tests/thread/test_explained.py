"""`explain` as the box office reads it: what comes next, what it hangs on, and that an e-mail would not leave, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.thread.small import LINES, Small, line
from tests.thread.test_comes_and_goes import bare

AROUND = """\
parcours:
  - nom: Autour du spectacle
    autour: chaque billet
    sauf: {signaux: contiennent Jamais}
    étapes:
      - à: 3 jours avant
        courriel: on-se-revoit
      - à: 1 jour après
        quand: {visites: 1}
        courriel: on-se-revoit
      - à: 1 jour après
        quand: {visites: 1}
        signaler: Venu
"""


@pytest.fixture
def news(small: Small) -> Small:
    """News, in Canada: a purchase or a visit gives the right for two years. These came three years ago."""
    small.change("rules/templates/on-se-revoit.md", "purpose: service", "purpose: marketing")
    small.export(tuple(one.replace("/2024", "/2023") for one in LINES))
    small.run()
    return small


@pytest.fixture
def around(tmp_path: Path) -> Small:
    """Nadia bought long ago for a show to come: nothing but the show will give a right to send her news."""
    small = Small(tmp_path / "phare")
    small.change("rules/templates/on-se-revoit.md", "purpose: service", "purpose: marketing")
    small.write("rules/public.yaml", AROUND)
    small.export((line(1, "Nadia Nouvelle", "Cyrano", "20/03/2026").replace("01/02/2024", "01/02/2023"),))
    small.run(today="2026-03-14")
    return small


WAITS = {
    "fr": (
        "courriel « on-se-revoit » : attend votre accord, mais ne partirait pas en l'état : ",
        "la personne n'a pas donné son accord",
    ),
    "en": (
        "e-mail “on-se-revoit”: waits for approval, but would not leave as things stand: ",
        "the person gave no consent",
    ),
}


def test_an_email_that_waits_and_would_not_leave_is_told_so_in_the_words_of_the_outbox(news: Small) -> None:
    for language, (told, why) in WAITS.items():
        said = bare(news.filrouge("--language", language, "explain", "Jeanne Exemple", today="2026-03-14").said)
        assert told + why in said
        assert why in bare(news.filrouge("--language", language, "outbox").said)


def test_a_step_whose_email_would_not_leave_says_so_and_one_after_the_show_counts_the_show(around: Small) -> None:
    told = bare(around.filrouge("explain", "Nadia Nouvelle", today="2026-03-14").said)
    assert (
        "✗ 3 jours avant (17 mars 2026) · courriel « on-se-revoit » : ne partirait pas en l'état : la personne" in told
    )
    assert (
        "→ 1 jour après (21 mars 2026) · courriel « on-se-revoit » : vient, si ses conditions sont remplies ce jour-là ;"
        " aujourd'hui, cette visite n'y compte pas encore\n      0 visite (1 ✗)" in told
    )
    english = around.filrouge("--language", "en", "explain", "Nadia Nouvelle", today="2026-03-14").said
    assert "· e-mail “on-se-revoit”: would not leave as things stand: the person gave no consent" in english
    assert "comes, if its conditions hold on that day; today, this visit does not count in them yet" in english
    due = bare(around.filrouge("explain", "Nadia Nouvelle", today="2026-03-17").said)
    assert "✗ 3 jours avant (17 mars 2026) · courriel « on-se-revoit » : ne partirait pas en l'état" in due


def test_the_next_step_is_told_first_with_its_day_and_what_every_step_asks_once(around: Small) -> None:
    told = bare(around.filrouge("explain", "Nadia Nouvelle", today="2026-03-14").said)
    assert "Ensuite : courriel « on-se-revoit » · signal « Venu », le 21 mars 2026, dans 7 jours." in told
    assert told.count("signaux : vide") == 1, "asked of the whole journey"
    english = around.filrouge("--language", "en", "explain", "Nadia Nouvelle", today="2026-03-14").said
    assert "Next: e-mail “on-se-revoit” · flag “Venu”, on 21 March 2026, in 7 days." in english
    around.run(today="2026-03-21")
    waits = bare(around.filrouge("explain", "Nadia Nouvelle", today="2026-03-21").said)
    assert (
        "Ensuite : courriel « on-se-revoit » : attend votre accord par `filrouge approve autour-du-spectacle`" in waits
    )
    around.run(today="2026-03-30")
    over = bare(around.filrouge("explain", "Nadia Nouvelle", today="2026-03-30").said)
    assert "En l'état, rien d'autre ne vient." in over


def test_a_rule_not_run_yet_says_what_the_next_run_does_with_whom_it_takes_in(news: Small) -> None:
    news.write(
        "rules/neuve.yaml",
        "règles:\n  - nom: Neuve\n    quand: {visites: au moins 1}\n    alors:\n      - signaler: Neuf\n"
        "      - {courriel: on-se-revoit, attendre: 2 jours}\n",
    )
    told = bare(news.filrouge("explain", "Awa Diallo", "--rule", "neuve", today="2026-03-14").said)
    assert (
        "  entre dans la règle au prochain passage, qui fait alors :\n    signal « Neuf »\n"
        "    courriel « on-se-revoit », 2 jours plus tard si tout cela est encore vrai :"
        " est préparé par le prochain passage, puis attend votre accord\n" in told
    )
    jeanne = bare(news.filrouge("explain", "Jeanne Exemple", "--rule", "neuve", today="2026-03-14").said)
    assert "est encore vrai : ne partirait pas en l'état : la personne n'a pas donné son accord" in jeanne
    news.run(today="2026-03-14")
    assert "signal « Neuf » : mis le 14 mars 2026" in bare(
        news.filrouge("explain", "Awa Diallo", "--rule", "neuve", today="2026-03-14").said
    )
    after = bare(news.filrouge("explain", "Awa Diallo", "--rule", "neuve", today="2026-03-14").said)
    assert "prochain passage, qui fait alors" not in after
    news.change("rules/neuve.yaml", "Neuve", "Autre\n    actif: non")
    paused = news.filrouge("--language", "en", "explain", "Awa Diallo", "--rule", "autre", today="2026-03-14").said
    assert "nothing is done while the rule is paused" in paused


def test_a_flag_that_a_journey_put_long_ago_is_told_as_long_as_it_is_there(small: Small) -> None:
    small.write(
        "rules/parcours.yaml",
        "parcours:\n  - nom: Pas revenus\n    autour: première visite\n    étapes:\n      - à: 3 mois après\n"
        "        quand: {visites: 1}\n        signaler: Pas revenu\n",
    )
    small.export((line(9, "Nadia Exemple", "Ubu roi", "10/01/2026"),))
    small.run(today="2026-03-14")
    for day in ("2026-04-10", "2027-11-20"):
        small.run(today=day)
        said = bare(small.filrouge("explain", "nadia.exemple@example.org", "--rule", "Pas revenus", today=day).said)
        assert "mis le 10 avr. 2026" in said
        assert "toujours là" in said
    small.export((line(9, "Nadia Exemple", "Ubu roi", "10/01/2026"), line(10, "Nadia Exemple", "Cyrano", "25/11/2027")))
    small.run(today="2027-11-27")
    said = bare(small.filrouge("person", "show", "nadia.exemple@example.org", today="2027-11-27").said)
    assert "Pas revenu" not in said
    assert "toujours là" not in bare(
        small.filrouge("explain", "nadia.exemple@example.org", "--rule", "Pas revenus", today="2027-11-27").said
    )
