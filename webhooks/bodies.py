"""Request bodies, read up to a size."""

from __future__ import annotations

from typing import BinaryIO

from starlette.requests import ClientDisconnect, Request


class TooLarge(Exception):
    """The body is longer than is taken."""


async def read_at_most(request: Request, most: int) -> bytes:
    """The raw body, or `TooLarge` as soon as it is known to be longer than `most` bytes."""
    if (_announced(request) or 0) > most:
        raise TooLarge
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)


async def spool_at_most(request: Request, most: int, into: BinaryIO) -> int:
    """Write the raw body to a file and say how long it is; or `TooLarge`, as above."""
    if (_announced(request) or 0) > most:
        raise TooLarge
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise TooLarge
        into.write(part)
    return size


def size_at_most(request: Request, most: int) -> int:
    """The bytes that the body may come to, before any is read."""
    announced = _announced(request)
    return most if announced is None else min(announced, most)


def _announced(request: Request) -> int | None:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None


__all__ = ["ClientDisconnect", "TooLarge", "read_at_most", "size_at_most", "spool_at_most"]
