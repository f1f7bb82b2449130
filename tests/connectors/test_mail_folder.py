"""The folder of `.eml` files."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from connectors.mail.folder import Folder, FolderSettings
from connectors.mail.mailer import Mailer
from connectors.source import Setting
from connectors.trouble import TryLater
from tests.connectors.mailer_contract import SENDER, MailerContract, letter


def folder(place: Path) -> Folder:
    settings = FolderSettings.model_validate({"folder": "outbox", "from": f"Théâtre du Phare <{SENDER}>"})
    return Folder(settings, Setting("mail", place))


def files(place: Path) -> list[str]:
    return sorted(file.name for file in (place / "outbox").iterdir())


class TestFolder(MailerContract):
    @pytest.fixture
    def mailer(self, tmp_path: Path) -> Mailer:
        self.place = tmp_path
        return folder(tmp_path)

    def arrived(self, mailer: Mailer) -> list[bytes]:
        found = [path.read_bytes() for path in (self.place / "outbox").glob("*")]
        return sorted(found, key=lambda raw: raw[raw.index(b"Message-ID") :])


def test_a_name_says_when_and_what_and_sorts(tmp_path: Path) -> None:
    folder(tmp_path).send(letter(), SENDER, "p1@example.org")
    (name,) = files(tmp_path)
    assert name.startswith("2026-03-14 on-se-revoit-cet-ete ")
    assert name.endswith(".eml")


def test_the_same_message_is_never_written_twice(tmp_path: Path) -> None:
    folder(tmp_path).send(letter(), SENDER, "p1@example.org")
    later = letter(Date=format_datetime(datetime(2027, 1, 1, tzinfo=UTC)), Subject="Autre objet")
    folder(tmp_path).send(later, SENDER, "p1@example.org")
    assert len(files(tmp_path)) == 1
    assert folder(tmp_path).has_sent(str(letter()["Message-ID"])) is True
    assert folder(tmp_path).has_sent(str(letter(2)["Message-ID"])) is False


def test_a_subject_can_lead_nowhere_else(tmp_path: Path) -> None:
    folder(tmp_path).send(letter(Subject="../../etc/passwd"), SENDER, "p1@example.org")
    folder(tmp_path).send(letter(2, Subject="🎭" * 300), SENDER, "p1@example.org")
    assert len(files(tmp_path)) == 2


def test_a_half_written_file_is_no_mail(tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()
    (tmp_path / "outbox" / ".2026-03-14 on-se-revoit 0123456789.eml.part").write_bytes(b"half")
    assert folder(tmp_path).has_sent("x") is False


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_bytes(b"")
    for use in (folder(tmp_path).check, lambda: folder(tmp_path).send(letter(), SENDER, "p1@example.org")):
        with pytest.raises(TryLater) as trouble:
            use()
        assert trouble.value.code == "mail-folder"
