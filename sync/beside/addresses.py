"""E-mail addresses that look wrong."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

import polars as pl
from rapidfuzz.distance import OSA

from sync.people.normalise import SIMPLE_EMAIL, email

HOUSES = frozenset((
    *("gmail.com", "googlemail.com", "hotmail.com", "hotmail.fr", "hotmail.ca", "outlook.com", "outlook.fr"),
    *("live.com", "live.fr", "live.ca", "msn.com", "yahoo.com", "yahoo.fr", "yahoo.ca"),
    *("ymail.com", "mail.com", "email.com", "icloud.com", "me.com", "aol.com", "gmx.com"),
    *("gmx.fr", "orange.fr", "wanadoo.fr", "free.fr", "laposte.net", "sfr.fr", "neuf.fr"),
    *("bbox.fr", "numericable.fr", "videotron.ca", "sympatico.ca", "bell.net", "protonmail.com", "proton.me"),
))  # fmt: skip
"""Where many people have their address. A name that is one slip away from a long one of these was hardly meant."""
LONG = 9
NO_SUCH = {"gmail.fr": "gmail.com", "gmail.ca": "gmail.com"}


class Wrong(NamedTuple):
    """`key`: of the person's row. `meant`: the address that was probably meant, for `typo`."""

    key: str
    address: str
    why: Literal["wrong", "typo", "bounced"]
    meant: str = ""


def wrong_addresses(people: pl.DataFrame) -> Iterator[Wrong]:
    """Those that are no address, those with a slip in the name of a well-known service, those that the newsletter says
    do not work any more; in this order. `people`: key, email, newsletter.
    """
    some = people.filter(pl.col("email").is_not_null()).select("key", "email", "newsletter")
    low = pl.col("email").str.to_lowercase()
    for key, address, _ in some.filter(~low.str.contains(f"^(?:{SIMPLE_EMAIL.pattern})$")).iter_rows():
        if email(address)[1] is None:
            yield Wrong(key, address, "wrong")
    domains = some.with_columns(domain=low.str.extract(r"@([^@]+)$"))
    meant = {name: house for name in domains["domain"].drop_nulls().unique() if (house := meant_domain(name))}
    for key, address, _, domain in domains.filter(pl.col("domain").is_in(list(meant))).iter_rows():
        yield Wrong(key, address, "typo", f"{address.rpartition('@')[0]}@{meant[domain]}")
    for key, address, _ in some.filter(pl.col("newsletter") == "bounced").iter_rows():
        yield Wrong(key, address, "bounced")


@lru_cache(20_000)
def meant_domain(domain: str) -> str | None:
    """The well-known service that was probably meant, if `domain` is none itself."""
    if domain in HOUSES:
        return None
    near = (
        house for house in sorted(HOUSES) if len(house) >= LONG and OSA.distance(domain, house, score_cutoff=1) <= 1
    )
    return NO_SUCH.get(domain) or next(near, None)
