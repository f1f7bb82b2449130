"""What could not be used and why; many alike (sales at the door without a name) are told as one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec
import sqlalchemy as sa

from sync.store.base import Store
from sync.store.tables import set_aside


@dataclass(frozen=True)
class Aside:
    """`where` as a person finds it, `n` things alike; `code` and `facts` say the reason; `run` set the last one aside."""

    key: str
    where: str
    n: int
    code: str
    facts: dict[str, Any]
    run: int

    @property
    def place(self) -> str:
        return f"{self.where} (+{self.n - 1})" if self.n > 1 else self.where


def all_aside(store: Store, most: int) -> list[Aside]:
    """By source and line, those alike together."""
    alike = [set_aside.c[name] for name in ("source", "line", "kind", "code", "facts")]
    first, times = sa.func.min(set_aside.c.id).label("id"), sa.func.count().label("n")
    rows = sa.select(*alike, first, times, sa.func.max(set_aside.c.run).label("run"))
    rows = rows.where(set_aside.c.org == store.org).group_by(*alike)
    rows = rows.order_by(set_aside.c.source, set_aside.c.line, first)
    with store.look() as connection:
        found = connection.execute(rows.limit(most)).all()
    seen: Counter[str] = Counter()

    def key(row: Any) -> str:
        """The same when lines came before it: by what is wrong, and how many alike stand above."""
        print_ = blake2b(repr((row.source, row.kind, row.code, row.facts)).encode(), digest_size=6).hexdigest()
        seen[print_] += 1
        return f"{print_}-{seen[print_]}"

    return [
        Aside(
            key(row),
            row.line or f"{row.source} · {row.kind} {row.id}",
            row.n,
            row.code,
            msgspec.json.decode(row.facts or "{}"),
            row.run,
        )
        for row in found
    ]
