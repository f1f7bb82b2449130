"""What can be set, and what a config without mistakes offers. `sync.configfile` reads `config.yaml` into it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args
from zoneinfo import ZoneInfo

import babel.numbers
import pydantic
from pydantic_core import PydanticCustomError

from connectors import catalog
from connectors.mail.mailbox import Mailbox, MailboxSettings
from connectors.mail.mailer import Mailer, mailbox, one_mailbox
from connectors.sheets.sheet import Sheet
from connectors.source import Setting, Source
from rules.fields import COLUMNS
from rules.mistakes import fold
from rules.words import vocabulary
from sync.clock import Clock
from sync.limits import USUAL_HOURS, Limits
from sync.messages import LANGUAGES
from sync.schedule import Timetable

if TYPE_CHECKING:
    from connectors.webhook import Webhook

OWN_PICTURE = re.compile(r"[^/:<>\"'\\][^:<>\"'\\]*\.(?:png|jpe?g|gif)", re.IGNORECASE)
Strict = pydantic.ConfigDict(extra="forbid", frozen=True)


def _colour(text: str) -> str:
    if not re.fullmatch(r"#?([0-9a-fA-F]{3}){1,2}", text):
        raise PydanticCustomError("config-colour", "must be a colour such as #a8321f")
    digits = text.removeprefix("#").lower()
    return "#" + (digits if len(digits) == 6 else "".join(2 * digit for digit in digits))


def _picture(text: str) -> str:
    if not re.fullmatch(r"https://[^\s<>\"']+", text) and not OWN_PICTURE.fullmatch(text):
        raise PydanticCustomError("config-picture", "must be an image on the web or a file beside the config")
    return text


Colour = Annotated[str, pydantic.AfterValidator(_colour)]


class Colours(pydantic.BaseModel):
    """The organisation's own, for its e-mails. Text stays readable whatever they are: see `sync.followup.look`."""

    model_config = Strict
    accent: Colour = pydantic.Field("#b93a26", description="Buttons, links, the line at the top of e-mails.")
    background: Colour = pydantic.Field("#f4efe8", description="Around the sheet that the e-mail is written on.")


class Organisation(pydantic.BaseModel):
    """Who the service works for."""

    model_config = Strict
    name: str = pydantic.Field(min_length=1, description="As people know it; signs the e-mails.")
    language: Literal["fr", "en"] = pydantic.Field("fr", description="The words of every surface: fr or en.")
    timezone: str = pydantic.Field("Europe/Paris", description="Where days begin, e.g. America/Montreal.")
    country: str = pydantic.Field("FR", description="Two letters: phone numbers, and which law applies to e-mails.")
    currency: str | None = pydantic.Field(None, description="Three letters; the country's own if left out.")
    address: str | None = pydantic.Field(None, description="Postal address; the law wants it in every e-mail.")
    charity: bool | None = pydantic.Field(
        None, description="In Canada: whether it is a registered charity, so that a gift lets it write for two years."
    )
    logo: Annotated[str, pydantic.AfterValidator(_picture)] | None = pydantic.Field(
        None,
        description="Your logo, at the top of e-mails: an https address, or a file beside this one; your name if left out.",
    )
    colours: Colours = pydantic.Field(Colours(), description="Your colours in e-mails.")
    id: str | None = pydantic.Field(None, description="Its name in the database; made from `name` if left out.")

    @property
    def money(self) -> str:
        """The ISO 4217 code of the organisation's currency."""
        return self.currency or babel.numbers.get_territory_currencies(self.country)[-1]

    @property
    def law(self) -> Literal["gdpr", "casl", "casl-charity"]:
        if self.country != "CA":
            return "gdpr"
        return "casl-charity" if self.charity else "casl"

    @property
    def slug(self) -> str:
        return self.id or re.sub(r"[^a-z0-9]+", "-", fold(self.name)).strip("-") or "organisation"


