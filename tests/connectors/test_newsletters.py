"""The newsletters in which something can be changed keep their contract."""

from __future__ import annotations

import json
from typing import Any

from connectors.source import Change, Newsletter, Setting
from connectors.sources.ghost import Ghost
from connectors.sources.mailchimp import Mailchimp
from tests.connectors import test_ghost, test_mailchimp
from tests.connectors.newsletter_contract import WHO, NewsletterContract
from tests.contracts import NOW
from tests.fakes.ghost import LETTRE, RENDEZ_VOUS, FakeGhost
from tests.fakes.mailchimp import FakeMailchimp, hash_of


class TestMailchimp(NewsletterContract):
    def world(self) -> FakeMailchimp:
        return FakeMailchimp(people=3)

    def source(self, world: FakeMailchimp, setting: Setting) -> Newsletter:
        return Mailchimp(test_mailchimp.settings(world), setting)

    def stands(self, world: FakeMailchimp, email: str) -> str:
        return str(world.members.get(hash_of(email), {}).get("status", "none"))

    def tags(self, world: FakeMailchimp, email: str) -> set[str]:
        return {tag["name"] for tag in world.members[hash_of(email)]["tags"]}

    def bounced(self, world: FakeMailchimp) -> str:
        world.add("morte@example.org", status="cleaned")
        return "morte@example.org"

    def test_who_unsubscribed_is_not_brought_back(self, fake: FakeMailchimp, letter: Newsletter) -> None:
        fake.add(WHO, status="unsubscribed")
        assert letter.change(Change("subscribe", WHO, consented=True)) == "refused"
        assert self.stands(fake, WHO) == "unsubscribed"

    def test_what_the_service_refuses_is_told_as_such(self, fake: FakeMailchimp, letter: Newsletter) -> None:
        fake.fail(method="PUT", status=400, body=json.dumps({"title": "Invalid Resource"}).encode())
        assert letter.change(Change("subscribe", WHO, consented=True)) == "refused"

    def test_an_archived_member_comes_back(self, fake: FakeMailchimp, letter: Newsletter) -> None:
        fake.add(WHO, status="archived")
        assert letter.change(Change("subscribe", WHO, consented=True)) == "done"
        assert self.stands(fake, WHO) == "subscribed"


class TestGhost(NewsletterContract):
    def world(self) -> FakeGhost:
        return FakeGhost(people=3, now=lambda: NOW)

    def source(self, world: FakeGhost, setting: Setting) -> Newsletter:
        at_their_time = Setting(setting.name, setting.folder, now=lambda: NOW, sleep=setting.sleep)
        return Ghost(test_ghost.settings(world, newsletters=["la-lettre"]), at_their_time)

    def stands(self, world: FakeGhost, email: str) -> str:
        found = self._member(world, email)
        return "none" if found is None else "subscribed" if LETTRE in found["newsletters"] else "unsubscribed"

    def tags(self, world: FakeGhost, email: str) -> set[str]:
        return set((self._member(world, email) or {})["labels"])

    def bounced(self, world: FakeGhost) -> str:
        world.mail(world.add("morte@example.org"), failed=True)
        return "morte@example.org"

    @staticmethod
    def _member(world: FakeGhost, email: str) -> dict[str, Any] | None:
        return next((member for member in world.members.values() if member["email"] == email), None)

    def test_other_newsletters_are_left_alone(self, fake: FakeGhost, letter: Newsletter) -> None:
        id_ = fake.add(WHO, newsletters=(RENDEZ_VOUS,), labels=["abonné"])
        letter.change(Change("subscribe", WHO, consented=True))
        assert fake.members[id_]["newsletters"] == {LETTRE, RENDEZ_VOUS}
        letter.change(Change("unsubscribe", WHO))
        assert fake.members[id_]["newsletters"] == {RENDEZ_VOUS}
        assert fake.members[id_]["labels"] == ["abonné"]
