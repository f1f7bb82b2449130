"""What `check` finds in a template before anybody reads it."""

from __future__ import annotations

import pytest

from sync.followup.fill import bare_fields
from sync.followup.proof import flaws, links
from sync.followup.templatefiles import read_templates
from sync.messages import LANGUAGES


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ("Voir [la saison]().", "link-empty", 1),
        ("Voir [la saison](#).", "link-empty", 18),
        ("Voir [la saison](saison.html).", "link-relative", 18),
        ("Voir [la saison](www.phare.example).", "link-relative", 18),
        ("Voir [la saison]({{ ville }}).", "link-relative", 18),
        ("Voir [la saison](ftp://phare.example).", "link-relative", 18),
        ("[Écrire](mailto:billetterie)", "link-mail", 10),
        ("[Voir](https://phare.example/la saison)", "link-unread", 6),
        ("[Voir] (https://phare.example)", "link-unread", 6),
        ("[Voir](javascript:alert(1))", "link-unread", 6),
        ("![La salle](salle.jpg)", "image-relative", 13),
        ("![La salle]()", "image-empty", 1),
    ],
)
def test_a_link_that_leads_nowhere_stops_everything(text: str, code: str, column: int) -> None:
    (flaw,) = flaws(f"Bonjour\n\n{{% if visites %}}\n{text}\n{{% endif %}}\n")
    assert (flaw.code, flaw.line, flaw.column, flaw.serious) == (f"template-{code}", 4, column, True)


@pytest.mark.parametrize(
    ("text", "code"),
    [("[Voir](http://phare.example)", "template-link-http"), ("![](https://a.example/s.jpg)", "template-image-alt")],
)
def test_what_might_be_better_is_advice(text: str, code: str) -> None:
    (flaw,) = flaws(text)
    assert (flaw.code, flaw.serious) == (code, False)


@pytest.mark.parametrize(
    "text",
    [
        "[Voir](https://phare.example/été?q={{ prénom }})", "[É](mailto:a@b.example?subject=Bonjour%20!)", "[Appeler](tel:+33298)",
        "<https://phare.example>", "https://phare.example", "Un [mot] (entre parenthèses)", "`[x]()`", "[![Vu](https://a.example/b.png)](https://a.example)",
    ],
)  # fmt: skip
def test_what_is_right_is_left_alone(text: str) -> None:
    assert flaws(text) == []


def test_they_are_told_with_file_line_and_a_sentence() -> None:
    files = {"a.fr.md": "---\nobjet: x\n---\n\nVoir [là](x.html)\n", "pied.md": "un\n\n[b]()"}
    _, found = read_templates({name: text.encode() for name, text in files.items()})
    assert [(m.place.file, m.place.line) for m in found] == [("a.fr.md", 5), ("pied.md", 3)]
    assert all("https://" in m.message(language) for m in found for language in LANGUAGES)


def test_the_links_of_everybody() -> None:
    found = links(
        "[a](https://a.example/1)\n[b](https://a.example/{{ prénom }}) ![c](http://a.example/2.png)\n\nhttps://a.example/3."
    )
    assert [(link.address, link.line) for link in found] == [
        ("https://a.example/1", 1), ("http://a.example/2.png", 2), ("https://a.example/3", 4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("Bonjour {{ prénom }}", ["prénom"]),
        ("Bonjour {{ prénom or 'à vous' }}", []),
        ("Bonjour {{ prénom | default('à vous', true) }}", []),
        ("Bonjour {{ prénom | upper }}", ["prénom"]),
        ("{% if ville %}À {{ ville }}{% else %}{{ ville }}{% endif %}", ["ville"]),
        ("{{ ville if ville }}", []),
        ("{% if visites > 3 %}x{% endif %}", ["visites"]),
        ("{% if visites and visites > 3 %}{{ visites }}{% endif %}", []),
        ("{% if ville == 'Brest' %}x{% endif %}", []),
        ("{{ notre_nom }}", ["notre_nom"]),
        ("a\n\n{{ prénom ~ '!' }}", ["prénom"]),
    ],
)
def test_fields_without_a_fallback(text: str, bare: list[str]) -> None:
    assert [field.name for field in bare_fields(text)] == bare