LEAST_SECRET = 32
LEAST_PASSWORD = 12
PUBLIC = re.compile(r"https://[^\s/?#<>@]+(?:/[^\s?#<>]*)?|http://(?:localhost|127\.0\.0\.1)(?::\d+)?/?")


def _public(address: str) -> str:
    if not PUBLIC.fullmatch(address):
        raise PydanticCustomError("web-address", "must be a whole https address, e.g. https://news.example.org")
    return address


def _not_guessed(password: pydantic.SecretStr) -> pydantic.SecretStr:
    if len(password.get_secret_value()) < LEAST_PASSWORD:
        raise PydanticCustomError("web-password", "must have at least 12 characters")
    return password


def _long(secret: pydantic.SecretStr) -> pydantic.SecretStr:
    if len(secret.get_secret_value()) < LEAST_SECRET:
        raise PydanticCustomError("web-secret", "must have at least 32 characters")
    return secret


class Web(pydantic.BaseModel):
    """The page of `filrouge serve`, and the one by which people unsubscribe."""

    model_config = Strict
    host: str = pydantic.Field("127.0.0.1", description="Which address to listen on; 0.0.0.0 in a container.")
    port: int = pydantic.Field(8080, ge=0, le=65535, description="Which port to listen on.")
    address: Annotated[str, pydantic.AfterValidator(_public)] | None = pydantic.Field(
        None, description="Its https address on the web: e-mails then have a link by which people unsubscribe."
    )
    secret: Annotated[pydantic.SecretStr, pydantic.AfterValidator(_long)] | None = pydantic.Field(
        None, description="Seals those links; one is made and kept in the store if left out."
    )
    password: Annotated[pydantic.SecretStr, pydantic.AfterValidator(_not_guessed)] | None = pydantic.Field(
        None, description="Shows the team's page from elsewhere too; seen on this machine only if left out."
    )


def _several(value: object) -> object:
    """One alone may stand without brackets."""
    return [value] if isinstance(value, str) else value


class Hook(pydantic.BaseModel):
    """Another program of the team that rules may tell something."""

    model_config = Strict
    url: str = pydantic.Field(min_length=1, description="Where the messages go; https, unless it is your own network.")
    secret: pydantic.SecretStr = pydantic.Field(description="What signs them: the other side checks with the same one.")
    own_network: bool = pydantic.Field(False, description="Whether the address may be on this machine or your network.")

    @pydantic.model_validator(mode="after")
    def _is_address(self) -> Self:
        ways = ("https://", "http://") if self.own_network else ("https://",)
        if not self.url.startswith(ways) or len(self.url.partition("://")[2]) < 1:
            raise PydanticCustomError("webhook-url", "must be an https address")
        return self


class Staff(pydantic.BaseModel):
    """Who of the team is told after a run."""

    model_config = Strict
    email: Annotated[
        tuple[Annotated[str, pydantic.AfterValidator(one_mailbox)], ...], pydantic.BeforeValidator(_several)
    ] = pydantic.Field((), description="Addresses that get one e-mail a run, with all there is to tell.")
    webhook: str | None = pydantic.Field(None, description="One of `webhooks` that is told the same.")
    digest: Literal["each run", "when needed"] = pydantic.Field(
        "each run",
        description="`each run` that changed something, or `when needed`: something is wrong, waits, or a rule tells it.",
    )

    @property
    def anybody(self) -> bool:
        return bool(self.email or self.webhook)


class Outline(pydantic.BaseModel):
    """The top of the file. The blocks of sources, sheet and mail are read by their own connectors."""

    model_config = Strict
    organisation: Organisation
    sources: Annotated[dict[str, dict[str, Any]], pydantic.Field(min_length=1, repr=False)]
    sheet: dict[str, Any] = pydantic.Field(repr=False)
    mail: dict[str, Any] = pydantic.Field(repr=False)
    rules: str = pydantic.Field("rules/", description="The folder of rules and templates.")
    schedule: str = pydantic.Field("every day at 06:00", description="When `serve` runs: a phrase or a cron line.")
    fresh: int | None = pydantic.Field(
        None, ge=1, description="After how many hours without a good pull a source counts as stale; two periods."
    )
    store: str = pydantic.Field("sqlite:///filrouge.db", description="The database: sqlite:/// or postgresql://.")
    web: Web = Web()
    staff: Staff = Staff()
    webhooks: dict[str, Hook] = pydantic.Field(
        default_factory=dict, description="Other programs that rules may tell something, by a name of your choice."
    )


