"""A real Ghost on a free port of this machine, with a data folder of its own; installed by `install.sh`."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
NEEDED = {"npm": "npm", "make": "make", "g++": "g++", "python3": "python3"}  # by program, its Debian package
STARTS_WITHIN = 120  # seconds: the first start makes the database


def installed() -> Path:
    """The folder with Ghost in it, after installing it where that was not done yet (about 3 minutes)."""
    folder = (Path(os.environ.get("FILROUGE_CACHE") or ROOT / ".cache") / "ghost").resolve()
    missing = [package for program, package in NEEDED.items() if not shutil.which(program)]
    if missing and not any(folder.glob("installed-*")):
        raise RuntimeError(
            f"Ghost is built here, so first: apt-get install --no-install-recommends {' '.join(missing)}"
        )
    done = subprocess.run([HERE / "install.sh", folder], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"Ghost could not be installed:\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}")
    return folder


@contextmanager
def running(data: Path) -> Iterator[str]:
    """Ghost with an empty database in `data`; gives its address and stops it at the end."""
    folder = installed()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with (data / "ghost.log").open("wb") as log:
        process = subprocess.Popen(
            [folder / "node/node_modules/node/bin/node", "index.js"],
            cwd=folder / "package",
            env={**os.environ, **settings(url, port, data, folder)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(url, process, data / "ghost.log")
            yield url
        finally:
            process.terminate()
            process.wait(30)


def settings(url: str, port: int, data: Path, folder: Path) -> dict[str, str]:
    """Ghost's configuration as environment variables: nothing leaves the machine, and nobody has to log in by mail."""
    return {
        "NODE_ENV": "development",
        "url": url,
        "server__host": "127.0.0.1",
        "server__port": str(port),
        "database__client": "better-sqlite3",
        "database__connection__filename": str(data / "ghost.db"),
        "database__useNullAsDefault": "true",
        "paths__contentPath": str(folder / "package/content"),
        "mail__transport": "stub",
        "privacy__useUpdateCheck": "false",
        "privacy__useGravatar": "false",
        "privacy__useRpcPing": "false",
        "privacy__useStructuredData": "false",
        "security__staffDeviceVerification": "false",
        "logging__level": "error",
    }


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    with httpx.Client(transport=httpx.HTTPTransport(retries=0), timeout=5) as http:
        for _ in range(STARTS_WITHIN * 4):
            if process.poll() is not None:
                raise RuntimeError(f"Ghost ended by itself: {log.read_text('utf-8')[-2000:]}")
            try:
                if http.get(f"{url}/ghost/api/admin/site/").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            try:
                process.wait(0.25)
            except subprocess.TimeoutExpired:
                continue
    raise RuntimeError(f"Ghost did not start: {log.read_text('utf-8')[-2000:]}")
