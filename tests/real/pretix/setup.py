"""A real pretix on this machine, from PyPI: no container, no redis, no node. Nothing of it ships with Fil rouge.

    python tests/real/pretix/setup.py        # install and seed, into .cache/pretix (0.5 GB) or $FILROUGE_CACHE/pretix

The test starts it with `running()`: a fresh copy of the seeded database each time, on a free port of loopback.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

VERSION = "2026.8.0"
ORDERS = 80
HERE = Path(__file__).parent
ROOT = HERE.parents[2]
# Mails stay in memory, tables come straight from the models (as in pretix' own tests), SQLite need not survive a crash.
LOCAL_SETTINGS = """
import os
from pretix.settings import *
EMAIL_BACKEND = EMAIL_CUSTOM_SMTP_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
DATABASES["default"]["OPTIONS"] = {"timeout": 30, "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON;"}
class Nowhere(dict):
    def __contains__(self, key): return True
    def __getitem__(self, key): return None
if os.environ.get("NO_MIGRATIONS"):
    MIGRATION_MODULES = Nowhere()
"""


@dataclass(frozen=True)
class Place:
    """Where it answers, and what the seed made: a token that may only read orders, and one that may do all."""

    url: str
    organizer: str
    token: str
    writing: str
    python: str
    folder: Path

    def inside(self, script: str) -> None:
        """Run something with pretix' own models, for what its API can't do."""
        _run([self.python, "-c", script], self.folder, _environment(self.folder, 8000))


def cache() -> Path:
    return Path(os.environ.get("FILROUGE_CACHE") or ROOT / ".cache") / "pretix"


def prepare(folder: Path) -> Path:
    """Install and seed as far as that is not done; gives the folder of the seeded database."""
    python = _install(folder)
    seeded = folder / f"seeded-{VERSION}-{ORDERS}"
    if not (seeded / "seed.json").exists():
        shutil.rmtree(seeded, ignore_errors=True)
        (seeded / "conf").mkdir(parents=True)
        (seeded / "conf" / "localsettings.py").write_text(LOCAL_SETTINGS, "utf-8")
        env = _environment(seeded, 8000)
        _run([python, "-m", "pretix", "migrate", "--run-syncdb", "--no-input"], seeded, env | {"NO_MIGRATIONS": "1"})
        _run([python, str(HERE / "seed.py"), str(ORDERS), "seed.json"], seeded, env)
    return seeded


@contextmanager
def running(work: Path, folder: Path | None = None) -> Iterator[Place]:
    """A pretix with the seeded orders, its data in `work`, ended at the end of the block."""
    folder = (folder or cache()).resolve()
    seeded = prepare(folder)
    shutil.copytree(seeded, work, dirs_exist_ok=True)
    made = json.loads((work / "seed.json").read_text("utf-8"))
    port = _free_port()
    command = [
        str(folder / "venv/bin/gunicorn"),
        "pretix.wsgi",
        "--bind",
        f"127.0.0.1:{port}",
        "--workers",
        "1",
        "--threads",
        "4",
    ]
    with (work / "gunicorn.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=work, env=_environment(work, port), stdout=log, stderr=log)
    try:
        place = Place(
            f"http://127.0.0.1:{port}",
            made["organizer"],
            made["token"],
            made["writing"],
            str(folder / "venv/bin/python"),
            work,
        )
        _wait(place, server)
        yield place
    finally:
        server.terminate()
        server.wait(20)


def _install(folder: Path) -> str:
    python = folder / "venv/bin/python"
    if (folder / f"installed-{VERSION}").exists():
        return str(python)
    folder.mkdir(parents=True, exist_ok=True)
    _run([sys.executable, "-m", "venv", "--clear", str(folder / "venv")], folder, dict(os.environ))
    wanted = [f"pretix=={VERSION}", "gunicorn"]
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    fast = [uv, "pip", "install", "-q", "--python", str(python), *wanted]
    plain = [str(python), "-m", "pip", "install", "-q", *wanted]
    _run(fast if Path(uv).exists() else plain, folder, dict(os.environ))
    (folder / f"installed-{VERSION}").touch()
    return str(python)


def _environment(folder: Path, port: int) -> dict[str, str]:
    """Pretix reads `PRETIX_<SECTION>_<OPTION>`, so it needs no file of settings."""
    (folder / "data").mkdir(exist_ok=True)
    return dict(os.environ) | {
        "PYTHONPATH": str(folder / "conf"),
        "DJANGO_SETTINGS_MODULE": "localsettings",
        "PRETIX_CONFIG_FILE": os.devnull,
        "PRETIX_PRETIX_DATADIR": str(folder / "data"),
        "PRETIX_DATABASE_BACKEND": "sqlite3",
        "PRETIX_DATABASE_NAME": str(folder / "data" / "db.sqlite3"),
        "PRETIX_PRETIX_URL": f"http://127.0.0.1:{port}",
        "PRETIX_PRETIX_ECB_RATES": "off",
        "PRETIX_PRETIX_LOGLEVEL": "WARNING",
        "PRETIX_DJANGO_DEBUG": "off",
        "PRETIX_DJANGO_SECRET": "invented-for-tests-on-this-machine-only-0123456789",
        "PRETIX_LOCALE_DEFAULT": "fr",
        "PRETIX_LOCALE_TIMEZONE": "Europe/Paris",
        "PRETIX_MAIL_HOST": "127.0.0.1",
        "PRETIX_MAIL_PORT": "9",
        "no_proxy": "127.0.0.1,localhost",
    }


def _wait(place: Place, server: subprocess.Popen[bytes]) -> None:
    """`/healthcheck/` says 503 for ever without redis, so the API itself is asked."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"{place.url}/api/v1/version", headers={"Authorization": f"Token {place.token}"})
    for _ in range(240):
        if server.poll() is not None:
            raise RuntimeError("pretix ended as it started: see gunicorn.log")
        try:
            if opener.open(request, timeout=30).status == 200:
                return
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.25)
    raise RuntimeError("pretix did not start within a minute")


def _run(command: list[str], folder: Path, env: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} failed:\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


if __name__ == "__main__":
    print(prepare(cache().resolve()))
