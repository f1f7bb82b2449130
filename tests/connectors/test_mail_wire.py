"""What travels: every header reads back as it was meant, by a reader of its own."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.mail.wire import WIRE, beyond_ascii, put_bodies, to_bytes

LINES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200).map(lambda text: " ".join(text.split()))
UNSUBSCRIBE = f"<https://www.phare.example/stop/{'A1b2' * 40}>, <mailto:bonjour@phare.example?subject=STOP%20P1>"


def letter(**headers: str | Address) -> EmailMessage:
    message = EmailMessage(policy=WIRE)
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Été\n", cte="quoted-printable")
    return message


def read(raw: bytes, name: str) -> str:
    return str(make_header(decode_header(unfolded(raw, name))))


def unfolded(raw: bytes, name: str) -> str:
    return str(message_from_bytes(raw)[name]).replace("\r\n", "")


def name_in(raw: bytes, header: str) -> str:
    return str(make_header(decode_header(parseaddr(unfolded(raw, header))[0])))


@given(LINES.filter(bool), LINES, LINES)
@example("50 % =? oui", 'Compagnie "L\'Œil", Théâtre', "a" * 300)
@example("x" * 1200, "Les amis, les vrais " * 9, "Zoé\\")
def test_subjects_and_names_read_back_whole(subject: str, sender: str, reader: str) -> None:
    message = letter(
        Subject=subject, From=Address(sender, "a", "phare.example"), To=Address(reader, "b", "example.org")
    )
    raw = to_bytes(message)
    head = raw.partition(b"\r\n\r\n")[0]
    assert raw.isascii()
    assert read(raw, "Subject") == subject
    assert (name_in(raw, "From"), name_in(raw, "To")) == (sender, reader)
    assert max(map(len, re.findall(rb"=\?\S+\?=", head)), default=0) <= 75
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert to_bytes(message) == raw


@given(st.text(st.characters(exclude_categories=["Cs"])), LINES)
@example("Bonjour\r\rseul\r\n.\n..\nFrom ici \t\n=_filrouge\n--=_filrouge--\n" + "é" * 99, "<p>x</p>")
def test_both_bodies_read_back_and_are_written_as_the_standard_library_would(text: str, html: str) -> None:
    message = EmailMessage(policy=WIRE)
    message["Subject"] = "Été"
    put_bodies(message, text, html)
    raw = to_bytes(message)
    assert raw == message.as_bytes(policy=WIRE)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 76
    assert b"\r" not in raw.replace(b"\r\n", b"")
    read = message_from_bytes(raw, policy=default)
    for kind, words in (("plain", text), ("html", html)):
        body = read.get_body((kind,))
        assert isinstance(body, EmailMessage)
        assert body.get_content() == "".join(f"{line.decode()}\r\n" for line in words.encode().splitlines())


@pytest.mark.parametrize("name", ["List-Unsubscribe", "List-Id", "X-Long"])
def test_what_programs_read_is_never_encoded_or_broken_inside_a_word(name: str) -> None:
    raw = to_bytes(letter(**{name: UNSUBSCRIBE}))
    assert unfolded(raw, name) == UNSUBSCRIBE
    assert f"<https://www.phare.example/stop/{'A1b2' * 40}>,".encode() in raw


@pytest.mark.parametrize("text", ["Coucou\r\nBcc: all@example.org", "a\nb", "a\rb"])
@pytest.mark.parametrize("header", ["Subject", "From", "Reply-To", "List-Unsubscribe"])
def test_no_line_slips_into_a_header(header: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"linefeed|carriage|CR or LF"):
        letter(**{header: text})
    with pytest.raises(ValueError, match=r"CR or LF"):
        letter(From=Address(text, "a", "phare.example"))


@pytest.mark.parametrize("hidden", ["=?utf-8?q?a=0D=0ABcc:_all@example.org?=", "=?utf-8?b?DQpCY2M6IHg=?="])
def test_no_line_slips_in_behind_an_encoded_word(hidden: str) -> None:
    raw = to_bytes(letter(Subject=hidden, From="a@phare.example"))
    assert message_from_bytes(raw)["Bcc"] is None
    assert [line.partition(b":")[0] for line in raw.splitlines()[:2]] == [b"Subject", b"From"]
    with pytest.raises(ValueError, match="CR or LF"):
        letter(From=f"{hidden} <a@phare.example>")


def test_accents_before_the_at_need_a_server_that_carries_them() -> None:
    plain = letter(From="Zoé <zoe@phare.example>", To="a@example.org")
    assert not beyond_ascii(plain, "zoe@phare.example", "a@example.org")
    assert beyond_ascii(plain, "zoe@phare.example", "zoé@example.org")
    odd = letter(From="a@phare.example", Reply_To=Address("", "zoé", "phare.example"))
    assert beyond_ascii(odd)
    assert "zoé@phare.example" in to_bytes(odd).decode()
