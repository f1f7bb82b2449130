"""What the DNS says of a sender's domain: may our server write for it (SPF), is it signed (DKIM), what shall mailboxes
do with the rest (DMARC). Without all three, Gmail, Yahoo and Outlook put e-mails among the spam or refuse them.

RFC 7208, 6376, 7489 and 9989; the mailboxes' rules for senders of 2024 and 2025.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from connectors.mail.mailer import Way
from connectors.trouble import TryLater

MOST_LOOKUPS = 10  # of one SPF record, RFC 7208 section 4.6.4
ENOUGH = 30  # look-ups after which we stop counting
STRICT = ("quarantine", "reject")
PUBLIC = frozenset(
    ("gmail.com", "googlemail.com", "yahoo.com", "yahoo.fr", "yahoo.ca", "ymail.com", "aol.com", "icloud.com", "me.com",
     "outlook.com", "outlook.fr", "hotmail.com", "hotmail.fr", "hotmail.ca", "live.com", "live.fr", "live.ca", "msn.com",
     "orange.fr", "wanadoo.fr", "free.fr", "sfr.fr", "neuf.fr", "laposte.net", "bbox.fr", "videotron.ca", "bell.net",
     "sympatico.ca", "gmx.com", "gmx.fr", "proton.me", "protonmail.com")
)  # fmt: skip


class Dns(Protocol):
    """`txt` gives the TXT records of a name, none if there are none. Raises `TryLater` when nobody answers."""

    def txt(self, name: str) -> Sequence[str]: ...


class Carrier(NamedTuple):
    """A mail service. `include` is what SPF needs (None: it writes under an address of its own, SPF has no say),
    `selectors` where its DKIM keys stand; none where they are named otherwise for each customer.
    """

    name: str
    hosts: tuple[str, ...]
    include: str | None
    selectors: tuple[str, ...] = ()
    mailboxes: tuple[str, ...] = ()


CARRIERS = (
    Carrier("Brevo", ("brevo.com", "sendinblue.com"), None, ("brevo1", "brevo2", "mail")),
    Carrier("Google", ("gmail.com", "google.com"), "_spf.google.com", ("google",), ("gmail.com", "googlemail.com")),
    Carrier("Microsoft 365", ("office365.com", "outlook.com"), "spf.protection.outlook.com", ("selector1", "selector2"),
            ("outlook.com", "outlook.fr", "hotmail.com", "hotmail.fr", "hotmail.ca", "live.com", "live.fr", "live.ca", "msn.com")),
    Carrier("OVHcloud", ("ovh.net", "ovh.ca"), "mx.ovh.com"),
    Carrier("Gandi", ("gandi.net",), "_mailcust.gandi.net", ("gm1", "gm2", "gm3")),
    Carrier("Infomaniak", ("infomaniak.com", "infomaniak.ch"), "spf.infomaniak.ch"),
    Carrier("Mailjet", ("mailjet.com",), "spf.mailjet.com", ("mailjet",)),
)  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """Something to know of a domain: a code with its facts, and the TXT record (name, value) that would mend it."""

    level: Literal["wrong", "note"]
    code: str
    facts: Mapping[str, str] = field(default_factory=dict)
    record: tuple[str, str] | None = None


def look(dns: Dns, domain: str, way: Way) -> list[Finding]:
    """Everything that is wrong or worth knowing when `domain` writes by this way; nothing is all right."""
    carrier = next((known for known in CARRIERS if _below(way.host, known.hosts)), None)
    if domain in PUBLIC:
        ours = carrier is not None and domain in carrier.mailboxes
        return [Finding("note" if ours else "wrong", "domain-public-own" if ours else "domain-public")]
    spf = _Spf(dns, domain, carrier)
    dkim = list(_dkim(dns, domain, way, carrier))
    signed = not dkim
    return [*spf.findings(), *dkim, *_dmarc(dns, domain, signed=signed)]


def _below(host: str, domains: Sequence[str]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


# --- SPF -----------------------------------------------------------------------------------------------------------


class _Spf:
    def __init__(self, dns: Dns, domain: str, carrier: Carrier | None) -> None:
        self.dns, self.domain, self.carrier = dns, domain, carrier
        self.lookups = 0
        self.included: list[str] = []
        self.dead: dict[str, str] = {}
        """What is referred to and has no SPF record of its own: by which word of ours it is come to."""

    def findings(self) -> Iterator[Finding]:
        records = _spf_records(self.dns.txt(self.domain))
        include = self.carrier.include if self.carrier else None
        name = self.carrier.name if self.carrier else ""
        if not records:
            if self.carrier is None or include:
                value = f"v=spf1 include:{include} ~all" if include else "v=spf1 mx ~all"
                yield Finding("wrong", "domain-spf-missing", {}, (self.domain, value))
            return
        if len(records) > 1:
            yield Finding(
                "wrong", "domain-spf-several", {"n": str(len(records))}, (self.domain, _merged(records, include))
            )
            return
        for term in records[0].lower().split()[1:]:
            self._count(term, term)
        terms = records[0].lower().split()
        if include and include not in self.included:
            mended = _merged(records, include)
            yield Finding("wrong", "domain-spf-carrier", {"carrier": name, "include": include}, (self.domain, mended))
        yield from self._dead_ends(records[0], include)
        if self.lookups > MOST_LOOKUPS:
            services = ", ".join(term.partition(":")[2] for term in terms if term.startswith("include:"))
            yield Finding("wrong", "domain-spf-lookups", {"n": str(self.lookups), "services": services})
        if "+all" in terms or "all" in terms:
            open_to_all = " ".join("~all" if term.lower() in {"+all", "all"} else term for term in records[0].split())
            yield Finding("wrong", "domain-spf-open", {}, (self.domain, open_to_all))

    def _dead_ends(self, record: str, include: str | None) -> Iterator[Finding]:
        """Mailboxes take the whole record for wrong then (RFC 7208, 5.2 and 6.1)."""
        for target, ours in self.dead.items():
            if target == _target(ours):
                less = [term for term in record.split() if term.lower() != ours]
                yield Finding(
                    "wrong", "domain-spf-dead", {"found": target}, (self.domain, _merged([" ".join(less)], include))
                )
            else:
                yield Finding("wrong", "domain-spf-dead-inside", {"found": target, "service": _target(ours)})

    def _count(self, term: str, ours: str) -> None:
        """`ours`: the word of the domain's own record through which this one is come to."""
        name = term.lstrip("+-~?").replace("redirect=", "redirect:").partition(":")[0].partition("/")[0]
        if name not in {"include", "redirect", "a", "mx", "ptr", "exists"}:
            return
        self.lookups += 1
        target = _target(term)
        if name in {"include", "redirect"} and target not in self.included and self.lookups < ENOUGH:
            self.included.append(target)
            records = _spf_records(self.dns.txt(target))
            if len(records) != 1 and "%" not in target:  # what a macro comes to depends on the e-mail
                self.dead[target] = ours
            for inner in records[:1]:
                for each in inner.lower().split()[1:]:
                    self._count(each, ours)


