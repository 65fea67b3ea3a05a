"""PNG without metadata: only the chunks that decide what is seen."""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

from connector.members.pictures.damage import Damaged

MAGIC = b"\x89PNG\r\n\x1a\n"
_LAST = b"IEND"
_KEPT = frozenset(
    {
        *(b"IHDR", b"PLTE", b"IDAT", _LAST),
        *(b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"bKGD", b"pHYs"),
    }
)


def cleaned(content: bytes) -> bytes:
    """The picture up to its last chunk: what stands behind it goes too."""
    whole = memoryview(content)  # whose parts are no copies
    kept = [whole[start:end] for name, start, end in _chunks(content) if name in _KEPT]
    return b"".join([MAGIC, *kept])


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = len(MAGIC)
    while True:
        name = content[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        if end > len(content) or _sum(content, at, end) != content[end - 4 : end]:
            raise Damaged
        yield name, at, end
        if name == _LAST:
            return
        at = end


def _sum(content: bytes, start: int, end: int) -> bytes:
    return crc32(memoryview(content)[start + 4 : end - 4]).to_bytes(4, "big")
