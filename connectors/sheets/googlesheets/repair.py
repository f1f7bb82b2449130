"""When rows or columns moved between our last look and our write: what was hit by mistake is put back, what was missed is
written.

Google has no compare-and-set, and answers a batch with the cells as they stand after it. So the tab is compared, row by
row as each is recognised, with what it should be now.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from connectors.sheets.googlesheets.cells import Put, put
from connectors.sheets.googlesheets.keeping import Known, Place, Work, known
from connectors.sheets.googlesheets.reading import Reading, letters, same
from connectors.sheets.googlesheets.scope import Glance
from connectors.sheets.sheet import Cell, Formula, Refused


def moved(should: Reading, seen: Glance, puts: Sequence[Put]) -> bool:
    """Did a batch land in other rows or columns than was meant? Asked of Google's answer to it."""
    there = _merged(seen)
    whole = {one.row for one in puts if one.column == should.key or not should.key_of(one.row)} | {should.header}
    keys = [] if should.key is None else [(one.row, should.key) for one in puts]
    asked = (*keys, *(place for place in there if place[0] in whole))
    return any(place in there and not same(there[place], should.cell(*place)) for place in asked)


def _merged(seen: Glance) -> dict[Place, Cell | Formula]:
    """Every cell of the areas, the empty ones of their rows too."""
    cells: dict[Place, Cell | Formula] = {}
    for area, lines in zip(seen.areas, seen.blocks, strict=True):
        rows = (
            range(area.top, area.bottom)
            if area.bottom is not None
            else range(area.top, max(lines, default=area.top) + 1)
        )
        for row in rows:
            line = lines.get(row, [])
            for column in range(area.left, area.right or max(len(line), 64)):
                cells[row, column] = line[column] if column < len(line) else None
    return cells


PUT_BACK = "google-put-back"


@dataclass
class Repair:
    """`puts` make it right, and `marks`: for the id of each mark that lies on a wrong column the right one (None: that
    column is gone). `columns`: where each column that was read stands now. `more`: that is not yet all.
    """

    columns: dict[int, int]
    puts: list[Put] = field(default_factory=list)
    marks: dict[int, int | None] = field(default_factory=dict)
    more: bool = False

    def told(self, work: Work, *, late: bool) -> list[Refused]:
        """All that had been hit, below the columns as they were read; `late`: as they stand now."""
        if not late:
            return list(work.told.values())
        return [
            replace(one, column=letters(self.columns.get(column, column) if one.code == PUT_BACK else column))
            for (_, column), one in work.told.items()
        ]


@dataclass(frozen=True)
class _Amiss:
    """A cell that is not as it should be: `here` in the tab as it stands, `meant` in the tab as it should be (None: a row
    or a column that was never read).
    """

    here: Place
    meant: Place | None
    actual: Cell | Formula
    wanted: Cell | Formula


def repair(work: Work, now: Reading, *, late: bool = False, again: bool = False) -> Repair:
    """What makes `now`, the tab as it stands, what it should be. Nothing else that people did there is touched. What had
    been overwritten, and is put back, is added to what `work` has told.

    `late`: it is not the very moment after the batch any more, and people may have typed what we wrote: so what looks
    hit is put back only as far as something of ours is missing where it was meant. `again`: rows moved while it was put
    right before, so that the place says nothing any more.
    """
    columns = _columns(work, now)
    rows = _Rows(work, now, columns).found
    result = Repair(columns)
    result.marks = {
        id_: columns.get(column)
        for id_, column in work.marks.items()
        if id_ in now.marks and now.marks[id_] != columns.get(column)
    }
    amiss: list[_Amiss] = []
    for row in now.lines:
        if rows.get(row) in work.fresh:
            _added(result, work, now, row, rows[row], columns)
        elif row >= now.header:
            amiss += _cells(work, now, row, rows.get(row), columns, anywhere=late or again)
    missed = [one for one in amiss if one.meant in work.stood]
    hit = [one for one in amiss if one.meant not in work.stood]
    if late:
        hit = list(_ours(work, hit, missed, set(rows.values())))
        missed = missed if hit else []  # nothing moved: they were changed since
    result.puts += [put(now, *one.here, one.wanted) for one in missed]
    for one in hit:
        if one.meant is not None or one.actual is not None:
            result.puts.append(put(now, *one.here, one.wanted))
        _tell(work, now, one)
    return result


