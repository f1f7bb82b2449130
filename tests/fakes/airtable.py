"""An Airtable base as its Web API describes it: records, schema, paging, limits, refusals; and a team at work in it.

Written from Airtable's reference (list-records, update-multiple-records, field-model, get-base-schema, errors,
rate-limits), not from what our client asks. `tests/real/test_airtable.py` holds its answers to pyairtable's samples.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from tests.fakes.airtable_fields import COMPUTED, NUMBERS, TEXTS, Refusal, cast, taken
from tests.fakes.airtable_formula import CREATED, NotAFormula, matches
from tests.fakes.airtable_team import Grid, Team
from tests.fakes.server import FakeService, Request, Response

TOKEN = "patFakeFakeFake01.0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
BASE = "appFakeFakeFake01"
SCOPES = ("data.records:read", "data.records:write", "schema.bases:read", "schema.bases:write")
MERGEABLE = {"number", "singleLineText", "multilineText", "singleSelect", "multipleSelects", "date"}
NEEDS_OPTIONS = {"number", "currency", "percent", "rating", "duration", "checkbox", "date", "dateTime", "singleSelect"}
CREATABLE = TEXTS | NUMBERS | {"date", "dateTime", "checkbox", "singleSelect", "multipleSelects", "barcode"}
PRIMARY = TEXTS | NUMBERS | {"date", "dateTime", "barcode"}
LISTED = {
    "pageSize", "maxRecords", "offset", "view", "fields[]", "filterByFormula", "returnFieldsByFieldId", "cellFormat",
    "recordMetadata[]", "timeZone", "userLocale",
}  # fmt: skip


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.naps: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds


class FakeAirtable(Team, FakeService):
    """One base. `clock` turns the rate limit on. `month` is how many calls are left this month, None for no limit."""

    def __init__(self, clock: Clock | None = None, scopes: tuple[str, ...] = SCOPES) -> None:
        FakeService.__init__(self)
        Team.__init__(self)
        self.clock, self.scopes = clock, set(scopes)
        self.locked: set[str] = set()
        self.month: int | None = None
        self.before: Callable[[Request], None] | None = None
        self._pages: dict[str, list[str]] = {}
        self._times: list[float] = []
        self._penalty = 0.0

    # --- the API ----------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response | None:
        if self.before:
            self.before(request)
        try:
            self._admit(request)
            return self._route(request, request.path.removeprefix("/v0/").split("/"))
        except Refusal as refusal:
            return refusal.response

    def _admit(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            raise Refusal(401, "AUTHENTICATION_REQUIRED", "Authentication required")
        if self.clock:
            now = self.clock.now
            if now < self._penalty:
                raise Refusal(429, "RATE_LIMIT_REACHED", "Rate limit exceeded. Please try again later")
            self._times = [at for at in self._times if now - at < 1.0] + [now]
            if len(self._times) > 5:
                self._penalty = now + 30
                raise Refusal(429, "RATE_LIMIT_REACHED", "Rate limit exceeded. Please try again later")
        if self.month is not None and "/meta/" not in request.path:
            if self.month <= 0:
                raise Refusal(429, "PUBLIC_API_BILLING_LIMIT_EXCEEDED", "You have exceeded the number of API calls")
            self.month -= 1

    def _route(self, request: Request, steps: list[str]) -> Response | None:  # noqa: PLR0911  one line a kind of call
        match [request.method, *steps]:
            case ["GET", "meta", "whoami"]:
                return Response.json({"id": "usrFakeFakeFake01"})
            case ["GET", "meta", "bases"]:
                shown = {"id": BASE, "name": "Public", "permissionLevel": "create"}
                return Response.json({"bases": [shown] if "schema.bases:read" in self.scopes else []})
            case [method, "meta", "bases", base, "tables", *rest]:
                self._may("schema.bases:read" if method == "GET" else "schema.bases:write", base)
                return self._meta(request, rest)
            case ["GET", base, table]:
                return self._list(request, self._grid(base, table, "read"), _asked(request))
            case ["POST", base, table, "listRecords"]:
                return self._list(request, self._grid(base, table, "read"), _asked_in_body(request))
            case ["GET", base, table, record]:
                grid = self._grid(base, table, "read")
                return Response.json(self._shown(grid, self._record(grid, record), by_id=_by_id(request)))
            case [method, base, table, *one]:
                return self._write(request, self._grid(base, table, "write"), method, one)
        return None

    def _may(self, scope: str, base: str) -> None:
        if scope not in self.scopes or base != BASE:
            raise Refusal(
                403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND",
                "Invalid permissions, or the requested model was not found. Check that both your user and your token "
                "have the required permissions, and that the model names and/or ids are correct.",
            )  # fmt: skip

    def _grid(self, base: str, name: str, act: str) -> Grid:
        self._may(f"data.records:{act}", base)
        found = next((grid for grid in self.grids.values() if name in (grid.id, grid.name)), None)
        if found is None:
            self._may("", "")
            raise AssertionError
        return found

    def _record(self, grid: Grid, record: str) -> dict[str, Any]:
        if record not in grid.records:
            raise Refusal(404, "NOT_FOUND")
        return grid.records[record]

    # --- schema

    def _meta(self, request: Request, rest: list[str]) -> Response | None:
        match [request.method, *rest]:
            case ["GET"]:
                return Response.json({"tables": [_schema(grid) for grid in self.grids.values()]})
            case ["POST"]:
                asked = request.json()
                return Response.json(_schema(self._new_grid(asked["name"], asked["fields"])))
            case ["POST", table, "fields"]:
                return Response.json(self._new_field(self._grid_of(table), request.json()))
            case ["PATCH", table, "fields", name]:
                changed = self._grid_of(table).field(name)
                changed.update({k: v for k, v in request.json().items() if k in ("name", "description")})
                return Response.json(changed)
        return None

    def _grid_of(self, name: str) -> Grid:
        found = next((grid for grid in self.grids.values() if name in (grid.id, grid.name)), None)
        if found is None:
            raise Refusal(404, "MODEL_ID_NOT_FOUND", f'Could not find table "{name}"')
        return found

    def _new_grid(self, name: str, fields: list[dict[str, Any]]) -> Grid:
        if any(grid.name == name for grid in self.grids.values()):
            raise Refusal(422, "DUPLICATE_TABLE_NAME", f'Table name "{name}" already exists')
        if not fields or fields[0]["type"] not in PRIMARY:
            raise Refusal(422, "INVALID_FIELD_TYPE_FOR_PRIMARY", "The first field can't be the primary field")
        grid = Grid(self._id("tbl"), name, [])
        for one in fields:
            self._new_field(grid, one)
        self.grids[grid.id] = grid
        return grid

    def _new_field(self, grid: Grid, asked: dict[str, Any]) -> dict[str, Any]:
        if not asked.get("name") or any(one["name"].casefold() == asked["name"].casefold() for one in grid.fields):
            raise Refusal(422, "DUPLICATE_OR_EMPTY_FIELD_NAME", "Field names must be unique and not empty")
        if asked["type"] not in CREATABLE:
            raise Refusal(422, "UNSUPPORTED_FIELD_TYPE_FOR_CREATE", f"Creating {asked['type']} fields is not supported")
        if asked["type"] in NEEDS_OPTIONS and not asked.get("options"):
            raise Refusal(422, "INVALID_FIELD_TYPE_OPTIONS_FOR_CREATE", "Invalid options")
        if set(asked) - {"name", "type", "description", "options"}:
            raise Refusal(422, "INVALID_REQUEST_UNKNOWN", "Invalid request")
        grid.fields.append({"id": self._id("fld"), **asked})
        return grid.fields[-1]

    # --- reading

    def _list(self, request: Request, grid: Grid, asked: dict[str, Any]) -> Response | None:
        if set(asked) - LISTED - {name for name in asked if name.startswith("sort[")}:
            return None
        for name in asked.get("fields[]", []):
            grid.field(name)
        if request.method == "GET" and len(request.raw_query) + len(request.path) > 16_000:
            return Response.json({"error": {"type": "URL_TOO_LONG", "message": "URL too long"}}, 414)
        rest = self._pages.pop(asked["offset"], None) if asked.get("offset") else self._chosen(grid, asked)
        if rest is None:
            return Response.json({"error": {"type": "LIST_RECORDS_ITERATOR_NOT_AVAILABLE"}}, 422)
        size = int(asked.get("pageSize", 100))
        if not 1 <= size <= 100:
            raise Refusal(422, "INVALID_PAGE_SIZE", "pageSize must be between 1 and 100")
        page, rest = rest[:size], rest[size:]
        there = [grid.records[one] for one in page if one in grid.records]
        by_id = str(asked.get("returnFieldsByFieldId", "")).casefold() in ("1", "true")
        answer: dict[str, Any] = {
            "records": [self._shown(grid, one, by_id=by_id, only=asked.get("fields[]")) for one in there]
        }
        if rest:
            answer["offset"] = f"{self._id('itr')}/{rest[0]}"
            self._pages[answer["offset"]] = rest
        return Response.json(answer)

    def _chosen(self, grid: Grid, asked: dict[str, Any]) -> list[str]:
        """Without `sort` or `view` in an order that means nothing."""
        found = [record for record in grid.records.values() if self._fits(grid, record, asked.get("filterByFormula"))]
        found.sort(key=lambda one: hashlib.md5(one["id"].encode(), usedforsecurity=False).digest())
        if asked.get("view"):
            if asked["view"] not in (grid.view, f"viw{grid.id[3:]}"):
                raise Refusal(422, "VIEW_NAME_NOT_FOUND", f"View {asked['view']} not found")
            found.sort(key=lambda one: grid.order.index(one["id"]))
        for place in sorted({name[5] for name in asked if name.startswith("sort[")}, reverse=True):
            name = grid.field(asked[f"sort[{place}][field]"])["id"]
            down = asked.get(f"sort[{place}][direction]") == "desc"
            found.sort(key=lambda one: str(one["fields"].get(name, "")), reverse=down)
        most = int(asked.get("maxRecords", len(found)))
        return [one["id"] for one in found[:most]]

    def _fits(self, grid: Grid, record: dict[str, Any], formula: str | None) -> bool:
        if not formula:
            return True
        names = {key: one["id"] for one in grid.fields for key in (one["id"], one["name"])}
        values = {name: self._value(grid, record, id_) for name, id_ in names.items()}
        try:
            return matches(formula, record["id"], values | {CREATED: record["createdTime"]})
        except NotAFormula as error:
            raise Refusal(422, "INVALID_FILTER_BY_FORMULA", f"The formula is invalid: {error}") from None

    def _value(self, grid: Grid, record: dict[str, Any], field_id: str) -> Any:
        of = grid.field(field_id)
        if of["type"] in ("createdTime", "lastModifiedTime"):
            return record[of["type"]]
        if of["type"] in COMPUTED:
            return of.get("_value")
        return record["fields"].get(field_id)

    def _shown(
        self, grid: Grid, record: dict[str, Any], *, by_id: bool = False, only: list[str] | None = None
    ) -> dict[str, Any]:
        """Empty values are left out."""
        shown = {}
        for one in grid.fields:
            value = self._value(grid, record, one["id"])
            empty = value is None or value is False or value in ("", [])
            if not empty and (not only or {one["id"], one["name"]} & set(only)):
                shown[one["id"] if by_id else one["name"]] = value
        return {"id": record["id"], "createdTime": record["createdTime"], "fields": shown}

    # --- writing

    def _write(self, request: Request, grid: Grid, method: str, one: list[str]) -> Response | None:
        if method == "DELETE":
            return self._delete(grid, one or request.query.get("records[]", []), single=bool(one))
        if method not in ("POST", "PATCH", "PUT") or len(one) > 1:
            return None
        asked = request.json()
        if set(asked) - {"records", "fields", "typecast", "returnFieldsByFieldId", "performUpsert"}:
            return None
        if one:
            asked = asked | {"records": [{"id": one[0], "fields": asked["fields"]}]}
        records = asked.get("records") or [{"fields": asked.get("fields", {})}]
        if len(records) > 10:
            raise Refusal(422, "INVALID_RECORDS", "A maximum of 10 records can be created per request")
        answer = self._landed(grid, asked, records, method)
        single = bool(one) or "records" not in asked
        return Response.json(answer["records"][0] if single else answer)

    def _landed(self, grid: Grid, asked: dict[str, Any], records: list[dict[str, Any]], method: str) -> dict[str, Any]:
        """All of them or none."""
        typecast, by_id = bool(asked.get("typecast")), bool(asked.get("returnFieldsByFieldId"))
        ready = [self._values(grid, one.get("fields", {}), typecast=typecast) for one in records]
        targets = [self._target(grid, one, asked, method) for one in records]
        made: list[str] = []
        changed: list[str] = []
        shown: list[dict[str, Any]] = []
        for target, values in zip(targets, ready, strict=True):
            record = grid.records[target] if target else self._new_record(grid)
            (changed if target else made).append(record["id"])
            if method == "PUT":
                record["fields"] = {}
            record["fields"].update(values)
            record["lastModifiedTime"] = self._tick()
            shown.append(self._shown(grid, record, by_id=by_id))
        more = {"createdRecords": made, "updatedRecords": changed} if "performUpsert" in asked else {}
        return {"records": shown, **more}

    def _target(self, grid: Grid, one: dict[str, Any], asked: dict[str, Any], method: str) -> str | None:
        if "id" in one:
            if one["id"] not in grid.records:
                raise Refusal(422, "ROW_DOES_NOT_EXIST", f"Record ID {one['id']} does not exist")
            return str(one["id"])
        if method == "POST":
            return None
        names = asked.get("performUpsert", {}).get("fieldsToMergeOn", [])
        if not 1 <= len(names) <= 3:
            raise Refusal(422, "INVALID_REQUEST_UNKNOWN", "Each record needs an id")
        fields = [grid.field(name) for name in names]
        if any(of["type"] not in MERGEABLE for of in fields):
            raise Refusal(422, "INVALID_REQUEST_UNKNOWN", "Field can't be merged on")
        asked_for = self._values(grid, one["fields"], typecast=bool(asked.get("typecast")))
        same = [
            record["id"]
            for record in grid.records.values()
            if all(record["fields"].get(of["id"]) == asked_for.get(of["id"]) for of in fields)
        ]
        if len(same) > 1:
            raise Refusal(422, "INVALID_REQUEST_UNKNOWN", "More than one record matches")
        return same[0] if same else None

    def _values(self, grid: Grid, fields: dict[str, Any], *, typecast: bool) -> dict[str, Any]:
        values = {}
        for name, value in fields.items():
            of = grid.field(name)
            if of["id"] in self.locked:
                message = f'You are not permitted to write cell values in field "{of["name"]}"'
                raise Refusal(403, "INVALID_PERMISSIONS", message)
            if of["type"] in COMPUTED:
                message = f'Field "{of["name"]}" cannot accept a value because the field is computed'
                raise Refusal(422, "INVALID_VALUE_FOR_COLUMN", message)
            values[of["id"]] = taken(of, cast(of, value) if typecast else value, typecast=typecast)
        return values

    def _delete(self, grid: Grid, ids: list[str], *, single: bool) -> Response:
        if len(ids) > 10:
            raise Refusal(422, "INVALID_RECORDS", "A maximum of 10 records can be deleted per request")
        for one in ids:
            self._record(grid, one)
        for one in ids:
            self.delete(grid, one)
        gone = [{"id": one, "deleted": True} for one in ids]
        return Response.json(gone[0] if single else {"records": gone})

    def restart(self) -> None:
        """The servers are exchanged: every reading under way has to begin again."""
        self._pages.clear()

    def rows(self, name: str) -> list[dict[str, Any]]:
        grid = self.grid(name)
        return [self._shown(grid, grid.records[one])["fields"] for one in grid.order]


def _schema(grid: Grid) -> dict[str, Any]:
    fields = [{name: value for name, value in one.items() if name != "_value"} for one in grid.fields]
    view = {"id": f"viw{grid.id[3:]}", "name": grid.view, "type": "grid"}
    return {"id": grid.id, "name": grid.name, "primaryFieldId": fields[0]["id"], "fields": fields, "views": [view]}


def _asked(request: Request) -> dict[str, Any]:
    return {name: values if name.endswith("[]") else values[-1] for name, values in request.query.items()}


def _asked_in_body(request: Request) -> dict[str, Any]:
    body = request.json()
    for place, by in enumerate(body.pop("sort", [])):
        body |= {f"sort[{place}][{name}]": value for name, value in by.items()}
    return {f"{name}[]" if name in ("fields", "recordMetadata") else name: value for name, value in body.items()}


def _by_id(request: Request) -> bool:
    return request.one("returnFieldsByFieldId").casefold() in ("1", "true")
