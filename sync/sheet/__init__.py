"""Fil rouge as a guest in the team's sheet.

What holds at every moment, whatever the team does and whenever we are killed (tests/sync/sheet/test_machine.py attacks
each of these sentences):

1. A column that the mapping does not name is never written, and no row or column is ever moved, cleared or removed.
2. In a column about the person (`Mapped.corrected`) a cell that the team typed stays as typed, or as emptied.
3. In a computed column ours is put back, and what stood there is in the journal; a formula is never overwritten.
4. Whatever we overwrite, the journal holds what stood there, also when we were killed before we could see it land.
5. Nothing lands on a row but by its key; a key that stands twice, a paused row, a row without key are not written.
6. After a run in which nothing stopped us, every cell of ours says what we want, or what the team keeps against us; the
   next run then writes nothing, and reads nothing where the sheet has a revision.
7. What looks like an accident (rows gone, cells changed in number, headers gone) stops the tab before the first write,
   and nothing of it is taken for a correction, until a person says yes to the very number.

The way of a run: `look` (look.py) → the caller feeds edits and strangers to people → `finish` (apply.py), which plans
(plan.py, pure, by threeway.py) and lands (land.py, intents.py). `undo` (undo.py) puts a run's cells back. Tabs are told
apart by `columns.Tab` alone, so that a tab of tasks or of e-mails is kept the same way with other keys.
"""
