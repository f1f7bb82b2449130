"""Drive around the fake of Google Sheets: any number of spreadsheets, made, listed, copied, exported and thrown away.

Fil rouge asks for nothing of this; gspread's own tests do, each in a spreadsheet of its own.
"""

from __future__ import annotations

import copy
import csv
import io
import json
import re
import secrets
from typing import Any

from tests.fakes.google import FakeGoogle, said
from tests.fakes.google_grid import Document, GridTab
from tests.fakes.google_values import Values
from tests.fakes.server import Request, Response

KIND = "application/vnd.google-apps.spreadsheet"
PRIVATE = "1jIKzPs8LsiZZdLdeMEP-5ZIHw6RkjiOmj1LrJN706Yc"  # somebody else's, in gspread's tests


class FakeDrive(FakeGoogle):
    """`documents` by id. A new one is English, at UTC, with one tab, as for a service account."""

    def __init__(self) -> None:
        super().__init__()
        self.documents = {self.document.id: self.document}
        self.changed = 0

    def _authorised(self, request: Request) -> Response | None:
        named = re.match(r"/(?:v4/spreadsheets|(?:upload/)?drive/v[23]/files)/([\w-]+)", request.path)
        if named and named[1] == PRIVATE:
            return said(403, "PERMISSION_DENIED", "The caller does not have permission")
        if named and named[1] not in self.documents:
            return said(404, "NOT_FOUND", "Requested entity was not found.")
        if named:
            self.document = self.documents[named[1]]
        if request.method != "GET":
            self.changed += 1
        return super()._authorised(request)

    def handle(self, request: Request) -> Response | None:
        if request.path.startswith("/upload/drive/v2/files/"):
            return self._imported(request)
        return super().handle(request)

    def _drive(self, request: Request) -> Response | None:  # noqa: PLR0911  one for each request
        path = re.sub(r"/[\w-]{40,}", "/ID", request.path.removeprefix("/drive/v3/files"))
        verb = f"{request.method} {path}"
        if verb == "POST ":
            return self._made(Document(secrets.token_urlsafe(33)), request.json()["name"])
        if verb == "POST /ID/copy":
            return self._copied(request.json().get("name"))
        if verb == "GET ":
            name = re.search(r'name = "(.*)"', request.one("q"))
            ids = [id_ for id_, one in self.documents.items() if name is None or one.title == name[1]]
            return Response.json({"kind": "drive#fileList", "files": [self._file(id_) for id_ in ids]})
        if verb == "GET /ID":
            return Response.json(self._file(self.document.id))
        if verb == "DELETE /ID":
            del self.documents[self.document.id]
            return Response(204)
        if verb == "GET /ID/export" and request.one("mimeType") == "text/csv":
            return Response(200, self._as_csv().encode(), {"Content-Type": "text/csv"})
        if verb == "GET /ID/comments":
            return Response.json({"comments": []})
        return None

    def _file(self, id_: str) -> dict[str, Any]:
        moment = f"2026-01-02T03:04:{self.changed // 1000 % 60:02}.{self.changed % 1000:03}Z"
        return {
            "id": id_,
            "name": self.documents[id_].title,
            "createdTime": "2026-01-02T03:04:05.000Z",
            "modifiedTime": moment,
        }

    def _made(self, document: Document, name: str) -> Response:
        document.title, document.locale, document.zone = name, "en_US", "Etc/GMT"
        if document.tabs[0].title == "Feuille 1":
            document.tabs = [GridTab.sized(0, "Sheet1")]
        self.documents[document.id] = document
        return Response.json({"kind": "drive#file", "id": document.id, "name": name, "mimeType": KIND})

    def _copied(self, name: str | None) -> Response:
        self.document.undo.clear()
        document = copy.deepcopy(self.document)
        document.id = secrets.token_urlsafe(33)
        return self._made(document, name or f"Copy of {self.document.title}")

    def _as_csv(self) -> str:
        tab, text = self.document.tabs[0], io.StringIO()
        rows = json.loads(Values(self.document, "").answer(_reading(tab.title), f"/{tab.title}").body)["values"]  # type: ignore[union-attr]
        csv.writer(text, lineterminator="\n").writerows(rows)
        return text.getvalue().rstrip("\n")

    def _imported(self, request: Request) -> Response:
        self.document = self.documents[request.path.rpartition("/")[2]]
        rows = list(csv.reader(io.StringIO(request.body.decode())))
        tab = self.document.tabs[0] = GridTab.sized(0, self.document.title)
        self.document.zone = "America/Los_Angeles"
        for line, row in zip(tab.rows, rows, strict=False):
            line.cells = {
                column: {"userEnteredValue": {"stringValue": text}}
                for column, text in zip(tab.columns, row, strict=False)
            }
        return Response.json({"kind": "drive#file", "id": self.document.id})


def _reading(title: str) -> Request:
    return Request("GET", f"/{title}", "", {}, b"")
