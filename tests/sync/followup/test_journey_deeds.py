"""What steps of journeys have done beyond the sheet and the e-mails: each once, in its time, taken back where it must be."""

from __future__ import annotations

import msgspec
import pytest
import sqlalchemy as sa

from sync.followup import deeds, outbox, standings
from sync.followup.tables import deed
from sync.store import Store
from tests.sync.followup.season import Season

HEAD = """
journeys:
  - name: Deeds
    around: each ticket
    steps:
"""
ALL = f"""{HEAD}
      - {{at: 1 day before, webhook: crm, fields: [email]}}
      - {{at: the same day, notify: "{{{{ first_name }}}} comes today"}}
      - {{at: 1 day after, newsletter: {{add tag: Dance}}}}
      - {{at: 2 days after, review: 5 a day}}
      - {{at: 3 days after, forget: "Asked for it"}}
"""
ONE_OF_EACH = {
    "webhook crm": "2026-03-27 08:00",
    "notify": "2026-03-28 08:00",
    "newsletter add_tag Dance": "2026-03-29 08:00",
    "review": "2026-03-30 08:00",
    "forget": "2026-03-31 08:00",
}


@pytest.fixture
def season(store: Store) -> Season:
    return Season(store)


def states(season: Season) -> dict[str, str]:
    """The deeds of the one person and show, by step."""
    return {step: state for (step, _, _), state in season.rows().items()}


def begin(season: Season, *steps: str, text: str = HEAD) -> None:
    season.text = text + "".join(f"      - {{{one}}}\n" for one in steps)
    season.show("Ubu", "2026-03-28 20:00")
    season.book_seat("A", "Ubu")
    season.at("2026-03-20 08:00")
    season.run(approve=False)


def test_each_is_done_once_at_its_time(season: Season) -> None:
    begin(season, text=ALL)
    seen: dict[str, str] = {}
    for step, moment in ONE_OF_EACH.items():
        season.at(moment)
        assert season.run(approve=False).done == 1
        seen[step] = {"webhook crm": "done", "newsletter add_tag Dance": "waiting"}.get(step, "approved")
        assert states(season) == seen
        assert season.run(approve=False).done == 0
        assert states(season) == seen
    assert len(season.called) == 1
    with season.store.look() as connection:
        told = {row.step: msgspec.json.decode(row.what) for row in connection.execute(sa.select(deed))}
    assert told["webhook crm"] == {"webhook": "crm", "fields": ["email"]}
    assert told["newsletter add_tag Dance"] == {"change": "add_tag", "tag": "Dance", "source": None}
    assert (told["notify"]["text"], told["forget"]["text"]) == ("{{ first_name }} comes today", "Asked for it")


def test_what_is_not_done_moves_with_the_show_and_what_is_done_stays(season: Season) -> None:
    begin(season, "at: 5 days before, newsletter: subscribe", "at: 5 days before, webhook: crm")
    season.at("2026-03-23 08:00")
    season.run(approve=False)
    assert states(season) == {"newsletter subscribe": "waiting", "webhook crm": "done"}
    season.show("Ubu", "2026-04-10 20:00")
    season.at("2026-03-24 08:00")
    assert season.run(approve=False).taken_back == 1
    assert states(season) == {"newsletter subscribe": "cancelled moved", "webhook crm": "done"}
    season.at("2026-04-05 08:00")
    season.run(approve=False)
    assert states(season) == {"newsletter subscribe": "waiting", "webhook crm": "done"}
    assert len(season.called) == 1


def test_what_no_longer_holds_is_taken_back_but_the_team_is_told(season: Season) -> None:
    steps = (f"at: 5 days before, {what}" for what in ("newsletter: subscribe", "forget: Asked", "review: 1 a day"))
    begin(season, *steps, "at: 5 days before, notify: Comes")
    season.text = season.text.replace("    steps:", "    unless: {visits: at least 2}\n    steps:")
    season.at("2026-03-23 08:00")
    season.run(approve=False)
    assert set(states(season).values()) == {"waiting", "approved"}
    for show in ("Un", "Deux"):
        season.show(show, "2026-01-10 20:00")
        season.book_seat("A", show)
    season.at("2026-03-24 08:00")
    season.run(approve=False)
    assert states(season) == {
        "newsletter subscribe": "cancelled left", "forget": "cancelled left", "review": "cancelled left",
        "notify": "approved",
    }  # fmt: skip


def test_a_cancelled_show_takes_all_of_it_back(season: Season) -> None:
    begin(
        season, "at: 5 days before, forget: Asked", "at: 5 days before, notify: Comes", "at: 5 days before, task: Call"
    )
    season.at("2026-03-23 08:00")
    season.run()
    season.cancelled.add("Ubu")
    season.run()
    assert states(season) == {"forget": "cancelled occasion-gone", "notify": "cancelled occasion-gone"}
    season.cancelled.clear()
    season.run()
    assert states(season) == {"forget": "approved", "notify": "approved"}
    with season.store.look() as connection:
        assert [row.state for row in standings.open_tasks(connection, season.store.org)] == ["open"]


