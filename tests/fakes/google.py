"""Google Sheets v4, the part of Drive v3 that clients ask, and the token end point, as one server on loopback.

Written from the discovery documents and recorded answers: zeros are left out of ranges (proto3), trailing empties are cut,
an empty range has no `values`, a batchUpdate is applied wholly or not at all, quotas answer 429.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from tests.fakes.google_grid import Dimension, Document, GridTab, Invalid, mask_of, masked
from tests.fakes.google_layout import groups, named, protected, tab_properties
from tests.fakes.google_updates import Updates, metadata
from tests.fakes.google_values import Values, cut, shown
from tests.fakes.server import FakeService, Request, Response

SPREADSHEET = "1fIlRoUgE-contacts_of-the-Phare-0123456789ab"
EMAIL = "fil-rouge@phare-project.iam.gserviceaccount.com"
SCOPE = "https://www.googleapis.com/auth/spreadsheets"
KNOWN = {
    "spreadsheetId", "properties", "sheets", "spreadsheetUrl", "developerMetadata", "namedRanges", "title", "locale",
    "timeZone", "autoRecalc", "defaultFormat", "sheetId", "index", "sheetType", "gridProperties", "rowCount", "columnCount",
    "frozenRowCount", "hidden", "data", "startRow", "startColumn", "rowData", "rowMetadata", "columnMetadata", "values",
    "userEnteredValue", "effectiveValue", "formattedValue", "userEnteredFormat", "effectiveFormat", "numberFormat", "type",
    "pattern", "note", "dataValidation", "merges", "protectedRanges", "protectedRangeId", "range", "unprotectedRanges",
    "warningOnly", "requestingUserCanEdit", "description", "editors", "metadataId", "metadataKey", "metadataValue",
    "location", "visibility", "hiddenByUser", "pixelSize", "replies", "updatedSpreadsheet", "stringValue", "numberValue",
    "boolValue", "formulaValue", "errorValue", "basicFilter", "startRowIndex", "endRowIndex", "startColumnIndex",
    "endColumnIndex", "textFormat", "bold", "message", "tabColorStyle", "rowGroups", "columnGroups",
}  # fmt: skip


@cache
def key_pair() -> tuple[str, Any]:
    """A private key as it stands in a service account's file, and its public half."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode(), key.public_key()


