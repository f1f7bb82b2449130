"""A mailbox is read for what is new, and left as it is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.mail.mailbox import AT_ONCE, HEAD, MOST, Mailbox, MailboxSettings, _quoted
from connectors.source import Setting
from connectors.trouble import FixFile, LogInAgain, TryLater
from tests.fakes.imap import Box, server
from tests.fakes.smtp import certificate

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


def mailbox(port: int, home: Path, **more: Any) -> Mailbox:
    told = {
        "host": "127.0.0.1",
        "port": port,
        "user": "bonjour@example.org",
        "password": "pässword",
        "security": "none",
    }
    return Mailbox(MailboxSettings.model_validate({**told, **more}), Setting("mailbox", home, now=lambda: NOW))


def uids(box: Mailbox, cursor: str | None = None) -> tuple[list[int], str | None]:
    found = []
    for batch in box.new(cursor):
        found += [head.uid for head in batch.heads]
        cursor = batch.cursor
    box.close()
    return found, cursor


def letter(n: int, size: int = 0) -> bytes:
    return f"Subject: {n}\r\nFrom: a@example.org\r\n\r\nbody {n} {'x' * size}".encode()


def test_what_is_new_is_read_once_and_nothing_is_touched(tmp_path: Path) -> None:
    box = Box()
    for n in range(AT_ONCE + 5):
        box.put(letter(n))
    box.put(letter(999), datetime(2026, 1, 1, tzinfo=UTC))  # from before the first thirty days
    with server(box) as port:
        ours = mailbox(port, tmp_path)
        found, cursor = uids(ours)
        assert found == list(range(42, 42 + AT_ONCE + 5))
        _, cursor = uids(ours, cursor)
        assert uids(ours, cursor) == ([], cursor)
        new = box.put(letter(1000))
        later, after = uids(ours, cursor)
        assert later == [new]
        assert uids(ours, after) == ([], after)
    assert {asked.split()[0] for asked in box.asked} == {
        "CAPABILITY",
        "AUTHENTICATE",
        "NOOP",
        "EXAMINE",
        "UID",
        "LOGOUT",
    }
    assert not [asked for asked in box.asked if "BODY[" in asked or "STORE" in asked]


def test_a_folder_made_anew_is_read_anew(tmp_path: Path) -> None:
    box = Box()
    box.put(letter(1))
    with server(box) as port:
        ours = mailbox(port, tmp_path)
        _, cursor = uids(ours)
        box.validity += 1
        assert uids(ours, cursor)[0] == [42]


def test_only_the_head_and_then_only_so_much(tmp_path: Path) -> None:
    box = Box()
    uid = box.put(letter(1, 3 * MOST))
    box.put(b"Subject: " + b"y" * (2 * HEAD) + b"\r\n\r\n")
    with server(box) as port:
        ours = mailbox(port, tmp_path)
        (batch,) = ours.new(None)
        assert batch.heads[0].head == b"Subject: 1\r\nFrom: a@example.org\r\n\r\n"
        assert batch.heads[0].at == datetime(2026, 3, 14, 9, tzinfo=UTC)
        assert len(batch.heads[1].head) == HEAD
        assert len(ours.whole(uid)) == MOST
        assert ours.whole(12345) == b""  # somebody deleted it meanwhile
        ours.close()


@pytest.mark.parametrize("plain", [True, False])
def test_a_wrong_password_and_a_wrong_folder_are_for_a_person_to_mend(tmp_path: Path, *, plain: bool) -> None:
    with server(Box(plain=plain, password="plain enough")) as port:
        with pytest.raises(LogInAgain, match="mailbox-login"):
            mailbox(port, tmp_path, password="no").check()
        right = {"password": "plain enough"}
        with pytest.raises(FixFile, match="mailbox-folder"):
            mailbox(port, tmp_path, folder="Retours", **right).check()
        ours = mailbox(port, tmp_path, **right)
        assert ours.check() == "127.0.0.1: INBOX"
        ours.close()


@pytest.mark.parametrize("at", ["AUTHENTICATE", "EXAMINE", "UID SEARCH", "UID FETCH"])
def test_a_connection_that_breaks_is_tried_again_later(tmp_path: Path, at: str) -> None:
    box = Box(drop_at=at)
    box.put(letter(1))
    with server(box) as port:
        ours = mailbox(port, tmp_path)
        with pytest.raises(TryLater) as met:
            uids(ours)
        assert met.value.code == "mailbox-down"
        assert uids(ours)[0] == [42]
    with pytest.raises(TryLater):
        mailbox(port, tmp_path).check()


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_the_way_is_encrypted_and_a_certificate_is_believed_only_if_named(tmp_path: Path, security: str) -> None:
    files = certificate(tmp_path)
    with server(Box(), files, tls=security == "tls") as port:
        ours = mailbox(port, tmp_path, host="localhost", security=security, ca_file="localhost.pem")
        assert ours.check() == "localhost: INBOX"
        ours.close()
        with pytest.raises(TryLater) as met:
            mailbox(port, tmp_path, host="localhost", security=security).check()
    assert met.value.code == "mailbox-certificate"


def test_a_password_goes_in_the_clear_to_this_machine_only() -> None:
    with pytest.raises(ValueError, match="in the clear"):
        MailboxSettings.model_validate({"host": "imap.example.org", "user": "a", "password": "b", "security": "none"})


@pytest.mark.parametrize("told", ["bounces@example.org", "a{id}b{id}@example.org", "{id}"])
def test_an_address_for_bounces_that_tells_nothing(told: str) -> None:
    with pytest.raises(ValueError, match=r"one e-mail address|must hold"):
        MailboxSettings.model_validate({"host": "h", "user": "a", "password": "b", "bounces": told})


def test_folders_are_named_as_imap_writes_them() -> None:
    """RFC 3501, section 5.1.3, and its example."""
    assert _quoted("~peter/mail/台北/日本語") == '"~peter/mail/&U,BTFw-/&ZeVnLIqe-"'
    assert _quoted('Dossiers "à" & co') == '"Dossiers \\"&AOA-\\" &- co"'
