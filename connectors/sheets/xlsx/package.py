"""The zip file that a workbook is. Unchanged entries are copied as the compressed bytes they are.

Layout: .ZIP File Format Specification 6.3, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (end).
"""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from connectors.trouble import FixFile

Bytes = bytes | memoryview
Pieces = Sequence[Bytes]

LARGEST_PART = 1 << 30  # a sheet of 1,048,576 rows by 25 columns is about this; beyond is a zip bomb or a mistake
LARGEST_FILE = (1 << 32) - (1 << 20)  # entries are addressed with 32 bits, as Excel does
LEVEL, LEVEL_OF_LARGE, LARGE = 6, 3, 32 << 20  # 117 MB of sheet: level 6 took 1.6 s for 13.4 MB, level 3 0.7 s for 15.3
FIRST_DATE = (1 << 5) | 1  # 1980-01-01, as Excel dates every entry
DESCRIPTOR = 1 << 3
ENCRYPTED = 1
UTF8 = 1 << 11
ZIP64 = 0x0001


class Package:
    """A workbook's file as it was at one instant. `sha` is the sha256 of its bytes.

    Raises `FixFile` with what the file is instead, when it is no workbook.
    """

    def __init__(self, raw: bytes, file: str) -> None:
        self.raw = raw
        self.file = file
        self.sha = hashlib.sha256(raw).hexdigest()
        refuse_other_formats(raw, file)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(raw))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise FixFile("workbook-damaged", file=file) from error
        self.entries = {_part(info): info for info in self._zip.infolist()}
        self._alike = {name.casefold(): name for name in self.entries}
        if len(self.entries) != len(self._zip.infolist()) or len(raw) > LARGEST_FILE:
            raise FixFile("workbook-damaged", file=file)
        if any(info.flag_bits & ENCRYPTED for info in self.entries.values()):
            raise FixFile("workbook-password", file=file)

    def __contains__(self, part: str) -> bool:
        return part.casefold() in self._alike

    def read(self, part: str) -> bytes:
        """A part's own bytes, checked against its CRC."""
        info = self.entries.get(self._named(part))
        if info is None:
            raise FixFile("workbook-damaged", file=self.file)
        if info.file_size > LARGEST_PART:
            raise FixFile("workbook-too-large", file=self.file)
        try:
            return self._zip.read(info)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, NotImplementedError) as error:
            raise FixFile("workbook-damaged", file=self.file) from error

    def rewritten(self, changed: Mapping[str, Pieces]) -> Iterator[Bytes]:
        """The bytes of a new file with the `changed` parts; parts that do not exist yet come at the end."""
        changed = {self._named(part): pieces for part, pieces in changed.items()}
        position = 0
        directory: list[bytes] = []
        records = self._directory_records()
        for name, span in self._spans():
            pieces: Pieces = (span,) if name not in changed else _entry(self.entries[name], changed[name])
            record = records[name]
            directory.append(
                _moved(record, self.entries[name], position)
                if name not in changed
                else _recounted(record, bytes(pieces[0]), position)
            )
            yield from pieces
            position += sum(len(piece) for piece in pieces)
        for name in sorted(set(changed) - set(self.entries)):
            pieces = _entry(_fresh_info(name), changed[name])
            directory.append(_recounted(_fresh_record(name), bytes(pieces[0]), position))
            yield from pieces
            position += sum(len(piece) for piece in pieces)
        yield from _ending(directory, position, self._zip.comment)

    def _named(self, part: str) -> str:
        """The entry that holds a part: names of parts differ in more than letter case (Open Packaging, 6.2.2.3)."""
        return self._alike.get(part.casefold(), part)

    def _spans(self) -> Iterator[tuple[str, memoryview]]:
        """Each entry from its header to the next one's, in the order they lie in the file."""
        whole = memoryview(self.raw)
        infos = sorted(self.entries.values(), key=lambda info: info.header_offset)
        ends = [info.header_offset for info in infos[1:]] + [self._zip.start_dir]
        for info, end in zip(infos, ends, strict=True):
            yield _part(info), whole[info.header_offset : end]

    def _directory_records(self) -> dict[str, bytes]:
        """The raw record of each entry in the central directory, in which only numbers are exchanged."""
        records: dict[str, bytes] = {}
        position = self._zip.start_dir
        for info in self._zip.infolist():
            lengths = struct.unpack_from("<HHH", self.raw, position + 28)
            end = position + 46 + sum(lengths)
            records[_part(info)] = self.raw[position:end]
            position = end
        return records


