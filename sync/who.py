"""`filrouge person merge` and `split`: who is who, as a person says it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from connectors.trouble import TryLater
from sync import runs
from sync.desk import Desk, at_the_keyboard
from sync.followup import standings
from sync.outcome import Outcome
from sync.people.by_hand import By, join, part, parted_from
from sync.people.merge import resolve
from sync.people.profile import refresh
from sync.people.story import Story, story
from sync.rows import called


def merge_people(desk: Desk, who: str, other: str) -> Outcome:
    """These two are one person, whatever is pulled from now on. The sheet follows with the next run."""
    one, two = story(desk.store, who), story(desk.store, other)
    with _at_work(desk) as by, desk.store.begin() as connection:
        join(connection, desk.store.org, one.person_id, two.person_id, by)
    kept = story(desk.store, one.code)
    said = [desk.say("merge-done", one=_called(one), other=_called(two), code=kept.code), desk.say("merge-next")]
    return Outcome(said, {"code": kept.code, "once": list(kept.once)})


def split_person(desk: Desk, who: str, names: Sequence[str]) -> Outcome:
    """This person is two: a merge is taken back, or the entries named (as `person show` does) are somebody else."""
    one = story(desk.store, who)

    def inherit() -> None:
        with desk.store.begin() as connection:
            for other in parted_from(connection, desk.store.org, one.person_id):
                standings.inherit(connection, desk.store.org, one.person_id, other)

    with _at_work(desk, inherit) as by, desk.store.begin() as connection:
        left = part(connection, desk.store.org, one.person_id, names, by)
    said = [desk.say("split-done", name=_called(one), code=one.code, n=len(left)), *(f"  {name}" for name in left)]
    return Outcome([*said, desk.say("merge-next")], {"code": one.code, "left": left})


@contextmanager
def _at_work(desk: Desk, then: Callable[[], None] = lambda: None) -> Iterator[By]:
    """While nobody else is at it; who is who is worked out at its end, and `then` done before any run begins."""
    config = desk.config
    try:
        with runs.lease(desk.store):
            number = runs.begin(desk.store, desk.clock.today(), "person", desk.clock.read())
            try:
                yield By(at_the_keyboard(), number, desk.clock.now())
                resolve(desk.store, number, desk.clock.now(), config.organisation.country)
                who = config.organisation
                refresh(desk.store, desk.clock.now(), who.timezone, who.money, priority=list(config.sources))
                then()
            except BaseException:
                runs.finish(desk.store, number, "refused", {"lines": []}, desk.clock.read())
                raise
            runs.finish(desk.store, number, "done", {"lines": []}, desk.clock.read())
    except runs.Busy:
        raise TryLater("run-busy") from None


def _called(one: Story) -> str:
    return called({value.field: value.value for value in one.values}) or one.code
