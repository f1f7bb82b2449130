"""The segments of the months before: told from the records, the same as they would have been told then."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from sync.history import month_ends
from tests.thread.small import LINES, Small, line


def sizes(small: Small) -> dict[str, int]:
    import sqlite3

    with sqlite3.connect(small.folder / "filrouge.db") as store:
        found = dict(store.execute("SELECT day, people FROM segment_size ORDER BY day").fetchall())
    store.close()
    return found


def test_a_segment_has_a_past_from_the_first_run_on(small: Small) -> None:
    small.run(today="2024-06-15")
    told = sizes(small)
    assert (told["2024-03-31"], told["2024-04-30"], told["2024-05-31"], told["2024-06-15"]) == (0, 0, 1, 1)


def test_the_past_is_what_would_have_been_told_then(small: Small) -> None:
    small.export((*LINES, line(6, "Luc Roy", "Ubu roi", "01/03/2026"), line(7, "Luc Roy", "Antigone", "20/03/2026")))
    for day in ("2024-05-31", "2026-03-31"):
        small.run("--only", "pull", "--only", "people", "--only", "rules", today=day)
    then = sizes(small)
    (small.folder / "filrouge.db").unlink()
    small.run(today="2026-04-15")
    assert {day: sizes(small)[day] for day in ("2024-05-31", "2026-03-31")} == {
        "2024-05-31": then["2024-05-31"],
        "2026-03-31": then["2026-03-31"],
    }


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 40))
def test_month_ends(today: date, count: int) -> None:
    ends = month_ends(today, count)
    assert len(ends) == count
    assert ends == sorted(set(ends))
    assert all(
        (end.toordinal() + 1 == date(end.year + end.month // 12, end.month % 12 + 1, 1).toordinal()) for end in ends
    )
    assert all(end < today.replace(day=1) for end in ends)
