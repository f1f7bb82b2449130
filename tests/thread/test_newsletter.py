"""A rule changes a newsletter: after approval, only with the right to, recorded with what would undo it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from sync.desk import Desk
from sync.unsubscribing import Unsubscribing
from tests.fakes.mailchimp import KEY, LIST, FakeMailchimp, hash_of
from tests.thread.small import RULES as RULES_OF_SMALL
from tests.thread.small import Small, line
from tests.thread.test_unsubscribing import message

RULES = """\
règles:
  - nom: Habitués
    quand: {visites: au moins 2}
    alors:
      - infolettre: inscrire
      - infolettre: {ajouter étiquette: Habitués}
"""
JEANNE, AWA = "jeanne.exemple@example.org", "awa.diallo@example.org"


@pytest.fixture
def chimp() -> Iterator[FakeMailchimp]:
    with FakeMailchimp(people=0) as chimp:
        yield chimp


@pytest.fixture
def phare(small: Small, chimp: FakeMailchimp) -> Small:
    source = f'  lettre: {{type: mailchimp, key: "${{K}}", list: {LIST}, endpoint: "{chimp.url}", engagement: no}}\n'
    small.change("config.yaml", "sheet:\n", f"{source}sheet:\n")
    small.change("config.yaml", "  tab: Contacts\n", "  tab: Contacts\n  outbox: Courriels\n")
    small.write(".env", f"K={KEY}\n")
    small.write("rules/public.yaml", RULES)
    return small


def status(chimp: FakeMailchimp, email: str) -> str:
    return str(chimp.members.get(hash_of(email), {}).get("status", "none"))


def test_it_waits_for_a_yes_then_asks_those_who_may_be_asked(phare: Small, chimp: FakeMailchimp) -> None:
    done = phare.run(today="2026-03-14")
    assert (done.code, done.facts["mail"]["others_waiting"]) == (7, 4)
    assert status(chimp, JEANNE) == "none"
    told = phare.filrouge("outbox").said.replace("\u00a0", " ")
    assert "4 changements ou messages de « Habitués » attendent votre accord : filrouge approve habitues" in told
    assert any(
        row["Objet"] == "infolettre lettre : inscrire".replace(" :", "\u00a0:") for row in phare.rows("Courriels")
    )
    page = (phare.folder / "report.html").read_text("utf-8")
    assert "4 changements ou messages" in page
    assert phare.filrouge("approve", "habitues").code == 0
    done = phare.run(today="2026-03-14")
    # They bought a ticket in the last two years: they may be asked, and Mailchimp does it itself.
    assert (status(chimp, JEANNE), status(chimp, AWA)) == ("pending", "pending")
    assert {tag["name"] for tag in chimp.members[hash_of(JEANNE)]["tags"]} == {"Habitués"}
    assert done.facts["services"]["newsletter"]["done"] == 4
    why = phare.filrouge("explain", JEANNE, today="2026-03-14").said.replace("\u00a0", " ")
    assert "le service lui demande si elle le veut" in why
    assert "pour revenir en arrière : retirer l'étiquette là-bas" in why.replace("’", "'")
    writes = len(chimp.requests)
    phare.run(today="2026-03-14")
    assert all(request.method == "GET" for request in chimp.requests[writes:])


def test_who_unsubscribed_is_left_alone(phare: Small, chimp: FakeMailchimp) -> None:
    chimp.add(JEANNE, "Jeanne", "Exemple", status="unsubscribed")
    phare.run(today="2026-03-14")
    phare.filrouge("approve", "habitues")
    done = phare.run(today="2026-03-14")
    assert status(chimp, JEANNE) == "unsubscribed"
    assert done.facts["services"]["newsletter"]["held"] == {"unsubscribed": 1}


def test_a_service_that_is_down_changes_nothing_and_is_tried_again(phare: Small, chimp: FakeMailchimp) -> None:
    phare.run(today="2026-03-14")
    phare.filrouge("approve", "habitues")
    fault = chimp.fail(path=f"members/{hash_of(JEANNE)}", status=401, times=99)
    other = chimp.fail(path=f"members/{hash_of(AWA)}", status=401, times=99)
    done = phare.run(today="2026-03-14")
    assert (done.code, done.facts["services"]["newsletter"]["later"]) == (1, 4)
    fault.times = other.times = 0
    assert phare.run(today="2026-03-14").facts["services"]["newsletter"]["done"] == 4


def test_without_such_a_newsletter_the_rule_is_a_mistake(small: Small) -> None:
    small.write("rules/public.yaml", RULES)
    assert "n'est une infolettre que Fil rouge peut modifier" in small.filrouge("check").said.replace("’", "'")


def test_who_unsubscribes_with_us_is_unsubscribed_there_once(phare: Small, chimp: FakeMailchimp) -> None:
    chimp.add(JEANNE, "Jeanne", "Exemple", status="subscribed")
    chimp.add(AWA, "Awa", "Diallo", status="subscribed")
    phare.write("rules/public.yaml", RULES_OF_SMALL)
    phare.change("config.yaml", "rules: rules/", 'rules: rules/\nweb: {address: "https://nouvelles.example.org"}')
    phare.change("rules/templates/on-se-revoit.md", "purpose: service", "purpose: marketing")
    phare.run(today="2026-03-14")
    phare.filrouge("approve", "perdus-de-vue")
    assert phare.run(today="2026-03-14").facts["mail"]["sent"] == 1
    (mail,) = [message(phare.folder / "outbox" / name) for name in phare.mails()]
    (token,) = re.findall(r"/stop/([\w-]+)>", str(mail["List-Unsubscribe"]))
    with closing(Desk.open(phare.folder / "config.yaml", None)) as desk:
        Unsubscribing(desk).refuse(token, "page")
    assert phare.run(today="2026-03-14").facts["services"]["newsletter"]["done"] == 1
    assert (status(chimp, JEANNE), status(chimp, AWA)) == ("unsubscribed", "subscribed")
    assert [row["Règle"] for row in phare.rows("Courriels") if "désinscrire" in row["Objet"]] == ["Fil rouge"]
    assert phare.filrouge("explain", JEANNE, today="2026-03-14").code == 0
    chimp.members[hash_of(JEANNE)]["status"] = "subscribed"  # she signs up there again
    chimp.members[hash_of(JEANNE)]["last_changed"] = "2030-01-01T00:00:00+00:00"
    for day in ("2026-03-15", "2026-03-16"):
        phare.run(today=day)
    assert status(chimp, JEANNE) == "subscribed"


FRIENDS = "règles:\n  - nom: Amis\n    quand: {visites: au moins 1}\n    alors:\n      - courriel: on-se-revoit\n"


@pytest.mark.parametrize("who", ["Jeanne", "Awa"])
def test_a_no_at_an_address_that_two_share_is_not_the_others_at_their_own(
    phare: Small, chimp: FakeMailchimp, who: str
) -> None:
    """Awa once booked with Jeanne's address; each is written to at her own."""
    chimp.add(JEANNE, "Jeanne", "Exemple", status="subscribed")
    chimp.add(AWA, "Awa", "Diallo", status="subscribed")
    phare.write("rules/public.yaml", FRIENDS)
    phare.change("config.yaml", "rules: rules/", 'rules: rules/\nweb: {address: "https://nouvelles.example.org"}')
    phare.change("rules/templates/on-se-revoit.md", "purpose: service", "purpose: marketing")
    phare.run(today="2026-03-14")
    phare.export(
        (line(9, "Awa Diallo", "Cyrano", "01/02/2023").replace(AWA, JEANNE).replace("01/02/2024", "01/02/2022"),),
        "autres.csv",
    )
    phare.run(today="2026-03-14")
    with sqlite3.connect(phare.folder / "filrouge.db") as connection:
        awa = "SELECT p.code FROM person AS p JOIN profile AS f ON f.person = p.id WHERE f.first_name = 'Awa' ORDER BY p.id"
        codes = [code for (code,) in connection.execute(awa)]
    assert phare.filrouge("person", "merge", *codes).code == 0
    phare.run(today="2026-03-14")
    phare.filrouge("approve", "amis")
    phare.run(today="2026-03-14")
    mails = [message(phare.folder / "outbox" / name) for name in phare.mails()]
    (mail,) = [mail for mail in mails if str(mail["To"]).startswith(who)]
    (token,) = re.findall(r"/stop/([\w-]+)>", str(mail["List-Unsubscribe"]))
    with closing(Desk.open(phare.folder / "config.yaml", None)) as desk:
        Unsubscribing(desk).refuse(token, "page")
    phare.run(today="2026-03-14")
    addresses = {"Jeanne": JEANNE, "Awa": AWA}
    left = {one: status(chimp, address) for one, address in addresses.items()}
    assert left == {one: "unsubscribed" if one == who else "subscribed" for one in addresses}
    shown = {
        one: phare.filrouge("explain", address, "--json").facts["rights"]["marketing"]["may"]
        for one, address in addresses.items()
    }
    assert shown == {one: one != who for one in addresses}


