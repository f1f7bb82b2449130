"""What could not be used and why; many alike (sales at the door without a name) are told as one."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec
import sqlalchemy as sa

from sync.store.base import Store
from sync.store.tables import set_aside


@dataclass(frozen=True)
class Aside:
    """`n` things alike, one of them at `where` as a person finds it; `code` and `facts` say the reason; `run` set the
    last one aside. `key` is another one when there are more or fewer.
    """

    key: str
    source: str
    where: str
    n: int
    code: str
    facts: dict[str, Any]
    run: int

    @property
    def place(self) -> str:
        return f"{self.where} (+{self.n - 1})" if self.n > 1 else self.where


def all_aside(store: Store, most: int, *, each_line: bool = False) -> list[Aside]:
    """Those alike together; `each_line`: but a line of a file by itself."""
    c = set_aside.c
    alike = [c.source, c.kind, c.code, c.facts, *([c.line] if each_line else [])]
    known = (sa.func.min(c.line).label("place"), sa.func.min(c.id).label("id"), sa.func.max(c.run).label("run"))
    rows = sa.select(*alike, *known, sa.func.count().label("n")).where(c.org == store.org).group_by(*alike)
    with store.look() as connection:
        found = connection.execute(rows.order_by(c.source, sa.text("place"), sa.text("id")).limit(most)).all()
    return [
        Aside(
            blake2b(repr((row.source, row.kind, row.code, row.facts, row.n)).encode(), digest_size=6).hexdigest(),
            row.source,
            row.place or f"{row.source} · {row.kind} {row.id}",
            row.n,
            row.code,
            msgspec.json.decode(row.facts or "{}"),
            row.run,
        )
        for row in found
    ]
