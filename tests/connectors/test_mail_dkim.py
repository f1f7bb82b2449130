"""DKIM signatures, read by the library that others verify with (dkimpy): an implementation of its own."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from email import message_from_bytes
from functools import cache
from pathlib import Path

import dkim
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mail.dkim import DkimSettings, Signer
from connectors.mail.smtp import Smtp, SmtpSettings
from connectors.mail.wire import to_bytes
from connectors.source import Setting
from tests.connectors.mailer_contract import SENDER, letter
from tests.fakes.smtp import Post, server

KINDS = ("rsa", "ed25519")


@cache
def key(kind: str, *options: str) -> str:
    way = options or (("-pkeyopt", "rsa_keygen_bits:2048") if kind == "rsa" else ())
    made = subprocess.run(["openssl", "genpkey", "-algorithm", kind, *way], capture_output=True, check=True)
    return made.stdout.decode()


def signer(kind: str = "rsa") -> Signer:
    settings = DkimSettings.model_validate({"selector": "filrouge", "key": key(kind)})
    return Signer(settings, "phare.example")


def holds(raw: bytes, ours: Signer) -> bool:
    """With the record that the domain's owner is told to publish."""
    records = {f"{ours.name}.".encode(): ours.record.encode()}
    return bool(dkim.verify(raw, dnsfunc=lambda name, **_: records.get(name)))


@pytest.mark.parametrize("kind", KINDS)
def test_the_signature_holds(kind: str) -> None:
    ours = signer(kind)
    message = letter(1, **{"List-Unsubscribe": f"<https://phare.example/{'x' * 200}>", "Feedback-ID": "a:b:c:phare"})
    raw = ours.sign(to_bytes(message))
    assert holds(raw, ours)
    assert max(map(len, raw.partition(b"\r\n\r\n")[0].split(b"\r\n"))) < 300
    assert re.search(r"a=(\S+);", raw.decode()) is not None
    assert raw == ours.sign(to_bytes(message))


@given(st.lists(st.sampled_from(["a", " ", "  ", "\t", "\r\n", "é", "=", ".", "x" * 200])).map("".join))
def test_it_holds_whatever_spaces_and_empty_lines_the_body_has(body: str) -> None:
    ours = signer("ed25519")
    head = b"From: a@phare.example\r\nSubject:  two  spaces\r\n\tand a fold \r\nTo: b@example.org\r\n\r\n"
    raw = ours.sign(head + body.encode() + b"\r\n")
    assert holds(raw, ours)
    assert holds(raw.replace(b"two  spaces", b"two spaces"), ours)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"Bonjour", b"Bonsoir"), (b"To: ", b"To: x"), (b"\r\nTo: ", b"\r\nReply-To: evil@example.org\r\nTo: "),
     (b"\r\nTo: ", b"\r\nFrom: evil@example.org\r\nTo: "), (b"unsubscribe", b"subscribe")],
)  # fmt: skip
def test_what_was_changed_on_the_way_is_found(old: bytes, new: bytes) -> None:
    ours = signer()
    raw = ours.sign(to_bytes(letter(1, **{"List-Unsubscribe": "<https://phare.example/unsubscribe>"})))
    head, _, body = raw.partition(b"\r\n\r\n")
    at = raw.index(old, raw.index(b"\r\nFrom: "))
    assert not holds(raw[:at] + raw[at:].replace(old, new, 1), ours)
    assert holds(head + b"\r\n\r\n" + body, ours)


def test_both_unsubscribe_headers_are_signed_as_one_click_asks() -> None:
    one_click = {"List-Unsubscribe": "<https://phare.example/u>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    signed = str(message_from_bytes(signer().sign(to_bytes(letter(1, **one_click))))["DKIM-Signature"])
    names = re.sub(r"\s", "", signed).partition("h=")[2].partition(";")[0].split(":")
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(names)
    assert names.count("from") == 2


@pytest.fixture
def post() -> Iterator[tuple[Post, int]]:
    post = Post()
    with server(post, enable_SMTPUTF8=True) as port:
        yield post, port


@pytest.mark.parametrize("recipient", ["p1@example.org", "zoé@example.org"])
def test_what_arrives_through_smtp_is_signed(post: tuple[Post, int], recipient: str, tmp_path: Path) -> None:
    told = {"host": "localhost", "port": post[1], "security": "none", "from": f"Théâtre du Phare <{SENDER}>"}
    block = {"selector": "filrouge", "key": key("rsa")}
    mailer = Smtp(SmtpSettings.model_validate(told | {"dkim": block}), Setting("mail", tmp_path))
    mailer.send(letter(), SENDER, recipient)
    mailer.close()
    (raw,) = post[0].arrived
    assert holds(raw, signer())
    assert "PRIVATE" not in repr(mailer.settings)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"key": "hunter2"}, "dkim-key"),
        ({"key": key("rsa", "-pkeyopt", "rsa_keygen_bits:768")}, "dkim-key"),
        ({"key": key("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")}, "dkim-key"),
        ({"key": key("rsa", "-pkeyopt", "rsa_keygen_bits:1024", "-aes128", "-pass", "pass:x")}, "dkim-key"),
        ({"selector": "fil rouge"}, "dkim-name"),
        ({"selector": "a; b=c"}, "dkim-name"),
        ({"domain": "phare.example\r\nBcc: x"}, "dkim-name"),
    ],
)
def test_what_is_no_key_or_name_is_told(changes: dict[str, str], code: str) -> None:
    with pytest.raises(pydantic.ValidationError) as wrong:
        DkimSettings.model_validate({"selector": "filrouge", "key": key("rsa")} | changes)
    assert wrong.value.errors()[0]["type"] == code
    assert "hunter2" not in str(wrong.value.errors()[0]["msg"])
