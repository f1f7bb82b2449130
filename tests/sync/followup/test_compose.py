"""The e-mail as it goes out: headers, language, and nothing from outside interpreted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.config import Organisation
from sync.followup.compose import House, compose, message_id, page, text, weigh
from sync.followup.consent import Right
from sync.followup.markdown import write
from sync.followup.templatefiles import read_templates
from sync.followup.templates import Template
from sync.followup.tokens import Seal
from sync.followup.ways import Ways
from tests.sync.followup.theatre import HOUSE, person

NOW = datetime(2026, 3, 14, 23, 30, tzinfo=UTC)
QUEBEC = House(
    Organisation(name="Le Phare", address="12, rue du Phare", country="CA", timezone="America/Montreal"),
    "bonjour@phare.example",
)


def template(body: str, head: str = "objet: Bonjour {{ prénom or 'à vous' }}", language: str = "fr") -> Template:
    found, mistakes = read_templates({f"a.{language}.md": f"---\n{head}\n---\n{body}".encode()})
    assert not mistakes
    chosen = found.choose("a", language, language)
    assert chosen is not None
    return chosen


def mail(
    body: str,
    house: House = HOUSE,
    head: str = "objet: Bonjour {{ prénom or 'à vous' }}",
    language: str = "fr",
    **facts: Any,
) -> EmailMessage:
    return compose(
        person(1, **facts),
        template(body, head, language),
        house,
        NOW,
        message_id="<1@phare.example>",
        right=Right(basis="customer"),
    )


def plain(body: str, house: House = HOUSE, language: str = "fr", **facts: Any) -> str:
    return text(mail(body, house, language=language, **facts)).split("\n\n-- \n")[0]


@pytest.mark.parametrize(
    ("house", "language", "body", "facts", "expected"),
    [
        (HOUSE, "fr", "{{ dernière_visite }}", {"last_visit": date(2026, 3, 1)}, "1er mars 2026"),
        (HOUSE, "en", "{{ last_visit }}", {"last_visit": date(2026, 3, 1)}, "1 March 2026"),
        (HOUSE, "fr", "{{ dépensé }}", {"spent": Decimal("1234.5")}, "1\u202f234,50\u00a0€"),
        (QUEBEC, "fr", "{{ dépensé }}", {"spent": Decimal(25)}, "25,00\u00a0$"),
        (QUEBEC, "en", "{{ spent }}", {"spent": Decimal(25)}, "$25.00"),
        (HOUSE, "fr", "{{ genres }}", {"genres": ["danse", "cirque", "théâtre"]}, "danse, cirque et théâtre"),
        (HOUSE, "fr", '{{ prénom or "à vous" }}', {"first_name": None}, "à vous"),
        (HOUSE, "fr", "{% if visites > 3 %}habitué{% else %}nouveau{% endif %}", {"visits": 4}, "habitué"),
        (HOUSE, "fr", "{{ notre_nom }}", {}, "Théâtre du Phare"),
        (HOUSE, "fr", "{{ aujourdhui }}", {}, "15 mars 2026"),
        (HOUSE, "fr", "Vraiment ? « Oui » !", {}, "Vraiment\u202f? «\u00a0Oui\u00a0»\u202f!"),
        (HOUSE, "en", "Really ?", {}, "Really ?"),
    ],
)
def test_values_are_written_as_the_reader_expects(
    house: House, language: str, body: str, facts: dict[str, Any], expected: str
) -> None:
    assert plain(body, house, language, **facts) == expected


def test_plain_text_reads_well() -> None:
    body = "# Titre\n\nBonjour,\nÀ *vous* : **tout** [ici](https://a.example/x).\n\n- un\n- deux\n\n1. a\n2. b\n\n> cité\n\n---\n\nFin https://b.example/y.\n"
    assert plain(body).split("\n") == [
        "Titre", "", "Bonjour,", "À vous\u00a0: tout ici (https://a.example/x).", "", "– un", "– deux", "", "1. a", "2. b",
        "", "> cité", "", "—" * 12, "", "Fin https://b.example/y.",
    ]  # fmt: skip


def test_the_headers_that_mail_servers_expect() -> None:
    message = mail("x", head="objet: Bonjour\nrépondre à: billetterie@phare.example\naperçu: Vite lu")
    assert message["From"].addresses[0].display_name == "Théâtre du Phare"
    assert message["To"].addresses[0].addr_spec == "p1@example.org"
    assert message["Reply-To"].addresses[0].addr_spec == "billetterie@phare.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == "<1@phare.example>"
    assert message["Feedback-ID"] == "a:marketing:filrouge:theatre-du-phar"
    assert message["Date"] == "Sun, 15 Mar 2026 00:30:00 +0100"
    assert message["List-Unsubscribe"] == "<mailto:billetterie@phare.example?subject=STOP%20P1>"
    assert "Vite lu" in page(message)


def test_the_foot_says_who_why_and_how_to_stop() -> None:
    for shown in (text(mail("x")), page(mail("x"))):
        for said in ("Théâtre du Phare vous écrit parce que", "STOP", "12, rue du Phare · 29200 Brest"):
            assert said in shown


def test_in_canada_practical_information_can_be_stopped_too() -> None:
    head = "objet: Votre venue\nfinalité: service"
    assert "List-Unsubscribe" in mail("x", QUEBEC, head)
    assert "List-Unsubscribe" not in mail("x", HOUSE, head)


def test_the_foot_of_practical_information_says_that_all_of_it_would_stop() -> None:
    for head, stops_all in (("objet: Votre venue\nfinalité: service", True), ("objet: La saison", False)):
        for ways in (
            None,
            Ways(Seal([b"s" * 32]), page="https://a.example"),
            Ways(Seal([b"s" * 32]), mailbox="x@a.example"),
        ):
            message = mail("x", replace(QUEBEC, ways=ways), head)
            for shown in (text(message), page(message)):
                assert ("pas même au sujet de vos réservations" in shown) is stops_all
                assert ("Vous préférez ne plus recevoir de nouvelles" in shown) is not stops_all


def test_plain_text_says_where_the_word_that_stops_it_goes() -> None:
    """The mailbox that is read need not be the one that answers go to."""
    said = text(mail("x", replace(HOUSE, ways=Ways(Seal([b"s" * 32]), mailbox="retours@a.example"))))
    assert "mailto:retours@a.example?subject=STOP%20" in said


def test_the_same_email_is_the_same_bytes_in_ascii() -> None:
    raw = mail("Été 🎭 " * 300).as_bytes()
    assert raw == mail("Été 🎭 " * 300).as_bytes()
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998


def test_the_message_id_is_the_identitys_own() -> None:
    identity = {"org": 1, "rule": "perdus", "step": "a", "person_id": 1, "occasion": "2026-03-14"}
    first = message_id("salt", identity, HOUSE.sender)
    assert first == message_id("salt", identity, HOUSE.sender)
    assert first.endswith("@phare.example>")
    changed = [identity | {key: "x"} for key in identity]
    assert (
        len(
            {
                first,
                message_id("other", identity, HOUSE.sender),
                *(message_id("salt", c, HOUSE.sender) for c in changed),
            }
        )
        == 7
    )


def test_a_lone_bold_link_is_a_button() -> None:
    assert 'class="text button"' in page(mail("**[Voir](https://a.example)**"))
    assert 'class="text button"' not in page(mail("Ou **[Voir](https://a.example)** ici"))


@pytest.mark.parametrize("evil", ["javascript:alert(1)", "data:text/html,x"])
def test_links_lead_to_the_web_or_nowhere(evil: str) -> None:
    _, mistakes = read_templates({"a.fr.md": f"---\nobjet: x\n---\n[x]({evil})".encode()})
    assert [mistake.code for mistake in mistakes] == ["template-link-unread"]
    assert all("href" not in part.html for part in write(f"[x]({evil})", "fr").parts)


class Tags(HTMLParser):
    def __init__(self, shown: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[str]]] = []
        self.words: list[str] = []
        self.feed(shown)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, [name for name, _ in attrs]))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


BODY = 'Bonjour {{ prénom or "x" }},\n\n- {{ prénom or "x" }}\n\n[lien {{ prénom or "x" }}](https://a.example/?q={{ prénom or "x" }})\n'
HOSTILE = st.one_of(
    st.text(min_size=1, max_size=60),
    st.sampled_from([
        "<script>alert(1)</script>", "**x**", "[x](https://evil.example)", "{{ 7*7 }}", "zq0000qz", "a\r\nBcc: b@evil.example",
        "https://evil.example", '" onmouseover="x', "]]>", "# titre", "- un", "\u202eevil", "&amp;", "=?utf-8?q?x?=", "1. x", "`x`",
    ]),
)  # fmt: skip


@settings(deadline=None, max_examples=50)
@given(HOSTILE)
def test_no_name_is_read_as_markup_or_header(name: str) -> None:
    shown, calm = mail(BODY, first_name=name), mail(BODY, first_name="Camille")
    assert Tags(page(shown)).tags == Tags(page(calm)).tags
    read = message_from_bytes(shown.as_bytes(), policy=policy.default)
    assert set(read.keys()) == set(calm.keys())
    assert "\n" not in str(read["Subject"])
    assert [address.addr_spec for address in read["To"].addresses] == ["p1@example.org"]
    assert "49" not in text(shown) or "49" in name


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "**x**", "[x](https://evil.example)", "{{ 7*7 }}", "zq0000qz"]
)
def test_a_name_is_shown_as_it_is(name: str) -> None:
    assert f"Bonjour {name}," in "".join(Tags(page(mail(BODY, first_name=name))).words)
    assert f"Bonjour {name}," in text(mail(BODY, first_name=name))


def test_an_e_mail_is_weighed_for_nobody_in_particular() -> None:
    assert weigh(template("Bonjour"), HOUSE) > 1000
