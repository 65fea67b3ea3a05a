"""JPEG without metadata: its segments, one by one, less those that say more than the picture.

Of Exif one thing is kept, which way up the picture is: phones turn pictures by that note alone.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from connector.members.pictures.damage import Damaged

MAGIC = b"\xff\xd8\xff"
_START, _END, _SCAN, _COMMENT = 0xD8, 0xD9, 0xDA, 0xFE
_EXIF = b"Exif\x00\x00"
_ORIENTATION = 0x0112
_SHORT = 3
_LONGEST_MARK = 16
# What decoders need: JFIF's density, the colour profile, Adobe's note on how colours are coded.
_KEPT = {0xE0: b"JFIF\x00", 0xE2: b"ICC_PROFILE\x00", 0xEE: b"Adobe"}


def cleaned(content: bytes) -> bytes:
    """The picture up to its end marker: what phones add behind it goes too."""
    whole = memoryview(content)  # whose parts are no copies
    parts: list[bytes | memoryview] = [whole[:2]]
    turned = None
    for marker, start, end in _segments(content):
        head = content[start + 4 : start + 4 + _LONGEST_MARK]
        if marker == 0xE1 and turned is None and head.startswith(_EXIF):
            turned = _orientation(content[start + 4 + len(_EXIF) : end])
        if _is_of_the_picture(marker, head):
            parts.append(whole[start:end])
    if turned is not None:
        parts.insert(1, _note(turned))
    return b"".join(parts)


def _is_of_the_picture(marker: int, head: bytes) -> bool:
    if 0xE0 <= marker <= 0xEF:
        return marker in _KEPT and head.startswith(_KEPT[marker])
    return marker != _COMMENT


def _segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, begin and end of each segment; a scan's coded picture belongs to it."""
    at = 2
    while True:
        if content[at : at + 1] != b"\xff":
            raise Damaged
        while content[at + 1 : at + 2] == b"\xff":  # filling
            at += 1
        marker = content[at + 1] if at + 1 < len(content) else 0
        if marker == _END:
            yield marker, at, at + 2
            return
        if at + 4 > len(content) or marker in (0, _START):
            raise Damaged
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if end < at + 4 or end > len(content):
            raise Damaged
        if marker == _SCAN:
            end = _end_of_scan(content, end)
        yield marker, at, end
        at = end


def _end_of_scan(content: bytes, at: int) -> int:
    """Where the next marker stands; stuffed bytes and restarts belong to the coded picture."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            raise Damaged
        following = content[at + 1]
        if following not in (0x00, 0xFF) and not 0xD0 <= following <= 0xD7:
            return at
        at += 1 if following == 0xFF else 2


def _orientation(tiff: bytes) -> int | None:
    """Which way up, 2 to 8; None where nothing is said, or nothing that matters."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return None
    try:
        (first,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, first)
        for number in range(count):
            entry = first + 2 + 12 * number
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, entry)
            if (tag, kind) == (_ORIENTATION, _SHORT):
                return value if 2 <= value <= 8 else None
    except struct.error:
        return None
    return None


def _note(orientation: int) -> bytes:
    """A segment that says this alone."""
    entry = struct.pack(">HHIHH", _ORIENTATION, _SHORT, 1, orientation, 0)
    tiff = b"MM\x00\x2a" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    body = _EXIF + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
