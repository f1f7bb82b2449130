"""10,000 e-mails from the outbox through a local SMTP server: composed for each reader, each written down before and after.

Beside it `smtplib` alone, handing over ready messages in a loop: what no sender can beat. `python -m bench.mailing` prints
both, on SQLite and, where its programs are, on PostgreSQL.
"""

from __future__ import annotations

import socketserver
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from smtplib import SMTP
from typing import NamedTuple

import sqlalchemy as sa

from connectors.mail.smtp import Smtp, SmtpSettings
from connectors.mail.wire import to_bytes
from connectors.source import Setting
from rules.conditions import Book
from sync.config import Organisation
from sync.followup.compose import House, compose
from sync.followup.consent import Contact, Right
from sync.followup.send import send_due
from sync.followup.tables import outbox
from sync.followup.templatefiles import read_templates
from sync.followup.templates import Templates
from sync.followup.twice import Twice
from sync.limits import Limits
from sync.store import Store
from tests.sync.store.databases import new_database, postgres, postgres_folder

MAILS = 10_000
AIM = 200
NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)
SENDER = "Théâtre du Phare <bonjour@phare.example>"
HOUSE = House(Organisation(name="Théâtre du Phare", address="12, rue du Phare\n29200 Brest"), SENDER)
TEMPLATE = """---
objet: Cela fait longtemps, {{ prénom or "vous" }}
aperçu: La saison est là
---
Bonjour {{ prénom or "à vous" }},

cela fait un moment que nous ne nous sommes pas vus. Voici **trois spectacles** de la saison :

- *Cyrano*, en mars ;
- *La Mouette*, en avril ;
- le grand bal, en mai.

**[Voir la saison](https://phare.example/saison)**

À bientôt, toute l'équipe
"""


class Rates(NamedTuple):
    """E-mails a second: ours, and `smtplib`'s with ready messages."""

    database: str
    ours: float
    smtplib: float


class _Sink(socketserver.StreamRequestHandler):
    """Takes everything."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        self.wfile.write(b"220 sink ESMTP\r\n")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while self.rfile.readline() != b".\r\n":
                    pass
            if word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"250-sink\r\n250 8BITMIME\r\n" if word == b"EHLO" else b"250 2.0.0 taken\r\n")


@contextmanager
def sink() -> Iterator[int]:
    """An SMTP server in a process of its own; its port."""
    program = [sys.executable, "-m", "bench.mailing", "sink"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def person(number: int) -> Contact:
    who = {"email": f"p{number}@example.org", "first_name": f"Zoé {number}", "last_name": "Exemple"}
    return {**who, "code": f"P{number}", "language": "fr", "newsletter": "subscribed"}


def templates() -> Templates:
    found, mistakes = read_templates({"bench.fr.md": TEMPLATE.encode()})
    assert not mistakes, mistakes
    return found


def filled(store: Store, mails: int) -> None:
    """An outbox in which so many wait to leave."""
    same = {
        "org": store.org, "rule": "bench", "step": "bench", "occasion": "2026-03-14", "state": "approved", "template": "bench",
        "batch": "bench-1", "not_before": NOW, "no_later_than": NOW.replace(year=2027), "created_at": NOW, "created_run": 1,
        "approved_at": NOW, "approved_by": "bench", "attempts": 0,
    }  # fmt: skip
    with store.begin() as connection:
        connection.execute(sa.insert(outbox), [{**same, "id": f"{n:08}", "person_id": n} for n in range(mails)])


def ours(url: str, port: int, mails: int) -> float:
    store = Store.open(url, "phare", NOW)
    filled(store, mails)
    settings = SmtpSettings.model_validate({"host": "127.0.0.1", "port": port, "security": "none", "from": SENDER})
    mailer = Smtp(settings, Setting("mail", Path()))
    begun = time.perf_counter()
    limits = Limits(quiet_hours="none")
    sent = send_due(
        store, mailer, 1, lambda: NOW, templates=templates(), house=HOUSE, limits=limits,
        people=lambda ids: {number: person(number) for number in ids},
        twice=Twice(Book(), templates(), "fr", limits.apart),
    )  # fmt: skip
    took = time.perf_counter() - begun
    assert sent.sent == mails, sent
    mailer.close()
    store.close()
    return mails / took


def ready_made(port: int, mails: int) -> float:
    template = templates().choose("bench", "fr", "fr")
    assert template is not None
    message = compose(person(1), template, HOUSE, NOW, message_id="<1@phare.example>", right=Right(basis="consent"))
    content = to_bytes(message)
    begun = time.perf_counter()
    with SMTP("127.0.0.1", port) as server:
        for number in range(mails):
            server.sendmail("bonjour@phare.example", f"p{number}@example.org", content)
    return mails / (time.perf_counter() - begun)


def measure(mails: int = MAILS) -> list[Rates]:
    found = []
    with sink() as port:
        with tempfile.TemporaryDirectory() as folder:
            found.append(Rates("SQLite", ours(f"sqlite:///{folder}/bench.db", port, mails), ready_made(port, mails)))
        if postgres_folder():
            with postgres(safe=True) as cluster:
                found.append(Rates("PostgreSQL", ours(new_database(cluster), port, mails), ready_made(port, mails)))
    return found


def main() -> None:
    if sys.argv[1:] == ["sink"]:
        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Sink) as server:
            print(server.server_address[1], flush=True)
            server.serve_forever()
    for rates in measure(int(sys.argv[1]) if len(sys.argv) > 1 else MAILS):
        print(f"{rates.database:10} {rates.ours:6,.0f} a second; smtplib alone {rates.smtplib:6,.0f} a second")


if __name__ == "__main__":
    main()
