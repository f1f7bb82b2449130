"""What unsubscribing needs of the organisation: how its e-mails say it, and what an act on the page or by mail does."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from connectors.links import answer_of
from sync.desk import Desk
from sync.followup import wishes
from sync.followup.compose import House
from sync.followup.consent import Purpose, hashed
from sync.followup.templates import Templates
from sync.followup.tokens import Meant, Seal
from sync.followup.ways import Ways
from sync.rows import house_of
from sync.store.base import pepper


def letterhead(desk: Desk) -> House:
    """Who writes, with the ways to make it stop that the config offers."""
    web, mailbox = desk.config.outline.web.address, desk.config.post.mailbox
    if web is None and mailbox is None:
        return house_of(desk)
    return replace(house_of(desk), ways=ways_of(desk), bounces=mailbox.bounces if mailbox else None)


def ways_of(desk: Desk) -> Ways:
    return Ways(seal_of(desk), desk.config.outline.web.address, desk.config.way_back)


def seal_of(desk: Desk) -> Seal:
    """The secret of the config seals; links sealed by the store's own, before there was one, are still believed."""
    told = desk.config.outline.web.secret
    with desk.store.begin() as connection:
        kept = hmac.digest(pepper(connection, desk.store.org).encode(), b"unsubscribe links", "sha256")
    mine = [f"{desk.config.organisation.slug}\0{told.get_secret_value()}".encode()] if told else []
    return Seal([*mine, kept])


def try_page(desk: Desk) -> dict[str, str] | None:
    """How the page answers from outside to a link that we sealed, as an account in `check --online`; None without one."""
    link = ways_of(desk).link(Meant(hashed(""), "marketing"))
    if link is None:
        return None
    answer = answer_of(link)
    known = {"200": "ok", "404": "other"}.get(answer, "away")
    said = desk.say(f"check-page-{known}", address=desk.config.outline.web.address, answer=answer)
    return {"state": "ok" if known == "ok" else "failed", "message": said}


@dataclass(frozen=True)
class Stand:
    """What the page shows: whether they get nothing at all, and by topic (as it is called) whether they get it."""

    purpose: Purpose
    refused: bool
    topics: Mapping[str, tuple[str, bool]]


class Unsubscribing:
    """What the page may do for whoever holds a token. Each act is one short transaction; none of them reads the config
    again, so that a config somebody is just editing takes nobody's way out.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.seal = seal_of(desk)

    def stand(self, token: str, language: str) -> Stand | None:
        """Where they stand; None for a token that is not ours. Changes nothing."""
        meant = self.seal.read(token)
        if meant is None:
            return None
        with self.desk.store.look() as connection:
            wished = wishes.standing(connection, self.desk.store.org, meant)
        topics = self._templates().topics(language) if meant.purpose == "marketing" else {}
        chosen = {topic: (words, topic not in wished.topics) for topic, words in topics.items()}
        return Stand(meant.purpose, wished.refused, chosen)

    def refuse(self, token: str, how: wishes.How) -> None:
        """Nothing more. Said twice it is as said once."""
        templates = self._templates()
        if meant := self.seal.read(token):
            with self.desk.store.begin() as connection:
                wishes.refuse(connection, self.desk.store.org, meant, self.desk.clock.read(), how, templates.kind)

    def again(self, token: str) -> None:
        """They changed their mind."""
        if meant := self.seal.read(token):
            with self.desk.store.begin() as connection:
                wishes.again(connection, self.desk.store.org, meant, self.desk.clock.read())

    def choose(self, token: str, wanted: Collection[str]) -> None:
        """Of the topics there are, these and no others."""
        templates = self._templates()
        topics = {topic: topic in wanted for topic in templates.topics(self.desk.language)}
        if topics and (meant := self.seal.read(token)) and meant.purpose == "marketing":
            with self.desk.store.begin() as connection:
                wishes.choose(connection, self.desk.store.org, meant, topics, self.desk.clock.read(), templates.kind)

    def _templates(self) -> Templates:
        """As they stand now, not as they stood when the service began."""
        return replace(self.desk).templates[0]
