"""What a source is.

A source hands over raw *objects* page by page, and says separately what an object means. The raw bytes are kept by the
store, so a better reading (or a mended bug) can be applied later without asking the service again, and what could not
be read is retried after a fix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import msgspec
import pydantic

from connectors.records import Record


class Object(msgspec.Struct, frozen=True):
    """One thing as its service gave it. (`kind`, `id`) is unique in the source; `raw` is its JSON, UTF-8.

    `line` says where it stands for things read from files (`exports/may.csv:12`), for the list of what was set aside.
    """

    kind: str
    id: str
    raw: bytes
    line: str | None = None


class Page(msgspec.Struct, frozen=True):
    """Some objects and the place to go on from; the store commits both together.

    `cursor` is opaque to everybody but the source. None means: this page does not move the cursor.
    `complete` names the kinds of which this `pull()` call has by now yielded *every* object that exists: those of the
    kind that it did not yield are gone. Give it only after a whole and uninterrupted read from the beginning.
    With `scope`, only objects whose id starts with it are meant (a changed export file is one scope).
    `broken` are things that are not even objects (a line of a file that can't be read): set aside with a reason.
    """

    objects: Sequence[Object] = ()
    cursor: str | None = None
    complete: tuple[str, ...] = ()
    scope: str = ""
    broken: Sequence[Broken] = ()


class Broken(msgspec.Struct, frozen=True):
    """Something set aside: `line` or `id` says which, `code` and `facts` why (as in `connectors.trouble`)."""

    kind: str
    id: str
    raw: bytes
    code: str
    facts: dict[str, str] = {}
    line: str | None = None


class Account(msgspec.Struct, frozen=True):
    """What `check()` found: whose account it is, and remarks as (code, facts) for the person who set it up."""

    name: str
    remarks: Sequence[tuple[str, dict[str, str]]] = ()


@dataclass(frozen=True)
class Setting:
    """What a source needs to know of where it runs. No connector looks at the clock or the disk's layout by itself.

    `name` is the source's name in the config; `folder` the folder of `config.yaml`, from which relative paths go.
    """

    name: str
    folder: Path
    country: str = "FR"
    timezone: str = "Europe/Paris"
    language: str = "fr"
    now: Callable[[], datetime] = lambda: datetime.now().astimezone()
    sleep: Callable[[float], None] | None = None


@runtime_checkable
class Source(Protocol):
    """A service that people and their acts come from. Make one with `Class(settings, setting)`.

    `pull` and `check` raise `connectors.trouble`; `records` raises only `SetAside`.
    """

    service: ClassVar[str]
    """The name in the config: `pretix`."""
    version: ClassVar[int]
    """Raise it when `records` reads the same raw differently: everything kept is then read anew."""
    gives: ClassVar[frozenset[str]]
    """Kinds of record that this source may give: what rules can know when it is connected."""
    Settings: ClassVar[type[pydantic.BaseModel]]
    """The keys of its block in the config, each with a description."""

    def __init__(self, settings: Any, setting: Setting) -> None: ...

    def check(self) -> Account:
        """Try the account with one cheap call, and say what is missing."""
        ...

    def pull(self, cursor: str | None) -> Iterator[Page]:
        """Everything new or changed since `cursor` (None: everything), in pages. Re-reading is harmless.

        The iterator may be dropped at any page. The cursor of the last page committed is given next time.
        """
        ...

    def records(self, thing: Object) -> Sequence[Record]:
        """What an object means. Pure: the same raw gives the same records, with no call to anybody."""
        ...

    def close(self) -> None:
        """Let go of connections. Called once, also after a failure."""
        ...


class Change(msgspec.Struct, frozen=True):
    """A change in a newsletter for one person. `consented`: they said yes to it, and need not be asked once more."""

    verb: Literal["subscribe", "unsubscribe", "add_tag", "remove_tag"]
    email: str
    tag: str = ""
    first_name: str = ""
    last_name: str = ""
    language: str = ""
    consented: bool = False


CHANGES = frozenset({"subscribe", "unsubscribe", "add_tag", "remove_tag"})
Changed = Literal["done", "already", "asked", "unknown", "refused"]
"""`asked`: the service asks the person whether they want it. `unknown`: they are not on the list. `refused`: the service
does not take them (they left, or the address does not work).
"""


@runtime_checkable
class Newsletter(Protocol):
    """A source in which something can be changed, too; a source that is none of these has no `writes`."""

    writes: ClassVar[frozenset[str]]
    asks: ClassVar[bool]
    """Whether the service can ask somebody itself whether they want the newsletter (double opt-in)."""

    def change(self, wanted: Change) -> Changed:
        """Make one change. The same change once more does no harm. Raises `connectors.trouble`."""
        ...

    def erase(self, email: str) -> Changed:
        """Delete this person there for good; "unknown" when they are not there (any more)."""
        ...

    def close(self) -> None: ...
