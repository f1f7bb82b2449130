"""What Airtable's fields are, and how a cell looks in each. (airtable.com/developers/web/api/field-model)

Nothing is ever sent with `typecast`: Airtable then changes no value by itself and makes no new option for a choice.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from connectors.sheets.sheet import KEY_HEADER, Cell, Formula, NewColumn

LOT_HEADER = f"{KEY_HEADER} · lot"
KEY, LOT = "key", "lot"
LONGEST = 100_000
"""UTF-16 units of text that a field holds."""
_MARK = re.compile(r"\[filrouge:([\w.-]+)\]")
_LINE_END = re.compile(r"\r\n|\r|\n")
TEXTS = frozenset({"singleLineText", "multilineText", "email", "phoneNumber", "url"})
NUMBERS = frozenset({"number", "currency", "percent", "rating", "duration"})
WRITABLE = TEXTS | NUMBERS | {"date", "dateTime", "checkbox", "singleSelect", "multipleSelects"}
COMPUTED = frozenset({
    "formula", "rollup", "count", "multipleLookupValues", "lookup", "autoNumber", "createdTime", "lastModifiedTime",
    "createdBy", "lastModifiedBy", "button", "manualSort", "aiText", "externalSyncSource",
})  # fmt: skip
KINDS: dict[str, str] = {
    "text": "singleLineText", "number": "number", "money": "currency", "date": "date", "yesno": "checkbox",
}  # fmt: skip
WORDS = {
    "fr": {
        "singleLineText": "texte sur une ligne", "number": "nombre", "currency": "devise", "date": "date",
        "checkbox": "case à cocher",
    },
    "en": {
        "singleLineText": "single line text", "number": "number", "currency": "currency", "date": "date",
        "checkbox": "checkbox",
    },
}  # fmt: skip
_FILLED = {
    "fr": "Rempli par Fil rouge ; peut être renommé ou masqué.",
    "en": "Filled by Fil rouge; may be renamed or hidden.",
}
_SYMBOLS = {"CA": "$", "US": "$", "AU": "$", "GB": "£", "CH": "CHF"}


class Field(msgspec.Struct):
    """A field of a table, as the schema tells it."""

    id: str
    name: str
    type: str
    description: str | None = None
    options: dict[str, Any] | None = None

    @property
    def mark(self) -> str | None:
        """Ours, if the description carries our mark."""
        found = _MARK.search(self.description or "")
        return found[1] if found else None

    @property
    def choices(self) -> list[str]:
        return [choice["name"] for choice in (self.options or {}).get("choices", ())]


class TableOf(msgspec.Struct):
    """A table as the schema tells it, our two narrow fields apart."""

    id: str
    name: str
    fields: list[Field]

    def own(self, mark: str, header: str) -> Field | None:
        """Our field, by its name or, renamed, by its mark; a copy of it carries the mark too, but not the name."""
        named = [field for field in self.fields if field.name == header]
        return next(iter(named or [field for field in self.fields if field.mark == mark]), None)

    @property
    def key(self) -> Field | None:
        return self.own(KEY, KEY_HEADER)

    @property
    def lot(self) -> Field | None:
        return self.own(LOT, LOT_HEADER)

    @property
    def columns(self) -> list[Field]:
        ours = {field.id for field in (self.key, self.lot) if field}
        return [field for field in self.fields if field.id not in ours]


class Schema(msgspec.Struct):
    tables: list[TableOf]


class Unfit(Exception):  # noqa: N818  what is so, not what Python raised
    """This value does not go into this field. `code` and `facts` as in `connectors.trouble`."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


# New fields ---------------------------------------------------------------------------------------------------------


def new_field(column: NewColumn, country: str, language: str) -> dict[str, Any]:
    """A field to be made, as Airtable's API takes it. The mark in its description finds it again when it is renamed."""
    kind = KINDS.get(column.kind, "singleLineText")
    options: dict[str, dict[str, Any]] = {
        "number": {"precision": 0},
        "currency": {"precision": 2, "symbol": _SYMBOLS.get(country, "€")},
        "date": {"dateFormat": {"name": "local"}},
        "checkbox": {"icon": "check", "color": "greenBright"},
    }
    told = f"{_FILLED['fr' if language == 'fr' else 'en']} [filrouge:{column.tag}]"
    made: dict[str, Any] = {"name": column.header, "type": kind, "description": told}
    return made | ({"options": options[kind]} if kind in options else {})


def by_hand(fields: list[dict[str, Any]], language: str) -> str:
    """The fields as a list that a person can go by: « Visites » (nombre)."""
    words = WORDS["fr" if language == "fr" else "en"]
    quote = "« {} » ({})" if language == "fr" else '"{}" ({})'
    return ", ".join(quote.format(field["name"], words[field["type"]]) for field in fields)


# Reading ------------------------------------------------------------------------------------------------------------


