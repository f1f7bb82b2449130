"""What `check --online` says of the domains that e-mails are written under, in words to pass on to who runs them."""

from __future__ import annotations

from collections.abc import Iterator

import idna

from connectors.mail.domain import Dns, Finding, look
from connectors.mail.mailer import Way, mailbox
from connectors.trouble import Trouble
from sync.desk import Desk


def look_at_domains(desk: Desk, sender: str, way: Way, dns: Dns) -> dict[str, dict[str, str]]:
    """Name: state (ok · wrong · unknown) and message, for the domain of the config's `from` and those of templates."""
    senders = [sender, *(template.sender for template in desk.templates[0] if template.sender)]
    domains = dict.fromkeys(_domain(each) for each in senders)
    return {f"@{domain}": _told(desk, domain, way, dns) for domain in domains}


def _domain(sender: str) -> str:
    name = mailbox(sender).domain.lower()
    return name if name.isascii() else idna.encode(name, uts46=True).decode()


def _told(desk: Desk, domain: str, way: Way, dns: Dns) -> dict[str, str]:
    try:
        found = look(dns, domain, way)
    except Trouble as trouble:
        return {"state": "unknown", "message": desk.say(trouble.code, **trouble.facts)}
    wrong = [one for one in found if one.level == "wrong"]
    notes = "".join(f"\n    {desk.say(one.code, **one.facts)}" for one in found if one.level == "note")
    if not wrong:
        return {"state": "ok", "message": desk.say("domain-right") + notes}
    steps = "".join(_step(desk, number, one) for number, one in enumerate(wrong, 1))
    return {"state": "wrong", "message": desk.say("domain-wrong", n=len(wrong), domain=domain) + steps + notes}


def _step(desk: Desk, number: int, one: Finding) -> str:
    return "".join(f"\n    {line}" for line in _lines(desk, number, one))


def _lines(desk: Desk, number: int, one: Finding) -> Iterator[str]:
    yield f"{number}. {desk.say(one.code, **one.facts)}"
    if one.record:
        yield f"   {desk.say('domain-record')}"
        yield f"     {desk.say('domain-record-name', name=one.record[0])}"
        yield f"     {desk.say('domain-record-value', value=one.record[1])}"