BESIDE = ("todo", "outbox", "check", "journal")
"""Settings that name a tab beside the people, in the order in which these are written."""


class SheetBlock(pydantic.BaseModel):
    """What every kind of sheet has, beside its own settings."""

    tab: str = pydantic.Field("Contacts", min_length=1, description="The name of the tab.")
    columns: dict[str, str] = pydantic.Field(
        default_factory=dict, description="The team's header: our field. What is not named is the team's alone."
    )
    todo: str | None = pydantic.Field(None, description="A tab for what the team is to do; none if left out.")
    outbox: str | None = pydantic.Field(None, description="A tab of e-mails, where a tick approves; none if left out.")
    check: str | None = pydantic.Field(None, description="A tab of what a person should look at; none if left out.")
    journal: str | None = pydantic.Field(None, description="A tab of what happened and why; none if left out.")

    @property
    def beside(self) -> dict[str, str]:
        """The names of the tabs beside the people, by setting."""
        named = {kind: getattr(self, kind) for kind in BESIDE}
        return {kind: name for kind, name in named.items() if name}


class MailBlock(pydantic.BaseModel):
    """What every carrier of e-mails has, beside its own settings."""

    limits: Limits = pydantic.Field(Limits(), description="How much is written, and when.")
    mailbox: MailboxSettings | None = pydantic.Field(
        None,
        description="The mailbox where bounces, complaints and unsubscribing come in; a person reads it if left out.",
    )


@dataclass(frozen=True)
class Config:
    """A config without mistakes."""

    file: Path
    outline: Outline
    sources: Mapping[str, pydantic.BaseModel]
    sheet: pydantic.BaseModel
    mail: pydantic.BaseModel
    tab: SheetBlock
    post: MailBlock
    timetable: Timetable
    secrets: tuple[str, ...] = field(repr=False, default=())

    @property
    def folder(self) -> Path:
        return self.file.parent

    @property
    def organisation(self) -> Organisation:
        return self.outline.organisation

    @property
    def newsletters(self) -> tuple[str, ...]:
        """The sources that rules can change something in."""
        return tuple(name for name in self.sources if getattr(catalog.source(self.source_type(name)), "writes", ()))

    @property
    def language(self) -> str:
        return self.organisation.language

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.organisation.timezone)

    @property
    def rules_folder(self) -> Path:
        return self.folder / self.outline.rules

    @property
    def columns(self) -> dict[str, str]:
        """The team's header: our field; the usual columns where the config names none."""
        words = vocabulary(self.language)
        usual = {words.shown("fields", name).capitalize(): name for name in USUAL_COLUMNS}
        return {header: field_named(name) or name for header, name in self.tab.columns.items()} or usual

    @property
    def store_url(self) -> str:
        """With the path of a SQLite file made absolute from the config's folder."""
        scheme, slashes, path = self.outline.store.partition(":///")
        if scheme == "sqlite" and path and not Path(path).is_absolute():
            return f"{scheme}{slashes}{self.folder.resolve() / path}"
        return self.outline.store.replace("postgresql://", "postgresql+psycopg://", 1)

    @property
    def freshness(self) -> timedelta:
        """How old a source's last good pull may be before what it feeds counts as unknown."""
        return timedelta(hours=self.outline.fresh) if self.outline.fresh else 2 * self.timetable.period(_ANY_DAY)

    @property
    def limits(self) -> Limits:
        """How much may be written, and when. The usual quiet hours are for what leaves the house."""
        limits = self.post.limits
        if limits.quiet_hours is None and self.outline.mail["type"] != "folder":
            return limits.model_copy(update={"quiet_hours": USUAL_HOURS})
        return limits

    def source_type(self, name: str) -> str:
        return str(self.outline.sources[name]["type"])

    def setting(self, name: str, clock: Clock) -> Setting:
        """What a connector is told of where it runs."""
        who = self.organisation
        return Setting(name, self.folder, who.country, who.timezone, who.language, clock.read)

    def open_source(self, name: str, clock: Clock) -> Source:
        return catalog.source(self.source_type(name))(self.sources[name], self.setting(name, clock))

    def open_sheet(self, clock: Clock) -> Sheet:
        return catalog.sheet(str(self.outline.sheet["type"]))(self.sheet, self.setting("sheet", clock))

    def open_webhook(self, name: str, clock: Clock) -> Webhook | None:
        """The webhook of that name; None if there is none."""
        hook = self.outline.webhooks.get(name)
        if hook is None:
            return None
        from connectors.webhook import Webhook

        secret = hook.secret.get_secret_value()
        return Webhook(name, hook.url, secret, self.setting("webhook", clock), own_network=hook.own_network)

    def open_mailer(self, clock: Clock) -> Mailer:
        return catalog.mailer(str(self.outline.mail["type"]))(self.mail, self.setting("mail", clock))

    @property
    def sender(self) -> str:
        """Who e-mails come from, as the block `mail` says."""
        return str(getattr(self.mail, "sender", ""))

    @property
    def way_back(self) -> str | None:
        """The address whose mail is read by us."""
        if self.post.mailbox is None:
            return None
        named = self.post.mailbox.address or (self.post.mailbox.user if "@" in self.post.mailbox.user else self.sender)
        return mailbox(named).addr_spec

    @property
    def answers_to(self) -> str:
        """The address at which somebody, a person or we, reads what people write back."""
        return self.way_back or mailbox(self.sender).addr_spec

    def open_mailbox(self, clock: Clock) -> Mailbox | None:
        """None where none is named."""
        return Mailbox(self.post.mailbox, self.setting("mailbox", clock)) if self.post.mailbox else None


