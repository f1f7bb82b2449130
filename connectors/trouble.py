"""What can go wrong outside, by what a person must do about it.

A trouble carries a `code` and facts, not a sentence: `sync/words/{en,fr}/` holds the sentence for each code in each
language, and a test sees to it that none is missing. Facts never hold a secret or a person's data.
"""

from __future__ import annotations


class Trouble(Exception):  # noqa: N818  it names what the user has, not what Python raised
    """Base of all. `code` is a key of `sync/words/*/*.yaml` (`pretix-no-organizer`), `facts` fill its sentence."""

    def __init__(self, code: str, /, **facts: object) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts


class FixFile(Trouble):
    """The config, a rule or a file has to be corrected by the team. Exit code 2."""


class LogInAgain(Trouble):
    """A token is wrong, expired, or may not do this. Exit code 1; the rest of the run goes on."""


class TryLater(Trouble):
    """The service is down, slow, or asks to wait; `after` seconds where it said so. Exit code 1, running again helps."""

    def __init__(self, code: str, /, *, after: float | None = None, **facts: object) -> None:
        super().__init__(code, **facts)
        self.after = after


class SetAside(Trouble):
    """This one record can't be understood. It is kept with its reason and counted; the others go on."""


class Nobody(SetAside):
    """This record is understood, but names nobody at all: kept and counted, and what it said before is withdrawn."""


class GiveUp(Trouble):
    """The service answers in a way we do not know. Exit code 1; nothing was lost; somebody should tell us."""
