"""What the team may write in the config about some of its files, where the guess is not right."""

from __future__ import annotations

from datetime import datetime
from fnmatch import fnmatchcase
from typing import Literal
from zoneinfo import available_timezones

import pydantic

from connectors.files.words import fields


class Rule(pydantic.BaseModel, extra="forbid", frozen=True, populate_by_name=True):
    """Everything is optional: what is not written is guessed from the file."""

    match: str = pydantic.Field("*", description="Which files this is about: `contacts*.csv`, `2026/*`.")
    columns: dict[str, str] = pydantic.Field({}, description="The file's header: our field, or `ignore`.")
    contains: Literal["everything", "new lines"] = pydantic.Field(
        "everything", description="`everything`: a changed file is the new full state. `new lines`: it only adds."
    )
    kind: Literal["orders", "members", "donations", "contacts"] | None = pydantic.Field(
        None, alias="as", description="What the lines are: orders (tickets), members, donations or contacts."
    )
    status: Literal["subscribed", "pending", "unsubscribed", "bounced", "none"] | None = pydantic.Field(
        None, description="Where everybody in these files stands with the newsletter."
    )
    statuses: dict[str, Literal["paid", "pending", "cancelled", "refunded"]] = pydantic.Field(
        {}, description="Words of the status column that are not known yet: `Livré: paid`."
    )
    list: str | None = pydantic.Field(None, description="The name of the newsletter list.")
    series: str | None = pydantic.Field(
        None, description="Files with the same word here are exports of the same thing."
    )
    event: str | None = pydantic.Field(None, description="The event, where the file has no column for it.")
    event_date: datetime | None = pydantic.Field(None, description="When it begins (local): `2026-03-14 15:00`.")
    genre: str | None = pydantic.Field(None, description="The genre of all events in these files.")
    genres: dict[str, str] = pydantic.Field({}, description="A word in the event's title: the genre it tells.")
    timezone: str | None = pydantic.Field(None, description="The time zone of the file's times, if not the house's.")
    currency: str | None = pydantic.Field(None, pattern="^[A-Z]{3}$", description="`EUR`, `CAD` …")
    header: int | None = pydantic.Field(None, ge=1, le=1000, description="The line that holds the headers.")
    separator: Literal[";", ",", "\t", "|"] | None = pydantic.Field(None, description="Between two cells.")
    day_first: bool | None = pydantic.Field(None, description="Whether `04/06/2026` is in June (yes) or in April (no).")
    tab: str | None = pydantic.Field(None, description="The tab of a workbook; otherwise its first visible one.")

    @pydantic.field_validator("columns")
    @classmethod
    def _known_fields(cls, columns: dict[str, str]) -> dict[str, str]:
        if unknown := sorted(set(columns.values()) - fields() - {"ignore"}):
            raise ValueError(f"{unknown[0]}: not one of {', '.join(sorted(fields()))}, ignore")
        return columns

    @pydantic.field_validator("timezone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        if zone is not None and zone not in available_timezones():
            raise ValueError(f"{zone}: no time zone has this name (write for example Europe/Paris)")
        return zone


class Settings(pydantic.BaseModel, extra="forbid", frozen=True):
    """Export files dropped into a folder."""

    folder: str = pydantic.Field(description="Where the export files are, from the folder of config.yaml.")
    files: tuple[Rule, ...] = pydantic.Field((), description="What the guess should know about some files.")
    settle: float = pydantic.Field(
        30, ge=0, description="Seconds that a file must lie still before one that ends in mid-line is read."
    )

    def rule(self, name: str, named: str | None = None) -> Rule:
        """The first rule whose `match` fits the file's path from the folder, or its name alone; or else the one that
        fits the name under which it was first read.
        """
        for path in (name, named or name):
            for rule in self.files:
                if fnmatchcase(path, rule.match) or fnmatchcase(path.rsplit("/", 1)[-1], rule.match):
                    return rule
        return Rule()
