"""Pictures that simulated people send: small PNGs, each drawn from its message id."""

import struct
import zlib

WIDTH, HEIGHT = 240, 180
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def picture(message_id: str) -> bytes:
    """A PNG of 240 x 180 pixels: a colour gradient that differs from message to message."""
    tint = zlib.crc32(message_id.encode())
    base = (tint & 0x7F, tint >> 8 & 0x7F, tint >> 16 & 0x7F)
    rows = b"".join(_row(base, y) for y in range(HEIGHT))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return (
        SIGNATURE
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(rows))
        + _chunk(b"IEND", b"")
    )


def _row(base: tuple[int, int, int], y: int) -> bytes:
    red, green, blue = base
    shade = y * 120 // HEIGHT
    return b"\0" + b"".join(
        bytes((red + shade, green + x * 120 // WIDTH, blue + 60)) for x in range(WIDTH)
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
