"""A file exchanged for its new version at one instant, with a dated copy of the old one beside."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from connectors.trouble import FixFile, TryLater

BACKUPS = ".filrouge-backups"
BACKUPS_KEPT = 10
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def plainly(path: Path) -> Iterator[None]:
    """What the disk answers, as something that a person can act on."""
    try:
        yield
    except FileNotFoundError as error:
        raise FixFile("workbook-folder-missing", folder=str(path.parent)) from error
    except PermissionError as error:
        raise FixFile("workbook-no-permission", file=path.name, folder=str(path.parent)) from error
    except OSError as error:
        if error.errno == errno.EROFS:
            raise FixFile("workbook-no-permission", file=path.name, folder=str(path.parent)) from error
        if error.errno in _FULL:
            raise TryLater("workbook-disk-full", file=path.name, folder=str(path.parent)) from error
        raise TryLater("workbook-disk", file=path.name, detail=error.strerror or str(error)) from error


def fingerprint(path: Path) -> str:
    """sha256 of a file, 64 KB at a time; empty if there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def refuse_read_only(path: Path) -> None:
    if path.exists() and (not path.stat().st_mode & 0o222 or not os.access(path, os.W_OK)):
        raise FixFile("workbook-read-only", file=path.name)


def put(path: Path, pieces: Iterable[bytes | memoryview], *, was: str, tab: str, ready: Callable[[str], None]) -> str:
    """Write `pieces` beside `path` and put them in its place. Gives the sha256 of the new file.

    `was` is the sha256 of the file that they were made from (empty: there was none). `ready(sha256)` is called when
    the new file is safe on the disk and nothing has changed yet. If anything fails the old file stays, and nothing is
    left beside it. Mode, owner and extended attributes go over as far as the system lets them.
    """
    beside = path.with_name(f".{path.name}.filrouge.tmp")
    try:
        with plainly(path):
            sha = _written(beside, pieces)
            if was:
                _take_over(path, beside)
        ready(sha)
        if fingerprint(path) != was:
            raise TryLater("sheet-changed", file=path.name, tab=tab)
        with plainly(path):
            os.replace(beside, path)  # noqa: PTH105  the one call that everything hangs on
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return sha


def back_up(path: Path, now: datetime) -> Path | None:
    """Keep the file as it is before our first change of the day, in a hidden folder beside it; the last ten days stay."""
    folder = path.parent / BACKUPS
    copy = folder / f"{path.stem} {now:%Y-%m-%d}{path.suffix}"
    if copy.exists():
        return None
    half = copy.with_name(f".{copy.name}.tmp")
    with plainly(path):
        try:
            folder.mkdir(exist_ok=True)
            shutil.copy2(path, half)
            half.replace(copy)
        finally:
            with contextlib.suppress(OSError):
                half.unlink(missing_ok=True)
        for old in backups(path)[:-BACKUPS_KEPT]:
            old.unlink(missing_ok=True)
    return copy


def backups(path: Path) -> list[Path]:
    """The copies kept of a workbook, the oldest first."""
    folder = path.parent / BACKUPS
    dates = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
    return sorted(item for item in folder.glob(f"* {dates}{path.suffix}") if item.name.startswith(f"{path.stem} 2"))


def _written(path: Path, pieces: Iterable[bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for piece in pieces:
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _take_over(old: Path, new: Path) -> None:
    """Owner, mode and extended attributes of the old file, its own time of change."""
    status = old.stat()
    with contextlib.suppress(OSError, AttributeError):
        os.chown(new, status.st_uid, status.st_gid)
    with contextlib.suppress(OSError):
        shutil.copystat(old, new)
    os.utime(new)


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError, AttributeError):  # Windows has no folder to open
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
