"""One e-mail to one person: headers that mail servers expect, plain text and HTML, nothing from outside interpreted.

Facts: RFC 5322 (form), RFC 2369 and 8058 (List-Unsubscribe), RFC 3834 (Auto-Submitted), Google's help (Feedback-ID).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import blake2b
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import idna
from markupsafe import escape

from connectors.mail.mailer import mailbox
from connectors.mail.wire import WIRE, Inside, put_bodies
from rules.mistakes import fold
from sync.config import Organisation
from sync.followup.consent import Contact, Right, hashed
from sync.followup.fill import Manner, fill
from sync.followup.frame import STOP_LINK, Page, lay_out
from sync.followup.look import look_of
from sync.followup.markdown import write
from sync.followup.pictures import Picture, embed, unpacked
from sync.followup.proof import as_seen
from sync.followup.templates import EDGE_OF_PART, Gap, Template
from sync.followup.tokens import Meant
from sync.followup.typography import typeset
from sync.followup.ways import Ways
from sync.messages import LANGUAGES, say


@dataclass(frozen=True)
class House:
    """Who writes: the organisation, the `from` of its mail settings, and how its readers make it stop (None: a person
    of the team reads their answers). `bounces` is the address to which undelivered e-mails go back, with `{id}` in it.
    """

    organisation: Organisation
    sender: str
    ways: Ways | None = None
    bounces: str | None = None
    logo: Picture | None = None  # where it is a file

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.organisation.timezone)

    @property
    def shown_logo(self) -> str | None:
        """What the page names it by."""
        return self.logo.name if self.logo else self.organisation.logo

    def put(self, message: EmailMessage, text: str, html: str, pictures: Iterable[Picture] = ()) -> None:
        """The bodies of an e-mail, with those pictures in it that it shows."""
        html, shown = embed(html, [*pictures, *([self.logo] if self.logo else [])])
        put_bodies(message, text, html, [Inside(one.mark, one.kind, one.in_base64) for one in shown])

    def returns_to(self, id_: str) -> str | None:
        """Where an e-mail of the outbox goes back to, so that its address tells which one it was."""
        return self.bounces.replace("{id}", id_) if self.bounces else None

    def manner(self, language: str) -> Manner:
        return Manner(language, self.organisation.country, self.organisation.money)

    def ours(self, today: date) -> dict[str, Any]:
        """What merge fields know of the organisation."""
        address = ", ".join((self.organisation.address or "").splitlines())
        return {"house": self.organisation.name, "house_address": address, "today": today}


@dataclass(frozen=True)
class Letter:
    """An e-mail as the person will see it. `empty` are the merge fields of which nothing is known."""

    subject: str
    html: str
    text: str
    empty: tuple[Gap, ...]


class EmptyField(Exception):  # noqa: N818  named like the troubles of a mailer
    """A merge field without a fallback has nothing to say: the reader would find a hole. `letter` is as far as it goes."""

    def __init__(self, letter: Letter) -> None:
        super().__init__(letter.empty[0].field)
        self.letter = letter


def compose(
    person: Contact, template: Template, house: House, now: datetime, *, message_id: str, right: Right
) -> EmailMessage:
    """The e-mail as it goes out. The same arguments give the same bytes.

    Raises `EmptyField`; `jinja2.TemplateError` for a template that `read_templates` would have refused, or whose
    conditions do not fit this person's values; ValueError for an address that is none.
    """
    language = template.language or house.organisation.language
    foot = _Foot.of(person, template, house, right, language)
    letter = _letter(person, template, house, now, foot)
    if letter.empty:
        raise EmptyField(letter)
    message = EmailMessage(policy=WIRE)
    _address(message, person, template, house)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(now.astimezone(house.zone))
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["Feedback-ID"] = _feedback(template, house)
    for header, value in foot.headers.items():
        message[header] = value
    house.put(message, letter.text, letter.html, template.pictures)
    return message


def _letter(person: Contact, template: Template, house: House, now: datetime, foot: _Foot) -> Letter:
    language = template.language or house.organisation.language
    manner, ours = house.manner(language), house.ours(now.astimezone(house.zone).date())
    filled = fill(template.whole, person, manner, ours)
    page, plain = _page(filled.text, house, language, foot)
    html = lay_out(page).replace(STOP_LINK, str(escape(foot.stop_link)))
    gaps = tuple(template.gap(empty) for empty in filled.empty)
    subject = re.sub(r" {2,}", " ", filled.put(page.subject)).strip()
    return Letter(subject, filled.put(html, _escaped), filled.put(plain), gaps)


def _page(whole: str, house: House, language: str, foot: _Foot) -> tuple[Page, str]:
    """The page and the plain text of a template's `whole`, with the marks in it."""
    subject, preview, header, footer, body = (part.strip("\n") for part in whole.split(EDGE_OF_PART))
    said, above, below = (write(words, language) for words in (body, header, footer))
    who = house.organisation
    page = Page(
        language, look_of(who.colours), _line(subject, language), _line(preview, language), said.parts, above.parts,
        below.parts, foot.house, foot.address, foot.why, foot.stop, foot.stop_words, house.shown_logo,
    )  # fmt: skip
    top = "\n\n".join(filter(None, (above.plain, said.plain)))
    return page, "\n".join(filter(None, (f"{top}\n\n-- ", below.plain, foot.plain, "")))


