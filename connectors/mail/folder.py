"""E-mails as `.eml` files in a folder: nothing leaves the machine, every mail program opens them."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import default
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo

import pydantic

from connectors.mail.mailer import one_mailbox
from connectors.mail.wire import to_bytes
from connectors.source import Setting
from connectors.trouble import TryLater


class FolderSettings(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    folder: str = pydantic.Field(description="The folder for the .eml files; made if it is missing.")
    sender: Annotated[str, pydantic.AfterValidator(one_mailbox)] = pydantic.Field(
        alias="from", description="Who the e-mails come from: Name <name@example.org>."
    )


class Folder:
    """A file a message, named `2026-11-22 on-se-revoit 4f1c9a20b7.eml`: the date, the subject, the Message-ID's mark.

    The same Message-ID is never written twice, whatever its date or subject have become.
    """

    service: ClassVar[str] = "folder"
    Settings: ClassVar[type[pydantic.BaseModel]] = FolderSettings

    def __init__(self, settings: FolderSettings, setting: Setting) -> None:
        self.settings = settings
        self.folder = setting.folder / settings.folder
        self.zone = ZoneInfo(setting.timezone)
        self._marks: set[str] | None = None

    @property
    def sender(self) -> str:
        return self.settings.sender

    @property
    def way(self) -> None:
        return None

    def check(self) -> str:
        with self._disk():
            self.folder.mkdir(parents=True, exist_ok=True)
            probe = self.folder / ".filrouge"
            probe.write_bytes(b"")
            probe.unlink()
        return str(self.folder)

    def ready(self) -> None:
        """Always."""

    def send(self, message: EmailMessage, sender: str, recipient: str) -> str:  # noqa: ARG002  an envelope is for servers
        message_id = str(message["Message-ID"])
        if self.has_sent(message_id):
            return "already there"
        path = self.folder / self._name(message)
        with self._disk():
            self.folder.mkdir(parents=True, exist_ok=True)
            _put(path, to_bytes(message))
        self._known().add(_mark(message_id))
        return path.name

    def has_sent(self, message_id: str) -> bool:
        return _mark(message_id) in self._known()

    def forget(self, address: str) -> int:
        """Delete the files of e-mails to this address; how many comes back."""
        gone = 0
        with self._disk():
            for file in sorted(self.folder.glob("*.eml")):
                head = BytesHeaderParser(policy=default).parsebytes(file.read_bytes())
                if address.casefold() in {one.addr_spec.casefold() for one in getattr(head["To"], "addresses", ())}:
                    file.unlink()
                    gone += 1
        return gone

    def close(self) -> None:
        self._marks = None

    def _known(self) -> set[str]:
        if self._marks is None:
            with self._disk():
                self._marks = {file.stem[-10:] for file in self.folder.glob("[!.]*.eml")}
        return self._marks

    def _name(self, message: EmailMessage) -> str:
        day = parsedate_to_datetime(str(message["Date"])).astimezone(self.zone).date()
        return f"{day.isoformat()} {_slug(str(message['Subject']))} {_mark(str(message['Message-ID']))}.eml"

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            raise TryLater("mail-folder", folder=self.settings.folder, detail=fault.strerror or "?") from fault


def _mark(message_id: str) -> str:
    return blake2b(message_id.encode(), digest_size=5).hexdigest()


def _slug(subject: str) -> str:
    plain = unicodedata.normalize("NFKD", subject).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:50].strip("-") or "mail"


def _put(path: Path, content: bytes) -> None:
    """The whole file or none, even if the power goes."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
