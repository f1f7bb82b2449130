"""What every newsletter must pass in which something can be changed: against a service played on loopback.

class TestX(NewsletterContract):
    def world(self): return FakeX()
    def source(self, world, setting): return X(X.Settings(…), setting)
    def stands(self, world, email): …     subscribed · pending · unsubscribed · none
    def tags(self, world, email): …
    def bounced(self, world): …           adds somebody whose address does not work any more
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from connectors.source import CHANGES, Change, Newsletter, Setting
from connectors.trouble import LogInAgain, TryLater

WHO = "Léa.O'Neil+lettre@example.org"


class NewsletterContract:
    def world(self) -> Any:
        raise NotImplementedError

    def source(self, world: Any, setting: Setting) -> Newsletter:
        raise NotImplementedError

    def stands(self, world: Any, email: str) -> str:
        raise NotImplementedError

    def tags(self, world: Any, email: str) -> set[str]:
        raise NotImplementedError

    def bounced(self, world: Any) -> str:
        raise NotImplementedError

    @pytest.fixture
    def fake(self) -> Iterator[Any]:
        with self.world() as fake:
            yield fake

    @pytest.fixture
    def letter(self, fake: Any, tmp_path: Path) -> Iterator[Newsletter]:
        with closing(self.source(fake, Setting("lettre", tmp_path, sleep=lambda _seconds: None))) as letter:
            yield letter

    def test_it_says_what_it_can(self, letter: Newsletter) -> None:
        assert isinstance(letter, Newsletter)
        assert letter.writes <= CHANGES

    def test_who_agreed_is_subscribed_once(self, fake: Any, letter: Newsletter) -> None:
        wanted = Change("subscribe", WHO, first_name="Léa", last_name="O'Neil", language="fr", consented=True)
        assert [letter.change(wanted), letter.change(wanted)] == ["done", "already"]
        assert self.stands(fake, WHO) == "subscribed"

    def test_who_did_not_agree_is_asked_or_left_alone(self, fake: Any, letter: Newsletter) -> None:
        became = letter.change(Change("subscribe", WHO))
        assert (became, self.stands(fake, WHO)) == (("asked", "pending") if letter.asks else ("refused", "none"))

    def test_whose_address_does_not_work_is_not_taken_back(self, fake: Any, letter: Newsletter) -> None:
        email = self.bounced(fake)
        assert letter.change(Change("subscribe", email, consented=True)) == "refused"

    def test_unsubscribing_is_done_once(self, fake: Any, letter: Newsletter) -> None:
        letter.change(Change("subscribe", WHO, consented=True))
        wanted = Change("unsubscribe", WHO)
        assert [letter.change(wanted), letter.change(wanted)] == ["done", "already"]
        assert self.stands(fake, WHO) == "unsubscribed"

    @pytest.mark.parametrize("verb", ["unsubscribe", "add_tag", "remove_tag"])
    def test_who_is_not_on_the_list_is_not_put_on_it(self, fake: Any, letter: Newsletter, verb: Any) -> None:
        assert letter.change(Change(verb, WHO, tag="Habitués")) == "unknown"
        assert self.stands(fake, WHO) == "none"

    def test_tags_come_and_go_and_others_stay(self, fake: Any, letter: Newsletter) -> None:
        letter.change(Change("subscribe", WHO, consented=True))
        for tag in ("Habitués", "Danse"):
            assert letter.change(Change("add_tag", WHO, tag=tag)) == "done"
            assert letter.change(Change("add_tag", WHO, tag=tag)) == "already"
        assert self.tags(fake, WHO) == {"Habitués", "Danse"}
        assert letter.change(Change("remove_tag", WHO, tag="danse")) in {"done", "already"}
        assert letter.change(Change("remove_tag", WHO, tag="Danse")) in {"done", "already"}
        assert self.tags(fake, WHO) == {"Habitués"}
        assert self.stands(fake, WHO) == "subscribed"

    def test_who_is_erased_is_gone_for_good(self, fake: Any, letter: Newsletter) -> None:
        letter.change(Change("subscribe", WHO, consented=True))
        assert [letter.erase(WHO), letter.erase(WHO)] == ["done", "unknown"]
        assert self.stands(fake, WHO) == "none"

    def test_a_passing_failure_is_tried_again(self, fake: Any, letter: Newsletter) -> None:
        fake.fail(status=503, times=2)
        assert letter.change(Change("subscribe", WHO, consented=True)) == "done"

    @pytest.mark.parametrize(("status", "trouble"), [(503, TryLater), (401, LogInAgain)])
    def test_a_lasting_one_is_told(self, fake: Any, letter: Newsletter, status: int, trouble: type[Exception]) -> None:
        fake.fail(status=status, times=99)
        with pytest.raises(trouble) as told:
            letter.change(Change("subscribe", WHO, consented=True))
        assert WHO not in str(told.value)