def test_what_was_taken_back_for_several_people_comes_again_for_all_of_them(season: Season) -> None:
    begin(season, "at: 5 days before, email: infos")
    season.book_seat("B", "Ubu")
    season.at("2026-03-23 08:00")
    season.run(approve=False)
    season.cancelled.add("Ubu")
    season.run(approve=False)
    assert set(season.rows().values()) == {"cancelled occasion-gone"}
    season.cancelled.clear()
    season.run(approve=False)
    assert list(season.rows().values()) == ["waiting", "waiting"]


def test_a_step_that_is_gone_takes_its_deed_back(season: Season) -> None:
    begin(season, "at: 5 days before, newsletter: subscribe", "at: 1 day after, flag: Came")
    season.at("2026-03-23 08:00")
    season.run(approve=False)
    season.text = season.text.replace("newsletter: subscribe", "newsletter: unsubscribe")
    season.run(approve=False)
    assert states(season) == {
        "newsletter subscribe": "cancelled rule-changed", "newsletter unsubscribe": "waiting",
    }  # fmt: skip


def test_what_waits_too_long_for_a_yes_is_held_for_good(season: Season) -> None:
    begin(season, "at: 2 days before, newsletter: subscribe", "at: 2 days before, notify: Comes")
    season.at("2026-03-26 08:00")
    season.run(approve=False)
    season.at("2026-03-28 20:01")  # the show has begun
    season.run(approve=True)
    assert states(season) == {"newsletter subscribe": "held too-late", "notify": "held too-late"}


def test_after_an_outage_what_would_have_gone_is_listed_and_the_rest_counted(season: Season) -> None:
    begin(
        season, "at: 2 days before, webhook: crm", "at: 2 days before, forget: Asked", "at: 2 days before, task: Call"
    )
    season.at("2026-04-02 08:00")
    assert season.run().late == 3
    assert states(season) == {"webhook crm": "held too-late"}
    assert season.called == []


def test_what_a_person_dropped_does_not_come_back_with_a_new_date(season: Season) -> None:
    begin(season, "at: 5 days before, newsletter: subscribe")
    season.at("2026-03-23 08:00")
    season.run(approve=False)
    with season.store.begin() as connection:
        (row,) = deeds.listed(connection, season.store.org, ("newsletter",))
        assert outbox.drop(connection, season.store.org, row.id, "Marie")
    season.show("Ubu", "2026-04-10 20:00")
    season.at("2026-04-05 08:00")
    season.run()
    assert states(season) == {"newsletter subscribe": "cancelled dropped"}


def test_a_pause_takes_back_and_only_what_is_in_time_comes_again(season: Season) -> None:
    begin(
        season,
        "at: 5 days before, newsletter: subscribe, no later than: 2 days",
        "at: 4 days before, newsletter: unsubscribe",
    )
    season.at("2026-03-24 08:00")
    season.run(approve=False)
    active = season.text
    season.text = active.replace("name: Deeds", "name: Deeds\n    active: no")
    season.run(approve=False)
    assert set(states(season).values()) == {"cancelled rule-paused"}
    season.text = active
    season.at("2026-03-27 08:00")
    season.run(approve=False)
    assert states(season) == {
        "newsletter subscribe": "cancelled rule-paused", "newsletter unsubscribe": "waiting",
    }  # fmt: skip


def test_so_many_records_a_day_are_to_be_checked_as_long_as_it_makes_sense(season: Season) -> None:
    """Three people, one a day until a tick, for two days: the third comes too late."""
    season.text = f"{HEAD}      - {{at: 1 day after, review: 1 a day, no later than: 1 day}}\n"
    season.show("Ubu", "2026-03-28 20:00")
    for who in "ABC":
        season.book_seat(who, "Ubu")
    season.at("2026-03-27 08:00")
    season.run()
    done = {}
    for day in ("2026-03-29", "2026-03-30", "2026-03-31"):
        season.at(f"{day} 08:00")
        walked = season.run()
        again = season.run()
        done[day] = (walked.done, walked.late, again.done)
        with season.store.begin() as connection:
            for row in deeds.listed(connection, season.store.org, ("review",), ("approved",)):
                deeds.tick(connection, season.store.org, row.id, season.now)
        assert season.run().done == 0, "a tick makes no room on the same day"
    assert done == {"2026-03-29": (1, 0, 0), "2026-03-30": (1, 0, 0), "2026-03-31": (0, 1, 0)}
    assert len({row for row, state in season.rows().items() if state == "done"}) == 2
