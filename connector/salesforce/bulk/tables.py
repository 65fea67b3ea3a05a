"""CSV that is still on its way: its names first, then row after row, in C but for a few reads."""

from __future__ import annotations

import csv
import gc
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK = 256 * 1024

csv.field_size_limit(16 * 1024 * 1024)  # rich text areas are longer than what csv expects


class _Arriving(io.RawIOBase):
    """The body of an answer as a file; what breaks off raises as `requests` says it."""

    def __init__(self, answer: requests.Response) -> None:
        super().__init__()
        self._chunks = answer.iter_content(_CHUNK)
        self._left = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill what fits; 0 at the end."""
        if not self._left:
            self._left = next(self._chunks, b"")
        into = memoryview(buffer).cast("B")
        size = min(len(into), len(self._left))
        into[:size] = self._left[:size]
        self._left = self._left[size:]
        return size


def read_table(answer: requests.Response) -> tuple[tuple[str, ...], Iterator[list[str]]]:
    """The names of the columns, and the rows."""
    body = io.BufferedReader(_Arriving(answer), _CHUNK)
    rows = csv.reader(io.TextIOWrapper(body, "utf-8-sig", newline="\n"))
    return tuple(next(rows, ())), rows


def read_whole(answer: requests.Response) -> tuple[tuple[str, ...], list[list[str]]]:
    """The names of the columns, and all rows."""
    names, rows = read_table(answer)
    with _no_cycles():
        return names, list(rows)


@contextmanager
def _no_cycles() -> Iterator[None]:
    """Rows of texts hold no cycles; to look for some among so many costs as much as to read them."""
    looks = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looks:
            gc.enable()