def _target(term: str) -> str:
    """The domain that `include:` or `redirect=` refers to."""
    return term.replace("redirect=", "redirect:").partition(":")[2].rstrip(".")


def _spf_records(texts: Sequence[str]) -> list[str]:
    return [text for text in texts if text.lower().split()[:1] == ["v=spf1"]]


def _merged(records: Sequence[str], include: str | None) -> str:
    """One record that allows what all of them allow, and the include."""
    terms = [term for record in records for term in record.split()[1:]]
    ends = [term for term in terms if term.lower().lstrip("+-~?") == "all" or term.lower().startswith("redirect=")]
    kept = [term for term in dict.fromkeys(terms) if term not in ends]
    if include and f"include:{include}" not in (term.lower() for term in kept):
        kept.append(f"include:{include}")
    return " ".join(["v=spf1", *kept, ends[0] if len(set(ends)) == 1 else "~all"])


# --- DKIM and DMARC --------------------------------------------------------------------------------------------------


def _tags(text: str) -> dict[str, str]:
    parts = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, _, value in parts if name.strip()}


def _dkim(dns: Dns, domain: str, way: Way, carrier: Carrier | None) -> Iterator[Finding]:
    if way.dkim:
        name, value = way.dkim
        found = [_tags(text) for text in dns.txt(name)]
        if not any("p" in tags for tags in found):
            yield Finding("wrong", "domain-dkim-missing", {}, way.dkim)
        elif all(tags.get("p") != _tags(value)["p"] for tags in found):
            yield Finding("wrong", "domain-dkim-differs", {"name": name}, way.dkim)
        elif not _aligned(domain, name.partition("._domainkey.")[2]):
            yield Finding("wrong", "domain-dkim-other", {"domain": domain, "name": name})
    elif carrier is None or not carrier.selectors:
        yield Finding("note", "domain-dkim-unknown", {"host": way.host})
    elif not any(_tags(text).get("p") for each in carrier.selectors for text in dns.txt(f"{each}._domainkey.{domain}")):
        yield Finding("wrong", "domain-dkim-carrier", {"carrier": carrier.name, "domain": domain})


