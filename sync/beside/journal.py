"""The tab Journal: what happened in the sheet and why, line by line. A line once written never changes.

It holds the newest `MOST` lines; then the oldest make room. A run that changed nothing has no line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.beside import cells, passages
from sync.beside.lines import Entry, Texts, show, standing, with_notes
from sync.beside.tab import Fields, SideTab, columns, in_house
from sync.sheet.columns import Tab
from sync.sheet.look import Look
from sync.sheet.plan import Wanted

if TYPE_CHECKING:
    from sync.work import Work

KIND = "journal"
FIELDS: Fields = (
    ("day", "date"), ("run", "number"), ("event", "text"), ("person", "text"), ("column", "text"), ("was", "text"),
    ("now", "text"), ("by", "text"), ("why", "text"),
)  # fmt: skip
MOST = 1_000


def side_tab(work: Work, name: str) -> SideTab:
    return SideTab(Tab(name, columns(work, KIND, FIELDS)), _lines)


def _lines(work: Work, seen: Look) -> Wanted:
    told = standing(seen)
    hidden = set(seen.rows.agreed.filter("hidden")["key"])
    found = [*passages.entries(work, told), *cells.entries(work, told.keys() | hidden, MOST)]
    old = [Entry(key, int(texts["run"] or 0), _weight(key), _number(key), texts) for key, texts in told.items()]
    all_ = {one.key: one for one in (*found, *old) if one.key not in hidden}
    kept = _newest(work, sorted(all_.values(), key=lambda one: (one.run, one.weight, one.number)))
    since = min((one.run for one in old), default=work.number)
    for key in cells.erased(work.desk.store, since) & told.keys():
        told[key] |= dict.fromkeys(("person", "was", "now"), "")
    lines: dict[str, Texts] = {key: told[key] for key in with_notes(seen) if key in told}
    lines |= {one.key: told.get(one.key, one.texts) for one in sorted(kept, key=lambda one: (one.run, one.number))}
    return show(seen, {key: texts for key, texts in lines.items() if any(texts.values())})


def _newest(work: Work, lines: list[Entry]) -> list[Entry]:
    """As many of the last as there is room for. Cells that this run wrote and that find none are counted."""
    if len(lines) < MOST:
        return lines
    wrote = cells.count(work.desk.store, work.tab.name, work.number)
    here = [one for one in lines[-MOST:] if one.run == work.number and one.weight == 0]
    if wrote <= len(here):
        return lines[-MOST:]
    kept = lines[1 - MOST :]
    n = wrote - sum(one.run == work.number and one.weight == 0 for one in kept)
    texts = {
        "day": work.desk.clock.today().isoformat(),
        "run": str(work.number),
        "event": in_house(work, "journal-event-run"),
        "why": in_house(work, "journal-left-out", n=n),
    }
    return [*kept, Entry(f"{work.number}.more", work.number, _weight(".more"), -999, texts)]


def _number(key: str) -> int:
    """Where a line stands among those of its run, the run's own first."""
    last = key.rpartition(".")[2]
    return int(last) if last.isdecimal() else -999


def _weight(key: str) -> int:
    """What a line that stands weighs: that of the run itself most."""
    last = key.rpartition(".")[2]
    return 3 if last == "0" else 1 if last.isdecimal() else 2
