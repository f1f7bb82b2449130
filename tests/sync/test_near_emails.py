"""Two journeys that write to the same people on neighbouring days are advised on, and nothing else is."""

from __future__ import annotations

import pytest

from rules.reader import read
from sync.near_emails import near_emails
from tests.thread.small import Small

WELCOME = """\
journeys:
  - name: Welcome
    around: first visit
    steps:
      - {{at: 3 days before, email: before}}
      - {{at: 1 day after, email: welcome}}
      - {{at: 30 days after, email: again}}
  - name: Thanks
    around: {around}
    {more}
    steps:
      - {{at: {at}, {step}}}
"""


def told(around: str = "first visit", at: str = "2 days after", step: str = "email: thanks", more: str = "") -> list[tuple[object, ...]]:  # fmt: skip
    text = WELCOME.format(around=around, at=at, step=step, more=more)
    found = read({"r.yaml": text.encode()}, templates={"before", "welcome", "again", "thanks"})
    assert found.mistakes == []
    advice = near_emails(found.book, lambda _: "en", lambda _: True)
    assert {one.code for one in advice} <= {"near-emails"}
    return [
        (one.place.line, one.found, *(one.facts[name] for name in ("email", "other_at", "place"))) for one in advice
    ]


@pytest.mark.parametrize(
    ("around", "at", "email"),
    [
        ("first visit", "2 days after", "welcome"),
        ("first visit", "2 hours after", "welcome"),  # from the first e-mail it is three days and two hours
        ("first visit", "4 days after", "welcome"),
        ("first visit", "1 month after", "again"),
        ("each ticket", "1 day after", "welcome"),  # a first visit is a ticket
        ("each ticket", "3 days before", "before"),
    ],
)
def test_both_are_named_with_their_file_and_line(around: str, at: str, email: str) -> None:
    said = {"before": "3 days before", "welcome": "1 day after", "again": "30 days after"}[email]
    line = {"before": 5, "welcome": 6, "again": 7}[email]
    assert told(around, at) == [(12, "thanks", email, said, f"r.yaml:{line}")]


@pytest.mark.parametrize(
    ("around", "at", "step", "more"),
    [
        ("first visit", "5 days after", "email: thanks", ""),
        ("first visit", "2 days after", "task: Call", ""),
        ("birthday", "2 days after", "email: thanks", ""),
        ("membership end", "1 day after", "email: thanks", ""),
        ("first visit", "2 days after", "email: thanks", "active: no"),
        ("first visit", "2 days after", "email: thanks", "when: {visits: at least 2}"),
        ("first visit", "2 days after", "email: thanks", "unless: {visits: at most 1}"),
        ("each ticket", "3 days before", "email: thanks", "when: {visits: at least 1}"),
        ("each ticket", "2 days after", "{email: thanks, when: {visits: more than 1}}", ""),
    ],
)
def test_nothing_is_said_where_nobody_gets_both(around: str, at: str, step: str, more: str) -> None:
    assert told(around, at, step.strip("{") if step[0] != "{" else step[1:-1], more) == []


@pytest.mark.parametrize(
    ("one", "other", "parted"),
    [
        ("when: {segment: Loyal}", "unless: {segment: Loyal}", True),
        ("when: {city: Lyon}", "when: {city: Brest}", True),
        ("when: {newsletter: subscribed}", "unless: {newsletter: subscribed}", True),
        ("when: {city: Lyon}", "when: {newsletter: subscribed}", False),
        ("unless: {city: Lyon}", "unless: {city: Brest}", False),
    ],
)
def test_conditions_that_deny_each_other_part_them(one: str, other: str, parted: bool) -> None:  # noqa: FBT001  a column of the table
    text = "segments:\n  - name: Loyal\n    when: {visits: at least 3}\njourneys:\n" + "".join(
        f"  - name: {name}\n    around: each donation\n    {more}\n    steps:\n      - {{at: 1 day after, email: {name}}}\n"
        for name, more in (("one", one), ("other", other))
    )
    found = read({"r.yaml": text.encode()}, templates={"one", "other"})
    assert found.mistakes == []
    assert (near_emails(found.book, lambda _: "en", lambda _: True) == []) is parted


RULE = "rules:\n  - name: Lately\n    when:\n      {when}\n    then:\n      - email: thanks\n        {more}\n"


@pytest.mark.parametrize(
    ("when", "more", "advised"),
    [
        ("last visit: less than 5 days ago", "", True),
        ("first visit: less than 1 week ago", "wait: 3 days", True),
        ("last visit: less than 5 days ago", "wait: 6 days", False),
        ("last visit: less than 30 days ago", "", True),
        ("last visit: less than 3 months ago", "", False),  # whoever came at any time of these
        ("last visit: less than 5 days ago\n      visits: at least 2", "", False),
        ("last donation: less than 5 days ago", "", False),
        ("last visit: more than 5 days ago", "", False),
    ],
)
def test_a_rule_about_those_who_just_came_is_around_their_visit(when: str, more: str, advised: bool) -> None:  # noqa: FBT001  a column of the table
    text = WELCOME[: WELCOME.index("  - name: Thanks")].replace("{{", "{").replace("}}", "}")
    found = read(
        {"r.yaml": (text + RULE.format(when=when, more=more)).encode()},
        templates={"before", "welcome", "again", "thanks"},
    )
    assert found.mistakes == []
    told = [
        (one.place.line, one.facts["at"], one.facts["email"])
        for one in near_emails(found.book, lambda _: "en", lambda _: True)
    ]
    assert told == ([(9, when, "welcome")] if advised else [])


def test_check_says_it_and_the_emails_of_one_journey_are_its_own_affair(small: Small) -> None:
    journey = "parcours:\n  - nom: Merci\n    autour: première visite\n    étapes:\n      - {à: 1 jour après, courriel: on-se-revoit}\n      - {à: 2 jours après, courriel: on-se-revoit}\n"
    small.write("rules/merci.yaml", journey)
    assert small.filrouge("check", "--json").facts["advice"] == []
    small.write("rules/nouveau.yaml", journey.replace("Merci", "Nouveau"))
    (advice,) = small.filrouge("check", "--json").facts["advice"]
    assert (advice["file"], advice["line"]) == ("rules/nouveau.yaml", 5)
    assert "(`1 jour après`) de «\u00a0Merci\u00a0» (rules/merci.yaml:5)" in advice["message"]
    assert "sous `quand` ou `sauf`" in advice["message"]
    small.change("rules/templates/on-se-revoit.md", "purpose: service", "purpose: marketing")
    assert small.filrouge("check", "--json").facts["advice"] == []  # the same news goes once
