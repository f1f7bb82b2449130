"""Text inside the XML of a workbook: entities, `_xHHHH_` escapes, rich and phonetic runs.

`_xHHHH_` is ECMA-376 part 1, 22.9.2.19 (ST_Xstring).
"""

from __future__ import annotations

import re
from functools import cache

LONGEST = 32767  # UTF-16 units in a cell: Excel specifications and limits

_ENTITY = re.compile(r"&(#[0-9]+|#x[0-9A-Fa-f]+|amp|lt|gt|quot|apos);")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TO_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)|[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def units(text: str) -> int:
    """How long Excel says that a text is."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def holdable(text: str) -> str:
    """Text with nothing in it that XML can't hold, nothing that a reader would take for an escape."""
    return _TO_ESCAPE.sub(lambda match: f"_x{ord(match[0]):04X}_", _SURROGATE.sub("\ufffd", text))


def escaped(text: str) -> str:
    """Text as it stands between tags."""
    return holdable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def attribute(text: str) -> str:
    """Text as it stands in a double-quoted attribute."""
    return escaped(text).replace('"', "&quot;").replace("\n", "_x000a_").replace("\t", "&#9;")


def plain(raw: bytes) -> str:
    """What stands between two tags, as XML means it: entities and line ends resolved."""
    text = raw.decode()
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _ENTITY.sub(_entity, text) if "&" in text else text


def unescaped(text: str) -> str:
    """`plain` text with Excel's own escapes resolved."""
    if "_x" not in text:
        return text
    decoded = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    if _SURROGATE.search(decoded):
        decoded = decoded.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return decoded


def _entity(match: re.Match[str]) -> str:
    name = match[1]
    if name[0] != "#":
        return _NAMED[name]
    return chr(int(f"0{name[1:]}", 0) if name[1] == "x" else int(name[1:]))


@cache
def _patterns(prefix: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes], re.Pattern[bytes]]:
    p = re.escape(prefix)
    return (
        re.compile(rb"<" + p + rb"rPh[\s>].*?</" + p + rb"rPh>", re.DOTALL),
        re.compile(rb"<" + p + rb"t(?:\s[^>]*)?>([^<]*)</" + p + rb"t>"),
        re.compile(rb"<" + p + rb"si(?:\s[^>]*)?(?:/>|>(.*?)</" + p + rb"si>)", re.DOTALL),
    )


def rich(inner: bytes, prefix: bytes = b"") -> str:
    """The text of a string item: its runs joined, how it is pronounced left out."""
    phonetic, run, _ = _patterns(prefix)
    if b"rPh" in inner:
        inner = phonetic.sub(b"", inner)
    return unescaped("".join(plain(text) for text in run.findall(inner)))


def shared_strings(xml: bytes, prefix: bytes = b"") -> list[str]:
    """All texts of `sharedStrings.xml`, in order."""
    return [rich(inner, prefix) for inner in _patterns(prefix)[2].findall(xml)]
