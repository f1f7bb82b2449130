"""`filrouge person allow`: somebody asked the team to be written to, and that is noted with their words."""

from __future__ import annotations

import polars as pl

from sync import right_to_write
from sync.contacts import addresses_of
from sync.desk import Desk
from sync.followup import suppression, wishes
from sync.followup.tables import SUPPRESSIONS
from sync.outcome import Outcome
from sync.people.story import story
from sync.rows import everybody


def allow_person(desk: Desk, who: str, words: str) -> Outcome:
    """Take every address of this person off the list of those not to be written to, and note their yes to news with the
    words that prove it. What a newsletter service or the sheet says against it stands: it is told.
    """
    code = story(desk.store, who, list(desk.config.sources)).code
    row = everybody(desk).filter(pl.col("key") == code)
    number, now = row["person_id"][0], desk.clock.now()
    addresses = addresses_of(desk, row.to_dicts())[number]
    with desk.store.begin() as connection:
        lifted = suppression.lift(connection, desk.store.org, addresses, SUPPRESSIONS, now, words)
        wishes.agree(connection, desk.store.org, number, now, words)
    may = right_to_write.standing(desk, row, code, None)
    said = [
        desk.say("allowed"),
        *right_to_write.right_lines(desk, may),
    ]
    return Outcome(said, {"person": code, "lifted": lifted, **right_to_write.facts(may)})
