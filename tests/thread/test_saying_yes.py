"""The team says yes on the page of `serve`: to what it was shown, to nothing else, and nobody else says it for them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape

import anyio
import httpx

from sync.desk import Desk
from sync.service import told, what_waits
from sync.waiting import Asking
from sync.web.app import Pulse, application
from sync.web.door import Door
from sync.web.waiting import WaitingPage
from tests.sync.conftest import NOW
from tests.thread.small import Small, line

HERE = ("127.0.0.1", 40_000)


@dataclass
class Page:
    """What a browser on this machine sees of a small organisation's service."""

    small: Small
    door: Door = field(default_factory=Door)

    def __post_init__(self) -> None:
        self.asking = Asking(lambda: Desk.open(self.small.folder / "config.yaml", None))
        desk = Desk.open(self.small.folder / "config.yaml", None)
        page = WaitingPage(self.asking, "Le Phare", "fr", self.door, lambda trouble: told(desk, trouble))
        self.app = application(
            name="Le Phare", language="fr", zone=NOW.tzinfo, runs=lambda _n: [], pulse=Pulse(), now=lambda: NOW,  # type: ignore[arg-type]
            waiting=page, waits=lambda: what_waits(desk), door=self.door,
        )  # fmt: skip

    def ask(self, method: str, path: str, client: tuple[str, int] = HERE, **more: object) -> httpx.Response:
        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=client)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as browser:
                return await browser.request(method, path, **more)  # type: ignore[arg-type]

        return anyio.run(answer)

    def forms(self) -> list[dict[str, str]]:
        shown = self.ask("GET", "/waiting").text
        pairs = re.findall(r'name="rule" value="(.*?)">.*?name="seal" value="(.*?)"', shown)
        return [{"rule": unescape(rule), "seal": seal} for rule, seal in pairs]

    def press(self, form: dict[str, str]) -> httpx.Response:
        return self.ask("POST", "/waiting", data=form)


def test_what_waits_is_shown_as_a_reader_gets_it_and_goes_after_one_press(small: Small) -> None:
    small.run()
    page = Page(small)
    assert "Ce qui attend votre oui\u00a0: 1 courriel. Regardez" in page.ask("GET", "/").text
    shown = page.ask("GET", "/waiting").text
    assert "Cela fait longtemps, Jeanne" in unescape(shown)
    assert "revenez nous voir" in shown
    assert "Un oui à «\u00a0Perdus de vue\u00a0» laisse partir" in shown
    assert small.run().facts["mail"]["sent"] == 0, "looking lets nothing go"
    (form,) = page.forms()
    done = page.press(form)
    assert (done.status_code, "1 courriel accordé" in done.text) == (200, True)
    assert small.run().facts["mail"]["sent"] == 1
    assert "Rien ne vous attend." in page.ask("GET", "/waiting").text


def test_a_yes_is_to_what_was_shown_and_to_nothing_that_came_or_was_changed_since(small: Small) -> None:
    small.run()
    page = Page(small)
    (form,) = page.forms()
    small.change("rules/templates/on-se-revoit.md", "revenez", "venez")
    late = page.press(form)
    assert (late.status_code, "plus ce qui vous a été montré" in unescape(late.text)) == (409, True)
    (form,) = page.forms()
    two = (line(8, "Eve Petit", "Cyrano", "10/03/2024"), line(9, "Eve Petit", "Ubu", "12/05/2024"))
    small.export(two, "encore.csv")
    small.run()
    assert page.press(form).status_code == 409
    assert small.run().facts["mail"]["sent"] == 0
    (form,) = page.forms()
    assert page.press(form).status_code == 200
    assert small.run().facts["mail"]["sent"] == 2


def test_a_page_elsewhere_cannot_press_the_button(small: Small) -> None:
    small.run()
    page = Page(small)
    for seal in ("", "0" * 64, Page(small).forms()[0]["seal"]):  # of another start of the service, too
        assert page.press({"rule": "perdus-de-vue", "seal": seal}).status_code == 409
    assert page.press({}).status_code == 409
    assert small.run().facts["mail"]["sent"] == 0


def test_only_the_team_sees_it_and_who_said_yes_is_noted(small: Small) -> None:
    small.run()
    far, public = ("203.0.113.5", 1), Page(small, Door(public=True))
    assert Page(small).ask("GET", "/waiting", far).status_code == 403
    assert public.ask("GET", "/waiting").status_code == public.ask("POST", "/waiting").status_code == 403
    page = Page(small, Door(password="a long password", public=True))
    assert page.ask("GET", "/waiting").status_code == 401
    (asked,) = page.asking.waiting()
    form, marie = {"rule": asked.id, "seal": asked.seal}, ("Marie", "a long password")
    assert page.ask("POST", "/waiting", far, data=form).status_code == 401
    assert page.ask("POST", "/waiting", far, data=form, auth=marie).status_code == 200
    assert small.run().facts["mail"]["sent"] == 1
    import sqlite3

    with sqlite3.connect(small.folder / "filrouge.db") as store:
        assert store.execute("SELECT approved_by FROM outbox").fetchall() == [("Marie",)]
    store.close()


def test_rules_that_are_wrong_now_are_said_and_the_last_right_ones_count(small: Small) -> None:
    small.run()
    page = Page(small)
    small.change("rules/public.yaml", "quand:\n      segment", "quand:\n      segmentt")
    (form,) = page.forms()
    assert page.press(form).status_code == 200
    small.write("config.yaml", "organisation: {")
    wrong = page.ask("GET", "/waiting")
    assert (wrong.status_code, "config.yaml" in wrong.text) == (409, True)
