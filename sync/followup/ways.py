"""How the reader of an e-mail makes them stop: a page, or a mail that is read by us, or an answer that a person reads.

Facts: RFC 2369 (List-Unsubscribe), RFC 8058 (one click). Only a page can be asked by one click.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from sync.followup.tokens import Meant, Seal

PATH = "stop"
"""Where the page stands below the public address."""


@dataclass(frozen=True)
class Ways:
    """What this organisation has: `page` is its public https address, `mailbox` an address whose mail we read."""

    seal: Seal
    page: str | None = None
    mailbox: str | None = None

    def link(self, meant: Meant, language: str = "") -> str | None:
        """The person's page, which speaks `language` whatever their browser does."""
        if self.page is None:
            return None
        return f"{self.page.rstrip('/')}/{PATH}/{self.seal.token(meant)}{'?' if language else ''}{language}"

    def mailto(self, meant: Meant) -> str | None:
        """A mail that only has to be sent: what counts is its subject."""
        if self.mailbox is None:
            return None
        return f"mailto:{quote(self.mailbox, safe='@+')}?subject={quote(f'STOP {self.seal.token(meant)}')}"

    def headers(self, meant: Meant) -> dict[str, str]:
        """`List-Unsubscribe` with every way there is, and `List-Unsubscribe-Post` where one click is enough."""
        link, mailto = self.link(meant), self.mailto(meant)
        found = {"List-Unsubscribe": ", ".join(f"<{way}>" for way in (link, mailto) if way)}
        if link and meant.purpose == "marketing":
            found["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return found if found["List-Unsubscribe"] else {}
