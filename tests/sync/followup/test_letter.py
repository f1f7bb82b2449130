"""The e-mail as it is seen: the house's colours and blocks, buttons and images, French typography, holes told."""

from __future__ import annotations

from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.config import Colours, Organisation
from sync.followup.compose import EmptyField, House, compose, page, text, weigh
from sync.followup.consent import Right
from sync.followup.look import contrast, look_of
from sync.followup.proof import CLIPPED
from sync.followup.templatefiles import PURPOSES, read_templates
from sync.followup.templates import Template
from sync.followup.typography import typeset
from tests.sync.followup.test_compose import NOW, Tags, mail
from tests.sync.followup.theatre import HOUSE, person

HEAD = "---\nobjet: Bonjour\naperçu: Vite lu\n---\n"


def chosen(body: str, blocks: dict[str, str] | None = None, language: str = "fr") -> Template:
    files = {f"a.{language}.md": HEAD + body, **(blocks or {})}
    found, mistakes = read_templates({name: words.encode() for name, words in files.items()})
    assert not mistakes
    template = found.choose("a", language, language)
    assert template is not None
    return template


def written(template: Template, house: House = HOUSE, **facts: Any) -> EmailMessage:
    return compose(
        person(1, **facts), template, house, NOW, message_id="<1@phare.example>", right=Right(basis="customer")
    )


def seen(message: EmailMessage) -> str:
    return " ".join("".join(Tags(page(message)).words).split())


# --- the house's own -------------------------------------------------------------------------------------------------

COLOUR = st.tuples(*[st.integers(0, 255)] * 3).map(lambda parts: "#" + "".join(f"{part:02x}" for part in parts))


@settings(max_examples=50, deadline=None)
@given(COLOUR, COLOUR)
def test_whatever_the_colours_every_word_can_be_read_by_day_and_by_night(accent: str, background: str) -> None:
    look = look_of(Colours(accent=accent, background=background))
    pairs = [
        (look.ink, look.sheet), (look.link, look.sheet), (look.soft, look.background), (look.soft_link, look.background),
        (look.night_ink, look.night_sheet), (look.night_link, look.night_sheet), (look.night_soft, look.night),
    ]  # fmt: skip
    assert min(contrast(*pair) for pair in pairs) >= 4.5
    assert contrast(look.on_accent, look.accent) >= 3.8  # large and bold: WCAG asks 3
    assert contrast(look.night_accent, look.night_sheet) >= 2


def test_the_houses_colours_and_logo_are_on_the_page() -> None:
    who = Organisation(name="Le <Phare>", logo="https://phare.example/l.png?a=1&b=2", colours=Colours(accent="05a"))
    shown = page(written(chosen("x"), House(who, HOUSE.sender)))
    assert "#0055aa" in shown
    assert 'src="https://phare.example/l.png?a=1&amp;b=2"' in shown
    assert 'alt="Le &lt;Phare&gt;"' in shown


def test_without_a_logo_the_name_stands_there() -> None:
    assert seen(written(chosen("Corps."))).index("Théâtre du Phare") < seen(written(chosen("Corps."))).index("Corps.")


def test_the_teams_own_header_and_footer_stand_in_every_email_of_their_language() -> None:
    blocks = {
        "en-tête.fr.md": "**Le Phare**, {{ prénom or 'à vous' }}",
        "pied.fr.md": "Avec le soutien de [la Ville](https://ville.example.org)",
        "header.en.md": "The Lighthouse",
    }
    french, english = written(chosen("Corps.", blocks)), written(chosen("Body.", blocks, "en"))
    for shown in (seen(french), text(french)):
        order = [
            shown.index(words) for words in ("Le Phare, Camille1", "Corps.", "Avec le soutien", "12, rue du Phare")
        ]
        assert order == sorted(order)
    assert "The Lighthouse" in seen(english)
    assert "soutien" not in seen(english)


def test_a_block_is_no_template() -> None:
    found, mistakes = read_templates({"header.md": HEAD.encode() + b"x", "pied.fr.md": "{{ prénomm }}".encode()})
    assert [(m.code, m.place.line) for m in mistakes] == [("template-block-head", 1), ("template-field", 1)]
    assert found.names == []


def test_it_is_read_at_night_too_and_on_a_telephone() -> None:
    shown = page(mail("x"))
    for said in ('name="color-scheme" content="light dark"', "prefers-color-scheme: dark", "width=device-width"):
        assert said in shown


# --- buttons and images ----------------------------------------------------------------------------------------------


