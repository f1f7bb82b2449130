"""What every carrier of e-mails must do. A new one writes `class TestX(MailerContract)` and two fixtures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from typing import ClassVar

import pytest

from connectors.mail.mailer import Mailer
from connectors.mail.wire import put_bodies

SENDER = "bonjour@phare.example"


def letter(number: int = 1, **changes: str) -> EmailMessage:
    message = EmailMessage(policy=policy.SMTP.clone(cte_type="7bit"))
    headers = {
        "From": f"Théâtre du Phare <{SENDER}>",
        "To": f"Zoé Désirée <p{number}@example.org>",
        "Subject": "On se revoit cet été ? 🎭",
        "Date": format_datetime(datetime(2026, 3, 14, 9, tzinfo=UTC)),
        "Message-ID": f"<{number:032x}@phare.example>",
    }
    for name, value in (headers | changes).items():
        message[name] = value
    text = "Bonjour Zoé,\n.\n..caché\nFrom here\n" + "é" * 1500 + "\nÀ bientôt\n"
    put_bodies(message, text, "<p>Bonjour <b>Zoé</b></p>\n")
    return message


class MailerContract(ABC):
    keeps_message_id: ClassVar[bool] = True

    @pytest.fixture
    @abstractmethod
    def mailer(self) -> Mailer:
        """One that works."""

    @abstractmethod
    def arrived(self, mailer: Mailer) -> list[bytes]:
        """Every message that got there, as bytes, in the order of sending."""

    def read(self, mailer: Mailer) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=policy.default) for raw in self.arrived(mailer)]

    def test_a_message_arrives_as_it_was(self, mailer: Mailer) -> None:
        mailer.send(letter(), SENDER, "p1@example.org")
        (got,) = self.read(mailer)
        assert got["Subject"] == "On se revoit cet été ? 🎭"
        assert got["To"].addresses[0].display_name == "Zoé Désirée"
        assert (str(got["Message-ID"]) == f"<{1:032x}@phare.example>") is self.keeps_message_id
        for kind in ("plain", "html"):
            sent, found = letter().get_body((kind,)), got.get_body((kind,))
            assert sent is not None
            assert found is not None
            assert found.get_content().replace("\r\n", "\n") == sent.get_content().replace("\r\n", "\n")

    def test_lines_end_as_the_standard_says(self, mailer: Mailer) -> None:
        mailer.send(letter(), SENDER, "p1@example.org")
        (raw,) = self.arrived(mailer)
        assert b"\r\n" in raw
        assert raw.replace(b"\r\n", b"").count(b"\n") == 0

    def test_many_messages_each_arrive_once(self, mailer: Mailer) -> None:
        for number in range(1, 21):
            mailer.send(letter(number), SENDER, f"p{number}@example.org")
        assert [got["To"].addresses[0].addr_spec for got in self.read(mailer)] == [
            f"p{number}@example.org" for number in range(1, 21)
        ]

    def test_check_and_ready_send_nothing(self, mailer: Mailer) -> None:
        assert mailer.check()
        mailer.ready()
        assert self.arrived(mailer) == []

    def test_it_knows_or_says_that_it_does_not_know(self, mailer: Mailer) -> None:
        mailer.send(letter(1), SENDER, "p1@example.org")
        assert mailer.has_sent(str(letter(1)["Message-ID"])) in {True, None}
        assert mailer.has_sent(str(letter(2)["Message-ID"])) in {False, None}

    def test_closing_twice_is_harmless_and_sending_after_it_works(self, mailer: Mailer) -> None:
        mailer.send(letter(1), SENDER, "p1@example.org")
        mailer.close()
        mailer.close()
        mailer.send(letter(2), SENDER, "p2@example.org")
        assert len(self.arrived(mailer)) == 2

    def test_the_sender_is_that_of_the_settings(self, mailer: Mailer) -> None:
        assert SENDER in mailer.sender

    def test_an_address_with_accents_in_its_domain(self, mailer: Mailer) -> None:
        mailer.send(letter(), SENDER, "zoe@théâtre.example")
        assert len(self.arrived(mailer)) == 1
