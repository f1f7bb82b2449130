"""What comes back by mail, through the real command: a mailbox on loopback, read once a run."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.test_mail_reports import raw
from tests.fakes.imap import Box, server
from tests.thread.small import TODAY, Small
from tests.thread.test_unsubscribing import message

FROM = 'from: "Théâtre du Phare <bonjour@example.org>"'
JEANNE, AWA = "jeanne.exemple@example.org", "awa.diallo@example.org"
AGAIN = """\
règles:
  - nom: Toujours
    quand: {visites: au moins 1}
    alors:
      - courriel: on-se-revoit
        encore: après 1 jour
  - nom: Adresses à corriger
    quand: {infolettre: en erreur}
    alors:
      - signaler: Adresse à corriger
"""


class House:
    """The organisation, its mailbox, and the e-mails it sent to Jeanne and Awa on the first day."""

    def __init__(self, small: Small, box: Box) -> None:
        self.small, self.box = small, box
        self.day = datetime.fromisoformat(TODAY).replace(tzinfo=UTC)

    def run(self) -> dict[str, Any]:
        self.facts: dict[str, Any] = self.small.run(today=self.day.date().isoformat()).facts
        back: dict[str, Any] = self.facts["mail"]["back"]
        return back

    def next_day(self) -> dict[str, Any]:
        self.day += timedelta(days=1)
        return self.run()

    def mail(self, to: str, number: int = -1) -> EmailMessage:
        mails = [message(self.small.folder / "outbox" / name) for name in self.small.mails()]
        return [mail for mail in mails if to in str(mail["To"])][number]

    def report(self, name: str, to: str, about: str | None = None, number: int = -1, **change: str) -> bytes:
        """One of the real reports, as if about the last e-mail to somebody (`about`: to somebody else)."""
        text = raw(name).decode()
        text = re.sub(r"[\w.]+@(?:down\.)?other\.example\.org", to, text)
        text = text.replace("<MESSAGE@example.org>", self.mail(about or to, number)["Message-ID"])
        for old, new in change.items():
            text = text.replace(old, new)
        return text.encode()

    def bring(self, raw_message: bytes) -> None:
        self.box.put(raw_message, datetime.now(UTC))

    def write(self, body: str = "", **headers: str) -> None:
        mail = EmailMessage()
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(body)
        self.bring(mail.as_bytes())

    def sent_to(self, who: str) -> int:
        return len(
            [name for name in self.small.mails() if who in str(message(self.small.folder / "outbox" / name)["To"])]
        )


@pytest.fixture(scope="module")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    small = Small(tmp_path_factory.mktemp("post") / "phare")
    small.write(".env", "MAILBOX_PASSWORD=pässword\n")
    small.change("config.yaml", "Signaux: flags", "Signaux: flags, Infolettre: newsletter")
    small.change("rules/templates/on-se-revoit.md", "purpose: service", "purpose: marketing")
    small.change("config.yaml", FROM, f"{FROM}, limits: {{per_person: none}}")
    small.write("rules/public.yaml", AGAIN)
    with mailbox(small, Box()):
        small.run()
        small.filrouge("approve", "toujours")
        assert small.run().facts["mail"]["sent"] == 2
    return small.folder


@contextmanager
def mailbox(small: Small, box: Box, more: str = "") -> Iterator[None]:
    before = (small.folder / "config.yaml").read_text("utf-8")
    with server(box) as port:
        told = f'host: 127.0.0.1, port: {port}, security: none, user: bonjour@example.org, password: "${{MAILBOX_PASSWORD}}"{more}'
        small.change("config.yaml", FROM, f"{FROM}, mailbox: {{{told}}}")
        yield
    small.write("config.yaml", before)


@pytest.fixture
def house(first_day: Path, tmp_path: Path) -> Iterator[House]:
    shutil.copytree(first_day, tmp_path / "phare")
    small, box = Small.at(tmp_path / "phare"), Box()
    with mailbox(small, box):
        yield House(small, box)


def test_an_address_that_does_not_exist_rests_until_it_is_corrected(house: House) -> None:
    house.bring(house.report("unknown", JEANNE))
    assert house.next_day() == {"bad-address": 1}
    row = house.small.row("Jeanne")
    assert (row["Infolettre"], row["Signaux"]) == ("en erreur", "Adresse à corriger")
    assert (house.sent_to(JEANNE), house.sent_to(AWA)) == (1, 2)
    assert house.run() == {}  # read once
    house.small.edit("Jeanne", "Courriel", "jeanne@example.org")
    house.next_day()
    assert house.sent_to("jeanne@example.org") == 1
    row = house.small.row("Jeanne")
    assert (row["Infolettre"] != "en erreur", row["Signaux"]) == (True, None) or not row["Signaux"]


def test_a_delay_is_no_bounce(house: House) -> None:
    for name in ("delayed-down", "delayed-grey"):
        house.bring(house.report(name, JEANNE))
    assert house.next_day() == {}
    assert house.sent_to(JEANNE) == 2


def test_three_in_a_row_on_three_days_are_as_one_for_good(house: House) -> None:
    for sent, name in ((2, "full"), (3, "given-up")):
        house.bring(house.report(name, JEANNE))
        assert house.next_day() == {"full-or-away": 1}
        assert house.sent_to(JEANNE) == sent
    house.bring(house.report("grey-given-up", JEANNE))
    assert house.next_day() == {"full-or-away": 1}
    assert house.small.row("Jeanne")["Infolettre"] == "en erreur"
    assert house.sent_to(JEANNE) == 3


def test_one_that_arrived_in_between_begins_the_count_anew(house: House) -> None:
    house.bring(house.report("full", JEANNE))
    house.next_day()
    house.next_day()  # this one does not come back
    for _ in range(2):
        house.bring(house.report("full", JEANNE))
        house.next_day()
    assert house.small.row("Jeanne")["Infolettre"] != "en erreur"


def test_a_policy_says_nothing_about_the_address(house: House) -> None:
    for _ in range(3):
        house.bring(house.report("policy", JEANNE))
        assert house.next_day() == {"policy": 1}
    assert house.sent_to(JEANNE) == 4


def test_forged_reports_are_counted_and_left_alone(house: House) -> None:
    house.bring(house.report("unknown", JEANNE, about=AWA))  # an e-mail of ours, and somebody else's address
    house.bring(raw("unknown"))  # neither
    house.bring(house.report("unknown", JEANNE).replace(b"Message-ID: <", b"Message-ID: <x"))
    house.bring(raw("complaint"))
    house.bring(house.report("unknown", JEANNE)[:1500])
    assert house.next_day() == {"not-ours": 4, "unreadable": 1}
    assert house.sent_to(JEANNE) == house.sent_to(AWA) == 2
    assert "ne concernent aucun de nos courriels" in " ".join(house.small.filrouge("runs", "-n", "1").said.split("\n"))


def test_a_complaint_ends_the_news(house: House) -> None:
    house.bring(raw("complaint").replace(b"<MESSAGE@example.org>", str(house.mail(JEANNE)["Message-ID"]).encode()))
    assert house.next_day() == {"complaint": 1}
    assert house.small.row("Jeanne")["Infolettre"] == "désinscrit"
    assert house.sent_to(JEANNE) == 1


def test_unsubscribing_by_the_link_that_writes_a_mail(house: House) -> None:
    link = str(house.mail(JEANNE)["List-Unsubscribe"])
    found = re.fullmatch(r"<mailto:bonjour@example\.org\?subject=STOP%20([\w-]{68})>", link)
    assert found
    assert "List-Unsubscribe-Post" not in house.mail(JEANNE)
    house.write(Subject=f"STOP {found[1]}", From="somebody.else@example.org")
    house.write(Subject=f"STOP {found[1]}", From=JEANNE)
    house.write(Subject=f"STOP {found[1][:-1]}", From=AWA)
    assert house.next_day() == {"unsubscribed": 1}
    assert house.small.row("Jeanne")["Infolettre"] == "désinscrit"
    assert (house.sent_to(JEANNE), house.sent_to(AWA)) == (1, 2)


def test_unsubscribing_by_an_answer(house: House) -> None:
    mark = house.mail(JEANNE)["Message-ID"]
    house.write("Merci, je viendrai !", In_Reply_To=mark, Subject="Re: Cela fait longtemps")
    house.write("STOP", In_Reply_To=mark, Auto_Submitted="auto-replied")
    house.write("STOP", In_Reply_To="<unknown@example.org>")
    assert house.next_day() == {}
    house.write("Stop merci\n\n> Bonjour Jeanne", References=mark, Subject="Re: Cela fait longtemps")
    assert house.next_day() == {"unsubscribed": 1}
    assert (house.sent_to(JEANNE), house.sent_to(AWA)) == (2, 3)


def test_an_older_copy_of_the_folder_reads_the_mailbox_again_from_its_own_day(house: House) -> None:
    here, copy = house.small.folder, house.small.folder.parent / "copy"
    shutil.copytree(here, copy)
    token = str(house.mail(AWA)["List-Unsubscribe"]).strip("<>").partition("STOP%20")[2]
    house.write(Subject=f"STOP {token}", From=AWA)
    assert house.next_day() == {"unsubscribed": 1}
    shutil.rmtree(here)
    shutil.move(copy, here)
    went = house.sent_to(AWA)
    assert house.next_day() == {"unsubscribed": 1}
    assert house.small.row("Awa")["Infolettre"] == "désinscrit"
    assert house.sent_to(AWA) == went


def test_the_mailbox_away_takes_nothing_with_it(house: House) -> None:
    house.box.drop_at = "UID SEARCH"
    assert house.next_day() == {}
    assert house.facts["state"] == "partial"
    assert "127.0.0.1" in " ".join(house.facts["notes"])
    assert house.sent_to(JEANNE) == 2
    house.bring(house.report("unknown", JEANNE))
    assert house.run() == {"bad-address": 1}


def test_an_e_mail_is_known_by_the_address_it_came_back_to(first_day: Path, tmp_path: Path) -> None:
    """Where the report holds nothing of the e-mail but the address that it was sent to."""
    shutil.copytree(first_day, tmp_path / "phare")
    small, box = Small.at(tmp_path / "phare"), Box()
    with mailbox(small, box, ', bounces: "retours+{id}@example.org"'):
        house = House(small, box)
        (mail,) = [one for one in small.filrouge("outbox", "--json").facts["mails"] if one["to"] == JEANNE]
        report = house.report("unknown", JEANNE).decode()
        report = re.sub(r"(?m)^Message-ID: .*\r\n", "", report)
        report = re.sub(r"bounces\+[^@]*@", f"retours+{mail['id']}@", report)
        house.bring(report.encode())
        assert house.next_day() == {"bad-address": 1}


def test_the_mailbox_is_tried_by_check_online(house: House) -> None:
    done = house.small.filrouge("check", "--online", "--json")
    assert done.facts["accounts"]["mailbox"] == {"state": "ok", "message": "127.0.0.1: INBOX"}
    house.small.write(".env", "MAILBOX_PASSWORD=wrong\n")
    done = house.small.filrouge("check", "--online", "--json")
    assert done.facts["accounts"]["mailbox"]["state"] == "failed"
    assert "wrong" not in done.said + done.erred