_ANY_DAY = Clock(ZoneInfo("UTC")).now()
USUAL_COLUMNS = (
    *("first_name", "last_name", "email", "phone", "postcode", "city", "last_visit", "next_visit", "visits"),
    *("spent", "donated", "newsletter", "flags"),
)


def field_named(word: str) -> str | None:
    """The field that a word means: its canonical name, or what the rule language calls it in either language."""
    if word in COLUMNS:
        return word
    known = (vocabulary(lang).find(section, word) for section in ("fields", "sheet_fields") for lang in LANGUAGES)
    return next((name for name in known if name), None)


def walk_settings() -> Iterator[tuple[str, str, pydantic.fields.FieldInfo]]:
    """Every setting there is, as (block, name, field): what `config.example.yaml` and the docs must hold."""
    for model, block in (
        (Organisation, "organisation"),
        (Outline, ""),
        (Web, "web"),
        (Hook, "webhooks"),
        (Staff, "staff"),
        (SheetBlock, "sheet"),
    ):
        yield from ((block, name, info) for name, info in model.model_fields.items())
    yield from (("organisation.colours", name, info) for name, info in Colours.model_fields.items())
    yield from _settings_of("mail", MailBlock)
    for group, find in (("sources", catalog.source), ("sheets", catalog.sheet), ("mailers", catalog.mailer)):
        for name in catalog.names(group):
            yield from _settings_of(f"{group}.{name}", find(name).Settings)


def _settings_of(block: str, model: type[pydantic.BaseModel]) -> Iterator[tuple[str, str, pydantic.fields.FieldInfo]]:
    """A block's settings, with those of the blocks that may stand in it."""
    for name, info in model.model_fields.items():
        yield block, name, info
        for inner in get_args(info.annotation):
            if isinstance(inner, type) and issubclass(inner, pydantic.BaseModel):
                yield from _settings_of(f"{block}.{name}", inner)
