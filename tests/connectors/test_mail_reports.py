"""What messages that come back say. The reports were written by a real Postfix; their names were changed."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mail.reports import Complaint, Report, Stop, glance, understand

HERE = Path(__file__).parent / "reports"
REPORTS = {
    "unknown": ("nobody@other.example.org", "failed", "5.1.1"),
    "full": ("full@other.example.org", "failed", "5.2.2"),
    "policy": ("blocked@other.example.org", "failed", "5.7.1"),
    "delayed-down": ("w@down.other.example.org", "delayed", "4.4.1"),
    "delayed-grey": ("grey@other.example.org", "delayed", "4.7.1"),
    "given-up": ("w@down.other.example.org", "failed", "4.4.1"),
    "grey-given-up": ("grey@other.example.org", "failed", "4.7.1"),
}


def raw(name: str) -> bytes:
    return (HERE / f"{name}.eml").read_bytes().replace(b"\n", b"\r\n")


def head(message: bytes) -> bytes:
    return message.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def mail(body: str = "STOP", subtype: str = "plain", **headers: str) -> bytes:
    message = EmailMessage()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body, subtype=subtype)
    return bytes(message)


@pytest.mark.parametrize("name", REPORTS)
def test_delivery_reports(name: str) -> None:
    address, action, status = REPORTS[name]
    assert glance(head(raw(name))).report
    report = understand(raw(name))
    assert isinstance(report, Report)
    assert report.message_id == "<MESSAGE@example.org>"
    (failed,) = report.failed
    assert (failed.addresses, failed.action, failed.status) == (frozenset({address}), action, status)
    assert any(to.startswith("bounces+") for to in report.to)


def test_several_recipients_and_a_status_that_only_the_servers_words_tell() -> None:
    text = raw("unknown").decode()
    block = text[text.index("Final-Recipient") : text.index("Remote-MTA")]
    told = "Final-Recipient: rfc822; a@other.example.org\r\nAction: FAILED\r\nStatus: 5.0.0\r\n"
    told += (
        "Diagnostic-Code: smtp; 550-5.2.1 gone\r\n\r\nFinal-Recipient: rfc822;b@other.example.org\r\nAction: failed\r\n"
    )
    report = understand(text.replace(block, told + "Status: 5.1.2\r\n").encode())
    assert isinstance(report, Report)
    assert [(one.action, one.status) for one in report.failed] == [("failed", "5.2.1"), ("failed", "5.1.2")]


def test_a_complaint_is_one_only_if_it_is_called_so() -> None:
    complaint = understand(raw("complaint"))
    assert isinstance(complaint, Complaint)
    assert (complaint.message_id, complaint.addresses) == ("<MESSAGE@example.org>", frozenset())
    assert understand(raw("complaint").replace(b"Feedback-Type: abuse", b"Feedback-Type: not-spam")) is None


@pytest.mark.parametrize(
    "words",
    ["STOP", "stop.", "Stop merci !", "\n\n  Désinscription  \n", "Unsubscribe me, please", "« STOP »", "désabonnez-moi svp",
     "STOP\n\nLe 14 mars, le Phare a écrit :\n> Bonjour Zoé", "Désinscrire"],
)  # fmt: skip
def test_an_answer_that_begins_with_stop(words: str) -> None:
    answer = mail(
        words, In_Reply_To="<1@example.org>", References="<0@example.org> <1@example.org>", Subject="Re: On se revoit ?"
    )
    assert understand(answer) == Stop("", ["<1@example.org>", "<0@example.org>"])
    page = mail(f"<div dir=ltr>{words.strip()}</div><br>", "html", In_Reply_To="<1@example.org>")
    assert isinstance(understand(page), Stop)


@pytest.mark.parametrize(
    "words",
    [
        "Je ne peux pas m'arrêter, stop",
        "Stop by on Friday?",
        "Bonjour,\nSTOP",
        "Merci !",
        "stopper l'envoi serait dommage",
        "",
    ],
)
def test_other_answers_are_the_teams(words: str) -> None:
    assert understand(mail(words, In_Reply_To="<1@example.org>")) is None


def test_an_answer_by_a_machine_is_no_stop_but_our_own_link_always_is() -> None:
    away = mail("STOP", In_Reply_To="<1@example.org>", Auto_Submitted="auto-replied")
    assert glance(away).answers == ()
    assert understand(away) is None
    link = mail("", Subject="STOP abc-DEF", Auto_Submitted="auto-generated")
    assert glance(link).subject == "abc-DEF"
    assert understand(link) == Stop("abc-DEF", [])


def test_the_teams_own_mail_is_not_looked_into() -> None:
    seen = glance(mail("secret", Subject="Planning de mai", From="marie@example.org"))
    assert (seen.report, seen.subject, list(seen.answers)) == (False, "", [])


HOSTILE = {
    "nothing": b"",
    "no head": b"\r\n\r\nbody",
    "zeros": b"\0" * 1000,
    "a report without its parts": b"Content-Type: multipart/report; report-type=delivery-status\r\n\r\nhello",
    "no boundary": raw("unknown").replace(b"boundary=", b"bound="),
    "cut in the status": raw("unknown")[:1800],
    "a charset that is none": mail("STOP", In_Reply_To="<1@example.org>").replace(b"utf-8", b"x-none-8"),
    "nested": b"".join(b"Content-Type: multipart/report; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000)),
    "a header of a megabyte": b"Subject: STOP " + b"x" * 1_000_000 + b"\r\n\r\n",
    "signs that are no text": mail("STOP").replace(b"STOP", b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_say_nothing(name: str) -> None:
    glance(HOSTILE[name])
    assert not isinstance(understand(HOSTILE[name]), Report | Complaint)


@given(st.sampled_from([*REPORTS, "complaint"]), st.integers(0, 3000), st.binary(max_size=40))
def test_whatever_is_changed_in_a_report_nothing_falls(name: str, place: int, other: bytes) -> None:
    changed = raw(name)[:place] + other + raw(name)[place + len(other) :]
    glance(changed)
    understand(changed)
