"""Files that name somebody who was erased: those we made are deleted, of the others it is told which they are."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import suppress
from email import message_from_bytes, policy
from html import unescape
from pathlib import Path

from connectors.sheets.xlsx.replace import backups
from sync.desk import Desk
from sync.report.page import pages
from sync.rights.words import Words

PAGES = ("*.html", "*.json")
"""What `preview --page` and `person export` are written to, where no other folder is given."""


def forget_files(desk: Desk, words: Words) -> list[str]:
    """Delete the e-mails that we wrote to them into files, and the pages of runs that name them. The other files that
    still do come back, as the team sees them.
    """
    if words.addresses:
        _forget_mails(desk, words)
    for page in pages(desk.config.folder):
        if _may_name(page, words):
            page.unlink()
    return [desk.as_seen(file).as_posix() for file in _kept(desk) if _may_name(file, words)]


def _forget_mails(desk: Desk, words: Words) -> None:
    mailer = desk.config.open_mailer(desk.clock)
    try:
        for address in words.addresses:
            if hasattr(mailer, "forget"):
                mailer.forget(address)
    finally:
        mailer.close()


def _kept(desk: Desk) -> Iterator[Path]:
    """Export files, copies of the workbook, e-mails to others (to the team), pages that somebody asked for."""
    config = desk.config
    for name in config.sources:
        if config.source_type(name) == "files":
            folder = config.folder / str(config.outline.sources[name].get("folder", ""))
            yield from sorted(file for file in folder.rglob("*") if file.is_file())
    if config.outline.sheet.get("type") == "excel":
        yield from backups(config.folder / str(config.outline.sheet["file"]))
    if config.outline.mail.get("type") == "folder":
        yield from sorted((config.folder / str(config.outline.mail.get("folder", ""))).glob("*.eml"))
    yield from sorted(file for pattern in PAGES for file in config.folder.glob(pattern))


def _may_name(file: Path, words: Words) -> bool:
    """Also of a file that can't be searched: somebody has to look."""
    try:
        return any(words.stand_in(text) for text in _texts(file))
    except (OSError, zipfile.BadZipFile, NotImplementedError):
        return True


def _texts(file: Path) -> Iterator[str]:
    """The text in a file: of a workbook, that of its parts; of an e-mail, its subject and what is read in it."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as parts:
            names = [name for name in parts.namelist() if name.endswith(".xml")]
            yield from (parts.read(name).decode("utf-8", "replace") for name in names)
        return
    data = file.read_bytes()
    if file.suffix == ".eml":
        message = message_from_bytes(data, policy=policy.default)
        yield str(message["Subject"])
        for part in message.walk():
            with suppress(KeyError, LookupError):  # no text
                yield str(part.get_content())
        return
    text = data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8", "replace")
    yield unescape(text) if file.suffix == ".html" else text
