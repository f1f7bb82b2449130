"""A real Postfix and a real Dovecot: e-mails sent to good and bad addresses, and what comes back of them."""

from __future__ import annotations

import re
import smtplib
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.real.mail.world import MAILBOX, OTHERS, OURS, PASSWORD, World, running
from tests.thread.small import HEAD, Small
from tests.thread.test_unsubscribing import message

pytestmark = pytest.mark.real
PEOPLE = ("good", "unknown", "full", "blocked", "grey")
RULES = """\
règles:
  - nom: Bonjour
    quand: {visites: au moins 1}
    alors:
      - courriel: on-se-revoit
        encore: après 1 jour
"""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with running() as world:
        yield world


@pytest.fixture
def small(world: World, tmp_path: Path) -> Small:
    """Six people who are reached through the real servers, and a mailbox that is read."""
    small = Small(tmp_path / "phare")
    small.write(".env", f"SMTP_PASSWORD={PASSWORD}\nMAILBOX_PASSWORD={PASSWORD}\n")
    (small.folder / "ca.pem").write_bytes(world.certificate.read_bytes())
    small.change(
        "config.yaml",
        f'mail: {{type: folder, folder: outbox/, from: "Théâtre du Phare <{MAILBOX}>"}}',
        f"""mail:
  type: smtp
  host: localhost
  port: {world.smtp}
  user: {MAILBOX}
  password: "${{SMTP_PASSWORD}}"
  ca_file: ca.pem
  from: "Théâtre du Phare <{MAILBOX}>"
  limits: {{per_person: none, quiet_hours: none}}
  mailbox: {{host: localhost, port: {world.imaps}, user: {MAILBOX}, password: "${{MAILBOX_PASSWORD}}", ca_file: ca.pem}}""",
    )
    small.change("config.yaml", "Signaux: flags", "Signaux: flags, Infolettre: newsletter")
    small.change("rules/templates/on-se-revoit.md", "purpose: service", "purpose: marketing")
    small.write("rules/public.yaml", RULES)
    lines = [_line(n, f"{name}@{OTHERS}") for n, name in enumerate(PEOPLE, 1)]
    small.write("exports/billets.csv", "\n".join([HEAD, *lines, _line(9, f"nobody@nowhere.{OURS}")]) + "\n")
    return small


def _line(order: int, address: str) -> str:
    name = address.partition("@")[0].capitalize()
    start = f"{order};01/02/2025 10:00;Validé;Essai;{name};{address}"
    return f"{start};Cyrano;10/03/2025 20:00;{order}1;Plein tarif;18,00"


def until(found: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.2)
    return value


def back(small: Small, **settings: Any) -> dict[str, int]:
    found: dict[str, int] = small.run(**settings).facts["mail"]["back"]
    return found


def reports(world: World, action: str) -> int:
    """How many delivery reports of this kind lie in the mailbox."""
    return sum(f"Action: {action}" in mail.read_text("utf-8", "replace") for mail in world.mails(MAILBOX))


def test_what_really_comes_back(world: World, small: Small) -> None:
    small.run()
    small.filrouge("approve", "bonjour")
    mail = small.run().facts["mail"]
    assert (mail["sent"], mail["failed"]) == (5, 1)
    until(lambda: reports(world, "failed") == 3 and reports(world, "delayed") == 1)
    assert back(small) == {"bad-address": 1, "full-or-away": 1, "policy": 1}
    until(lambda: reports(world, "failed") == 4)
    assert back(small) == {"full-or-away": 1}  # the grey-listed one, given up with a status 4.x
    assert back(small) == {}
    states = {name: small.row(name.capitalize())["Infolettre"] for name in (*PEOPLE, "nobody")}
    assert {name for name, state in states.items() if state == "en erreur"} == {"unknown", "nobody"}

    (letter,) = until(lambda: world.mails(f"good@{OTHERS}"))
    arrived = message(letter)
    answer = EmailMessage()
    answer["From"], answer["To"], answer["Subject"] = f"good@{OTHERS}", MAILBOX, f"Re: {arrived['Subject']}"
    answer["In-Reply-To"] = str(arrived["Message-ID"])
    answer.set_content("STOP merci\n\n> Bonjour Good\n")
    _send(world, answer)
    assert back(small) == {"unsubscribed": 1}
    assert small.row("Good")["Infolettre"] == "désinscrit"

    token = re.search(r"subject=STOP%20([\w-]+)", str(arrived["List-Unsubscribe"]))
    assert token
    link = EmailMessage()
    link["From"], link["To"], link["Subject"] = f"other@{OTHERS}", MAILBOX, f"STOP {token[1]}"
    _send(world, link)
    assert back(small) == {}  # said already

    kept = world.mails(MAILBOX)
    assert len(kept) == 7
    assert not [mail.name for mail in kept if "S" in mail.name.partition(":2,")[2]]  # none is marked as read
    assert small.run(today="2026-03-15").facts["mail"]["sent"] == 3  # full, blocked, grey


def _send(world: World, mail: EmailMessage) -> None:
    before = len(world.mails(MAILBOX))
    with smtplib.SMTP("127.0.0.1", world.smtp, timeout=20) as server:
        server.send_message(mail)
    until(lambda: len(world.mails(MAILBOX)) == before + 1)


def test_check_online_reaches_both(small: Small) -> None:
    accounts = small.filrouge("check", "--online", "--json").facts["accounts"]
    assert accounts["mailbox"] == {"state": "ok", "message": "localhost: INBOX"}
    small.write(".env", "SMTP_PASSWORD=x\nMAILBOX_PASSWORD=x\n")
    accounts = small.filrouge("check", "--online", "--json").facts["accounts"]
    assert accounts["mailbox"]["state"] == "failed"
