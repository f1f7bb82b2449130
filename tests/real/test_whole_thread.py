"""The whole thread on two real servers, as its user meets it: init, check, run, approve, and what the days bring."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.real.ghost import start as ghost
from tests.real.ghost.bootstrap import Admin, bootstrap
from tests.real.pretix import setup as pretix
from tests.thread.small import Small

pytestmark = pytest.mark.real
MEMBERS = 30
RULES = """\
règles:
  - nom: Merci aux abonnés du guichet
    quand: {achats: au moins 1}
    alors:
      - signaler: Acheteur
      - courriel: bonjour
"""
TEMPLATE = """\
---
subject: "Un mot pour {{ prénom or 'vous' }}"
purpose: service
---
Bonjour {{ prénom or "à vous" }}, merci.
"""
NOBODY = "http://127.0.0.1:9"


@dataclass
class Town(Small):
    """A theatre that has a pretix and a Ghost."""

    folder: Path
    tickets: pretix.Place
    letters: Admin

    def settle(self) -> None:
        """What a person does after `init`: names, addresses and tokens."""
        self.change("config.yaml", "organizer: my-organizer", f"organizer: phare\n    url: {self.tickets.url}")
        self.change("config.yaml", "https://my-site.example.org", self.letters.url)
        self.change("config.yaml", "Rue, code postal et ville", "12 quai des Brumes, 29200 Brest")
        self.change("config.yaml", "bonjour@example.org", "accueil@example.org")
        self.write(".env", f"PRETIX_TOKEN={self.tickets.token}\nGHOST_KEY={self.letters.key}\n")
        for file in (self.folder / "rules").glob("*.yaml"):
            file.unlink()
        self.write("rules/guichet.yaml", RULES)
        self.write("rules/templates/bonjour.md", TEMPLATE)

    def with_(self, name: str, old: str, new: str, *command: str) -> Any:
        """A command while a file says something else."""
        before = (self.folder / name).read_text("utf-8")
        self.change(name, old, new)
        try:
            return self.filrouge(*command)
        finally:
            self.write(name, before)

    def age(self, source: str, days: int) -> None:
        """As if the last good reading of a source were that much older."""
        with closing(sqlite3.connect(self.folder / "filrouge.db")) as store, store:
            older = days * 86_400_000_000
            store.execute("UPDATE source SET succeeded = succeeded - ? WHERE name = ?", (older, source))

    def held(self) -> Counter[str]:
        mails = self.filrouge("outbox", "--state", "held", "--json").facts["mails"]
        return Counter(mail["reason"] for mail in mails)

    def of(self, email: str) -> dict[str, Any]:
        (found,) = [row for row in self.rows() if str(row["Courriel"]).lower() == email]
        return found

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        base = f"{self.tickets.url}/api/v1/organizers/{self.tickets.organizer}/"
        headers = {"Authorization": f"Token {self.tickets.writing}"}
        answer = httpx.request(method, base + path, json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        return answer.json()


def plain(said: str) -> str:
    return said.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    make = tmp_path_factory.mktemp
    with pretix.running(make("pretix")) as tickets, ghost.running(make("ghost")) as url:
        town = Town(make("phare"), tickets, bootstrap(url, MEMBERS))
        sources = ("--source", "pretix", "--source", "ghost")
        done = town.filrouge("--language", "fr", "init", ".", "--name", "Théâtre du Phare", *sources, "--yes")
        assert done.code == 0, done.erred
        assert "PRETIX_TOKEN, GHOST_KEY" in done.said
        town.settle()
        yield town


def test_check_finds_both_accounts(town: Town) -> None:
    done = town.filrouge("check", "--online")
    assert done.code == 0, done.said
    assert "billetterie : Compagnie du Phare." in plain(done.said)
    assert f"infolettre : Théâtre du Phare. Membres : {MEMBERS}." in plain(done.said)


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "sentence"),
    [
        (".env", "PRETIX_TOKEN=", "PRETIX_TOKEN=x", 1, "pretix a refusé le jeton"),
        ("config.yaml", "organizer: phare", "organizer: phere", 1, "« phere »"),
        (".env", "GHOST_KEY=", "GHOST_KEY=zz", 2, "Ce n'est pas une clé Admin API de Ghost"),
        ("config.yaml", "PRETIX", "NO", 2, "`NO_TOKEN` n'est pas défini"),
    ],
)
def test_each_mistake_has_its_sentence(town: Town, file: str, old: str, new: str, code: int, sentence: str) -> None:
    done = town.with_(file, old, new, "check", "--online")
    assert done.code == code, done.said
    assert sentence in plain(done.said)


def test_the_days_of_a_theatre(town: Town) -> None:
    first = town.filrouge("run", "--json")
    assert first.code == 7, first.said
    waiting = first.facts["mail"]["waiting"]
    assert waiting == first.facts["rules"]["merci-aux-abonnes-du-guichet"]["entered"] > 10
    assert first.facts["people"]["total"] == len(town.rows())
    assert town.filrouge("approve", "merci-aux-abonnes-du-guichet").code == 0
    mail = town.filrouge("run", "--json").facts["mail"]
    assert mail["sent"] == len(town.mails()), mail
    assert mail["sent"] + sum(mail["held"].values()) == waiting, mail

    town.filrouge("run")  # what the seed left within pretix' overlap is settled
    quiet = town.filrouge("run", "--json")
    assert quiet.code == 0
    calls = quiet.facts["calls"]
    assert calls["billetterie"] == calls["infolettre"] == {"read": 3, "write": 0}
    assert (calls["sheet"]["read"] <= 1, calls["sheet"]["write"]) == (True, 0)

    orders = town.ask("GET", "orders/?status=p&testmode=false")["results"]
    alone = Counter(str(row["Courriel"]).lower() for row in town.rows())
    order = next(one for one in orders if one["event"] == "saison" and alone[one["email"].lower()] == 1)
    before = town.of(order["email"].lower())
    member = town.letters.member("user011@example.org")
    town.ask("POST", f"events/saison/orders/{order['code']}/mark_canceled/", {"send_email": False})
    town.letters.edit(member["id"], newsletters=[])
    changed = town.filrouge("run", "--json")
    assert changed.facts["cells"]["written"] >= 2, changed.said
    assert town.of("user011@example.org")["Infolettre"] == "désinscrit"
    assert town.of(order["email"].lower()) != before
    assert len(town.mails()) == mail["sent"]


def test_a_server_that_is_down_holds_what_depends_on_it_and_all_goes_on_when_it_is_back(town: Town) -> None:
    town.filrouge("run")
    inside = town.filrouge("run", "--json").facts["rules"]["merci-aux-abonnes-du-guichet"]["inside"]
    mails, rows = town.mails(), town.rows()
    down = ("config.yaml", town.tickets.url, NOBODY)
    failed = town.with_(*down, "run", "--json")
    assert (failed.code, failed.facts["state"]) == (1, "partial")
    assert failed.facts["sources"]["billetterie"]["state"] == "failed"
    assert "Personne ne répond" in failed.facts["sources"]["billetterie"]["error"]
    assert failed.facts["sources"]["infolettre"]["state"] == "done"
    assert failed.facts["rules"]["merci-aux-abonnes-du-guichet"]["inside"] == inside

    # Something is approved; then nobody answers for longer than the freshness.
    town.write("rules/encore.yaml", RULES.replace("Merci aux abonnés du guichet", "Encore un mot"))
    waiting = town.filrouge("run", "--json").facts["mail"]["waiting"]
    assert town.filrouge("approve", "encore-un-mot", "--json").facts["approved"] == waiting > 10
    town.age("billetterie", days=9)
    stale = town.with_(*down, "run", "--json")
    for rule in stale.facts["rules"].values():
        assert (rule["entered"], rule["left"]) == (0, 0)
    assert stale.facts["mail"]["sent"] == 0
    assert town.held()["stale-source"] == waiting
    assert ": en retard." in plain(town.filrouge("status").said)
    assert "Personne ne répond" in town.filrouge("runs").said
    assert [row["Signaux"] for row in town.rows()] == [row["Signaux"] for row in rows]
    assert town.mails() == mails

    back = town.filrouge("run", "--json")
    assert back.facts["sources"]["billetterie"]["state"] == "done"
    assert back.facts["rules"]["merci-aux-abonnes-du-guichet"]["inside"] == inside
    assert "stale-source" not in town.held()
    assert back.facts["mail"]["sent"] == len(town.mails()) - len(mails) > 10
