"""Journeys and every action in a real editor's hands, in both languages: completed, explained, underlined."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from rules.schema import Names, schema
from tests.real.editor.editor import Editor, editor

pytestmark = pytest.mark.real
NAMES = Names(["Seats"], ["welcome", "bienvenue"], ["Regulars"], ["crm"], ["letter", "mailchimp"])
SCORES = {
    "en": {"recency_score", "frequency_score", "money_score"},
    "fr": {"score de récence", "score de fréquence", "score de montant"},
}
DONE = {
    "en": {"email", "task", "flag", "set", "newsletter", "notify", "review", "webhook", "forget"},
    "fr": {"courriel", "tâche", "signaler", "écrire", "infolettre", "prévenir", "vérifier", "webhook", "oublier"},
}
COMPLETED = {  # each @ with some of what must be offered there
    "en": (
        """\
journeys:
  - name: Around the show
    around: @
    steps:
      - at: @
        email: @
      - at: 1 day after
        email: welcome
        @
      - @
      - at: 1 day after
        when:
          attended: @
        newsletter: @
      - at: 1 day after
        newsletter:
          @
      - at: 2 days after
        webhook: @
        fields:
          - @
      - at: 3 days after
        review: @
    stop when:
      @
  - name: Birthdays
    around: birthday
    @
rules:
  - name: Best
    when:
      money_score: @
    then:
      - newsletter: subscribe
        in: @
      - webhook: crm
        @
""",
        [
            {"each ticket", "first visit", "membership end", "birthday", "each donation", "each answer"},
            {"3 days before", "1 day after", "the same day"},
            {"welcome", "bienvenue"},
            {"purpose", "when", "unless", "no later than"},
            DONE["en"] | {"at"},
            {"yes", "no"},
            {"subscribe", "unsubscribe"},
            {"add tag", "remove tag"},
            {"crm"},
            {"email", "last_visit"},
            {"10 a day"},
            {"attended", "genre", "amount", "newsletter", "sheet"} | SCORES["en"],
            {"when", "unless", "no later than", "examples"},
            {"at least 3", "between 2 and 5", "empty"},
            {"letter", "mailchimp"},
            {"fields"},
        ],
    ),
    "fr": (
        """\
parcours:
  - nom: Autour du spectacle
    autour: @
    étapes:
      - à: @
        courriel: @
      - à: 1 jour après
        courriel: bienvenue
        @
      - @
      - à: 1 jour après
        quand:
          est venu: @
        infolettre: @
      - à: 1 jour après
        infolettre:
          @
      - à: 2 jours après
        webhook: @
        champs:
          - @
      - à: 3 jours après
        vérifier: @
    arrêter quand:
      @
  - nom: Anniversaires
    autour: anniversaire
    @
règles:
  - nom: Les meilleurs
    quand:
      score de montant: @
    alors:
      - infolettre: inscrire
        dans: @
      - webhook: crm
        @
""",
        [
            {"chaque billet", "première visite", "fin d'adhésion", "anniversaire", "chaque don", "chaque réponse"},
            {"3 jours avant", "1 jour après", "le jour même"},
            {"welcome", "bienvenue"},
            {"finalité", "quand", "sauf", "au plus tard"},
            DONE["fr"] | {"à"},
            {"oui", "non"},
            {"inscrire", "désinscrire"},
            {"ajouter étiquette", "retirer étiquette"},
            {"crm"},
            {"courriel", "dernière visite"},
            {"10 par jour"},
            {"est venu", "genre", "infolettre", "tableau"} | SCORES["fr"],
            {"quand", "sauf", "au plus tard", "exemples"},
            {"au moins 3", "entre 2 et 5", "vide"},
            {"letter", "mailchimp"},
            {"champs"},
        ],
    ),
}
ALL = {
    "en": """\
journeys:
  - name: Around the show
    around: each ticket
    no later than: 5 days
    steps:
      - {at: 1 day after, newsletter: {add tag: Dance}, in: letter}
      - {at: 1 day after, notify: Came}
      - {at: 2 days after, review: 5 a day}
      - {at: 2 days after, webhook: crm, fields: [email, money_score]}
      - {at: 3 days after, forget: Asked for it}
    stop when: {newsletter: unsubscribed}
""",
    "fr": """\
parcours:
  - nom: Autour du spectacle
    autour: chaque billet
    au plus tard: 5 jours
    étapes:
      - {à: 1 jour après, infolettre: {ajouter étiquette: Danse}, dans: letter}
      - {à: 1 jour après, prévenir: Venue}
      - {à: 2 jours après, vérifier: 5 par jour}
      - {à: 2 jours après, webhook: crm, champs: [courriel, score de montant]}
      - {à: 3 jours après, oublier: Demandé}
    arrêter quand: {infolettre: désinscrit}