def _cells(
    work: Work, now: Reading, row: int, should_row: int | None, columns: dict[int, int], *, anywhere: bool
) -> Iterator[_Amiss]:
    """The cells of one row that hold what was meant for others, or not yet what was meant for them."""
    read = {here: there for there, here in columns.items()}
    for column in sorted({*work.strays, *(columns[one] for one in work.strays if one in columns)}):
        there, actual = read.get(column), now.cell(row, column)
        if should_row is None or there is None:
            sent_here = {(row, column), (row, there)} & work.places.keys()
            place = sent_here or (anywhere and actual is not None)
            if place and work.is_stray(actual, column, there):
                yield _Amiss((row, column), None, actual, None)
            continue
        meant = (should_row, there)
        wanted = work.should.cell(*meant)
        if same(actual, wanted):
            continue
        old = meant in work.stood and same(actual, work.stood[meant])
        if old or work.is_stray(actual, column, there):
            yield _Amiss((row, column), meant, actual, wanted)


def _added(result: Repair, work: Work, now: Reading, row: int, meant: int, columns: dict[int, int]) -> None:
    """A row that the batch added: what columns that moved, or a repair, brought into it was meant for others. Its key goes
    first, and the rest once that surely stands, as nothing else tells these rows from one another.
    """
    ours = {known(cell) for cell in work.should.lines[meant]}
    wrong = []
    for there, column in columns.items():
        wanted, actual = work.should.cell(meant, there), now.cell(row, column)
        astray = actual is None or known(actual) in ours or work.is_stray(actual, column, there)
        if astray and not same(actual, wanted):
            wrong.append((put(now, row, column, wanted), actual))
    if any(actual is not None for _, actual in wrong):
        puts = [one for one, _ in wrong]
        key = [one for one in puts if one.column == now.key]
        result.puts += key or puts
        result.more |= bool(key)


def _ours(work: Work, hit: Sequence[_Amiss], missed: Sequence[_Amiss], there: set[int]) -> Iterator[_Amiss]:
    """Those of the cells that hold what is lacking where it was meant, and that as often as it went astray: rows that
    were read come before others. A cell known as hit is ours to mend as long as it holds anything of ours.
    """
    lacking = {known(one.wanted) for one in (*missed, *hit) if one.meant}
    astray: Counter[Known] = Counter()
    for values in work.strays.values():
        astray.update({what: times for what, (_, times) in values.items()})
    sent_again = astray - Counter(known(one.value) for one in work.puts)
    missing = {one.meant for one in missed}
    astray.subtract(known(one.value) for one in work.puts if one.row in there and (one.row, one.column) not in missing)
    # Of a row that is gone nobody knows whether it was there when we wrote: only what stands in its place is ours.
    gone = any(row not in there for row in work.should.lines if row > work.should.header)
    for one in sorted(
        hit, key=lambda one: (one.meant not in work.told, one.meant is None, one.here not in work.places)
    ):
        what = known(one.actual)
        in_place = gone and one.here in work.places and same(work.places[one.here], one.actual)
        if one.meant in work.told or in_place or (astray[what] > 0 and (what in lacking or what in sent_again)):
            astray[what] -= 1
            yield one


def _tell(work: Work, now: Reading, one: _Amiss) -> None:
    """By the place where it was read; what never was by where it stands."""
    row, column = one.meant or one.here
    key = (work.should if one.meant else now).key_of(row) or ""
    code = PUT_BACK if one.meant else "google-instant"
    cell = f"{letters(one.here[1])}{one.here[0] + 1}"
    place = one.meant or (-row - 1, column)
    work.told.setdefault(place, Refused(str(row + 1), key, letters(column), code, {"cell": cell}))


# What is recognised -------------------------------------------------------------------------------------------------


def _columns(work: Work, now: Reading) -> dict[int, int]:
    """Where each column stands now: by its mark, else by its header; one with another header is where it was."""
    should = work.should
    astray = {now.marks[id_] for id_ in work.marks if id_ in now.marks}  # they may lie where others should
    tags = {tag: column for column, tag in now.tags.items() if column not in astray}
    headers = {text: column for column, text in now.headers.items()}
    found = {}
    for column in should.headers:
        place = tags.get(should.tags.get(column, ""), headers.get(should.headers[column]))
        if place is not None:
            found[column] = place
    if should.key is not None and now.key is not None:
        found[should.key] = now.key
    taken = set(found.values())
    return {column: column for column in should.headers if column not in found and column not in taken} | found


