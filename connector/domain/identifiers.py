"""UUIDv7 (RFC 9562): identifiers that sort by the moment they were made."""

from __future__ import annotations

import os
import time
from uuid import UUID


def uuid7(milliseconds: int | None = None) -> UUID:
    """A new UUIDv7; `milliseconds` since the epoch default to now."""
    moment = time.time_ns() // 1_000_000 if milliseconds is None else milliseconds
    tail = int.from_bytes(os.urandom(10))
    number = (moment & 0xFFFFFFFFFFFF) << 80 | tail
    number = number & ~(0xF << 76) | 0x7 << 76
    return UUID(int=number & ~(0x3 << 62) | 0x2 << 62)
