"""What carries e-mails away. One message to one person at a time; the outbox decides which and records the outcome."""

from __future__ import annotations

import re
from email.errors import HeaderParseError, NonASCIILocalPartDefect
from email.headerregistry import Address, AddressHeader
from email.headerregistry import HeaderRegistry as Headers
from email.message import EmailMessage
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple, Protocol, cast

import pydantic
from pydantic_core import PydanticCustomError

from connectors.source import Setting
from connectors.trouble import LogInAgain, Trouble


class RefusedForGood(Trouble):
    """The server said no to this message or address for good (5xx). Do not send it again as it is."""


class RefusedForNow(Trouble):
    """The server said not now (4xx), or could not be reached before the message left. May be tried again."""


class Greylisted(RefusedForNow):
    """The server has every stranger come back later: no sign that it refuses the others."""


class SenderRefused(LogInAgain):
    """The server does not let this sender write, whoever the message is for. Other senders may."""


class AnswerLost(Trouble):
    """The connection broke after the message had left and before the server's word: nobody knows. Never resend alone."""


class Way(NamedTuple):
    """How e-mails leave, as far as the DNS has a say: the server's name, and the DKIM record (name, value) of a key of
    ours.
    """

    host: str
    dkim: tuple[str, str] | None = None


class Mailer(Protocol):
    """Raises the above for one message or sender, `LogInAgain` and `TryLater` when no message can go out at all."""

    service: ClassVar[str]
    Settings: ClassVar[type[pydantic.BaseModel]]

    @property
    def sender(self) -> str:
        """The `from` of the config: `Théâtre du Phare <bonjour@phare.example>`."""
        ...

    @property
    def way(self) -> Way | None:
        """None where nothing leaves the house."""
        ...

    def __init__(self, settings: Any, setting: Setting) -> None: ...

    def check(self) -> str:
        """Reach the server or folder and log in without sending; gives a name to show."""
        ...

    def ready(self) -> None:
        """Wait for one's turn and connect. Called before each `send`: whoever dies here has sent nothing."""
        ...

    def send(self, message: EmailMessage, sender: str, recipient: str) -> str:
        """Hand over one message with this envelope; gives the server's own words or reference."""
        ...

    def has_sent(self, message_id: str) -> bool | None:
        """Did a message with this Message-ID leave here, in this run or an earlier one? None: can't be known."""
        ...

    def close(self) -> None: ...


PLAIN = re.compile(
    r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*@[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.ASCII | re.IGNORECASE
)
"""Nearly every address (RFC 5322, dot-atom): the whole grammar takes a hundred times as long over it."""


@lru_cache(maxsize=1024)
def mailbox(text: str) -> Address:
    """`Name <local@domain>` or a bare address, read by the standard's grammar; ValueError if it is not one mailbox."""
    if PLAIN.fullmatch(text):
        name, _, domain = text.partition("@")
        return Address("", name, domain)
    if any(character in text for character in "\r\n\0"):
        raise ValueError("an address is one line")
    try:
        header = Headers()("To", text)
    except (HeaderParseError, IndexError) as fault:
        raise ValueError("not an address") from fault
    addresses = cast("AddressHeader", header).addresses
    defects = [defect for defect in header.defects if not isinstance(defect, NonASCIILocalPartDefect)]  # RFC 6532
    if len(addresses) != 1 or defects or not (addresses[0].username and addresses[0].domain):
        raise ValueError("not one address")
    return addresses[0]


def one_mailbox(text: str) -> str:
    """For the `from` of a carrier's settings."""
    try:
        mailbox(text)
    except ValueError as fault:
        raise PydanticCustomError("mail-from", "must be one e-mail address, e.g. Name <name@example.org>") from fault
    return text