class _Rows:
    """The row of `should` behind each row of `now`, in `found`: by key, by what stands in the columns that were not
    written, and where several are alike by what stands in the others.
    """

    def __init__(self, work: Work, now: Reading, columns: dict[int, int]) -> None:
        self.work, self.should, self.now = work, work.should, now
        hands = {*work.strays, *(one for one in columns if columns[one] in work.strays)}
        self.pairs = [(a, b) for a, b in columns.items() if a not in hands and a != self.should.key]
        self.written = [(a, b) for a, b in columns.items() if a in hands]
        self.keyed = self.should.key not in {one.column for one in work.puts}
        self.found = {now.header: self.should.header} if now.header >= 0 else {}
        self.theirs = [row for row in now.lines if row > now.header]
        self.ours = [row for row in self.should.lines if row > self.should.header]
        self._match_added()
        if self.keyed:
            self._match(self.should.key_of, now.key_of, once=True)
            self._match(self._key_and_cells, self._key_and_cells_now)
            self._match(self.should.key_of, now.key_of)
            self._match(self.should.key_of, now.key_of, again=True)
        self._match(self._cells, self._cells_now)

    def _match(
        self,
        mine: Callable[[int], Hashable],
        theirs: Callable[[int], Hashable],
        *,
        once: bool = False,
        again: bool = False,
    ) -> None:
        """`once`: only what is alone on both sides. `again`: a row may stand behind several, copied since."""
        taken = set() if again else set(self.found.values())
        here, there = defaultdict(list), defaultdict(list)
        for row in self.ours:
            if row not in taken and (who := mine(row)) is not None:
                there[who].append(row)
        for row in self.theirs:
            if row not in self.found and (who := theirs(row)) is not None:
                here[who].append(row)
        for who, rows in here.items():
            others = there.get(who, [])
            if again and others and others[-1] not in self.work.fresh:
                self.found |= dict.fromkeys(rows, others[-1])
            elif others and not again and (not once or len(rows) == len(others) == 1):
                self._pair(rows, others)

    def _pair(self, rows: list[int], others: list[int]) -> None:
        """Those that are as they should be first, then those in their place, then in their order."""
        if len(rows) == len(others) == 1:
            self.found[rows[0]] = others[0]
            return
        free = set(others)
        wanted = defaultdict(list)
        for other in others:
            wanted[tuple(known(self.should.cell(other, a)) for a, _ in self.written)].append(other)
        for row in rows:
            alike = wanted[tuple(known(self.now.cell(row, b)) for _, b in self.written)]
            if alike:
                self.found[row] = alike.pop(0)
                free.remove(self.found[row])
        for row in rows:
            if row not in self.found and row in free:
                self.found[row] = row
                free.remove(row)
        left = [row for row in rows if row not in self.found]
        self.found |= dict(zip(left, sorted(free), strict=False))

    def _match_added(self) -> None:
        """Rows of ours whose key stands below another header."""
        added = {self.should.key_of(row): row for row in self.work.fresh}
        for row in self.theirs if added else ():
            if row not in self.found:
                line = enumerate(self.now.lines[row])
                names = [cell for at, cell in line if at != self.now.key and isinstance(cell, str) and cell in added]
                if names:
                    self.found[row] = added[names[0]]

    def _cells(self, row: int) -> Hashable:
        overwritten = bool(self.work.strays.keys() & {self.should.key, self.now.key})
        return None if self.keyed and self.should.key_of(row) and not overwritten else self._line(row)

    def _cells_now(self, row: int) -> Hashable:
        key = self.now.key_of(row)
        stray = self.work.is_stray(key, self.should.key, self.now.key)
        return None if self.keyed and key and not stray else self._line_now(row)

    def _line(self, row: int) -> Hashable:
        return tuple((a, str(cell)) for a, _ in self.pairs if (cell := self.should.cell(row, a)) is not None) or None

    def _line_now(self, row: int) -> Hashable:
        return tuple((a, str(cell)) for a, b in self.pairs if (cell := self.now.cell(row, b)) is not None) or None

    def _key_and_cells(self, row: int) -> Hashable:
        return (key, self._line(row)) if (key := self.should.key_of(row)) else None

    def _key_and_cells_now(self, row: int) -> Hashable:
        return (key, self._line_now(row)) if (key := self.now.key_of(row)) else None
