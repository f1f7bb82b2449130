"""`yesterday`, `demain`, `ce soir`: advised on where the text may be read on another day, and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.thread.small import Small
from tests.thread.test_comes_and_goes import bare

RULES = """\
parcours:
  - nom: Après
    autour: chaque billet
    étapes:
      - {à: 1 jour après, courriel: apres}
      - {à: 3 heures avant, courriel: avant}
      - {à: 1 jour avant, courriel: exact, au plus tard: 23 heures}
      - {à: le jour même, courriel: jour}
  - nom: Fête
    autour: anniversaire
    étapes: [{à: le jour même, courriel: fete}]
règles:
  - nom: Revenus
    quand: {dernière visite: il y a moins de 5 jours}
    alors:
      - courriel: merci
      - tâche: Appeler {{ prénom }}, venue hier
      - tâche: Réserver pour demain
        échéance: dans 1 jour
"""
BODY = "Bonjour {{{{ prénom or 'vous' }}}}.\n\n{}\n"


@pytest.fixture(scope="module")
def phare(tmp_path_factory: pytest.TempPathFactory) -> Small:
    small = Small(tmp_path_factory.mktemp("day") / "phare")
    small.write("rules/public.yaml", RULES)
    for name in ("apres", "avant", "exact", "jour", "fete", "merci"):
        write(small, name, "Merci.")
    return small


def write(small: Small, name: str, text: str) -> None:
    small.write(f"rules/templates/{name}.md", f"---\nobjet: Merci\nfinalité: service\n---\n{BODY.format(text)}")


def advised(small: Small, *words: str) -> list[tuple[str, int, str]]:
    advice = small.filrouge(*words, "check", "--json").facts["advice"]
    found = [
        one for one in advice if re.search("est faux|être faux|wrong", one["message"])
    ]  # other advice: not of a word
    return [(Path(one["file"]).stem, one["line"], bare(one["message"])) for one in found]


def test_the_line_and_the_day_to_write_instead_are_told(phare: Small) -> None:
    write(phare, "apres", "Merci d'être venu hier !")
    write(phare, "merci", "You came yesterday.")
    told = {(file, line): message for file, line, message in advised(phare)}
    assert told["apres", 7] == (
        "`hier` risque d'être faux à la lecture : « Après » peut l'envoyer avec un retard de 3 jours au plus, et la"
        " première fois cela attend votre accord. Écrivez plutôt le jour : `{{ date_du_spectacle }}`. Ou ne le laissez"
        " partir qu'à son jour, avec la ligne `au plus tard: le jour même` sous `courriel:`."
    )
    assert "`{{ last_visit }}`" in told["merci", 7], "in the language of the text"
    assert "`{{ dernière_visite }}`" in told["public", 17]
    assert "on entre dans « Revenus » n'importe quel jour" in told["merci", 7]
    assert "`{{ prochaine_visite }}`" in told["public", 18]
    assert len(told) == 4
    english = advised(phare, "--language", "en")
    assert any(
        "up to 3 days late" in one and "`{{ date_du_spectacle }}`" in one and "below `courriel:`" in one
        for _, _, one in english
    )


STALE = {
    "apres": ["À demain !", "Hier soir, vous étiez là.", "le spectacle d'hier", "See you tomorrow.", "yesterday's show"],
    "jour": ["C'est aujourd'hui.", "The show is today.", "ce soir à 20 h", "À {{ heure_du_spectacle or 'ce soir' }}, ce soir"],
    "merci": ["Last night was a joy.", "**Ce soir**, on joue."],
    "fete": ["C'était hier."],
}  # fmt: skip
FINE = {
    "apres": [
        "Aujourd'hui encore, merci.", "les artistes d'hier et d'aujourd'hui", "le théâtre de demain", "ce soir-là",
        "the artists of tomorrow", "tomorrow's audience", "le lendemain", "le cahier", "yesterday and today",
        "« Demain dès l'aube »", "https://example.org/hier", "Aujourd'hui, nous préparons la saison.",
    ],
    "avant": ["À ce soir !", "Tonight we play."],
    "exact": ["À demain !"],
    "fete": ["Nous pensons à vous aujourd'hui."],
}  # fmt: skip


def test_words_that_go_stale_are_told_from_those_that_do_not(phare: Small) -> None:
    for name in ("apres", "merci"):
        write(phare, name, "Merci.")
    for name in {*STALE, *FINE}:
        write(phare, name, "\n\n".join([*STALE.get(name, ()), *FINE.get(name, ())]))
    told = {(file, line) for file, line, _ in advised(phare) if file != "public"}
    assert told == {(name, 7 + 2 * n) for name, texts in STALE.items() for n in range(len(texts))}
