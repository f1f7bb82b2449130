"""Do the addresses that e-mails lead to answer? Asked of the web, one short question each."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a command that asks nothing of the web begins a quarter of a second sooner without it
    import httpx

AT_ONCE = 4
SECONDS = 10.0
GONE = {404, 410}


def unreachable(addresses: Iterable[str], client: httpx.Client | None = None) -> dict[str, str]:
    """Those that lead nowhere: the address, and the status or the fault in a word.

    A page that refuses machines (401, 403, 429…) counts as one that is there.
    """
    import httpx

    wanted = list(dict.fromkeys(addresses))
    own = client or httpx.Client(
        follow_redirects=True, timeout=SECONDS, headers={"User-Agent": "Mozilla/5.0 (compatible; filrouge)"}
    )
    with own, ThreadPoolExecutor(AT_ONCE) as many:
        answers = many.map(lambda address: _ask(own, address), wanted)
        return {address: answer for address, answer in zip(wanted, answers, strict=True) if answer}


def answer_of(address: str) -> str:
    """The status of a page, without following where it leads on; or the fault in a word."""
    import httpx

    try:
        return str(httpx.get(address, timeout=SECONDS).status_code)
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        return type(fault).__name__


def _ask(client: httpx.Client, address: str) -> str | None:
    """Some servers know no HEAD, or answer it wrongly: then the page itself is asked for, and not read."""
    import httpx

    try:
        status = client.head(address).status_code
        if status >= 400:
            with client.stream("GET", address) as answer:
                status = answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        return type(fault).__name__
    return str(status) if status in GONE or status >= 500 else None
