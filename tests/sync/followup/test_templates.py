"""Templates: every mistake at once, where it stands, in both languages."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.reader import read
from sync.followup.fill import field_of, names_in
from sync.followup.templatefiles import action_mistakes, read_templates
from sync.followup.templatemend import mended_template
from sync.messages import LANGUAGES

GOOD = "---\nsubject: Hello\n---\nDear {{ first_name }}\n"


def in_rules(text: str) -> list[tuple[str, int, int, str | None]]:
    reading = read({"rules/a.yaml": text.encode()})
    found = action_mistakes(reading.written, {"rules/a.yaml": text.split("\n")})
    return [(one.code, one.place.line, one.place.column, one.suggestion) for one in found]


def mistakes(text: str, file: str = "templates/a.fr.md") -> list[tuple[str, int, int, str | None]]:
    _, found = read_templates({file: text.encode()})
    for mistake in found:
        for language in LANGUAGES:
            assert mistake.message(language)
    return [(m.code, m.place.line, m.place.column, m.suggestion) for m in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bonjour", ("template-head", 1, 1, None)),
        ("---\nobjet: A\n---\n", ("template-body", 4, 1, None)),
        ("---\naperçu: A\n---\nx", ("template-subject", 1, 1, None)),
        ("---\nobjet:\n---\nx", ("template-subject", 2, 7, None)),
        ("---\nobjet: A\nobjett: B\n---\nx", ("template-key", 3, 1, "objet")),
        ("---\nobjet: A\nfinalité: promo\n---\nx", ("template-purpose", 3, 11, "promotion")),
        ("---\nobjet: A\nde: Le Phare\n---\nx", ("template-address", 3, 5, None)),
        ("---\nobjet: A\nlangue: français\n---\nx", ("template-language", 3, 9, None)),
        ("---\nobjet: A\n---\n\nBonjour {{ prenomm }}", ("template-field", 5, 12, "prénom")),
        ("---\nobjet: A\n---\nx {{ machin }}", ("template-field-any", 4, 6, None)),
        ("---\nobjet: A {{ vile }}\n---\nx", ("template-field", 2, 13, "ville")),
        ("---\nobjet: A\naperçu: >\n  Toute la saison,\n  pour {{ vile }}\n---\nx", ("template-field", 5, 11, "ville")),
        ("---\nobjet: A\naperçu: Toute la saison,\n  pour {{ vile }}\n---\nx", ("template-field", 4, 11, "ville")),
        ("---\nobjet: A\npreview: |\n  {{ vile }}\n---\nx", ("template-field", 4, 6, "ville")),
        ("---\nobjet: A\n---\nx\n{{ prénom", ("template-syntax", 5, 1, None)),
        ("---\nobjet: A\n---\nx\n{{ prénom | majuscule }}", ("template-syntax", 5, 1, None)),
        ("---\nobjet: A\n---\n{% if visites %}x", ("template-syntax", 4, 1, None)),
        ("---\nobjet: A\n---\nx\n{% include '/etc/passwd' %}", ("template-include", 5, 1, None)),
        ("---\nobjet: A\n---\n{{ range(9) }}", ("template-field", 4, 4, "langue")),
        ("---\nobjet: Rappel : danse\n---\nx", ("colon-in-name", 2, 15, 'objet: "Rappel : danse"')),
        ("---\nobjet Rappel\nfinalité: service\n---\nx", ("no-colon", 2, 1, None)),
        ("---\nobjet: [a, b]\n---\nx", ("template-value", 2, 1, None)),
        ("---\nobjjet: A\n---\nx", ("template-key", 2, 1, "objet")),
        ("---\nobjet: “A, {{ prénom }}”\n---\nx", ("smart-quotes", 2, 8, '"A, {{ prénom }}"')),
        ("---\nobjet: “A”\n---\nx", ("smart-quotes", 2, 8, "A")),
        ("---\nobjet: A, {{ prénom or “x” }}\n---\nx", ("curly-in-braces", 2, 11, '{{ prénom or "x" }}')),
        ('---\nobjet: "A, {{ prénom or « x » }}"\n---\nx', ("curly-in-braces", 2, 12, "{{ prénom or 'x' }}")),
        ("---\nobjet: A\n---\n\nA “b” {{ prénom or ‘l’ami’ }}", ("template-curly", 5, 7, '{{ prénom or "l’ami" }}')),
    ],
)
def test_a_mistake_is_told_where_it_stands_and_once(text: str, expected: tuple[str, int, int, str | None]) -> None:
    assert mistakes(text) == [expected]


def test_marks_of_a_word_processor_hide_no_other_mistake() -> None:
    found = mistakes("---\nobjet: A\n---\nx {{ vile or “x” }} et {{ nnom }}")
    assert sorted(code for code, *_ in found) == ["template-curly", "template-field", "template-field-any"]


@pytest.mark.parametrize("text", ["objet: “A” et “B”", 'objet: "« A »"', "objet: A “b” {{ prénom or '“x”' }}"])
def test_marks_that_are_read_as_they_stand_are_left(text: str) -> None:
    assert mistakes(f'---\n{text}\n---\n« x » {{{{ prénom or "“x”" }}}}') == []
    data = f"---\n{text}\n---\n“x”".encode()
    assert mended_template(data, "a.md") == data


@pytest.mark.parametrize(
    ("head", "right"),
    [
        ("objet: « Rappel : danse »  ", 'objet: "Rappel : danse"'),
        ("objet: “A, {{ prénom or « x » }}” ", "objet: \"A, {{ prénom or 'x' }}\""),
        ("objet: {{ prénom or “x” }}, oui", "objet: \"{{ prénom or 'x' }}, oui\""),
        ("objet: A {{ prénom or “x” }}", 'objet: A {{ prénom or "x" }}'),
        ("objet:A", "objet: A"),
        ("# “b” : c\nobjet: “A”", "# “b” : c\nobjet: A"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_head_is_mended_and_the_body_never(head: str, right: str, end: str) -> None:
    old, new = (
        f"---\n{text}\n---\n“Bonjour” {{{{ prénom }}}}\tA\u00a0:B\n—\n".replace("\n", end).encode()
        for text in (head, right)
    )
    assert mended_template(old, "a.md") == new
    assert mended_template(new, "a.md") == new


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ("{{ first name }}", "first_name"),
        ("{{ Nom de famille or 'vous' }}", "last_name"),
        ("{{ fin d’adhésion }}", "membership_ends"),
        ("{% if dernière visite %}{{ prénom or 'première visite' }}{% endif %}", "last_visit"),
    ],
)
def test_a_name_of_several_words_is_written_as_in_a_rule(written: str, field: str) -> None:
    assert mistakes(f"---\nobjet: A\n---\n{written}") == []
    assert field in {field_of(name) for name in names_in(written)}
    assert "first_visit" not in {field_of(name) for name in names_in(written)}


def test_all_mistakes_at_once() -> None:
    codes = [code for code, *_ in mistakes("---\nobjjet: A\nfinalité: x\n---\n{{ a }}\n{{ b }}\n")]
    assert sorted(codes) == sorted(["template-key", "template-purpose", "template-field", "template-field-any"])


def test_a_file_from_windows_reads_the_same() -> None:
    found, wrong = read_templates({"a.fr.md": b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()})
    assert not wrong
    assert found.choose("a", "fr", "fr") is not None


def test_the_readers_language_then_the_houses_then_any() -> None:
    found, _ = read_templates({f"a.{code}.md": GOOD.encode() for code in ("fr", "en")} | {"b.de.md": GOOD.encode()})
    chosen = [
        found.choose(name, language, "fr") for name, language in (("a", "en-GB"), ("a", "es"), ("a", None), ("B", "fr"))
    ]
    assert [template.language if template else None for template in chosen] == ["en", "fr", "fr", "de"]
    assert found.choose("c", "fr", "fr") is None
    assert "A" in found
    assert found.names == ["a", "b"]


def test_twice_the_same() -> None:
    _, (mistake,) = read_templates({"x/a.fr.md": GOOD.encode(), "y/a.fr.md": GOOD.encode()})
    assert (mistake.code, mistake.place.file) == ("template-twice", "y/a.fr.md")


@pytest.mark.parametrize(
    ("name", "field"),
    [("prénom", "first_name"), ("Prenom", "first_name"), ("fin_d_adhésion", "membership_ends"),
     ("dernières_visites", "last_visit"), ("last_visit", "last_visit"), ("notre_nom", "house"), ("rien", None)],
)  # fmt: skip
def test_names_of_both_languages(name: str, field: str | None) -> None:
    assert field_of(name) == field


@settings(deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(alphabet="{}%- \n:abobjet\"'|é\t", max_size=80).map(lambda t: f"---\nobjet: x\n---\n{t}".encode()),
    )
)
def test_no_bytes_make_it_fall_over(data: bytes) -> None:
    for mistake in read_templates({"a.fr.md": data})[1]:
        assert mistake.message("fr")


@pytest.mark.parametrize(
    "slip",
    [
        "visites: au moin 3",
        "vile: Lyon",
        "ville: 'Lyon",
        "visites: {nombre: 3 sur: 2 ans}",
        "  ville: Lyon",
        "ville: a: b",
    ],
)
def test_a_text_of_a_rule_is_looked_at_though_another_line_is_wrong(slip: str) -> None:
    texts = "- tâche: Appeler {{ prénon }}, {{ machin }}\n      - écrire: {Note: 'le {{ today'}"
    text = f"règles:\n  - nom: A\n    quand:\n      prénom: connu\n      {slip}\n    alors:\n      {texts}\n"
    assert read({"rules/a.yaml": text.encode()}).mistakes
    assert in_rules(text) == [
        ("template-field-any", 7, 41, None),
        ("template-field", 7, 27, "prénom"),
        ("template-syntax", 8, 25, None),
    ]


@pytest.mark.parametrize(
    ("head", "advised"), [("finalité: service\n", []), ("finalité: promotion\n", []), ("", ["template-no-purpose"])]
)
def test_a_head_that_does_not_say_its_purpose_is_advised_on(head: str, advised: list[str]) -> None:
    found, wrong = read_templates({"templates/a.fr.md": f"---\nobjet: A\n{head}---\nx".encode()})
    assert ([one.code for one in found.advice], wrong) == (advised, [])


def test_a_text_that_nobody_would_read_is_refused_at_once() -> None:
    assert mistakes("---\nobjet: A\n---\n" + "Bonjour. " * 100_000) == [("template-too-big", 1, 1, None)]


def test_a_wrong_word_beside_marks_that_were_straightened_is_told_inside_its_line() -> None:
    text = "règles:\n  - nom: R\n    quand: {visites: au moins 1}\n    alors:\n      - tâche: Appeler {{ prénomm or “?” }}\n"
    assert [(code, line) for code, line, *_ in in_rules(text)] == [("template-field", 5)]