def weigh(template: Template, house: House) -> int:
    """The bytes of HTML of an e-mail with everything in it that any condition may show."""
    language = template.language or house.organisation.language
    foot = _Foot.of({"email": "somebody@example.org"}, template, house, Right(), language)
    return len(lay_out(_page(as_seen(template.whole), house, language, foot)[0]).encode())


def _line(text: str, language: str) -> str:
    return typeset(" ".join(text.split()), language)


def _escaped(value: str) -> str:
    return str(escape(value))


def message_id(salt: str, identity: Mapping[str, Any], sender: str) -> str:
    """The Message-ID of an identity in the outbox: after a crash the same e-mail has the same one.

    `salt` tells two databases apart, so that a new store does not repeat the old one's ids.
    """
    words = "\0".join([salt, *(str(identity[name]) for name in ("org", "rule", "step", "person_id", "occasion"))])
    return f"<{blake2b(words.encode(), digest_size=16).hexdigest()}@{domain_of(sender)}>"


def _feedback(template: Template, house: House) -> str:
    """By what Gmail's postmaster page tells complaints apart: the template, its purpose, and who sends (5 to 15 signs)."""
    name = quote(fold(template.name), safe="").replace("%", "")
    return f"{name[:40]}:{template.purpose}:filrouge:{house.organisation.slug[:15]:-<5}"


def domain_of(sender: str) -> str:
    """The domain that a sender's Message-IDs end with."""
    return _ascii(mailbox(sender).domain)


def _address(message: EmailMessage, person: Contact, template: Template, house: House) -> None:
    message["From"] = _header(mailbox(template.sender or house.sender))
    name = " ".join(str(person.get(field) or "") for field in ("first_name", "last_name")).strip()
    to = mailbox(str(person["email"]))
    message["To"] = _header(Address(" ".join(name.split()), to.username, to.domain))
    if template.reply_to:
        message["Reply-To"] = _header(mailbox(template.reply_to))


def _header(address: Address) -> Address:
    return Address(" ".join(address.display_name.split()), address.username, _ascii(address.domain))


def _ascii(domain: str) -> str:
    try:
        return domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError as fault:
        raise ValueError("not a domain") from fault


@dataclass(frozen=True)
class _Foot:
    """Who writes, why, and how to make it stop."""

    house: str
    address: str
    why: str
    stop: str = ""
    stop_link: str = ""
    stop_words: str = ""
    stop_plain: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, person: Contact, template: Template, house: House, right: Right, language: str) -> _Foot:
        words = language if language in LANGUAGES else house.organisation.language
        name = house.organisation.name
        address = " · ".join((house.organisation.address or "").splitlines())
        why = say(words, f"mail-why-{right.basis or 'consent'}", house=name)
        foot = cls(name, address, typeset(why, words))
        if template.purpose == "service" and house.organisation.law == "gdpr":
            return foot
        way, link, headers = _way(person, template, house, words)
        code = f"mail-{way}" if template.purpose == "marketing" else f"mail-{way}-service"
        stop, stop_words = say(words, code), say(words, f"{code}-words")
        stop, stop_words = typeset(stop, words), typeset(stop_words, words)
        plain = stop if way == "stop" else f"{stop} {link}"
        headers = {**headers, "Precedence": "bulk"}
        return cls(name, address, foot.why, stop, link, stop_words, plain, headers)

    @property
    def plain(self) -> str:
        return "\n".join(line for line in (self.why, self.stop_plain, self.house, self.address) if line)


def _way(person: Contact, template: Template, house: House, language: str) -> tuple[str, str, Mapping[str, str]]:
    """The best way to make it stop: its name among our sentences, its link, and its headers."""
    if house.ways is not None:
        meant = Meant(hashed(str(person.get("email") or "")), template.purpose, person.get("person_id"))
        if link := house.ways.link(meant, language if language != house.organisation.language else ""):
            return "stop-page", link, house.ways.headers(meant)
        if link := house.ways.mailto(meant):
            return "stop-mail", link, house.ways.headers(meant)
    box = mailbox(template.reply_to or template.sender or house.sender)
    subject = f"STOP {person.get('code') or ''}".strip()
    link = f"mailto:{quote(f'{box.username}@{_ascii(box.domain)}', safe='@')}?subject={quote(subject)}"
    return "stop", link, {"List-Unsubscribe": f"<{link}>"}


def page(message: EmailMessage) -> str:
    """The HTML of a composed e-mail with its pictures in it, for previews."""
    part = message.get_body(("html",))
    return "" if part is None else unpacked(str(part.get_content()), message)


def text(message: EmailMessage) -> str:
    """The plain text of a composed e-mail, for previews."""
    part = message.get_body(("plain",))
    return "" if part is None else str(part.get_content())