def signed(assertion: str) -> dict[str, Any]:
    """The claims of a JWT, if our key signed it (RS256)."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    head, body, signature = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in assertion.split("."))
    assert json.loads(head)["alg"] == "RS256"
    key_pair()[1].verify(signature, assertion.rpartition(".")[0].encode(), padding.PKCS1v15(), hashes.SHA256())
    claims: dict[str, Any] = json.loads(body)
    return claims


class FakeGoogle(FakeService):
    """`document` is shared with `EMAIL` as editor. What may be set: `role` (writer, reader, none), `enabled` (is the API
    switched on), `office` (an .xlsx that was never converted), `dead` (an `invalid_grant` sentence), `quota` (reads and
    writes a minute each, 0: none) on a clock that is `skipped` seconds ahead. `meanwhile`: (part of a path, what a colleague does just before
    such a request is answered).
    """

    def __init__(self) -> None:
        super().__init__()
        self.document = Document(SPREADSHEET)
        self.role, self.enabled, self.office, self.dead = "writer", True, False, ""
        self.quota, self.skipped = 0, 0.0
        self.meanwhile: list[tuple[str, Callable[[], object]]] = []
        self.tokens: list[str] = []
        self.spent: dict[str, list[float]] = {"Read": [], "Write": []}

    @property
    def account(self) -> dict[str, str]:
        """The JSON file of the service account."""
        return {
            "type": "service_account", "project_id": "phare-project", "private_key_id": "k1",
            "private_key": key_pair()[0], "client_email": EMAIL, "client_id": "1", "token_uri": f"{self.url}/token",
        }  # fmt: skip

    def expire_tokens(self) -> None:
        self.tokens.clear()

    def handle(self, request: Request) -> Response | None:
        if request.path == "/token":
            return self._token(request)
        for entry in [entry for entry in self.meanwhile if entry[0] in request.path]:
            self.meanwhile.remove(entry)
            entry[1]()
            self.document.forget_gone()
        try:
            return self._authorised(request)
        except Invalid as error:
            return said(error.code, error.status, str(error), field=error.field)

    def _authorised(self, request: Request) -> Response | None:  # noqa: PLR0911  one for each refusal
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return said(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        if request.path.startswith("/drive/v3/files"):
            return self._drive(request)
        match = re.fullmatch(r"/v4/spreadsheets/([A-Za-z0-9_-]+)(.*)", request.path, re.DOTALL)
        if match is None:
            return None
        if not self.enabled:
            return said(
                403,
                "PERMISSION_DENIED",
                "Google Sheets API has not been used in project 42 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/sheets.googleapis.com/overview?project=42 then retry.",
                reason="SERVICE_DISABLED",
            )
        writes = request.method == "PUT" or re.search(r":(batchUpdate|append|clear|batchClear)$", match[2]) is not None
        self._spend("Write" if writes else "Read")
        if match[1] != self.document.id:
            return said(404, "NOT_FOUND", "Requested entity was not found.")
        if self.role == "none" or (writes and self.role == "reader"):
            return said(403, "PERMISSION_DENIED", "The caller does not have permission")
        if self.office:
            return said(400, "FAILED_PRECONDITION", "This operation is not supported for this document")
        return self._spreadsheet(request, match[2])

    def _spend(self, kind: str) -> None:
        now = time.monotonic() + self.skipped
        recent = self.spent[kind] = [at for at in self.spent[kind] if at > now - 60]
        if self.quota and len(recent) >= self.quota:
            raise Invalid(
                f"Quota exceeded for quota metric '{kind} requests' and limit '{kind} requests per minute per user' of service 'sheets.googleapis.com' for consumer 'project_number:42'.",
                429,
                "RESOURCE_EXHAUSTED",
            )
        recent.append(now)

    def _token(self, request: Request) -> Response:
        from urllib.parse import parse_qs

        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if self.dead:
            return Response.json({"error": "invalid_grant", "error_description": self.dead}, 400)
        claims = signed(form["assertion"])
        assert (claims["iss"], claims["scope"], claims["aud"]) == (EMAIL, SCOPE, "https://oauth2.googleapis.com/token")
        self.tokens.append(f"ya29.secret-token-{len(self.requests)}")
        return Response.json({"access_token": self.tokens[-1], "expires_in": 3599, "token_type": "Bearer"})

    def _drive(self, request: Request) -> Response | None:
        file = {"kind": "drive#file", "id": self.document.id, "name": self.document.title, "mimeType": "application/vnd.google-apps.spreadsheet",
                "createdTime": "2026-01-02T03:04:05.000Z", "modifiedTime": "2026-01-02T03:04:05.000Z"}  # fmt: skip
        if request.method != "GET":
            return None
        if request.path == "/drive/v3/files":
            return Response.json({"kind": "drive#fileList", "files": [file]})
        return (
            Response.json(file)
            if request.path.endswith(f"/{self.document.id}")
            else said(404, "NOT_FOUND", "File not found.")
        )

    def _spreadsheet(self, request: Request, rest: str) -> Response | None:
        fields = mask_of(request.one("fields")) if request.one("fields") else {}
        unknown = set(_names(fields)) - KNOWN
        if unknown:
            raise Invalid(f"Invalid field selection {min(unknown)}")
        if rest == "" and request.method == "GET":
            ranges = [self.document.resolve(a1) for a1 in request.query.get("ranges", [])]
            return _sized(
                masked(
                    self.whole(ranges or None, grid=bool(fields) or request.one("includeGridData") == "true"), fields
                )
            )
        if rest == ":getByDataFilter" and request.method == "POST":
            body = request.json()
            ranges = [self._filtered(one) for one in body["dataFilters"]]
            return _sized(masked(self.whole(ranges, grid=bool(fields) or body.get("includeGridData", False)), fields))
        if rest == ":batchUpdate" and request.method == "POST":
            return _sized(masked(self._update(request.json(), grid=bool(fields)), fields))
        if rest.startswith("/values") and "fields" not in request.query:
            return Values(self.document, EMAIL).answer(request, rest.removeprefix("/values"))
        return None

    def _filtered(self, filter_: dict[str, Any]) -> tuple[GridTab, dict[str, int]]:
        if "a1Range" in filter_:
            return self.document.resolve(filter_["a1Range"])
        if "gridRange" in filter_:
            return self.document.by_id(filter_["gridRange"].get("sheetId", 0)), filter_["gridRange"]
        for entry in Updates(self.document, EMAIL).matching(filter_):
            if entry.tab is not None and entry.at is None:
                return entry.tab, {"sheetId": entry.tab.id}
        raise Invalid("No range matched the data filters.")

    def _update(self, body: dict[str, Any], *, grid: bool) -> dict[str, Any]:
        if set(body) - {"requests", "includeSpreadsheetInResponse", "responseRanges", "responseIncludeGridData"}:
            raise Invalid("Invalid JSON payload received. Unknown name.")
        replies = Updates(self.document, EMAIL).apply(body["requests"])
        answer: dict[str, Any] = {"spreadsheetId": self.document.id, "replies": replies}
        if body.get("includeSpreadsheetInResponse"):
            ranges = [self.document.resolve(a1) for a1 in body.get("responseRanges", [])]
            answer["updatedSpreadsheet"] = self.whole(
                ranges or None, grid=grid or body.get("responseIncludeGridData", False)
            )
        return answer

    # What is answered

    def whole(self, ranges: list[tuple[GridTab, dict[str, int]]] | None, *, grid: bool) -> dict[str, Any]:
        """The spreadsheet, or the tabs that the ranges touch with the cells of these ranges."""
        document = self.document
        wanted = [tab for tab in document.tabs if ranges is None or any(tab is one for one, _ in ranges)]
        sheets = []
        for tab in wanted:
            mine = [where for one, where in ranges if one is tab] if ranges is not None else [{}]
            sheets.append(self._sheet(tab, mine if grid else []))
        answer = {
            "spreadsheetId": document.id,
            "properties": {
                "title": document.title,
                "locale": document.locale,
                "autoRecalc": "ON_CHANGE",
                "timeZone": document.zone,
            },
            "sheets": sheets,
            "spreadsheetUrl": f"https://docs.google.com/spreadsheets/d/{document.id}/edit",
        }
        own = {
            "developerMetadata": [metadata(entry) for entry in document.metadata if entry.tab is None],
            "namedRanges": [named(one) for one in document.named],
        }
        return answer | {name: things for name, things in own.items() if things}

    def _sheet(self, tab: GridTab, ranges: list[dict[str, int]]) -> dict[str, Any]:
        answer: dict[str, Any] = {"properties": tab_properties(self.document, tab)}
        more = {
            "data": [self._grid(tab, where) for where in ranges],
            "basicFilter": {"range": tab.range_of(tab.filter)} if tab.filter else None,
            "rowGroups": groups(tab, "ROWS"),
            "columnGroups": groups(tab, "COLUMNS"),
            "merges": [tab.range_of(area) for area in tab.merges],
            "protectedRanges": [protected(tab, area, kept, EMAIL) for area, kept in tab.protected],
            "developerMetadata": [
                metadata(entry) for entry in self.document.metadata if entry.tab is tab and entry.at is None
            ],
        }
        return answer | {name: value for name, value in more.items() if value}

    def _grid(self, tab: GridTab, where: dict[str, int]) -> dict[str, Any]:
        top, bottom, left, right = tab.bounds(where)
        rows = [
            cut([shown(tab.cell(row, column), self.document.locale) for column in range(left, right)], {})
            for row in range(top, bottom)
        ]
        rows = cut(rows, [])
        at = {"startRow": top, "startColumn": left}
        answer: dict[str, Any] = {name: place for name, place in at.items() if place}
        answer |= {"rowData": [{"values": row} if row else {} for row in rows]} if rows else {}
        answer["columnMetadata"] = [self._dimension(thing) for thing in tab.columns[left:right]]
        return answer

    def _dimension(self, thing: Dimension) -> dict[str, Any]:
        own = [metadata(entry) for entry in self.document.metadata if entry.at is thing]
        return {"pixelSize": 100, **thing.props} | ({"developerMetadata": own} if own else {})


def said(code: int, status: str, message: str, reason: str = "", field: str = "") -> Response:
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    if field:
        violations = [{"field": field, "description": message}]
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations}]
    if reason:
        error["details"] = [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
        ]
    return Response.json({"error": error}, code)


def _sized(answer: dict[str, Any]) -> Response:
    return Response(
        200, json.dumps(answer, ensure_ascii=False).encode(), {"Content-Type": "application/json; charset=UTF-8"}
    )


def _names(mask: dict[str, Any]) -> list[str]:
    return [name for key, below in mask.items() for name in ([] if key == "*" else [key, *_names(below)])]
