"""The two vocabularies: the fixed lists of the design, the synonyms, and that both languages say the same things."""

from __future__ import annotations

import pytest

from rules.fields import FIELDS
from rules.mistakes import fold
from rules.phrases import read_phrase
from rules.words import vocabulary

KEYWORDS = """segments segments|rules règles|journeys parcours|name nom|id id|was ancien_nom|active actif|when quand|
unless sauf|then alors|any_of au_moins_un_de|all_of tous|none_of aucun_de|segment segment|sheet tableau|
examples exemples|person personne|expect attendu|match concerné|no_match pas_concerné|flag signaler|set écrire|
email courriel|task tâche|newsletter infolettre|notify prévenir|review vérifier|webhook webhook|forget oublier|
wait attendre|again encore|purpose finalité|marketing promotion|service service|for pour|due échéance|
no_later_than au_plus_tard|around autour|steps étapes|at à|stop_when arrêter_quand|count nombre|within sur|amount montant|score note|genre genre"""
FIELD_WORDS = """first_name prénom|last_name nom_de_famille|email courriel|phone téléphone|language langue|
postcode code_postal|city ville|region région|country pays|birthday anniversaire|organisation organisme|
first_visit première_visite|last_visit dernière_visite|next_visit prochaine_visite|visits visites|no_shows absences|
last_purchase dernier_achat|purchases achats|tickets billets|spent dépensé|last_donation dernier_don|donations dons|
donated donné|membership adhésion|membership_ends fin_d'adhésion|newsletter infolettre|opens ouvertures|clicks clics|
last_opened dernière_ouverture|last_clicked dernier_clic|answers réponses|answered a_répondu|
satisfaction satisfaction|genres genres|last_activity dernière_activité|flags signaux|
last_emailed dernier_courriel|verified vérifié"""
ANCHORS = """each_ticket chaque_billet|first_visit première_visite|membership_end fin_d'adhésion|birthday anniversaire|
flag_A signal_A|each_donation chaque_don|each_answer chaque_réponse|3_days_before 3_jours_avant|1_day_after 1_jour_après|
the_same_day le_jour_même|two_weeks_before deux_semaines_avant|1_month_after un_mois_après"""
SYNONYMS = {
    "en": {
        "rule": {"if": "when", "except": "unless"},
        "segment": {"if": "when", "except": "unless"},
        "journey": {"if": "when", "except": "unless", "stop if": "stop_when"},
        "step": {"if": "when", "except": "unless"},
        "logic": {"one of": "any_of"},
        "action": {"e-mail": "email", "mail": "email"},
        "yesno": {"true": "yes", "false": "no"},
        "fields": {
            "e-mail": "email", "telephone": "phone", "postal code": "postcode", "zip code": "postcode", "town": "city",
            "organization": "organisation", "no-shows": "no_shows",
        },
        "units": {"days": "day", "hours": "hour", "minutes": "minute", "months": "month", "weeks": "week", "years": "year"},
    },
    "fr": {
        "rule": {"si": "when", "sauf si": "unless"},
        "segment": {"si": "when", "sauf si": "unless"},
        "journey": {"si": "when", "sauf si": "unless", "autour de": "around", "arrêter si": "stop_when"},
        "step": {"si": "when", "sauf si": "unless"},
        "logic": {"l'un de": "any_of"},
        "action": {"e-mail": "email", "email": "email", "mail": "email"},
        "yesno": {"vrai": "yes", "faux": "no"},
        "choices": {"aucun": "none"},
        "fields": {
            "e-mail": "email", "email": "email", "date de naissance": "birthday", "newsletter": "newsletter",
        },
        "units": {
            "ans": "year", "année": "year", "années": "year", "jours": "day", "heures": "hour", "minutes": "minute",
            "semaines": "week",
        },
    },
}  # fmt: skip


def pairs(text: str) -> list[list[str]]:
    return [pair.split() for pair in text.replace("\n", "").split("|")]


@pytest.mark.parametrize(("english", "french"), pairs(KEYWORDS))
def test_keywords_of_the_design(english: str, french: str) -> None:
    sections = [name for name, words in vocabulary("en").words.items() if isinstance(words, dict) and english in words]
    assert sections
    for section in (name for name in sections if name not in {"fields", "phrases", "expected", "say", "again", "due"}):
        assert vocabulary("en").find(section, english) == english
        assert vocabulary("fr").find(section, french) == english


@pytest.mark.parametrize(("english", "french"), pairs(ANCHORS))
def test_anchors_and_times_of_the_design(english: str, french: str) -> None:
    kind = "at" if english.rsplit("_", maxsplit=1)[-1] in {"before", "after", "day"} else "around"
    phrases = [
        read_phrase(language, kind, text.replace("_", " ")) for language, text in (("en", english), ("fr", french))
    ]
    assert phrases[0]
    assert phrases[0] == phrases[1]


@pytest.mark.parametrize(("english", "french"), pairs(FIELD_WORDS))
def test_fields_of_the_design(english: str, french: str) -> None:
    assert vocabulary("en").find("fields", english) == english
    assert vocabulary("fr").find("fields", french) == english
    assert vocabulary("fr").find("fields", fold(french).upper()) == english


def test_every_field_has_its_words() -> None:
    for language in ("en", "fr"):
        assert list(vocabulary(language).words["fields"]) == list(FIELDS)


def test_every_synonym_has_a_line_here() -> None:
    for language, sections in SYNONYMS.items():
        for section, words in vocabulary(language).words.items():
            if not isinstance(words, dict) or section in {"phrases", "expected", "say", "counted", "numbers"}:
                continue
            extra = {word: name for name, several in words.items() for word in several[1:]}
            assert extra == sections.get(section, {}), (language, section)
            for word, name in extra.items():
                assert vocabulary(language).find(section, word) == name


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_word_means_two_things(language: str) -> None:
    for section, words in vocabulary(language).words.items():
        if isinstance(words, dict) and section not in {"phrases", "expected", "say", "counted"}:
            several = [fold(word) for name in words.values() if isinstance(name, list) for word in name]
            assert len(several) == len(set(several)), section


def test_both_languages_say_the_same_things() -> None:
    english, french = vocabulary("en").words, vocabulary("fr").words
    assert english.keys() == french.keys()
    for section, words in english.items():
        if isinstance(words, dict):
            assert words.keys() == french[section].keys(), section
    for kind, phrases in english["phrases"].items():
        assert phrases.keys() == french["phrases"][kind].keys()


@pytest.mark.parametrize(
    "typed", ["Dernière visite", "DERNIERE_VISITE", "dernieres visites", "dernière\u00a0visite", " derniere  visite "]
)
def test_accents_case_spaces_and_number_make_no_difference(typed: str) -> None:
    assert vocabulary("fr").find("fields", typed) == "last_visit"


@pytest.mark.parametrize("typed", ["inscrit", "inscrite", "inscrits", "Inscrites"])
def test_gender_and_number_agree_freely(typed: str) -> None:
    assert vocabulary("fr").find("choices", typed) == "subscribed"