def _aligned(domain: str, signer: str) -> bool:
    """One below the other. (DMARC asks for the same organisation, which no list here knows; this errs on no side that
    would call a good signature wrong but one between two sisters.)
    """
    return domain == signer or domain.endswith(f".{signer}") or signer.endswith(f".{domain}")


def _dmarc(dns: Dns, domain: str, *, signed: bool) -> Iterator[Finding]:
    place, records = _policy_of(dns, domain)
    if not records:
        yield Finding("wrong", "domain-dmarc-missing", {}, (f"_dmarc.{domain}", "v=DMARC1; p=none"))
        return
    if len(records) > 1:
        yield Finding("wrong", "domain-dmarc-several", {"n": str(len(records))}, (f"_dmarc.{place}", records[0]))
        return
    tags = _tags(records[0])
    policy = (tags.get("sp") if place != domain else None) or tags.get("p", "")
    if policy.lower() not in {"none", *STRICT}:
        yield Finding("wrong", "domain-dmarc-wrong", {"found": records[0]}, (f"_dmarc.{place}", "v=DMARC1; p=none"))
    elif policy.lower() in STRICT and not signed:
        yield Finding("wrong", "domain-dmarc-strict", {"policy": policy.lower(), "domain": place})


def _policy_of(dns: Dns, domain: str) -> tuple[str, list[str]]:
    """The nearest name upwards that has a policy (RFC 9989: up to, not including, the last label)."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        place = ".".join(labels[start:])
        records = [text for text in dns.txt(f"_dmarc.{place}") if text.lower().replace(" ", "").startswith("v=dmarc1")]
        if records:
            return place, records
    return domain, []


# --- the real DNS ----------------------------------------------------------------------------------------------------


class SystemDns:
    """Asks as this machine is set up to ask."""

    def __init__(self, seconds: float = 10) -> None:
        self._seconds = seconds
        self._known: dict[str, Sequence[str]] = {}

    def txt(self, name: str) -> Sequence[str]:
        if name not in self._known:
            self._known[name] = self._ask(name)
        return self._known[name]

    def _ask(self, name: str) -> Sequence[str]:
        import dns.exception
        import dns.resolver

        try:
            answer = dns.resolver.resolve(f"{name.rstrip('.')}.", "TXT", lifetime=self._seconds, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.exception.SyntaxError, dns.exception.FormError):
            return ()
        except (dns.exception.DNSException, OSError) as fault:
            raise TryLater("dns-down", detail=type(fault).__name__) from fault
        return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
