"""The real command, many times: one process reads all the code once and forks for each, so that a run costs its own work.

Run as a program it reads a request a line (JSON) and answers with how the command ended. A request may ask for death:
`at` the n-th crossing of a named point (a commit, a file put in its place, an e-mail handed over), `after` seconds, or at the
first crossing of a `point` by its name (`after intent`, `before confirmation` of a batch for the sheet).
"""

from __future__ import annotations

import functools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NoReturn

import rules.mistakes
import rules.words
import sync.cli
import sync.history
import sync.messages
from rules.phrases import grammar_of
from sync.clock import time_zones

CODE = (
    "connectors.mail.folder", "connectors.mail.smtp", "connectors.sheets.excel", "connectors.sources.files", "sync.cli",
    "sync.demonstration", "sync.logs", "sync.report.gather", "sync.report.page", "sync.run", "sync.store.upgrade",
    "sync.explaining",
    "sync.telling",
)  # fmt: skip
FILES = ("replace", "rename", "fsync", "unlink", "mkdir", "link")


@dataclass(frozen=True)
class Ended:
    """`code` is negative for a process that was killed. `points`: the crossings, in order, as far as it came."""

    code: int
    said: str
    erred: str
    seconds: float
    points: list[str] = field(default_factory=list)

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL

    @property
    def facts(self) -> Any:
        return json.loads(self.said)


class Commands:
    """Gives commands to the process that forks."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def __call__(
        self,
        folder: Path,
        *arguments: str,
        at: int | None = None,
        after: float | None = None,
        point: str = "",
        told: bool = False,
    ) -> Ended:
        """`filrouge --config config.yaml …` in a folder; dead at the crossing `at`, at `point`, or `after` seconds."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        request = {
            "folder": str(folder),
            "arguments": arguments,
            "at": at,
            "after": after,
            "point": point,
            "told": told,
        }
        print(json.dumps(request), file=self.process.stdin, flush=True)
        ended = Ended(**json.loads(self.process.stdout.readline()))
        assert "Traceback" not in ended.said + ended.erred, ended.erred
        return ended


@contextmanager
def commands() -> Iterator[Commands]:
    program = [sys.executable, "-m", "tests.thread.forked"]
    env = {**os.environ, "NO_COLOR": "1", "LC_ALL": "fr_FR.UTF-8", "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as process:
        yield Commands(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)


# --- in the process that forks ---------------------------------------------------------------------------------------


class Crossings:
    """Counts the points where something becomes lasting, just before and just after, and dies at the n-th."""

    def __init__(self, at: int | None, book: int | None, point: str = "") -> None:
        self.at, self.book, self.point, self.count = at, book, point, 0

    def cross(self, name: str) -> None:
        self.count += 1
        if self.book is not None:
            os.write(self.book, f"{name}\n".encode())
        if self.count == self.at or name == self.point:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: Any, name: str, shown: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        @functools.wraps(real)
        def watched(*args: Any, **more: Any) -> Any:
            self.cross(f"before {shown}")
            given = real(*args, **more)
            self.cross(f"after {shown}")
            return given

        setattr(owner, name, watched)

    def watch_the_sheet(self) -> None:
        from sync.sheet import land

        self.around(land, "note", "intent")
        self.around(land, "landed", "confirmation")

    def watch(self) -> None:
        from sqlalchemy.engine.default import DefaultDialect

        from connectors.mail.folder import Folder
        from connectors.mail.smtp import Smtp

        self.around(DefaultDialect, "do_commit", "commit")
        for mailer in (Folder, Smtp):
            self.around(mailer, "send", "send")
        self.around(socket.socket, "sendall", "line to the server")
        for name in FILES:
            self.around(os, name, name)


def _everything() -> None:
    """Read all the code and all the words that a run needs. A short past is as good here as in the tests beside."""
    for name in CODE:
        import_module(name)
    for words in (
        rules.words.vocabulary,
        rules.words.meant,
        grammar_of,
        rules.mistakes.messages,
        sync.messages.sentences,
    ):
        for language in sync.messages.LANGUAGES:
            words(language)
    time_zones()
    sync.cli._command()
    sync.history.MONTHS = 2


def _child(request: dict[str, Any], out: IO[bytes], err: IO[bytes], book: int | None) -> NoReturn:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    os.chdir(request["folder"])
    sys.argv = ["filrouge", "--config", "config.yaml", *request["arguments"]]
    if request["at"] is not None or book is not None:
        Crossings(request["at"], book).watch()
    if request["point"]:
        Crossings(None, None, request["point"]).watch_the_sheet()
    from sync.cli import main

    code: Any = 70
    try:
        main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    began = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as book:
        child = os.fork()
        if child == 0:
            _child(request, out, err, book.fileno() if request["told"] else None)
        if request["after"] is not None and signal.sigtimedwait({signal.SIGCHLD}, request["after"]) is None:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        signal.sigtimedwait({signal.SIGCHLD}, 0)
        said, erred, points = (_text(file) for file in (out, err, book))
    seconds = time.monotonic() - began
    code = os.waitstatus_to_exitcode(status)
    return {"code": code, "said": said, "erred": erred, "seconds": seconds, "points": points.splitlines()}


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def _serve(requests: Sequence[str] | IO[str]) -> None:
    _everything()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    for line in requests:
        answer = _answer(json.loads(line))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    _serve(sys.stdin)
