"""SMTP against a real server on loopback, well and badly behaved."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydantic
import pytest

from connectors.mail.mailer import AnswerLost, Greylisted, Mailer, RefusedForGood, RefusedForNow, SenderRefused
from connectors.mail.smtp import Smtp, SmtpSettings
from connectors.source import Setting
from connectors.trouble import LogInAgain, Trouble, TryLater
from tests.connectors.mailer_contract import SENDER, MailerContract, letter
from tests.fakes.smtp import Post, certificate, server

OPENED: list[Smtp] = []
PAUSES: list[float] = []


@pytest.fixture(autouse=True)
def _all_connections_closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()
    PAUSES.clear()


def smtp(port: int, folder: Path = Path(), **settings: Any) -> Smtp:
    told = {"host": "localhost", "port": port, "security": "none", "from": f"Théâtre du Phare <{SENDER}>", "timeout": 5}
    OPENED.append(Smtp(SmtpSettings.model_validate(told | settings), Setting("mail", folder, sleep=PAUSES.append)))
    return OPENED[-1]


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def mailer(post: Post) -> Iterator[Smtp]:
    with server(post) as port:
        mailer = smtp(port)
        yield mailer
        mailer.close()


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"))


class TestSmtp(MailerContract):
    @pytest.fixture
    def mailer(self, post: Post) -> Iterator[Mailer]:
        self.post = post
        with server(post, enable_SMTPUTF8=True) as port:
            mailer = smtp(port)
            yield mailer
            mailer.close()

    def arrived(self, mailer: Mailer) -> list[bytes]:
        return self.post.arrived


def send(mailer: Mailer, recipient: str = "p1@example.org", number: int = 1) -> str:
    return mailer.send(letter(number), SENDER, recipient)


def test_one_connection_serves_many(mailer: Smtp, post: Post) -> None:
    for number in range(10):
        send(mailer, number=number)
    assert post.connections == 1


@pytest.mark.parametrize("answer", ["450 4.2.0 greylisted", "451 4.3.0 p1@example.org: try later", "452 4.3.1 full"])
@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
def test_not_now_may_be_tried_again(mailer: Smtp, post: Post, step: str, answer: str) -> None:
    getattr(post, step).append(answer)
    with pytest.raises(RefusedForNow) as refused:
        send(mailer)
    assert "p1@example.org" not in str(refused.value)
    assert answer[:9] in str(refused.value.facts["answer"])
    send(mailer)
    assert len(post.arrived) == 1
    assert post.connections == 1


@pytest.mark.parametrize(
    "answer", ["550 5.1.1 <p1@example.org> no such user p1", "552 5.2.2 box full", "554 5.7.1 policy"]
)
@pytest.mark.parametrize("step", ["rcpt", "data"])
def test_no_is_no_and_the_others_still_get_theirs(mailer: Smtp, post: Post, step: str, answer: str) -> None:
    getattr(post, step).append(answer)
    with pytest.raises(RefusedForGood) as refused:
        send(mailer)
    assert str(refused.value.facts["answer"]).startswith(answer[:9])
    assert "p1" not in str(refused.value.facts["answer"])
    send(mailer, "p2@example.org", 2)
    assert post.recipients == ["p2@example.org"]


def test_too_large_for_the_server(post: Post) -> None:
    with server(post, data_size_limit=500) as port, pytest.raises(RefusedForGood):
        send(smtp(port))
    assert post.arrived == []


def test_a_refused_sender_is_the_account_and_not_the_person(mailer: Smtp, post: Post) -> None:
    post.mail.append("553 5.7.1 bonjour@phare.example: not yours")
    with pytest.raises(SenderRefused) as refused:
        send(mailer)
    assert refused.value.code == "smtp-sender"
    assert "bonjour" not in str(refused.value.facts["answer"])


@pytest.mark.parametrize("answer", ["drop", "take and drop"])
def test_a_drop_after_the_data_means_nobody_knows(mailer: Smtp, post: Post, answer: str) -> None:
    post.data.append(answer)
    with pytest.raises(AnswerLost):
        send(mailer)
    send(mailer, number=2)
    assert len(post.arrived) == (2 if answer.startswith("take") else 1)


def test_a_silent_server_after_the_data_means_nobody_knows(post: Post) -> None:
    post.data.append("stay silent")
    with server(post) as port, pytest.raises(AnswerLost):
        send(smtp(port, timeout=0.2))


@pytest.mark.parametrize("step", ["mail", "rcpt"])
@pytest.mark.parametrize("answer", ["drop", "421 4.3.2 closing"])
def test_a_connection_gone_stale_is_opened_again(mailer: Smtp, post: Post, step: str, answer: str) -> None:
    send(mailer)
    getattr(post, step).append(answer)
    send(mailer, number=2)
    assert len(post.arrived) == 2
    assert post.connections == 2


@pytest.mark.parametrize("step", ["greet", "mail"])
def test_a_server_with_too_many_connections_is_tried_again_after_a_pause(post: Post, step: str) -> None:
    getattr(post, step).extend(["421 4.7.0 too many connections"] * 2)
    with server(post) as port:
        send(smtp(port))
    assert len(post.arrived) == 1
    assert PAUSES == [2.0, 8.0]


@pytest.mark.parametrize("step", ["greet", "mail"])
def test_a_server_that_always_hangs_up_is_down(post: Post, step: str) -> None:
    getattr(post, step).extend(["421 4.3.2 too busy"] * 9)
    with server(post) as port, pytest.raises(TryLater) as down:
        send(smtp(port))
    assert (down.value.code, PAUSES) == ("smtp-down", [2.0, 8.0])


def test_a_server_that_sends_us_away_for_good_is_down_at_once(post: Post) -> None:
    post.greet.append("554 5.7.1 no")
    with server(post) as port, pytest.raises(TryLater) as down:
        send(smtp(port))
    assert (down.value.code, PAUSES) == ("smtp-down", [])


@pytest.mark.parametrize("answer", ["450 4.2.0 <p1@example.org>: Greylisted, see help", "451 grey list"])
def test_greylisting_is_told_apart(mailer: Smtp, post: Post, answer: str) -> None:
    post.rcpt.append(answer)
    with pytest.raises(Greylisted):
        send(mailer)


def test_no_more_a_minute_than_was_agreed(post: Post) -> None:
    with server(post) as port:
        mailer = smtp(port, per_minute=20)
        for number in range(3):
            mailer.ready()
            send(mailer, number=number)
    assert len(PAUSES) == 2
    assert PAUSES[0] == pytest.approx(3, abs=1)


def test_ready_connects_and_sends_nothing(mailer: Smtp, post: Post) -> None:
    mailer.ready()
    assert (post.connections, post.arrived) == (1, [])


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for use in (smtp(port).check, lambda: send(smtp(port))):
        with pytest.raises(TryLater) as down:
            use()
        assert down.value.code == "smtp-down"


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_encrypted_with_a_login(post: Post, pem: tuple[Path, Path], security: str) -> None:
    way: dict[str, Any] = {"tls": security == "tls", "certificate": pem}
    wanted: dict[str, Any] = {"auth_required": True} if security == "starttls" else {"auth_require_tls": False}
    with server(post, authenticator=post.authenticate, **wanted, **way) as port:
        mailer = smtp(port, security=security, ca_file=str(pem[0]), user="phare", password="right")
        assert mailer.check() == f"localhost:{port}"
        send(mailer)
        mailer.close()
    assert len(post.arrived) == 1
    assert set(post.logged_in) == {b"phare"}


def test_a_password_with_accents(post: Post, pem: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fakes.smtp.PASSWORD", "été ☂".encode())
    with server(post, authenticator=post.authenticate, auth_required=True, certificate=pem) as port:
        send(smtp(port, security="starttls", ca_file=str(pem[0]), user="phare", password="été ☂"))
        with pytest.raises(LogInAgain) as refused:
            send(smtp(port, security="starttls", ca_file=str(pem[0]), user="phare", password="été"))
    assert refused.value.code == "smtp-login"
    assert len(post.arrived) == 1


def test_a_wrong_password(post: Post, pem: tuple[Path, Path]) -> None:
    with server(post, authenticator=post.authenticate, certificate=pem) as port:
        mailer = smtp(port, security="starttls", ca_file=str(pem[0]), user="phare", password="hunter2")
        for use in (mailer.check, lambda: send(mailer)):
            with pytest.raises(LogInAgain) as refused:
                use()
            assert refused.value.code == "smtp-login"
            assert "hunter2" not in repr(refused.value)
        assert "hunter2" not in repr(mailer.settings)


def test_a_server_that_wants_a_login_and_got_none(post: Post, pem: tuple[Path, Path]) -> None:
    with server(post, authenticator=post.authenticate, auth_required=True, certificate=pem) as port:
        with pytest.raises(LogInAgain) as refused:
            send(smtp(port, security="starttls", ca_file=str(pem[0])))
        assert refused.value.code == "smtp-login"


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_an_unknown_certificate_is_not_trusted(post: Post, pem: tuple[Path, Path], security: str) -> None:
    with server(post, certificate=pem, tls=security == "tls") as port:
        with pytest.raises(TryLater) as refused:
            send(smtp(port, security=security))
        assert refused.value.code == "smtp-certificate"
    assert post.arrived == []


def test_a_certificate_for_another_name_is_not_trusted(post: Post, tmp_path: Path) -> None:
    other = certificate(tmp_path, "elsewhere.example")
    with server(post, certificate=other) as port, pytest.raises(TryLater) as refused:
        send(smtp(port, security="starttls", ca_file=str(other[0])))
    assert refused.value.code == "smtp-certificate"


def test_a_server_without_starttls_gets_nothing_in_the_clear(post: Post) -> None:
    with server(post) as port, pytest.raises(LogInAgain) as refused:
        send(smtp(port, security="starttls"))
    assert refused.value.code == "smtp-no-starttls"
    assert post.arrived == []


def test_tls_where_the_server_speaks_in_the_clear_is_told(post: Post) -> None:
    with server(post) as port, pytest.raises(LogInAgain) as refused:
        smtp(port, security="tls", user="phare", password="right").check()
    assert refused.value.code == "smtp-not-tls"
    assert post.logged_in == []


def test_a_server_without_login(post: Post) -> None:
    with server(post) as port, pytest.raises(LogInAgain) as refused:
        send(smtp(port, user="phare", password="right"))
    assert refused.value.code == "smtp-no-login"


def test_no_password_in_the_clear_to_a_distant_server() -> None:
    with pytest.raises(pydantic.ValidationError) as wrong:
        smtp(25, host="smtp.example.org", user="phare", password="right")
    assert wrong.value.errors()[0]["type"] == "smtp-clear-password"


def test_accents_before_the_at_need_a_server_that_carries_them(post: Post) -> None:
    message = letter()
    with server(post, enable_SMTPUTF8=False) as port, pytest.raises(RefusedForGood) as refused:
        smtp(port).send(message, SENDER, "zoé@example.org")
    assert refused.value.code == "smtp-utf8"
    with server(post, enable_SMTPUTF8=True) as port:
        mailer = smtp(port)
        mailer.send(message, SENDER, "zoé@example.org")
        mailer.close()
    assert post.recipients == ["zoé@example.org"]


def test_a_sender_with_accents_before_the_at_is_the_account_and_not_the_person(mailer: Smtp) -> None:
    with pytest.raises(SenderRefused) as refused:
        mailer.send(letter(), "zoé@phare.example", "p1@example.org")
    assert refused.value.code == "smtp-utf8-sender"


@pytest.mark.parametrize(
    "address", ["p1@example.org\r\nRCPT TO:<all@example.org>", "nobody", "a@b@c", "", "a@example.org, b@example.org"]
)
def test_no_address_slips_a_command_in(mailer: Smtp, post: Post, address: str) -> None:
    with pytest.raises(RefusedForGood):
        send(mailer, address)
    assert post.recipients == []


@pytest.mark.parametrize("sender", ["", "Phare", "a@b\nc", "a@example.org, b@example.org"])
def test_from_must_be_one_address(sender: str) -> None:
    with pytest.raises(pydantic.ValidationError):
        SmtpSettings.model_validate({"host": "localhost", "from": sender})


def test_troubles_name_no_person(mailer: Smtp, post: Post) -> None:
    post.rcpt.append("550 5.1.1 The account zoe.martin@example.org (Zoe.Martin) is unknown")
    with pytest.raises(Trouble) as refused:
        send(mailer, "zoe.martin@example.org")
    assert "martin" not in repr(refused.value).lower()
