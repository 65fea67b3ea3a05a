"""Small pictures, with all that cameras and editors note beside them."""

from __future__ import annotations

import struct
import zlib

PLACE = b"GPS 25.0330N 121.5654E"
XMP = b"<x:xmpmeta>by ann</x:xmpmeta>"


def jpeg(*, orientation: int = 6, behind: bytes = b"") -> bytes:
    """A JPEG's skeleton with Exif, XMP, a comment and an MPF index; `behind` follows its end."""
    return b"".join(
        [
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"),
            _segment(0xE1, b"Exif\x00\x00" + tiff(orientation)),
            _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + XMP),
            _segment(0xE2, b"ICC_PROFILE\x00\x01\x01" + b"colours"),
            _segment(0xE2, b"MPF\x00" + PLACE),
            _segment(0xED, b"Photoshop 3.0\x00" + PLACE),
            _segment(0xFE, PLACE),
            _segment(0xDB, bytes(65)),
            _segment(0xC0, b"\x08\x00\x01\x00\x01\x01\x01\x11\x00"),
            _segment(0xDA, b"\x01\x01\x00\x00\x3f\x00"),
            b"\x12\xff\x00\x34\xff\xd0\x56",
            b"\xff\xd9",
            behind,
        ]
    )


def tiff(orientation: int) -> bytes:
    """Exif's directory: which way up, and where it was taken."""
    entries = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    entries += struct.pack("<HHII", 0x010E, 2, len(PLACE), 38)
    return b"II\x2a\x00" + struct.pack("<IH", 8, 2) + entries + bytes(4) + PLACE


def png(side: int = 2) -> bytes:
    """A real red PNG with Exif, a text and a moment, and more behind its end."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    lines = (b"\x00" + b"\xff\x00\x00" * side) * side
    chunks = (
        (b"IHDR", header),
        (b"pHYs", bytes(9)),
        (b"eXIf", tiff(6)),
        (b"tEXt", b"Author\x00ann"),
        (b"tIME", b"\x07\xea\x0b\x1d\x00\x00\x00"),
        (b"IDAT", zlib.compress(lines)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in chunks) + PLACE


def heic(*, exif_in: str = "mdat") -> bytes:
    """A HEIC's boxes: a picture, its Exif and XMP, and a film behind."""
    picture, exif = b"the picture itself", bytes(4) + tiff(1)
    ftyp = _box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
    in_file = exif_in == "mdat"

    def meta(start: int) -> bytes:
        at_exif = (0, start + len(picture)) if in_file else (1, 0)
        at_xmp = start + len(picture) + (len(exif) if in_file else 0)
        places = [
            (1, 0, start, len(picture)),
            (2, *at_exif, len(exif)),
            (3, 0, at_xmp, len(XMP)),
        ]
        located = b"".join(
            struct.pack(">HHHHII", n, w, 0, 1, at, size) for n, w, at, size in places
        )
        kinds = ((1, b"hvc1"), (2, b"Exif"), (3, b"mime"))
        listed = b"".join(
            _box(b"infe", struct.pack(">IHH", 2 << 24, n, 0) + kind + b"\x00") for n, kind in kinds
        )
        return _box(
            b"meta",
            bytes(4)
            + _box(b"pitm", bytes(4) + b"\x00\x01")
            + _box(b"iinf", bytes(4) + b"\x00\x03" + listed)
            + _box(b"iloc", struct.pack(">IBBH", 1 << 24, 0x44, 0, 3) + located)
            + (b"" if in_file else _box(b"idat", exif)),
        )

    start = len(ftyp) + len(meta(0)) + 8
    data = picture + (exif if in_file else b"") + XMP + PLACE
    return ftyp + meta(start) + _box(b"mdat", data) + _box(b"mpvd", PLACE)


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + name + body
