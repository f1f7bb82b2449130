"""Unsubscribing by the page, from the e-mail's own link to the sheet, with the real command and the real application."""

from __future__ import annotations

import email
import email.policy
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette

from sync.clock import utc_now
from sync.desk import Desk
from sync.followup import wishes
from sync.unsubscribing import Unsubscribing
from sync.web.app import Pulse, application
from sync.web.stop import StopPage
from tests.fakes.browser import Browser
from tests.thread.small import Small, line

ADDRESS = "https://nouvelles.example.org"
NEWS = "encore-une-nouvelle"
SECOND = """\
  - nom: Encore une nouvelle
    quand: {visites: au moins 1}
    alors:
      - courriel: la-saison
"""
LATER = "2026-03-15"
NEXT_WEEK = "2026-03-24"


class House:
    """The organisation with its page: Jeanne and Awa, who share nothing, both got a first e-mail."""

    def __init__(self, small: Small, desk: Desk) -> None:
        self.small = small
        self.page = Browser(app(desk), ADDRESS)

    def mail(self, name: str, number: int = 0) -> EmailMessage:
        found = [mail for mail in self.mails() if name in str(mail["To"])]
        return found[number]

    def mails(self) -> list[EmailMessage]:
        files = [self.small.folder / "outbox" / name for name in self.small.mails()]
        return [message(file) for file in files]

    def link(self, name: str) -> str:
        """What a mail program reads in the header; without the address, so that the test client takes it."""
        (link,) = re.findall(r"<https://[^>]+>", self.mail(name)["List-Unsubscribe"])
        return str(link).strip("<>").removeprefix(ADDRESS)

    def post(self, name: str, **form: str | list[str]) -> str:
        answer = self.page.post(self.link(name), data=form, headers={"accept-language": "fr-CA"})
        assert answer.status_code == 200
        return answer.text

    def states(self, name: str) -> dict[str, tuple[str, str | None]]:
        mails = self.small.filrouge("outbox", "--json").facts["mails"]
        return {mail["rule"]: (mail["state"], mail["reason"]) for mail in mails if name in mail["to"]}


def app(desk: Desk) -> Starlette:
    config = desk.config
    page = StopPage(Unsubscribing(desk), config.organisation, config.answers_to)
    return application(
        name="x", language="fr", zone=config.zone, runs=lambda _: [], pulse=Pulse(), now=utc_now, stop=page
    )


def message(file: Path) -> EmailMessage:
    found = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


@pytest.fixture(scope="module")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    small = Small(tmp_path_factory.mktemp("page") / "phare")
    small.change("config.yaml", "rules: rules/", f'rules: rules/\nweb: {{address: "{ADDRESS}"}}')
    small.change("config.yaml", "Signaux: flags", "Signaux: flags, Infolettre: newsletter")
    small.change("rules/templates/on-se-revoit.md", "purpose: service", "purpose: marketing\nthème: Invitations")
    small.change("rules/public.yaml", "{visites: au moins 2}", "{visites: au moins 1}")
    small.change("rules/public.yaml", "il y a plus de 6 mois", "connu")
    season = "---\nobjet: La saison\nthème: La saison\n---\nElle est sortie.\n"
    small.write("rules/templates/la-saison.md", season)
    small.run()
    small.filrouge("approve", "perdus-de-vue")
    assert small.run().facts["mail"]["sent"] == 2
    with (small.folder / "rules/public.yaml").open("a", encoding="utf-8") as rules:
        rules.write(SECOND)
    assert small.run().facts["mail"]["waiting"] == 2  # two e-mails of the second rule wait for a yes
    return small.folder


@pytest.fixture
def house(first_day: Path, tmp_path: Path) -> Iterator[House]:
    shutil.copytree(first_day, tmp_path / "phare")
    with closing(Desk.open(tmp_path / "phare/config.yaml", None)) as desk:
        yield House(Small.at(tmp_path / "phare"), desk)


def test_the_headers_are_those_of_one_click(house: House) -> None:
    mail = house.mail("jeanne")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    raw = (house.small.folder / "outbox" / house.small.mails()[0]).read_bytes()
    assert re.search(rb"(?m)^List-Unsubscribe: ?\r?\n? ?<https://nouvelles\.example\.org/stop/[\w-]{68}>\r?$", raw)
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        assert house.link("jeanne") in part.get_content()
    assert "jeanne" not in house.link("jeanne").lower()


def test_looking_changes_nothing(house: House) -> None:
    """Scanners of mail services open every link, some several times, some with HEAD."""
    for _ in range(3):
        page = house.page.get(house.link("jeanne"))
        assert page.status_code == 200
        assert house.page.request("HEAD", house.link("jeanne")).status_code == 200
    assert "Jeanne" not in page.text
    assert "jeanne.exemple" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "<script" not in page.text
    assert house.states("jeanne")[NEWS][0] == "waiting"


