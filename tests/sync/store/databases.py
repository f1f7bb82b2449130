"""A store on each database that this machine has: SQLite always, PostgreSQL where its programs are."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import sqlalchemy as sa

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
_names = count(1)


def postgres_folder() -> Path | None:
    """Where initdb and postgres are."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "postgres").exists() and (place / "initdb").exists()), None)


@contextmanager
def postgres(*, safe: bool = False) -> Iterator[str]:
    """A private cluster on a socket in a folder of its own; its URL without a database. `safe`: it waits for the disk."""
    programs = postgres_folder()
    assert programs is not None
    with tempfile.TemporaryDirectory(prefix="filrouge-pg-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        who = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        if who:
            shutil.chown(place, "postgres", "postgres")
        data = str(place / "data")
        settings = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run(
            [*who, programs / "initdb", "-D", data, *settings], check=True, stdout=subprocess.DEVNULL, cwd=place
        )
        options = ["-k", folder, "-c", "listen_addresses="]
        options += [] if safe else ["-c", "fsync=off", "-c", "full_page_writes=off"]
        with subprocess.Popen(
            [*who, programs / "postgres", "-D", data, *options], cwd=place, stderr=subprocess.PIPE, text=True
        ) as server:
            try:
                assert server.stderr is not None
                for line in server.stderr:
                    if "ready to accept connections" in line:
                        break
                yield f"postgresql://postgres@/{{}}?host={folder}"
            finally:
                server.send_signal(signal.SIGINT)  # a fast stop: without it a connection left open would hold it
                server.stderr.read()  # type: ignore[union-attr]  # it was opened above


def new_database(cluster: str) -> str:
    """An empty database of the cluster, by its URL."""
    name = f"t{next(_names)}"
    engine = sa.create_engine(
        cluster.format("postgres").replace("postgresql:", "postgresql+psycopg:", 1), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return cluster.format(name)