def read_cell(field: Field, value: Any, zone: ZoneInfo) -> Cell | Formula:
    """What a field of a record says. What Airtable leaves out is empty; a computed field is a formula of the team."""
    if field.type in COMPUTED:
        options = field.options or {}
        result = Field("", "", str((options.get("result") or {}).get("type", "")))
        return Formula(str(options.get("formula") or field.type), _read(result, value, zone))
    return _read(field, value, zone)


def _read(field: Field, value: Any, zone: ZoneInfo) -> Cell:
    if isinstance(value, str):
        return _read_text(field.type, value, zone) or None
    if isinstance(value, int | float):
        return value if value is not False else None
    return _shown(value) or None


def _read_text(kind: str, text: str, zone: ZoneInfo) -> Cell:
    try:
        if kind == "date":
            return date.fromisoformat(text)
        if kind in ("dateTime", "createdTime", "lastModifiedTime"):
            return datetime.fromisoformat(text).astimezone(zone).replace(tzinfo=None, fold=0)
    except ValueError:
        pass
    return text


def _shown(value: Any) -> str:
    """Options, people, attachments, links, as a person reads them."""
    if isinstance(value, list):
        return ", ".join(_shown(one) for one in value)
    if isinstance(value, dict):
        known = (value.get(name) for name in ("name", "filename", "email", "text", "value", "label"))
        return next((str(text) for text in known if text), "")
    return "" if value is None else str(value)


# Writing ------------------------------------------------------------------------------------------------------------


def write_cell(field: Field, value: Cell, zone: ZoneInfo, language: str) -> tuple[Any, Cell]:
    """A cell as Airtable takes it, and as it will be read back. Raises `Unfit`."""
    if field.type in COMPUTED:
        raise Unfit("sheet-formula")
    if field.type not in WRITABLE:
        raise Unfit("airtable-field-type", type=field.type)
    if value is None or value == "":
        return None, None
    if field.type in TEXTS:
        text = _as_text(field.type, value, language)
        return text, text
    return _WRITERS[field.type](field, value, zone)


def _as_text(kind: str, value: Cell, language: str) -> str:
    if isinstance(value, bool):
        return ("oui" if value else "non") if language == "fr" else ("yes" if value else "no")
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        value = int(value)
    text = value.isoformat(" ") if isinstance(value, datetime) else str(value)
    if kind != "multilineText":
        text = _LINE_END.sub(" ", text)
    length = len(text.encode("utf-16-le", "surrogatepass")) // 2
    if length > LONGEST:
        raise Unfit("sheet-text-too-long", n=length, limit=LONGEST)
    return text


def _number(field: Field, value: Cell, _zone: ZoneInfo) -> tuple[Any, Cell]:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unfit("airtable-needs-number")
    if field.type == "rating":
        most = int((field.options or {}).get("max", 5))
        if value != int(value) or not 0 <= value <= most:
            raise Unfit("airtable-needs-rating", limit=most)
        return (int(value), int(value)) if value else (None, None)
    return value, value


def _day(_field: Field, value: Cell, _zone: ZoneInfo) -> tuple[Any, Cell]:
    if isinstance(value, datetime):
        value = value.date()
    if not isinstance(value, date):
        raise Unfit("airtable-needs-date")
    return value.isoformat(), value


def _moment(_field: Field, value: Cell, zone: ZoneInfo) -> tuple[Any, Cell]:
    if not isinstance(value, date):
        raise Unfit("airtable-needs-date")
    local = value if isinstance(value, datetime) else datetime.combine(value, time())
    exact = local.replace(tzinfo=zone).astimezone(UTC)
    text = exact.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return text, exact.astimezone(zone).replace(tzinfo=None, fold=0)


def _tick(_field: Field, value: Cell, _zone: ZoneInfo) -> tuple[Any, Cell]:
    if not isinstance(value, bool):
        raise Unfit("airtable-needs-tick")
    return value, value or None


def _choice(field: Field, value: Cell, _zone: ZoneInfo) -> tuple[Any, Cell]:
    text = str(value)
    if text not in field.choices:
        raise Unfit("airtable-option-missing", option=text)
    return text, text


def _choices(field: Field, value: Cell, _zone: ZoneInfo) -> tuple[Any, Cell]:
    names = list(dict.fromkeys(name.strip() for name in str(value).split(",") if name.strip()))
    missing = [name for name in names if name not in field.choices]
    if missing:
        raise Unfit("airtable-option-missing", option=", ".join(missing))
    return names, ", ".join(names)


_WRITERS: dict[str, Callable[[Field, Cell, ZoneInfo], tuple[Any, Cell]]] = {
    **dict.fromkeys(NUMBERS, _number),
    "date": _day,
    "dateTime": _moment,
    "checkbox": _tick,
    "singleSelect": _choice,
    "multipleSelects": _choices,
}
