"""An editor with the real yaml-language-server behind it, spoken to as VS Code does: over stdio."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.real import npm

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
ANSWERS_WITHIN = 60  # seconds
QUIET = 1.5  # seconds without a new verdict, after which the last one stands


def installed() -> Path:
    """The program, after installing it where that was not done yet."""
    return npm.installed(HERE) / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"


class Editor:
    """One folder opened in it. Lines and columns count from 0, as the protocol does."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.process, self.folder, self.last = process, folder, 0
        self.settings: dict[str, Any] = {}
        self.inbox: queue.Queue[dict[str, Any]] = queue.Queue()
        self.ear = threading.Thread(target=self._listen, daemon=True)
        self.ear.start()

    def start(self, settings: dict[str, Any]) -> None:
        root = self.folder.as_uri()
        folders = [{"uri": root, "name": self.folder.name}]
        capabilities = {
            "workspace": {"configuration": True},
            "textDocument": {"completion": {"completionItem": {"snippetSupport": True}}},
        }
        offline = {"schemaStore": {"enable": False}, "validate": True, "hover": True, "completion": True}
        yaml = {name.removeprefix("yaml."): value for name, value in settings.items() if name.startswith("yaml.")}
        self.settings = {"yaml": {**offline, **yaml}}
        self.ask(
            "initialize",
            {"processId": None, "rootUri": root, "workspaceFolders": folders, "capabilities": capabilities},
        )
        self.tell("initialized", {})
        self.tell("workspace/didChangeConfiguration", {"settings": self.settings})

    def open(self, name: str, text: str | None = None) -> list[dict[str, Any]]:
        """Open a file, or something else under its name; gives what is underlined."""
        uri = (self.folder / name).as_uri()
        text = (self.folder / name).read_text("utf-8") if text is None else text
        self.last += 1  # the server keeps what it read of a version
        document = {"uri": uri, "languageId": "yaml", "version": self.last, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})
        return self._verdict(uri)

    def close(self, name: str) -> None:
        self.tell("textDocument/didClose", {"textDocument": {"uri": (self.folder / name).as_uri()}})

    def completions(self, name: str, line: int, column: int) -> list[str]:
        found = self.ask("textDocument/completion", self._place(name, line, column))
        items = found["items"] if isinstance(found, dict) else found
        return [item["label"] for item in items]

    def hover(self, name: str, line: int, column: int) -> str:
        found = self.ask("textDocument/hover", self._place(name, line, column))
        return str(found["contents"]["value"]) if found else ""

    def _place(self, name: str, line: int, column: int) -> dict[str, Any]:
        uri = (self.folder / name).as_uri()
        return {"textDocument": {"uri": uri}, "position": {"line": line, "character": column}}

    # --- the wire -----------------------------------------------------------------------------------------------------

    def ask(self, method: str, params: Any) -> Any:
        self.last += 1
        self._send({"id": self.last, "method": method, "params": params})
        while True:
            message = self.inbox.get(timeout=ANSWERS_WITHIN)
            if message.get("id") == self.last and "method" not in message:
                assert "error" not in message, message
                return message["result"]
            self._obey(message)

    def tell(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def _obey(self, message: dict[str, Any]) -> None:
        if "id" in message and "method" in message:
            asked = message["params"].get("items", []) if message["method"] == "workspace/configuration" else None
            result = None if asked is None else [self.settings.get(item.get("section"), {}) for item in asked]
            self._send({"id": message["id"], "result": result})

    def _verdict(self, uri: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] | None = None
        while True:
            try:
                message = self.inbox.get(timeout=ANSWERS_WITHIN if found is None else QUIET)
            except queue.Empty:
                assert found is not None, "no verdict came"
                return found
            self._obey(message)
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri:
                found = message["params"]["diagnostics"]

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def _listen(self) -> None:
        assert self.process.stdout
        while head := self.process.stdout.readline():
            if head.lower().startswith(b"content-length:"):
                while self.process.stdout.readline().strip():
                    pass
                length = int(head.split(b":")[1])
                if len(body := self.process.stdout.read(length)) == length:  # it may be ended in the middle of a word
                    self.inbox.put(json.loads(body))


@contextmanager
def editor(folder: Path, settings: dict[str, Any]) -> Iterator[Editor]:
    """yaml-language-server with `folder` opened; `settings` as in `.vscode/settings.json`."""
    node = shutil.which("node")
    if not node:
        raise RuntimeError("yaml-language-server needs Node.js, so first: apt-get install --no-install-recommends npm")
    process = subprocess.Popen(
        [node, installed(), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with process:
        one = Editor(process, folder)
        try:
            one.start(settings)
            yield one
        finally:
            process.kill()
            one.ear.join(10)