""",
}
EXPLAINED = {  # words of ALL, and something that is said of each
    "en": {
        "around:": "counted from", "steps:": "What happens when", "at:": "before", "newsletter: {add": "first batch",
        "notify:": "Tell the team", "review:": "so many a day", "webhook:": "another program",
        "forget:": "Nothing is erased by itself", "stop when:": "", "no later than:": "listed, not done",
    },
    "fr": {
        "autour:": "", "étapes:": "Ce qui se passe et quand", "à:": "avant", "infolettre: {ajouter": "accord",
        "prévenir:": "équipe", "vérifier:": "par jour", "webhook:": "logiciel", "oublier:": "",
        "arrêter quand:": "", "au plus tard:": "listé",
    },
}  # fmt: skip
WRONG = {  # each slip, put in place of a piece of ALL
    "en": [
        ("each ticket", "each tickets sold"), ("1 day after, notify", "1 day afterwards, notify"),
        ("5 a day", "5 a month"), ("in: letter", "inn: letter"), ("notify: Came", "notifi: Came"),
        ("[email, money_score]", "[emails]"), ("add tag", "put tag"), ("stop when", "stop if ever"),
        ("forget: Asked for it", "forget: Asked for it, wait: 2 days"), ("newsletter: unsubscribed", "attended: maybe"),
    ],
    "fr": [
        ("chaque billet", "tous les billets"), ("1 jour après, prévenir", "1 jour plus tard, prévenir"),
        ("5 par jour", "5 par mois"), ("dans: letter", "dedans: letter"), ("prévenir: Venue", "previens: Venue"),
        ("[courriel, score de montant]", "[couriel, note]"), ("ajouter étiquette", "mettre étiquette"),
        ("arrêter quand", "arrêter si jamais"), ("oublier: Demandé", "oublier: Demandé, attendre: 2 jours"),
        ("infolettre: désinscrit", "est venu: peut-être"),
    ],
}  # fmt: skip


@pytest.fixture(scope="module", params=["en", "fr"])
def spoken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Editor]]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    (folder / "rules").mkdir()
    (folder / "rules.json").write_text(json.dumps(schema(request.param, NAMES)), "utf-8")
    with editor(folder, {"yaml.schemas": {"rules.json": "rules/*.yaml"}}) as one:
        yield request.param, one


def test_journeys_and_every_action_are_completed(spoken: tuple[str, Editor]) -> None:
    language, code = spoken
    marked, expected = COMPLETED[language]
    lines = marked.splitlines()
    code.open("rules/new.yaml", marked.replace("@", ""))
    marks = [(number, line.index("@")) for number, line in enumerate(lines) if "@" in line]
    for (line, column), words in zip(marks, expected, strict=True):
        offered = set(code.completions("rules/new.yaml", line, column))
        assert words <= offered, (lines[line], words - offered)
        assert not {"true", "false", "null"} & offered, lines[line]
    code.close("rules/new.yaml")


def test_a_step_is_offered_no_time_besides_its_own(spoken: tuple[str, Editor]) -> None:
    language, code = spoken
    marked, _ = COMPLETED[language]
    line = next(n for n, one in enumerate(marked.splitlines()) if one.strip() == "@")
    code.open("rules/new.yaml", marked.replace("@", ""))
    assert not {"wait", "again", "attendre", "encore"} & set(code.completions("rules/new.yaml", line, 8))
    code.close("rules/new.yaml")


def test_what_is_right_gives_no_complaint_and_each_word_is_explained(spoken: tuple[str, Editor]) -> None:
    language, code = spoken
    lines = ALL[language].splitlines()
    assert code.open("rules/all.yaml", ALL[language]) == []
    for word, said in EXPLAINED[language].items():
        line = next(n for n, text in enumerate(lines) if word in text)
        told = code.hover("rules/all.yaml", line, lines[line].index(word) + 1)
        assert told, word
        assert said in told, (word, told)
    code.close("rules/all.yaml")


def test_each_slip_is_underlined_on_its_line(spoken: tuple[str, Editor]) -> None:
    language, code = spoken
    for right, slip in WRONG[language]:
        text = ALL[language].replace(right, slip, 1)
        assert text != ALL[language]
        line = next(n for n, one in enumerate(text.splitlines()) if slip in one)
        found = code.open("rules/wrong.yaml", text)
        code.close("rules/wrong.yaml")
        assert line in [one["range"]["start"]["line"] for one in found], (slip, found)
