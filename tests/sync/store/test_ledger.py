"""What was pulled is kept: pages, cursors, set-asides, withdrawals, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.records import Event, Money, Order, Person, Record, Visit
from connectors.source import Broken, Object, Page
from connectors.trouble import Nobody, TryLater
from sync.people.merge import resolve
from sync.store import Store, tables
from sync.store.again import let_go, reread
from sync.store.ledger import PageResult, Seen, commit_page, cursor, forget_cursor, settle
from tests.sync.store.databases import NOW
from tests.sync.store.invented import broken, records, someone, thing

OURS = [
    "counter",
    "source",
    "object",
    "raw",
    "set_aside",
    "sighting",
    "fact",
    "event",
    "product",
    "person",
    "move",
    "correction",
    "to_check",
    "profile",
]


def ada(status: str = "paid", email: str = "ada@example.org") -> Object:
    return thing(
        "A",
        someone("A", email, "Ada Martin"),
        Order(id="A", person="A", at=NOW, status=status, paid=Money(Decimal("12.50"), "EUR"), tickets=1),  # type: ignore[arg-type]
        Visit(id="A/1", person="A", order="A", event="E"),
    )


def put(store: Store, *things: Object, place: str | None = None, **more: Any) -> PageResult:
    page = Page(
        things,
        cursor=place,
        complete=more.pop("complete", ()),
        broken=more.pop("broken", ()),
        scope=more.pop("scope", ""),
    )
    return commit_page(
        store,
        "box",
        more.pop("run", 1),
        more.pop("now", NOW),
        page,
        more.pop("how", records),
        more.pop("version", 1),
        **more,
    )


def rows(store: Store, table: sa.Table) -> list[Any]:
    with store.look() as connection:
        return list(connection.execute(sa.select(table).where(table.c.org == store.org)))


def dump(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    ours = [table for table in tables.thing.metadata.sorted_tables if table.name in OURS]
    with store.look() as connection:
        return {
            table.name: sorted(
                (tuple(row)[1:] for row in connection.execute(sa.select(table).where(table.c.org == store.org))),
                key=repr,
            )
            for table in ours
        }


def test_a_page_keeps_objects_records_raw_and_cursor(store: Store) -> None:
    assert put(store, ada(), thing("E", Event(id="E", name="Le Cid"), kind="event"), place="c1") == PageResult(new=2)
    assert cursor(store, "box") == "c1"
    assert [(row.kind, row.id, row.cents) for row in rows(store, tables.fact)] == [
        ("order", "A", 1250),
        ("visit", "A/1", None),
    ]
    assert len(rows(store, tables.raw)) == 2
    assert [row.name for row in rows(store, tables.event)] == ["Le Cid"]


def test_the_same_page_again_writes_nothing_at_all(store: Store) -> None:
    put(store, ada(), place="c1")
    before = dump(store)
    written: list[str] = []
    sa.event.listen(store.engine, "before_cursor_execute", lambda _c, _k, statement, *_: written.append(statement))
    assert put(store, ada(), place="c1", run=2, now=NOW + timedelta(days=1)) == PageResult(unchanged=1)
    assert not [one for one in written if one.split()[0] in ("INSERT", "UPDATE", "DELETE")]
    assert dump(store) == before


def test_a_changed_object_replaces_its_records_as_a_set(store: Store) -> None:
    put(store, ada())
    number = rows(store, tables.sighting)[0].no
    only_person = thing("A", someone("A", "new@example.org", "Ada Martin"))
    assert put(store, only_person) == PageResult(changed=1)
    assert rows(store, tables.fact) == []
    assert [(row.no, row.dirty) for row in rows(store, tables.sighting)] == [(number, True)]


def test_what_cannot_be_read_is_kept_and_the_last_good_reading_stands(store: Store) -> None:
    put(store, ada())
    result = put(store, broken("A"), broken("B"), thing("C", someone("C", "c@example.org")), place="c2")
    assert result == PageResult(new=2, changed=1, set_aside=2)
    assert cursor(store, "box") == "c2"
    assert {(row.id, row.code) for row in rows(store, tables.set_aside)} == {("A", "unreadable"), ("B", "unreadable")}
    assert len(rows(store, tables.fact)) == 2
    assert put(store, broken("A"), broken("B")) == PageResult(unchanged=2)


def test_a_reading_that_stumbles_or_says_something_twice_is_one_object_aside(store: Store) -> None:
    def how(one: Object) -> Sequence[Record]:
        if one.id == "B":
            raise KeyError("ada@example.org")
        return records(one)

    twice = thing("D", someone("D", "d@example.org"), someone("D", "e@example.org"))
    assert put(store, ada(), broken("B"), twice, how=how).set_aside == 2
    aside = {row.id: (row.code, row.facts) for row in rows(store, tables.set_aside)}
    assert aside == {"B": ("unreadable", '{"detail":"KeyError"}'), "D": ("same-id-twice", "{}")}


@pytest.mark.parametrize(
    "bad",
    [
        Order(id="X", person="A", at=NOW, status="paid", paid=Money(Decimal("1e40"), "EUR")),
        Order(id="X", person="A", at=NOW, status="paid", paid=Money(Decimal("NaN"), "EUR")),
        Order(id="X", person="A", at=NOW.replace(tzinfo=None), status="paid"),
        Order(id="X", person="A", at=NOW, status="paid", tickets=2**80),
    ],
)
def test_a_value_no_database_can_keep_costs_only_its_object(store: Store, bad: Record) -> None:
    def how(one: Object) -> Sequence[Record]:
        return [Person(id="A", name="Ada"), bad] if one.id == "X" else records(one)

    assert put(store, broken("X"), thing("Y", someone("Y", "y@example.org")), how=how, place="c") == PageResult(
        new=2, set_aside=1
    )
    assert cursor(store, "box") == "c"


def test_nul_and_half_characters_are_left_out_of_text(store: Store) -> None:
    def how(one: Object) -> Sequence[Record]:
        return [
            Person(id="A\0", name="A\0da"),
            Event(id="E", name="Le\0 Cid \ud800"),
            Visit(id="V", person="A\0", event="E", genre="da\0nse"),
        ]

    assert put(store, broken("X\0"), how=how) == PageResult(new=1)
    assert rows(store, tables.event)[0].name == "Le Cid ?"
    resolve(store, 1, NOW)
    assert rows(store, tables.sighting)[0].last_name == "Da"


def test_a_later_version_reads_everything_and_what_was_aside_anew(store: Store) -> None:
    put(store, ada(), broken("B"))
    assert reread(store, "box", 1, records, 2, NOW) == PageResult(unchanged=1)

    def better(one: Object) -> Sequence[Record]:
        return [someone(one.id, "b@example.org")] if one.id == "B" else records(one)

    assert reread(store, "box", 1, better, 2, NOW) == PageResult(changed=1)
    assert rows(store, tables.set_aside) == []
    assert reread(store, "box", 2, better, 3, NOW) == PageResult(changed=2)
    assert reread(store, "box", 2, better, 3, NOW) == PageResult()
    assert {row.version for row in rows(store, tables.thing)} == {2}


def test_reading_anew_keeps_as_of_when_it_was(store: Store) -> None:
    put(store, thing("A", Person(id="A", name="Ada")))
    reread(store, "box", 2, lambda _one: [Person(id="A", name="Ada Martin")], 2, NOW + timedelta(days=9))
    assert rows(store, tables.sighting)[0].seen == NOW


def test_after_a_whole_read_what_was_not_there_is_gone_and_may_come_back(store: Store) -> None:
    put(store, ada(), thing("B", someone("B", "b@example.org")))
    resolve(store, 1, NOW)
    seen = Seen()
    assert put(store, thing("B", someone("B", "b@example.org")), seen=seen) == PageResult(unchanged=1)
    assert put(store, complete=("order",), seen=seen, run=2) == PageResult(gone=1)
    assert rows(store, tables.fact) == []
    assert len(rows(store, tables.raw)) == 2
    assert resolve(store, 2, NOW).total == 1
    assert put(store, ada(), run=3) == PageResult(changed=1)
    assert resolve(store, 3, NOW).total == 2
    assert len({row.person for row in rows(store, tables.sighting)}) == 2


def test_only_the_scope_that_was_read_whole_can_lose_things(store: Store) -> None:
    may, june = (thing(f"{month}:1", someone(f"{month}:1", f"{month}@example.org")) for month in ("may", "june"))
    put(store, may, june)
    assert put(store, complete=("order",), scope="may:") == PageResult(gone=1)
    assert [row.id for row in rows(store, tables.thing) if row.gone is None] == ["june:1"]


def test_a_wrong_answer_does_not_make_everybody_disappear(store: Store) -> None:
    many = [thing(f"{one:03}", someone(f"{one:03}", f"p{one}@example.org")) for one in range(41)]
    put(store, *many)
    assert put(store, *many[:20], complete=("order",)) == PageResult(unchanged=20, disbelieved=21)
    assert put(store, *many[:20], complete=("order",), believe=20) == PageResult(unchanged=20, disbelieved=21)
    assert put(store, *many[:20], complete=("order",), believe=21) == PageResult(unchanged=20, gone=21)


def test_broken_lines_are_aside_until_a_whole_read_does_not_meet_them(store: Store) -> None:
    line = Broken("order", "may.csv:7", b"a;b", "unreadable", {"detail": "3 columns"}, "may.csv:7")
    assert put(store, ada(), broken=[line], complete=("order",)) == PageResult(new=1, set_aside=1)
    assert put(store, ada(), broken=[line], complete=("order",)) == PageResult(unchanged=1, set_aside=1)
    assert [(row.id, row.body) for row in rows(store, tables.set_aside)] == [("may.csv:7", b"a;b")]
    put(store, ada(), complete=("order",))
    assert rows(store, tables.set_aside) == []


def test_a_broken_line_does_not_make_the_object_that_stood_there_disappear(store: Store) -> None:
    put(store, ada())
    put(store, broken=[Broken("order", "A", b"?", "unreadable")], complete=("order",))
    assert len(rows(store, tables.fact)) == 2


def test_a_new_version_meets_broken_lines_again(store: Store) -> None:
    put(store, broken=[Broken("order", "A", b"?", "unreadable")], place="c")
    reread(store, "box", 1, records, 1, NOW)
    assert cursor(store, "box") == "c"
    reread(store, "box", 2, records, 1, NOW)
    assert cursor(store, "box") is None


def test_facts_find_their_person_in_another_object_before_and_after_it_comes(store: Store) -> None:
    visit = thing("V", Visit(id="V", person="P", event="E"))
    put(store, visit)
    put(store, thing("P", someone("P", "p@example.org"), kind="customer"))
    assert resolve(store, 1, NOW).total == 1
    people = {row.person for row in rows(store, tables.sighting)}
    assert len(people) == 1
    assert None not in people


def test_long_gone_raw_is_let_go(store: Store) -> None:
    put(store, ada())
    put(store, complete=("order",))
    resolve(store, 1, NOW)
    assert let_go(store, NOW + timedelta(days=29), 30) == 0
    assert let_go(store, NOW + timedelta(days=31), 30) == 1
    assert rows(store, tables.raw) == rows(store, tables.sighting) == rows(store, tables.thing) == []


def test_how_a_pull_ended_is_noted(store: Store) -> None:
    settle(store, "box", 1, NOW)
    later = NOW + timedelta(hours=1)
    settle(store, "box", 2, later, TryLater("service-down", service="box", detail="503"))
    (row,) = rows(store, tables.source)
    assert (row.tried, row.succeeded, row.code) == (later, NOW, "service-down")
    put(store, place="c")
    forget_cursor(store, "box")
    assert cursor(store, "box") is None


def test_sources_and_organisations_do_not_meet(store: Store) -> None:
    other = Store.open(store.engine.url.render_as_string(hide_password=False), "other", NOW)
    put(store, ada())
    assert put(other, ada()) == PageResult(new=1)
    assert commit_page(store, "second", 1, NOW, Page([ada()]), records, 1) == PageResult(new=1)
    assert len(rows(store, tables.thing)) == 2
    other.close()


class Killed(BaseException):
    """As good as kill -9: nothing catches it."""


def test_killed_between_any_two_statements_the_end_is_the_same(fresh_store: Any) -> None:
    pages = [
        Page([ada(), thing("E", Event(id="E", name="Le Cid", starts=NOW), kind="event"), broken("B")], cursor="1"),
        Page(
            [ada("refunded", "new@example.org"), thing("N", someone("N", "new@example.org", "A. Martin"))],
            cursor="2",
            complete=("order",),
        ),
    ]

    def work(store: Store) -> None:
        for page in pages:
            commit_page(store, "box", 1, NOW, page, records, 1)
        resolve(store, 1, NOW)

    quiet = fresh_store()
    work(quiet)
    wanted = dump(quiet)
    at = 0
    while True:
        store = fresh_store()
        statements = 0

        def kill(*_: object, at: int = at) -> None:
            nonlocal statements
            statements += 1
            if statements > at:
                raise Killed

        sa.event.listen(store.engine, "before_cursor_execute", kill)
        try:
            work(store)
        except Killed:
            sa.event.remove(store.engine, "before_cursor_execute", kill)
            work(store)
        else:
            assert at > 30
            return
        assert dump(store) == wanted, at
        at += 1 if store.engine.dialect.name == "sqlite" else 5


def test_a_broken_thing_that_comes_as_an_object_is_aside_no_more(store: Store) -> None:
    put(store, broken=[Broken("order", "A", b"{}", "unreadable", {}), Broken("order", "B", b"{}", "unreadable", {})])
    assert put(store, ada()) == PageResult(new=1)
    assert [row.id for row in rows(store, tables.set_aside)] == ["B"]


def test_a_sale_that_names_nobody_any_more_is_counted_and_what_it_said_is_withdrawn(store: Store) -> None:
    def nobody(_thing: Object) -> list[Record]:
        raise Nobody("pretix-nobody")

    put(store, ada())
    assert put(store, thing("A"), how=nobody) == PageResult(changed=1, set_aside=1)
    assert rows(store, tables.fact) == []
    assert [row.given for row in rows(store, tables.sighting)] == [None]
    assert [row.code for row in rows(store, tables.set_aside)] == ["pretix-nobody"]
    assert put(store, ada()) == PageResult(changed=1)
    assert rows(store, tables.set_aside) == []