def refuse_other_formats(raw: bytes, file: str) -> None:
    """Say what the file is when its first bytes are not those of a zip file."""
    if raw.startswith(b"PK\x03\x04"):
        if raw[30:38] == b"mimetype":
            raise FixFile("workbook-other-format", file=file, format="OpenDocument (.ods)")
        return
    if raw.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        if "EncryptedPackage".encode("utf-16-le") in raw:
            raise FixFile("workbook-password", file=file)
        raise FixFile("workbook-other-format", file=file, format="Excel 97-2003 (.xls)")
    if not raw.strip(b"\0"):
        raise FixFile("workbook-empty", file=file)
    if raw[:1] == b"<":
        raise FixFile("workbook-other-format", file=file, format="HTML, XML")
    if b"\0" not in raw[:4096] and any(mark in raw[:4096] for mark in (b",", b";", b"\t")):
        raise FixFile("workbook-other-format", file=file, format="CSV")
    raise FixFile("workbook-damaged", file=file)


def _part(info: zipfile.ZipInfo) -> str:
    """An entry's name as relations say it. Exports of older .NET programs have a backslash between folders."""
    return info.filename.replace("\\", "/")


def folder_of(part: str) -> str:
    return str(PurePosixPath(part).parent)


def _entry(info: zipfile.ZipInfo, content: Pieces) -> list[Bytes]:
    """A new local header and the deflated content, under the old entry's name, date and flags."""
    size = sum(len(piece) for piece in content)
    deflate = zlib.compressobj(LEVEL if size < LARGE else LEVEL_OF_LARGE, zlib.DEFLATED, -zlib.MAX_WBITS)
    crc = 0
    packed: list[Bytes] = []
    for piece in content:
        crc = zlib.crc32(piece, crc)
        packed.append(deflate.compress(piece))
    packed.append(deflate.flush())
    name = info.filename.encode("utf-8" if info.flag_bits & UTF8 else "cp437")
    year, month, day, hour, minute, second = info.date_time
    header = struct.pack(
        "<4sHHHHHIIIHH",
        b"PK\x03\x04",
        20,
        info.flag_bits & ~DESCRIPTOR,
        zipfile.ZIP_DEFLATED,
        hour << 11 | minute << 5 | second // 2,
        (year - 1980) << 9 | month << 5 | day,
        crc,
        sum(len(piece) for piece in packed),
        size,
        len(name),
        0,
    )
    return [header + name, *(piece for piece in packed if piece)]


def _moved(record: bytes, info: zipfile.ZipInfo, position: int) -> bytes:
    """The directory record of an entry that is the same and lies elsewhere."""
    name_length, extra_length, _ = struct.unpack_from("<HHH", record, 28)
    extra = record[46 + name_length : 46 + name_length + extra_length]
    kept = _without_zip64(extra)
    head = bytearray(record[:46])
    struct.pack_into("<II", head, 20, info.compress_size, info.file_size)
    struct.pack_into("<H", head, 30, len(kept))
    struct.pack_into("<I", head, 42, position)
    return bytes(head) + record[46 : 46 + name_length] + kept + record[46 + name_length + extra_length :]


def _recounted(record: bytes, local: bytes, position: int) -> bytes:
    """The directory record of an entry that was written anew: its numbers are those of its local header."""
    name_length = struct.unpack_from("<H", record, 28)[0]
    comment = record[46 + name_length + struct.unpack_from("<H", record, 30)[0] :]
    head = bytearray(record[:46])
    head[6:28] = local[4:26]
    struct.pack_into("<H", head, 30, 0)
    struct.pack_into("<I", head, 42, position)
    return bytes(head) + record[46 : 46 + name_length] + comment


def _without_zip64(extra: bytes) -> bytes:
    kept, position = b"", 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, position)
        if kind != ZIP64:
            kept += extra[position : position + 4 + length]
        position += 4 + length
    return kept


def _fresh_info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.flag_bits = UTF8
    return info


def _fresh_record(name: str) -> bytes:
    encoded = name.encode()
    return struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 45, 20, UTF8, 8, 0, FIRST_DATE, 0, 0, 0, len(encoded), 0, 0,
                       0, 0, 0, 0) + encoded  # fmt: skip


def _ending(directory: Sequence[bytes], position: int, comment: bytes) -> Iterator[bytes]:
    yield from directory
    yield struct.pack(
        "<4sHHHHIIH",
        b"PK\x05\x06",
        0,
        0,
        len(directory),
        len(directory),
        sum(len(record) for record in directory),
        position,
        len(comment),
    )
    yield comment
