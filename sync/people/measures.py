"""What people did, counted. Pure: frames of facts in, one row a person out.

- A **visit** is an event (not a ticket): booked, not cancelled, begun. A reserved place is a next visit, never a past one.
- A **no-show** is a visit of somebody who was not scanned, at an event where somebody was.
- **Tickets** are places that stand; an order without places of its own counts those it says.
- **Spent** and **donated** are in the organisation's currency, refunds taken off; other currencies stand aside.
- **Newsletter**: unsubscribed from any list goes before bounced, before subscribed, before pending, before none.
Dates are the organisation's local ones.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TypeVar

import msgspec
import polars as pl

from rules.fields import NEWSLETTER

FACTS = {
    "person": pl.Int64,
    "source": pl.String,
    "object": pl.Int64,
    "kind": pl.String,
    "id": pl.String,
    "at": pl.Int64,
    "status": pl.String,
    "event": pl.String,
    "ref": pl.String,
    "label": pl.String,
    "cents": pl.Int64,
    "currency": pl.String,
    "quantity": pl.Int64,
    "attended": pl.Boolean,
    "score": pl.Float64,
    "first_day": pl.String,
    "last_day": pl.String,
}
EVENTS = {
    "source": pl.String,
    "event": pl.String,
    "starts": pl.Int64,
    "genre": pl.String,
    "event_cancelled": pl.Boolean,
    "scanned": pl.Boolean,
}
SUBSCRIPTIONS = {"person": pl.Int64, "status": pl.String}
STRENGTH = ("unsubscribed", "bounced", "subscribed", "pending", "none")
assert set(STRENGTH) == set(NEWSLETTER)
ENDLESS = "9999-12-31"


def measure(
    people: pl.DataFrame,
    facts: pl.DataFrame,
    events: pl.DataFrame,
    shared: pl.DataFrame,
    *,
    now: int,
    timezone: str,
    currency: str,
) -> pl.DataFrame:
    """`people` (column `person`) with a column for each computed field of `rules.fields`, `due`, `past`, `other_money`.

    `events` with `scanned`: somebody was scanned there. `shared`: subscriptions of the addresses that people have,
    whoever else has them. `now` and all times in microseconds since 1970 UTC; dates come out as ISO text.
    """
    of = {str(kind): part for (kind,), part in facts.partition_by("kind", as_dict=True).items()}
    empty = pl.DataFrame(schema=FACTS)
    visits = places(of.get("visit", empty), events)
    orders, donations = of.get("order", empty), of.get("donation", empty)
    engagements, answers = of.get("engagement", empty), of.get("answer", empty)
    parts = [
        _visits(visits, now),
        _orders(orders, currency),
        _tickets(orders, visits),
        _donations(donations, currency),
        _other_money(pl.concat([_paid(orders), donations]), currency),
        _memberships(of.get("membership", empty)),
        _newsletter(pl.concat([of.get("subscription", empty).select(*SUBSCRIPTIONS), shared])),
        _engagements(engagements),
        _answers(answers),
        _activity(visits, [_paid(orders), donations, answers, engagements], now),
    ]
    for part in parts:
        people = people.join(part, on="person", how="left")
    counts = [
        "visits",
        "no_shows",
        "purchases",
        "tickets",
        "spent",
        "donations",
        "donated",
        "opens",
        "clicks",
        "answers",
    ]
    people = people.with_columns(
        pl.col(counts).fill_null(0),
        pl.col("newsletter").fill_null("none"),
        pl.col("genres", "answered").fill_null("[]"),
    )
    dates = [name for name in people.columns if name in DATES]
    return people.with_columns(_local(name, timezone) for name in dates)


DATES = frozenset(
    [
        "first_visit",
        "last_visit",
        "next_visit",
        "last_purchase",
        "last_donation",
        "last_opened",
        "last_clicked",
        "last_activity",
    ]
)


def _local(name: str, timezone: str) -> pl.Expr:
    return local_time(name, timezone).dt.strftime("%Y-%m-%d").alias(name)


def local_time(name: str, timezone: str) -> pl.Expr:
    """A column of microseconds since 1970 UTC as the time that the clocks there showed."""
    moment = pl.from_epoch(pl.col(name).cast(pl.Int64), "us").dt.replace_time_zone("UTC")
    return moment.dt.convert_time_zone(timezone)


Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


def places(visits: Frame, events: Frame) -> Frame:
    """Places that stand, each with its moment and with the key of the visit that it is part of."""
    joined = visits.join(events, on=["source", "event"], how="left")
    starts = pl.coalesce("starts", "at")
    what = pl.coalesce("event", starts.cast(pl.String), "ref", "id")
    return joined.filter(
        pl.col("status").is_in(["booked", "pending"]), ~pl.col("event_cancelled").fill_null(value=False)
    ).with_columns(
        starts=starts, genre=pl.coalesce("genre", "label"), visit=pl.concat_str("source", pl.lit("\n"), what)
    )


def _visits(places: pl.DataFrame, now: int) -> pl.DataFrame:
    begun = (pl.col("starts") <= now) & pl.col("booked")
    visits = places.group_by("person", "visit").agg(
        pl.col("starts").min(),
        booked=(pl.col("status") == "booked").any(),
        came=(pl.col("attended") == True).any(),  # noqa: E712  a column, and null is no
        scanned=(pl.col("scanned") == True).any(),  # noqa: E712  a column, and null is no
    )
    counted = visits.group_by("person").agg(
        first_visit=pl.col("starts").filter(begun).min(),
        last_visit=pl.col("starts").filter(begun).max(),
        next_visit=pl.col("starts").filter(pl.col("starts") > now).min(),
        visits=begun.sum().cast(pl.Int64),
        no_shows=(begun & pl.col("scanned") & ~pl.col("came")).sum().cast(pl.Int64),
    )
    booked = places.filter(pl.col("status") == "booked")
    return (
        counted.with_columns(due="next_visit")
        .join(_genres(booked), on="person", how="left")
        .join(_past(places, now), on="person", how="left")
    )


def _past(places: pl.DataFrame, now: int) -> pl.DataFrame:
    return places.filter(pl.col("starts") <= now).group_by("person").agg(past=pl.col("starts").max())


def _genres(places: pl.DataFrame) -> pl.DataFrame:
    known = places.filter(pl.col("genre").is_not_null())
    return _tags(known.select("person", genres="genre"), "genres")


def _tags(pairs: pl.DataFrame, name: str) -> pl.DataFrame:
    lists = pairs.unique().sort("person", name).group_by("person", maintain_order=True).agg(name)
    written = [msgspec.json.encode(one).decode() for one in lists[name].to_list()]
    return lists.with_columns(pl.Series(name, written, pl.String))


def _paid(orders: pl.DataFrame) -> pl.DataFrame:
    return orders.filter(pl.col("status") != "pending")


def _orders(orders: pl.DataFrame, currency: str) -> pl.DataFrame:
    bought = pl.col("status") == "paid"
    money = pl.col("cents").filter((pl.col("currency") == currency) & (pl.col("status") != "pending"))
    return orders.group_by("person").agg(
        last_purchase=pl.col("at").filter(bought).max(), purchases=bought.sum().cast(pl.Int64), spent=money.sum()
    )


def _tickets(orders: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    booked = places.filter(pl.col("status") == "booked").select("person", tickets="quantity")
    alone = without_places(orders, places).select("person", tickets="quantity")
    return pl.concat([booked, alone]).group_by("person").agg(pl.col("tickets").sum())


def without_places(orders: Frame, places: Frame) -> Frame:
    """Paid orders none of whose places is known by itself: their tickets are those they say."""
    named = places.select("source", id="ref").drop_nulls().unique()
    paid = orders.filter(pl.col("status") == "paid").join(named, on=["source", "id"], how="anti")
    return paid.join(places.select("object").unique(), on="object", how="anti")


def _donations(donations: pl.DataFrame, currency: str) -> pl.DataFrame:
    paid = pl.col("status") == "paid"
    return donations.group_by("person").agg(
        last_donation=pl.col("at").filter(paid).max(),
        donations=paid.sum().cast(pl.Int64),
        donated=pl.col("cents").filter(paid & (pl.col("currency") == currency)).sum(),
    )


def _other_money(paid: pl.DataFrame, currency: str) -> pl.DataFrame:
    other = paid.filter((pl.col("currency") != currency) & pl.col("status").is_in(["paid", "refunded", "cancelled"]))
    sums = other.group_by("person", "currency").agg(pl.col("cents").sum()).sort("person", "currency")
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for person, code, cents in sums.rows():
        found[person][code] = cents
    rows = [(person, msgspec.json.encode(money).decode()) for person, money in found.items()]
    return pl.DataFrame(rows, schema={"person": pl.Int64, "other_money": pl.String}, orient="row")


def _memberships(memberships: pl.DataFrame) -> pl.DataFrame:
    active = memberships.filter(pl.col("status") == "active")
    longest = active.sort("person", pl.col("last_day").fill_null(ENDLESS), "first_day", "id").unique(
        "person", keep="last", maintain_order=True
    )
    return longest.select("person", membership="label", membership_ends="last_day")


def _newsletter(subscriptions: pl.DataFrame) -> pl.DataFrame:
    strength = pl.col("status").replace_strict(STRENGTH, range(len(STRENGTH)), return_dtype=pl.Int64)
    strongest = subscriptions.group_by("person").agg(strength=strength.min())
    word = pl.col("strength").replace_strict(range(len(STRENGTH)), STRENGTH, return_dtype=pl.String)
    return strongest.select("person", newsletter=word)


def _engagements(engagements: pl.DataFrame) -> pl.DataFrame:
    opened, clicked = pl.col("status") == "opened", pl.col("status") == "clicked"
    return engagements.group_by("person").agg(
        opens=pl.col("quantity").filter(opened).sum(),
        clicks=pl.col("quantity").filter(clicked).sum(),
        last_opened=pl.col("at").filter(opened).max(),
        last_clicked=pl.col("at").filter(clicked).max(),
    )


def _answers(answers: pl.DataFrame) -> pl.DataFrame:
    """A filled-in survey is one answer, however many questions it had."""
    counted = answers.group_by("person").agg(answers=pl.struct("source", "object").n_unique().cast(pl.Int64))
    scored = answers.filter(pl.col("score").is_not_null()).sort("at", "object", "id")
    last = scored.unique("person", keep="last", maintain_order=True).select("person", satisfaction="score")
    surveys = _tags(answers.select("person", answered="label").drop_nulls(), "answered")
    return counted.join(last, on="person", how="left").join(surveys, on="person", how="left")


def _activity(places: pl.DataFrame, others: list[pl.DataFrame], now: int) -> pl.DataFrame:
    went = places.filter(pl.col("status") == "booked").select("person", at="starts")
    acts = [part.filter(pl.col("status").fill_null("") != "sent").select("person", "at") for part in others]
    moments = pl.concat([went, *acts]).filter(pl.col("at") <= now)
    return moments.group_by("person").agg(last_activity=pl.col("at").max())
