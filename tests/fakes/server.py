"""Services played by real HTTP servers on loopback, which refuse what the real one does not know."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True)
class Request:
    """What came in. `query` holds the values as the server decodes them, `raw_query` as they stood in the line. Names of
    `headers` are in small letters.
    """

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(self.raw_query, keep_blank_values=True)

    def one(self, name: str, default: str = "") -> str:
        """The last value of a query parameter, as most servers take it."""
        return self.query.get(name, [default])[-1]

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Response:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, status: int = 200, **headers: str) -> Response:
        """`headers` with _ for - in their names."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        body = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
        return cls(status, body, {"Content-Type": "application/json", **named})

    @classmethod
    def html(cls, text: str = "<html><body>Log in</body></html>", status: int = 200) -> Response:
        return cls(status, text.encode(), {"Content-Type": "text/html; charset=utf-8"})


@dataclass
class Fault:
    """Something that goes wrong `times` times with requests whose path holds `path`, after `skip` that go well.

    With `status`: that answer, with `headers` and `body`. `drop`: the connection ends without a word. `cut`: the body
    ends at half though its length was told. `cut_json`: half the body, its length told right. `html`: a log-in page
    with 200. `slow`: seconds between the halves of the body.
    """

    path: str = ""
    method: str = ""
    times: int = 1
    skip: int = 0
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    drop: bool = False
    cut: bool = False
    cut_json: bool = False
    html: bool = False
    slow: float = 0.0
    seen: int = 0

    def strikes(self, request: Request) -> bool:
        if self.times <= 0 or self.path not in request.path or self.method not in ("", request.method):
            return False
        self.seen += 1
        if self.seen <= self.skip:
            return False
        self.times -= 1
        return True


class FakeService:
    """A service on 127.0.0.1: `with FakeX() as fake: … fake.url`.

    A subclass answers in `handle`; None means that the real service has no such thing: 501, and the test fails at the
    end of the block. `requests` is everything asked, `faults` what shall go wrong next. `lock` is held while handling.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.unknown: list[str] = []
        self.faults: list[Fault] = []
        self.lock = threading.RLock()
        self.connections: set[socket.socket] = set()
        self._server = _Server(self)

    def handle(self, request: Request) -> Response | None:
        raise NotImplementedError

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def fail(self, **fault: Any) -> Fault:
        """Have something go wrong: `fake.fail(status=429, headers={"Retry-After": "3"})`."""
        made = Fault(**fault)
        self.faults.append(made)
        return made

    def hang_up_idle(self) -> None:
        """Close every open connection, as servers do after some idle seconds."""
        for connection in list(self.connections):
            connection.shutdown(socket.SHUT_RDWR)

    def answer(self, request: Request) -> tuple[Response, Fault | None]:
        with self.lock:
            self.requests.append(request)
            fault = next((fault for fault in self.faults if fault.strikes(request)), None)
            if fault and fault.status:
                return Response(fault.status, fault.body, {"Content-Type": "application/json", **fault.headers}), fault
            if fault and fault.html:
                return Response.html(), fault
            return self._known(request), fault

    def _known(self, request: Request) -> Response:
        try:
            response = self.handle(request)
        except Exception as error:  # noqa: BLE001  told at the end of the block, where the test sees it
            self.unknown.append(f"{request.method} {request.path}?{request.raw_query}: {error!r}")
            return Response.json({"detail": "the fake broke"}, 501)
        if response is None:
            self.unknown.append(f"{request.method} {request.path}?{request.raw_query}")
            return Response.json({"detail": "unknown to the fake"}, 501)
        return response

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        if kind is None:
            assert not self.unknown, f"the service was asked what it does not know: {self.unknown}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 32

    def __init__(self, service: FakeService) -> None:
        self.service = service
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 10
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.service.connections.add(self.connection)

    def finish(self) -> None:
        self.server.service.connections.discard(self.connection)
        super().finish()

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(
            self.command,
            unquote(parts.path),
            parts.query,
            {key.lower(): text for key, text in self.headers.items()},
            body,
        )
        response, fault = self.server.service.answer(request)
        if fault and fault.drop:
            self._hang_up()
            return
        self._say(response, fault)

    def _say(self, response: Response, fault: Fault | None) -> None:
        body = response.body
        half = len(body) // 2
        if fault and fault.cut_json:
            body = body[:half]
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault and fault.cut:
            self.wfile.write(body[:half])
            self._hang_up()
        elif fault and fault.slow:
            self.wfile.write(body[:half])
            self.wfile.flush()
            threading.Event().wait(fault.slow)
            self.wfile.write(body[half:])
        else:
            self.wfile.write(body)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve  # noqa: N815  http.server calls them so

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  http.server names it so
        """The tests read `requests` instead."""
