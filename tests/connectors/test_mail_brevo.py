"""Brevo's API, well and badly behaved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from connectors.mail.brevo import Brevo, BrevoSettings
from connectors.mail.mailer import AnswerLost, Mailer, RefusedForGood, SenderRefused
from connectors.source import Setting
from connectors.trouble import LogInAgain, Trouble, TryLater
from tests.connectors.mailer_contract import SENDER, MailerContract, letter
from tests.fakes.brevo import KEY, FakeBrevo

PAUSES: list[float] = []


def brevo(fake: FakeBrevo, **settings: Any) -> Brevo:
    told = {"key": KEY, "from": f"Théâtre du Phare <{SENDER}>", "endpoint": f"{fake.url}/v3", "timeout": 5}
    return Brevo(BrevoSettings.model_validate(told | settings), Setting("mail", Path(), sleep=PAUSES.append))


@pytest.fixture
def fake() -> Iterator[FakeBrevo]:
    PAUSES.clear()
    with FakeBrevo() as fake:
        yield fake


@pytest.fixture
def mailer(fake: FakeBrevo) -> Iterator[Brevo]:
    mailer = brevo(fake)
    yield mailer
    mailer.close()


class TestBrevo(MailerContract):
    keeps_message_id: ClassVar[bool] = False

    @pytest.fixture
    def mailer(self, fake: FakeBrevo) -> Iterator[Mailer]:
        self.fake = fake
        mailer = brevo(fake)
        yield mailer
        mailer.close()

    def arrived(self, mailer: Mailer) -> list[bytes]:
        return self.fake.arrived


def send(mailer: Brevo, number: int = 1, *, recipient: str = "p1@example.org", **changes: str) -> str:
    return mailer.send(letter(number, **changes), SENDER, recipient)


def posts(fake: FakeBrevo) -> int:
    return sum(request.method == "POST" for request in fake.requests)


def test_headers_and_the_answer_address_go_along(mailer: Brevo, fake: FakeBrevo) -> None:
    link = f"<https://phare.example/{'x' * 200}>"
    send(
        mailer,
        1,
        **{"List-Unsubscribe": link, "Auto-Submitted": "auto-generated", "Reply-To": "Café <c@théâtre.example>"},
    )
    (body,) = fake.taken
    assert set(body["headers"]) == {"List-Unsubscribe", "Auto-Submitted", "idempotencyKey"}
    assert body["headers"]["List-Unsubscribe"] == link
    assert body["replyTo"] == {"name": "Café", "email": "c@xn--thtre-4qa2c.example"}


def test_long_names_are_cut_as_brevo_wants(mailer: Brevo, fake: FakeBrevo) -> None:
    send(mailer, To=f"{'Zoé ' * 40} <p1@example.org>")
    assert len(fake.taken[0]["to"][0]["name"]) <= 70


def test_braces_stand_for_themselves(mailer: Brevo, fake: FakeBrevo) -> None:
    message = letter(To='"{{ contact.X }}" <p1@example.org>', Subject="{{ params.a }} {% if b %}")
    for kind, text in (("plain", "{{ contact.A }}"), ("html", "<p>{% for x in y %}{{{a}}}</p>")):
        part = message.get_body((kind,))
        assert part is not None
        part.set_content(text, subtype=kind)
    mailer.send(message, SENDER, "p1@example.org")
    body = fake.taken[0]
    for text in (body["subject"], body["htmlContent"], body["textContent"], body["to"][0]["name"]):
        assert "{{" not in text
        assert "{%" not in text
    assert "contact.A" in body["textContent"]


@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 500}, {"status": 503}, {"cut": True}, {"html": True}])
def test_a_lost_answer_is_never_posted_again(mailer: Brevo, fake: FakeBrevo, fault: dict[str, Any]) -> None:
    fake.fail(path="/smtp/email", **fault)
    with pytest.raises(AnswerLost):
        send(mailer)
    assert posts(fake) == 1


def test_a_silent_brevo_means_nobody_knows(fake: FakeBrevo) -> None:
    fake.fail(path="/smtp/email", slow=2)
    mailer = brevo(fake, timeout=0.2)
    with pytest.raises(AnswerLost):
        send(mailer)
    mailer.close()


def test_the_log_tells_what_a_lost_answer_did_not(mailer: Brevo, fake: FakeBrevo) -> None:
    fake.fail(path="/smtp/email", cut=True)
    with pytest.raises(AnswerLost):
        send(mailer)
    assert mailer.has_sent(str(letter()["Message-ID"])) is True
    fake.late = True
    assert mailer.has_sent(str(letter()["Message-ID"])) is None
    fake.fail(path="/statistics", status=403)
    assert mailer.has_sent(str(letter()["Message-ID"])) is None


def test_the_same_message_twice_in_a_moment_goes_once(mailer: Brevo, fake: FakeBrevo) -> None:
    send(mailer)
    assert send(mailer) == "duplicate_request"
    assert len(fake.taken) == 1


def test_too_many_at_once_waits_as_long_as_brevo_says(mailer: Brevo, fake: FakeBrevo) -> None:
    fake.fail(path="/smtp/email", status=429, headers={"x-sib-ratelimit-reset": "17"}, times=2)
    send(mailer)
    assert (len(fake.taken), PAUSES) == (1, [17.0, 17.0])


def test_when_it_stays_too_many_all_wait(mailer: Brevo, fake: FakeBrevo) -> None:
    fake.fail(path="/smtp/email", status=429, times=99)
    with pytest.raises(TryLater):
        send(mailer)
    assert fake.taken == []


@pytest.mark.parametrize(
    ("status", "code", "trouble"),
    [(401, "unauthorized", "brevo-key"), (402, "not_enough_credits", "brevo-credits"),
     (400, "not_enough_credits", "brevo-credits"), (403, "permission_denied", "brevo-account"),
     (403, "account_under_validation", "brevo-account")],
)  # fmt: skip
def test_what_is_wrong_with_the_account_spoils_nobody(
    mailer: Brevo, fake: FakeBrevo, status: int, code: str, trouble: str
) -> None:
    body = f'{{"code": "{code}", "message": "compte@phare.example may not"}}'.encode()
    fake.fail(path="/smtp/email", status=status, body=body)
    with pytest.raises(LogInAgain) as no:
        send(mailer)
    assert no.value.code == trouble
    assert "compte" not in repr(no.value)


def test_an_address_that_brevo_refuses_is_that_person_alone(mailer: Brevo, fake: FakeBrevo) -> None:
    with pytest.raises(RefusedForGood) as no:
        send(mailer, recipient="zoé@example.org")
    assert "zoé" not in repr(no.value)
    send(mailer, 2)
    assert len(fake.taken) == 1


def test_a_sender_nobody_verified_is_told_before_anything_leaves(fake: FakeBrevo) -> None:
    fake.senders = []
    mailer = brevo(fake)
    for use in (mailer.check, lambda: send(mailer)):
        with pytest.raises(SenderRefused) as no:
            use()
        assert no.value.code == "brevo-sender"
    assert posts(fake) == 0
    fake.domains = ["Phare.example"]
    assert mailer.check() == "Brevo, Théâtre du Phare"
    send(mailer)
    mailer.close()


def test_a_wrong_key(fake: FakeBrevo) -> None:
    mailer = brevo(fake, key="xkeysib-hunter2")
    with pytest.raises(LogInAgain) as no:
        mailer.check()
    assert no.value.code == "brevo-key"
    assert "hunter2" not in repr(no.value) + repr(mailer.settings)
    mailer.close()


@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 500}, {"html": True}])
def test_check_tells_when_brevo_is_away(mailer: Brevo, fake: FakeBrevo, fault: dict[str, Any]) -> None:
    fake.fail(path="/account", times=99, **fault)
    with pytest.raises(Trouble):
        mailer.check()


def test_a_connection_closed_in_between_costs_nothing(mailer: Brevo, fake: FakeBrevo) -> None:
    send(mailer, 1)
    fake.hang_up_idle()
    send(mailer, 2)
    assert len(fake.taken) == 2


def test_no_more_a_minute_than_was_agreed(fake: FakeBrevo) -> None:
    mailer = brevo(fake, per_minute=20)
    for number in range(3):
        mailer.ready()
        send(mailer, number)
    mailer.close()
    assert len(PAUSES) == 2
