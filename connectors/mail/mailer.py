"""What carries e-mails away. One message to one person at a time; the outbox decides which and records the outcome."""

from __future__ import annotations

from email.message import EmailMessage
from typing import ClassVar, Protocol

import pydantic

from connectors.trouble import Trouble


class RefusedForGood(Trouble):
    """The server said no to this message or address for good (5xx). Do not send it again as it is."""


class RefusedForNow(Trouble):
    """The server said not now (4xx), or could not be reached before the message left. May be tried again."""


class AnswerLost(Trouble):
    """The connection broke after the message had left and before the server's word: nobody knows. Never resend alone."""


class Mailer(Protocol):
    """Raises the three above for one message, `LogInAgain` and `TryLater` when no message can go out at all."""

    service: ClassVar[str]
    Settings: ClassVar[type[pydantic.BaseModel]]

    def check(self) -> str:
        """Reach the server or folder and log in without sending; gives a name to show."""
        ...

    def send(self, message: EmailMessage, sender: str, recipient: str) -> str:
        """Hand over one message with this envelope; gives the server's own words or reference."""
        ...

    def close(self) -> None: ...