def test_who_is_erased_is_erased_there_too_if_that_is_wanted_and_else_it_is_offered(
    phare: Small, chimp: FakeMailchimp
) -> None:
    chimp.add(JEANNE, "Jeanne", "Exemple")
    phare.run()
    offered = phare.filrouge("person", "erase", JEANNE)
    assert offered.code == 7
    assert "--everywhere" in offered.said
    chimp.fail(method="POST", status=401, times=99)
    down = phare.filrouge("person", "erase", JEANNE, "--everywhere", "--yes")
    assert down.code == 1
    assert phare.filrouge("person", "show", JEANNE).code == 0, "nothing is erased while one of them fails"
    chimp.faults.clear()
    done = phare.filrouge("person", "erase", JEANNE, "--everywhere", "--yes")
    assert done.code == 0, done.erred
    assert "dans lettre aussi" in done.said
    assert status(chimp, JEANNE) == "none"


def test_who_comes_back_to_us_is_written_to_though_the_newsletter_keeps_our_first_word(
    phare: Small, chimp: FakeMailchimp
) -> None:
    chimp.add(JEANNE, "Jeanne", "Exemple", status="subscribed")
    phare.write("rules/public.yaml", RULES_OF_SMALL)
    phare.change("config.yaml", "rules: rules/", 'rules: rules/\nweb: {address: "https://nouvelles.example.org"}')
    phare.change("rules/templates/on-se-revoit.md", "purpose: service", "purpose: marketing")
    phare.run()
    phare.filrouge("approve", "perdus-de-vue")
    phare.run()
    (mail,) = [message(phare.folder / "outbox" / name) for name in phare.mails()]
    (token,) = re.findall(r"/stop/([\w-]+)>", str(mail["List-Unsubscribe"]))
    with closing(Desk.open(phare.folder / "config.yaml", None)) as desk:
        Unsubscribing(desk).refuse(token, "page")
    phare.run()
    assert status(chimp, JEANNE) == "unsubscribed"
    with closing(Desk.open(phare.folder / "config.yaml", None)) as desk:
        Unsubscribing(desk).again(token)
    phare.run(today="2026-03-15")  # reads there what we had changed
    assert may_be_written_to(phare)
    chimp.members[hash_of(JEANNE)]["last_changed"] = "2030-01-01T00:00:00+00:00"  # a later no
    phare.run(today="2026-03-16")
    assert not may_be_written_to(phare)


def may_be_written_to(phare: Small) -> bool:
    return bool(phare.filrouge("person", "show", JEANNE, "--json").facts["rights"]["marketing"]["may"])
