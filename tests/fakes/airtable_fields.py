"""What Airtable's fields take and keep, and how it refuses the rest. (airtable.com/developers/web/api/field-model)"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

from tests.fakes.server import Response

TEXTS = {"singleLineText", "multilineText", "richText", "email", "phoneNumber", "url"}
NUMBERS = {"number", "currency", "percent", "duration", "rating"}
COMPUTED = {
    "formula", "rollup", "count", "multipleLookupValues", "autoNumber", "createdTime", "lastModifiedTime", "createdBy",
    "lastModifiedBy", "button", "aiText",
}  # fmt: skip


class Refusal(Exception):  # noqa: N818  an answer, not an error of the fake
    def __init__(self, status: int, kind: str, message: str = "") -> None:
        super().__init__(kind)
        self.response = Response.json({"error": {"type": kind, "message": message} if message else kind}, status)


def taken(of: dict[str, Any], value: Any, *, typecast: bool) -> Any:  # noqa: C901  one line a type of field
    """The value as the field keeps it. Raises `Refusal` where it can't hold it."""
    kind, right = of["type"], True
    if value in (None, "", []):
        return None
    if kind in TEXTS:
        right = isinstance(value, str) and len(value.encode("utf-16-le", "surrogatepass")) <= 200_000
    elif kind in NUMBERS:
        right = isinstance(value, int | float) and not isinstance(value, bool)
        if kind == "rating":
            right = right and 1 <= value <= of.get("options", {}).get("max", 5) and value == int(value)
    elif kind == "checkbox":
        right = isinstance(value, bool)
    elif kind == "date":
        return _day(of, value)
    elif kind == "dateTime":
        return _moment(of, value)
    elif kind in ("singleSelect", "multipleSelects"):
        return _options(of, value, typecast=typecast)
    elif kind == "multipleRecordLinks":
        right = isinstance(value, list) and all(re.fullmatch(r"rec\w{14}", str(one)) for one in value)
    if not right:
        raise _not_accepted(of)
    return value


def cast(of: dict[str, Any], value: Any) -> Any:
    """What `typecast` makes of it, as well as can be."""
    if of["type"] in TEXTS and isinstance(value, int | float):
        return str(value)
    if of["type"] in NUMBERS and isinstance(value, str):
        found = re.search(r"-?\d+(\.\d+)?", value)
        return float(found[0]) if found else None
    if of["type"] == "checkbox" and isinstance(value, str):
        return value.casefold() in ("true", "checked", "1")
    if of["type"] == "multipleSelects" and isinstance(value, str):
        return [name.strip() for name in value.split(",")]
    return value


def _not_accepted(of: dict[str, Any]) -> Refusal:
    return Refusal(422, "INVALID_VALUE_FOR_COLUMN", f'Field "{of["name"]}" cannot accept the provided value')


def _day(of: dict[str, Any], value: Any) -> str:
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        raise _not_accepted(of) from None


def _moment(of: dict[str, Any], value: Any) -> str:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        raise _not_accepted(of) from None
    return (
        (at if at.tzinfo else at.replace(tzinfo=UTC))
        .astimezone(UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def _options(of: dict[str, Any], value: Any, *, typecast: bool) -> Any:
    names: Any = value if of["type"] == "multipleSelects" else [value]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _not_accepted(of)
    choices = of.setdefault("options", {}).setdefault("choices", [])
    for name in names:
        if name not in [choice["name"] for choice in choices]:
            if not typecast:
                message = f'Insufficient permissions to create new select option ""{name}""'
                raise Refusal(422, "INVALID_MULTIPLE_CHOICE_OPTIONS", message)
            choices.append({"id": f"sel{len(choices):014d}", "name": name, "color": "blueLight2"})
    return value
