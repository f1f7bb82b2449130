"""A small theatre for the tests: people, rules, templates, a mailer that keeps what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import polars as pl
import pydantic

from connectors.trouble import Trouble
from rules.conditions import Action, AllOf, Book, Email, Flag, Period, Rule
from rules.journeys import Journey
from sync.config import Organisation
from sync.followup import approvals
from sync.followup.compose import House
from sync.followup.decide import decide
from sync.followup.journeys import World, walk
from sync.followup.send import Sent, send_due
from sync.followup.tables import outbox as outbox_table
from sync.followup.templatefiles import read_templates
from sync.followup.templates import Templates
from sync.followup.turn import Decisions
from sync.followup.twice import Twice
from sync.limits import Limits
from sync.people.profile import people_frame
from sync.store import Store

NOW = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Paris")
HOUSE = House(
    Organisation(name="Théâtre du Phare", address="12, rue du Phare\n29200 Brest", timezone="Europe/Paris"),
    "Théâtre du Phare <bonjour@phare.example>",
)
FILES = {
    "templates/on-se-revoit.fr.md": (
        '---\nobjet: On se revoit, {{ prénom or "vous" }} ?\naperçu: La saison est sortie\n---\n'
        'Bonjour {{ prénom or "à vous" }},\n\nCela fait longtemps.\n'
    ).encode(),
    "templates/infos.fr.md": "---\nobjet: Votre venue\nfinalité: service\n---\nÀ bientôt.\n".encode(),
}


def templates() -> Templates:
    found, mistakes = read_templates(FILES)
    assert not mistakes
    return found


def rule(id_: str, *actions: Action, digest: str = "1", was: tuple[str, ...] = (), active: bool = True) -> Rule:
    return Rule(id_, id_.capitalize(), AllOf(()), None, actions or (Flag("À relancer"), Email("on-se-revoit")),
                digest=digest, was=was, active=active)  # fmt: skip


def person(number: int, **facts: Any) -> dict[str, Any]:
    told = {"code": f"P{number}", "email": f"p{number}@example.org", "first_name": f"Camille{number}"}
    return {**told, "language": "fr", "newsletter": "subscribed", **facts}


@dataclass
class Inbox:
    """A mailer in memory. `answer` may raise the troubles of a real one."""

    service: ClassVar[str] = "inbox"
    Settings: ClassVar[type[pydantic.BaseModel]] = pydantic.BaseModel
    arrived: list[EmailMessage] = field(default_factory=list)
    answer: Callable[[EmailMessage], str] = lambda _message: "250 ok"
    knows: Callable[[str], bool | None] = lambda _message_id: None
    sender: str = HOUSE.sender

    @property
    def way(self) -> None:
        return None

    def check(self) -> str:
        return "inbox"

    def ready(self) -> None:
        pass

    def send(self, message: EmailMessage, sender: str, recipient: str) -> str:
        answer = self.answer(message)
        self.arrived.append(message)
        return answer

    def has_sent(self, message_id: str) -> bool | None:
        return self.knows(message_id)

    def close(self) -> None:
        pass

    @property
    def addresses(self) -> list[str]:
        return [message["To"].addresses[0].addr_spec for message in self.arrived]


@dataclass
class Theatre:
    """One store, and days that pass."""

    store: Store
    rules: Sequence[Rule] = field(default_factory=lambda: (rule("perdus"),))
    people: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    mailer: Inbox = field(default_factory=Inbox)
    now: datetime = NOW
    run: int = 0
    senders: dict[str, str] = field(default_factory=dict)
    """Template: its own `from`."""
    limits: Limits | None = None
    journeys: Sequence[Journey] = ()
    apart: Period | None = None

    def decide(self, inside: Mapping[str, Iterable[int]], *, unknown: Iterable[tuple[str, int]] = (),
               stale: Mapping[str, str] | None = None, people_count: int | None = None) -> Decisions:  # fmt: skip
        """One run: who is inside each rule; everybody else of `people` is not."""
        self.run += 1
        with self.store.begin() as connection:
            return decide(
                connection, self.store.org, self.book, self.verdicts(inside, set(unknown)), self.run,
                self.now, self.today, stale_rules=stale or {}, people_count=people_count or len(self.people),
                walk=lambda turn: walk(turn, World(self.book, self.everybody, frozenset(), {}, ZONE, "EUR")),
                templates=self.templates if self.apart else None, apart=self.apart,
            )  # fmt: skip

    @property
    def book(self) -> Book:
        return Book(tuple(self.rules), journeys=tuple(self.journeys))

    @property
    def everybody(self) -> pl.DataFrame:
        """As journeys take them: nothing is known of anybody."""
        ids = pl.DataFrame({"person_id": sorted(self.people)}, {"person_id": pl.Int64})
        nobody = people_frame(self.store)
        return pl.concat([nobody, ids.with_columns(key=pl.col("person_id").cast(nobody["key"].dtype))], how="diagonal")

    def verdicts(self, inside: Mapping[str, Iterable[int]], unknown: set[tuple[str, int]]) -> pl.DataFrame:
        ids = sorted(self.people)
        columns: dict[str, Any] = {"person_id": ids}
        for each in self.rules:
            yes = set(inside.get(each.id, ()))
            columns[each.id] = [None if (each.id, i) in unknown else i in yes for i in ids]
        return pl.DataFrame(columns, {"person_id": pl.Int64} | {each.id: pl.Boolean for each in self.rules})

    @property
    def today(self) -> date:
        return self.now.astimezone(ZONE).date()

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def send(self) -> Sent:
        return send_due(
            self.store, self.mailer, self.run, lambda: self.now, templates=self.templates, house=HOUSE,
            people=lambda ids: {i: self.people[i] for i in ids if i in self.people},
            limits=self.limits, order=[each.id for each in self.rules], twice=self.twice,
        )  # fmt: skip

    @property
    def twice(self) -> Twice:
        return Twice(self.book, self.templates, "fr", self.apart)

    @property
    def templates(self) -> Templates:
        return Templates(replace(each, sender=self.senders.get(each.name)) for each in templates())

    def approve(self, what: str = "perdus") -> int:
        with self.store.begin() as connection:
            return approvals.approve(connection, self.store.org, what, "Marie", self.now)

    def states(self) -> dict[int, str]:
        """Person: state of the newest e-mail, with its reason."""
        with self.store.look() as connection:
            rows = connection.execute(outbox_table.select().order_by(outbox_table.c.created_at)).all()
        return {row.person_id: row.state + (f" {row.reason}" if row.reason else "") for row in rows}

    def fill(self, count: int) -> None:
        self.people.update({number: person(number) for number in range(1, count + 1)})


def refuse(trouble: Trouble) -> Callable[[EmailMessage], str]:
    def answer(_message: EmailMessage) -> str:
        raise trouble

    return answer
