"""Pictures of the team's own that stand beside the templates, and travel inside the e-mails that show them.

Facts: RFC 2387 (multipart/related), RFC 2392 (cid). What mail programs show everywhere is PNG, JPEG and GIF.
"""

from __future__ import annotations

import re
from base64 import encodebytes
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import cached_property
from hashlib import blake2b
from html import unescape
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".avif", ".heic", ".bmp", ".tif", ".tiff")
KINDS = {b"\x89PNG\r\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif"}
NO_PICTURES = frozenset({"brevo"})
"""Mailers that carry none: Brevo's API takes attachments, and names none of them in the HTML."""
HEAVIEST = 500  # kB: every reader gets all of it, and many an inbox is read on the way
SRC = re.compile(r'(?<= src=")[^"]+(?=")')


@dataclass(frozen=True)
class Picture:
    """`name` as a template writes it: its path from the folder of templates. `kind`: png, jpeg or gif."""

    name: str
    kind: str
    data: bytes = field(repr=False)

    @cached_property
    def mark(self) -> str:
        """By what the HTML names it (Content-ID)."""
        return f"{blake2b(self.data, digest_size=10).hexdigest()}@filrouge"

    @cached_property
    def in_base64(self) -> str:
        return encodebytes(self.data).decode()


def local(address: str) -> str | None:
    """The path of a picture in the folder of templates; None for an address that leads anywhere else."""
    parts = urlsplit(address)
    path = PurePosixPath(unquote(parts.path).removeprefix("./"))
    if parts.scheme or parts.netloc or not parts.path or path.is_absolute() or ".." in path.parts:
        return None
    return str(path)


def read_picture(name: str, data: bytes) -> Picture | tuple[str, str]:
    """A picture that can travel, or the code for why it can't, with its size in kB."""
    kind = next((kind for begins, kind in KINDS.items() if data.startswith(begins)), None)
    size = str(-(-len(data) // 1000))
    if kind is None:
        return "template-image-kind", size
    return ("template-image-heavy", size) if len(data) > HEAVIEST * 1000 else Picture(name, kind, data)


class Album:
    """The pictures beside the templates: those that can travel, and why the others can't."""

    def __init__(self, files: Mapping[str, bytes] | None) -> None:
        self.carried = files is not None
        read = {name: read_picture(name, data) for name, data in (files or {}).items()}
        self.good = [one for one in read.values() if isinstance(one, Picture)]
        self.bad = {name: one for name, one in read.items() if not isinstance(one, Picture)}

    def why_not(self, address: str) -> tuple[str, dict[str, str]]:
        """The code and facts for why readers would not see it; an empty one if they would."""
        name = local(address)
        if name is None:
            return "template-image-relative", {}
        if not self.carried:
            return "template-image-carrier", {}
        if name in self.bad:
            code, size = self.bad[name]
            return code, {"size": size, "most": str(HEAVIEST)}
        return ("", {}) if any(one.name == name for one in self.good) else ("template-image-missing", {})


def embed(html: str, pictures: Iterable[Picture]) -> tuple[str, list[Picture]]:
    """The HTML with these pictures named as they travel, and those of them that it shows."""
    known, shown = {one.name: one for one in pictures}, dict[str, Picture]()

    def named(found: re.Match[str]) -> str:
        name = local(unescape(found[0]))
        if name is None or name not in known:
            return found[0]
        shown[name] = known[name]
        return f"cid:{known[name].mark}"

    return (SRC.sub(named, html) if known else html), list(shown.values())


def unpacked(html: str, message: EmailMessage) -> str:
    """The HTML of an e-mail with its pictures in it, for a browser."""
    for part in message.walk():
        if mark := str(part["Content-ID"] or "").strip("<>"):
            data = "".join(str(part.get_payload()).split())
            html = html.replace(f"cid:{mark}", f"data:{part.get_content_type()};base64,{data}")
    return html


def used(texts: Sequence[str], pictures: Mapping[str, Picture]) -> list[str]:
    """The marks of the pictures that these texts name."""
    return sorted(one.mark for name, one in pictures.items() if any(name in unquote(text) for text in texts))