def test_a_button_is_one_in_outlook_too_and_an_address_of_its_own_in_plain_text() -> None:
    message = mail("**[Voir & rire](https://a.example/?q={{ prénom }})**", first_name="A&B c")
    assert "mso-padding-alt" in page(message)
    assert 'href="https://a.example/?q=A%26B%20c"' in page(message)
    assert "Voir & rire\nhttps://a.example/?q=A%26B%20c" in text(message)


def test_an_image_alone_takes_the_whole_width_and_may_lead_somewhere() -> None:
    message = mail("[![La salle de {{ prénom }}](https://a.example/s.jpg)](https://a.example/)", first_name='C"x')
    (attributes,) = [names for tag, names in Tags(page(message)).tags if tag == "img"]
    assert "alt" in attributes
    assert 'alt="La salle de C&#34;x"' in page(message)
    assert 'href="https://a.example/"' in page(message)
    assert '[La salle de C"x]' in text(message)


@pytest.mark.parametrize("purpose", ["promotion", "service"])
def test_an_email_that_gmail_would_cut_off_is_known_by_its_weight(purpose: str) -> None:
    light = replace(chosen("Bonjour"), purpose=PURPOSES[purpose])
    heavy = replace(light, body="{% if visites %}" + "mot " * 30_000 + "{% endif %}")
    assert weigh(light, HOUSE) < CLIPPED < weigh(heavy, HOUSE)


# --- typography ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "set_"),
    [
        ("Vraiment ? Oui !", "Vraiment\u202f? Oui\u202f!"),
        ("L'été d'ici : \"oui\".", "L’été d’ici\u00a0: «\u00a0oui\u00a0»."),
        ("À 20 h 30, 25 € et 50 % !", "À 20\u00a0h\u00a030, 25\u00a0€ et 50\u00a0%\u202f!"),
        ("Bonjour! On dit ainsi au Québec.", "Bonjour! On dit ainsi au Québec."),
        (
            "Voir https://a.example/l'ami?b=1 ; ou a'b@c.example !",
            "Voir https://a.example/l'ami?b=1\u202f; ou a'b@c.example\u202f!",
        ),
    ],
)
def test_french_is_set_as_in_print(typed: str, set_: str) -> None:
    assert typeset(typed, "fr") == set_
    assert typeset(typed, "en") == typed


def test_a_quotation_may_hold_other_marks() -> None:
    assert "dit «\u00a0oui, toujours\u00a0» !".replace(" !", "\u202f!") in text(mail('dit "oui, **toujours**" !'))


def test_code_and_addresses_keep_their_marks() -> None:
    message = mail("`d'un \"x\" ?` et [l'ami](https://a.example/l'ami) et <https://a.example/l'an?x>")
    assert "d'un \"x\" ? et l’ami (https://a.example/l'ami) et https://a.example/l'an?x" in text(message)


def test_a_name_is_never_set_otherwise_than_it_is_written() -> None:
    message = mail("Bonjour {{ prénom }} !", first_name='D\'Arc "Jo" ?')
    assert 'Bonjour D\'Arc "Jo" ?\u202f!' in text(message)


# --- holes -----------------------------------------------------------------------------------------------------------


def test_a_field_that_stays_empty_is_told_with_its_line_and_never_sent() -> None:
    template = chosen("Bonjour {{ prénom or 'à vous' }},\n\nÀ {{ ville }}.\n{% if visites %}{{ visites }}{% endif %}\n")
    with pytest.raises(EmptyField) as found:
        written(template, first_name=None, city=None, visits=None)
    (gap,) = found.value.letter.empty
    assert (gap.field, gap.file, gap.line) == ("ville", "a.fr.md", 7)
    assert "À ." in found.value.letter.text
    assert written(template, city="Brest")


@pytest.mark.parametrize(
    ("file", "line", "words"),
    [
        ("a.fr.md", 2, "objet: À {{ ville }}"),
        ("a.fr.md", 3, "aperçu: Vu {{ ville }}"),
        ("pied.fr.md", 2, "Un\n{{ ville }}"),
    ],
)
def test_a_hole_is_told_in_every_place(file: str, line: int, words: str) -> None:
    files = {"a.fr.md": HEAD + "Corps", "en-tête.fr.md": "Un\n\ndeux", "pied.fr.md": "x"}
    key = words.partition(":")[0]
    files[file] = files[file].replace(next((at for at in HEAD.split("\n") if at.startswith(key)), "x"), words)
    found, _ = read_templates({name: text.encode() for name, text in files.items()})
    template = found.choose("a", "fr", "fr")
    assert template is not None
    with pytest.raises(EmptyField) as hole:
        written(template, city=None)
    (gap,) = hole.value.letter.empty
    assert (gap.field, gap.file, gap.line) == ("ville", file, line)