def test_one_click_unsubscribes_at_once_without_login(house: House) -> None:
    forms: list[dict[str, Any]] = [
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {"content": "List-Unsubscribe=One-Click"},  # asked again, as by a service that lost the answer
    ]
    for form in forms:
        answer = house.page.post(house.link("jeanne"), **form)
        assert (answer.status_code, answer.history) == (200, [])
    assert house.states("jeanne")[NEWS] == ("cancelled", "unsubscribed")
    assert house.states("awa")[NEWS][0] == "waiting"
    house.small.run(today=LATER)
    assert house.small.row("Jeanne")["Infolettre"] == "désinscrit"
    assert house.small.row("Awa")["Infolettre"] != "désinscrit"


def test_it_stands_against_what_is_pulled_later(house: House) -> None:
    house.post("jeanne", wish="stop")
    house.small.write(
        "exports/infolettre.csv",
        "Email,Prénom,Nom,Statut\njeanne.exemple@example.org,Jeanne,Exemple,subscribed\n",
    )
    house.small.run(today=LATER)
    house.small.filrouge("approve", NEWS)
    house.small.run(today=LATER)
    assert house.small.row("Jeanne")["Infolettre"] == "désinscrit"
    assert [str(mail["To"]) for mail in house.mails() if "saison" in mail["Subject"]] == [
        "Awa Diallo <awa.diallo@example.org>"
    ]


def test_it_holds_for_whoever_comes_with_that_address_later(house: House) -> None:
    house.post("jeanne", wish="stop")
    other = line(7, "Marie Exemple", "Cyrano", "10/03/2025").replace("marie.exemple@", "jeanne.exemple@")
    house.small.export((other,), "autre.csv")
    house.small.run(today=LATER)
    assert house.small.row("Marie")["Infolettre"] == "désinscrit"


def test_the_button_and_a_change_of_mind(house: House) -> None:
    assert "ne vous enverra plus de nouvelles" in house.post("jeanne", wish="stop")
    assert "ne vous enverra plus de nouvelles" in house.page.get(house.link("jeanne") + "?fr").text
    assert "will send you no more news" in house.page.get(house.link("jeanne") + "?en").text
    assert "continuerez" in house.post("jeanne", wish="again")
    house.small.run(today=LATER)
    assert house.small.row("Jeanne")["Infolettre"] != "désinscrit"


def test_choosing_among_topics(house: House) -> None:
    page = house.page.get(house.link("jeanne") + "?fr").text
    assert page.index("Invitations") < page.index("La saison")
    house.post("jeanne", wish="choose", topic="invitations")
    assert house.states("jeanne")[NEWS] == ("cancelled", "unsubscribed")
    checked = re.findall(r'value="([^"]+)" checked', house.page.get(house.link("jeanne")).text)
    assert checked == ["invitations"]
    house.small.run(today=LATER)
    assert house.small.row("Jeanne")["Infolettre"] != "désinscrit"
    house.small.filrouge("approve", NEWS)
    house.small.run(today=LATER)
    assert [str(mail["To"])[:3] for mail in house.mails() if "saison" in mail["Subject"]] == ["Awa"]


def test_who_wants_none_of_the_topics_gets_no_news_without_one_either(house: House) -> None:
    (house.small.folder / "rules/templates/la-saison.md").write_text("---\nobjet: La saison\n---\nParue.\n", "utf-8")
    assert "ne vous enverra plus de nouvelles" in house.post("jeanne", wish="choose")
    assert house.states("jeanne")[NEWS] == ("cancelled", "unsubscribed")
    assert not re.findall(r'value="[^"]+" checked', house.page.get(house.link("jeanne")).text)
    assert "enregistré" in house.post("jeanne", wish="choose", topic="invitations")
    assert re.findall(r'value="([^"]+)" checked', house.page.get(house.link("jeanne")).text) == ["invitations"]


def test_what_is_no_token_gets_a_kind_word_and_nothing_else(house: House) -> None:
    for what in ("", "x", "A" * 60, "A" * 5000, "%00%ff", "a/b"):
        for answer in (house.page.get(f"/stop/{what}"), house.page.post(f"/stop/{what}", data={"wish": "stop"})):
            assert answer.status_code == 404, what
            assert "bonjour@example.org" in answer.text
    assert house.states("jeanne")[NEWS][0] == house.states("awa")[NEWS][0] == "waiting"


