"""XML as bytes: what is safe to find by searching, and how anything else is made so.

A sheet of 100,000 rows is 117 MB of XML. A tree of it takes 2 GB, so its rows are found in the bytes. That is exact as
long as there are no comments, CDATA sections, processing instructions or other encodings: a part that has any is first
written anew by lxml without them (`settled`), which costs time but not truth.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from xml.parsers import expat

from lxml import etree

from connectors.sheets.xlsx.text import plain
from connectors.trouble import FixFile

ATTRS = rb"""(?:\s+[^\s=<>"'/]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*"""
_ATTR = re.compile(rb"""([^\s=<>"'/]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')""")
_DECLARATION = re.compile(rb"^\s*<\?xml[^>]*\?>")
_ENCODING = re.compile(rb"""encoding\s*=\s*["']utf-?8["']""", re.IGNORECASE)
_ROOT = re.compile(rb"\s*<((?:[\w.-]+:)?)[\w.-]+[\s/>]")
_ODD = (b"<!", b"<?")


def attributes(raw: bytes) -> dict[str, str]:
    """The attributes in the bytes of a start tag."""
    return {name.decode(): plain(double or single) for name, double, single in _ATTR.findall(raw)}


def settled(xml: bytes, file: str) -> bytes:
    """The same XML in UTF-8 in which tags can be found by searching. Most files are so already and come back as is."""
    xml = xml.removeprefix(b"\xef\xbb\xbf")
    start = _DECLARATION.match(xml)
    begin = start.end() if start else 0
    utf8 = b"\0" not in xml[:64] and (start is None or b"encoding" not in start[0] or _ENCODING.search(start[0]))
    if utf8 and all(xml.find(mark, begin) < 0 for mark in _ODD):
        return xml
    return serialised(parsed(xml, file))


def prefix_of(xml: bytes) -> bytes:
    """`x:` where the part writes `<x:worksheet>`, else nothing."""
    start = _DECLARATION.match(xml)
    root = _ROOT.match(xml, start.end() if start else 0)
    return root[1] if root else b""


def parsed(xml: bytes, file: str) -> Any:
    """The root of a small part as an lxml tree, with no entity of its own and no network."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True, strip_cdata=True, huge_tree=True
    )
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise FixFile("workbook-damaged", file=file) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise FixFile("workbook-damaged", file=file)
    return root


def serialised(root: Any) -> bytes:
    written = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    assert isinstance(written, bytes)
    return written


def local(element: Any) -> str:
    """An element's name without its namespace: transitional and strict workbooks differ in nothing else."""
    return str(etree.QName(element).localname)


def child(parent: Any, name: str) -> Any | None:
    return next((element for element in parent if local(element) == name), None)


def namesake(parent: Any, name: str) -> str:
    """`name` in the namespace of `parent`."""
    namespace = etree.QName(parent).namespace
    return f"{{{namespace}}}{name}" if namespace else name


def well_formed(pieces: Iterable[bytes]) -> bool:
    """Whether the bytes, one after the other, are XML: the last look before a part is written."""
    parser = expat.ParserCreate()
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError:
        return False
    return True
