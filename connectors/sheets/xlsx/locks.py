"""Who has a workbook open: the small files that Excel and LibreOffice leave beside it.

`~$Name.xlsx` (165 bytes: the length of the user's name, the name in the machine's code page, then in UTF-16) is
Excel's, `.~lock.Name.xlsx#` (a line of text: full name, user, machine, when, where) LibreOffice's.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from connectors.trouble import TryLater

STALE_DAYS = 3


def refuse_if_open(path: Path, now: datetime) -> None:
    """Raise `TryLater` when somebody has the workbook open, with their name where the lock file tells it.

    A lock file older than three days may be left from a crash; that is said, and still nothing is written.
    """
    for lock in _candidates(path):
        try:
            content, touched = lock.read_bytes(), lock.stat().st_mtime
        except FileNotFoundError:
            continue
        except OSError:
            content, touched = b"", now.timestamp()  # Windows shares it with nobody: it is surely held
        days = int((now.timestamp() - touched) // 86_400)
        if days >= STALE_DAYS:
            raise TryLater("workbook-open-stale", file=path.name, lock=lock.name, days=days)
        who = _who(lock.name, content)
        if who:
            raise TryLater("workbook-open", file=path.name, who=who, lock=lock.name)
        raise TryLater("workbook-open-by-someone", file=path.name, lock=lock.name)


def _candidates(path: Path) -> list[Path]:
    name = path.name
    return [path.with_name(lock) for lock in (f"~${name}", f"~${name[2:]}", f".~lock.{name}#")]


def _who(name: str, content: bytes) -> str:
    if name.startswith(".~lock."):
        full_name, user, machine = [*content.decode("utf-8", "replace").split(","), "", "", ""][:3]
        return (full_name or user or machine).strip()
    if len(content) > 57 and (length := content[55] + 256 * content[56]) <= 54:
        wide = content[57 : 57 + 2 * length].decode("utf-16-le", "replace").strip("\0 ")
        if wide.isprintable() and wide:
            return wide
    narrow = content[1 : 1 + content[0]].decode("cp1252", "replace").strip("\0 ") if content else ""
    return narrow if narrow.isprintable() else ""
