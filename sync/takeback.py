"""`filrouge undo RUN`: put back the cells of a run that nobody has changed since."""

from __future__ import annotations

from connectors.trouble import FixFile, TryLater
from sync import runs
from sync.beginning import read_rules
from sync.desk import Desk
from sync.outcome import Outcome
from sync.rows import set_columns
from sync.sheet.undo import undo
from sync.tabs import people_tab

DONE, DECIDE = 0, 7


def undo_run(desk: Desk, number: int) -> Outcome:
    """Put back what run `number` wrote in the sheet, as a run of its own. What is put back stands until what Fil rouge
    wants there changes. Raises `FixFile` for a run that never was, `TryLater` while another instance is at work.
    """
    if not any(run.id == number for run in runs.last_runs(desk.store, 10_000)):
        raise FixFile("undo-no-run", found=number)
    book, _ = read_rules(desk, keep_last_right=False)
    tab = people_tab(desk.config, set_columns(book), desk.store)
    try:
        with runs.lease(desk.store):
            mine = runs.begin(desk.store, desk.clock.today(), "undo", desk.clock.read())
            sheet = desk.config.open_sheet(desk.clock)
            try:
                found, applied = undo(desk.store, sheet, tab, number, mine, desk.clock.now())
            finally:
                sheet.close()
            closed = [gate.sentence(desk.language) for gate in applied.closed]
            said = closed or [desk.say("undo-done", n=applied.written, run=number)]
            counts = {"since": len(found.since), "rows": len(found.rows), "gone": len(found.gone)}
            said += [desk.say(f"undo-{name}", n=n) for name, n in counts.items() if n and not closed]
            state = "waiting" if closed else "done"
            runs.finish(desk.store, mine, state, {"lines": said}, desk.clock.read())
    except runs.Busy:
        raise TryLater("run-busy") from None
    return Outcome(
        said, {"run": mine, "undone": number, "put_back": applied.written, **counts}, DECIDE if closed else DONE
    )
