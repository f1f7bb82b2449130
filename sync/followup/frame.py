"""The page of an e-mail: responsive HTML from MJML, laid out once for all people of whom the same is said.

MJML sees only slots where words go; they are put in afterwards. So nothing that anybody wrote is read as MJML.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files

import jinja2
from markupsafe import escape
from mjml import mjml2html

from sync.followup.fill import KEPT
from sync.followup.look import Look
from sync.followup.markdown import Part

STOP_LINK = "zstoplinkz"
BEHIND_PREVIEW = "&#847;&zwnj;&nbsp;" * 60  # keeps the first words of the text out of the list of e-mails


@dataclass(frozen=True)
class Page:
    """What stands on a page, with marks (see `fill`) where a person's own values go. `header` and `footer` are the team's
    own blocks; without a header the logo or the house's name stands there. `STOP_LINK` takes the place of the link.
    """

    language: str
    look: Look
    subject: str
    preview: str
    body: tuple[Part, ...]
    header: tuple[Part, ...]
    footer: tuple[Part, ...]
    house: str
    address: str
    why: str
    stop: str
    stop_words: str
    logo: str | None


@lru_cache(KEPT)
def lay_out(page: Page) -> str:
    """The HTML, with the marks still in it."""
    slots = _Slots()
    words = {
        name: slots.words(getattr(page, name)) for name in ("subject", "house", "address", "why", "stop", "stop_words")
    }
    source = _frame().render(
        language=page.language, look=page.look, preview=page.preview, logo=page.logo, stop=page.stop, address=page.address,
        header=slots.parts(page.header, page.look.link), body=slots.parts(page.body, page.look.link),
        footer=slots.parts(page.footer, page.look.soft_link),
        slots={**words, "preview": slots.raw(str(escape(page.preview)) + BEHIND_PREVIEW), "logo": slots.words(page.logo or ""),
               "stop_link": STOP_LINK},
    )  # fmt: skip
    return slots.put(mjml2html(source, fonts={}))


class _Slots:
    """What goes where, by a word that MJML leaves alone."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}

    def raw(self, html: str) -> str:
        slot = f"zp{len(self.held):04d}pz"
        self.held[slot] = html
        return slot

    def words(self, text: str) -> str:
        return self.raw(str(escape(text)))

    def parts(self, parts: Iterable[Part], link: str) -> list[Part]:
        """Slots in the place of each part's words; links in text get their colour, since some programs drop styles."""
        coloured = f'<a style="color:{link};" href='
        return [
            replace(
                part, html=self.raw(part.html.replace("<a href=", coloured)), href=part.href and self.words(part.href),
                src=self.words(part.src), alt=self.words(part.alt),
            )
            for part in parts
        ]  # fmt: skip

    def put(self, html: str) -> str:
        for slot, held in self.held.items():
            html = html.replace(slot, held)
        return html


@cache
def _frame() -> jinja2.Template:
    source = files("sync.followup").joinpath("frame.mjml.j2").read_text("utf-8")
    environment = jinja2.Environment(autoescape=False, undefined=jinja2.StrictUndefined, trim_blocks=True)  # noqa: S701  what goes in are slots and colours
    return environment.from_string(source)