def test_a_token_cut_short_or_changed_does_nothing_and_looks_like_any_other(house: House) -> None:
    link = house.link("jeanne")
    answers = [
        house.page.post(wrong, content="List-Unsubscribe=One-Click")
        for wrong in (link[:-1], link[:-1] + ("A" if link[-1] != "A" else "B"), link + "A", "/stop/" + "B" * 60)
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert house.states("jeanne")[NEWS][0] == "waiting"


def test_any_other_post_changes_nothing(house: House) -> None:
    for body in ("", "wish=", "wish=jump", "List-Unsubscribe=Two-Clicks", "x" * 100_000):
        assert house.page.post(house.link("jeanne"), content=body).status_code == 200
    assert house.states("jeanne")[NEWS][0] == "waiting"


def test_a_secret_of_the_config_survives_a_lost_store_and_takes_the_links_before_it_along(house: House) -> None:
    small, before = house.small, house.link("jeanne")
    small.change("config.yaml", f'"{ADDRESS}"', f'"{ADDRESS}", secret: "${{WEB_SECRET}}"')
    small.write(".env", f"WEB_SECRET={'s' * 32}\n")
    small.run(today=LATER)
    small.filrouge("approve", NEWS)
    small.run(today=LATER)
    house_now = re.findall(r"/stop/[\w-]{68}", str(house.mail("jeanne", -1)["List-Unsubscribe"]))[0]
    assert house_now != before
    for link in (before, house_now):
        with closing(Desk.open(small.folder / "config.yaml", None)) as desk:
            assert Browser(app(desk), ADDRESS).get(link).status_code == 200
    (small.folder / "filrouge.db").unlink()
    with closing(Desk.open(small.folder / "config.yaml", None)) as desk:
        page = Browser(app(desk), ADDRESS)
        assert page.get(before).status_code == 404
        assert "plus de nouvelles" in page.post(house_now, data={"wish": "stop"}).text


@pytest.mark.parametrize("address", ["nouvelles.example.org", "http://nouvelles.example.org", "https://x.org/?a=b"])
def test_an_address_that_mail_programs_would_not_take_is_a_mistake(small: Small, address: str) -> None:
    small.change("config.yaml", "rules: rules/", f'rules: rules/\nweb: {{address: "{address}"}}')
    done = small.filrouge("check")
    assert done.code == 2
    assert "https://" in done.said


@contextmanager
def public(application: Starlette) -> Iterator[int]:
    """The page as `serve` shows it, on a port of this machine; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(application, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def test_check_online_opens_one_of_our_links_from_outside(house: House) -> None:
    small = house.small
    with public(house.page.application) as port:
        small.change("config.yaml", ADDRESS, f"http://127.0.0.1:{port}")
        page = small.filrouge("check", "--online", "--json").facts["accounts"]["page"]
        assert page["state"] == "ok"
        small.change("config.yaml", f':{port}"', f':{port}", secret: "${{WEB_SECRET}}"')
        small.write(".env", f"WEB_SECRET={'s' * 32}\n")  # of which the page that is running knows nothing
        page = small.filrouge("check", "--online", "--json").facts["accounts"]["page"]
        assert (page["state"], "/stop/" in page["message"]) == ("failed", True)
    page = small.filrouge("check", "--online", "--json").facts["accounts"]["page"]
    assert "ConnectError" in page["message"]


@pytest.fixture
def couple(house: House) -> House:
    """Awa moves in with Jeanne, and is written to at the address of both after her own."""
    small = house.small
    small.edit("Awa", "Courriel", "jeanne.exemple@example.org")
    small.change(
        "rules/public.yaml", "nouvelle\n    quand: {visites: au moins 1}", "nouvelle\n    quand: {prénom: Awa}"
    )
    small.run(today=NEXT_WEEK)
    small.filrouge("approve", NEWS)
    small.run(today=NEXT_WEEK)
    assert "Awa Diallo <jeanne.exemple@example.org>" in [str(mail["To"]) for mail in house.mails()]
    return house


def test_one_of_a_couple_takes_back_no_word_of_the_other(couple: House) -> None:
    """Awa said no at her own address, Jeanne at the one they share; Jeanne changes her mind."""
    couple.post("awa", wish="stop")
    couple.post("jeanne", wish="stop")
    couple.small.run(today=NEXT_WEEK)
    assert [couple.small.row(name)["Infolettre"] for name in ("Awa", "Jeanne")] == ["désinscrit", "désinscrit"]
    couple.post("jeanne", wish="again")
    assert "ne vous enverra plus" not in couple.page.get(couple.link("jeanne") + "?fr").text
    assert "ne vous enverra plus" in couple.page.get(couple.link("awa") + "?fr").text
    couple.small.run(today=NEXT_WEEK)
    assert couple.small.row("Awa")["Infolettre"] == "désinscrit"
    assert couple.small.row("Jeanne")["Infolettre"] != "désinscrit"
    rights = couple.small.filrouge("person", "show", "awa.diallo@example.org", "--json").facts["rights"]
    assert rights["marketing"]["reason"] == "unsubscribed"


def test_a_couples_topics_are_those_each_refused_where(couple: House) -> None:
    couple.post("awa", wish="choose", topic="invitations")  # without the season, at her own address
    couple.post("jeanne", wish="choose", topic=["invitations", "la saison"])
    with closing(Desk.open(couple.small.folder / "config.yaml", None)) as desk, desk.store.look() as connection:
        told = wishes.among(connection, desk.store.org, range(1, 20))
    assert [word["marketing"] for word in told.values()] == [{"la saison": False}]
