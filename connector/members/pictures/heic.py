"""HEIC without metadata. Its parts name each other by place in the file, so none may move:

the bytes of Exif and XMP are overwritten where they stand, and so is everything that belongs to no
picture, such as the film that phones hide behind one. Which way up a picture is says the container
itself (`irot`), so nothing of Exif is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from connector.members.pictures.damage import Damaged

_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1"})
_HEVC = frozenset({b"heic", b"heix", b"heim", b"heis"})
_FILE, _OWN_DATA = 0, 1  # where the bytes of an item are: at a place of the file, or in `idat`
_MOST_ITEMS = 10_000
# Exif that says nothing: where its header is, the header, and an empty directory.
_NO_EXIF = bytes(4) + b"MM\x00\x2a\x00\x00\x00\x08" + bytes(6)


def is_heic(content: bytes) -> bool:
    """Whether a file says of itself that it is a still picture in HEVC."""
    if content[4:8] != b"ftyp":
        return False
    listed = content[8 : min(int.from_bytes(content[:4], "big"), 256)]
    brands = {listed[at : at + 4] for at in (0, *range(8, len(listed), 4))}
    return listed[:4] in _BRANDS and bool(brands & _HEVC)


def cleaned(content: bytes) -> bytes:
    """The file with nothing in it but its pictures; raises `Damaged` where it cannot be told."""
    boxes = list(_boxes(content, 0, len(content)))
    metas = [box for box in boxes if box.name == b"meta"]
    if len(metas) != 1 or boxes[0].name != b"ftyp":
        raise Damaged
    items = _items(content, metas[0])
    fresh = bytearray(content)
    kept = [span for item in items if not item.is_told for span in item.spans]
    for box in boxes:
        if box.name not in (b"ftyp", b"meta"):
            _blank_all_but(fresh, box, kept)
    for item in items:
        if item.is_told:
            _blank(fresh, item)
    return bytes(fresh)


@dataclass(frozen=True)
class _Box:
    name: bytes
    start: int  # of the whole
    body: int
    end: int


@dataclass
class _Item:
    kind: bytes
    spans: list[tuple[int, int]] = field(default_factory=list)

    @property
    def is_told(self) -> bool:
        """Whether it tells something instead of showing it."""
        return self.kind in (b"Exif", b"mime", b"uri ")


class _Reader:
    """Numbers of a box, one after the other."""

    def __init__(self, content: bytes, at: int, end: int) -> None:
        self._content, self.at, self._end = content, at, end

    def take(self, size: int) -> bytes:
        if self.at + size > self._end:
            raise Damaged
        self.at += size
        return self._content[self.at - size : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")


def _boxes(content: bytes, at: int, end: int) -> Iterator[_Box]:
    while at < end:
        head = _Reader(content, at, end)
        size, name = head.number(4), head.take(4)
        if size == 1:
            size = head.number(8)
        elif size == 0:  # to the end
            size = end - at
        if size < head.at - at or at + size > end:
            raise Damaged
        yield _Box(name, at, head.at, at + size)
        at += size


def _items(content: bytes, meta: _Box) -> Sequence[_Item]:
    parts = {box.name: box for box in _boxes(content, meta.body + 4, meta.end)}
    if not {b"iinf", b"iloc", b"pitm"} <= parts.keys():
        raise Damaged
    items = dict(_kinds(content, parts[b"iinf"]))
    own = parts.get(b"idat")
    for number, way, start, size in _places(content, parts[b"iloc"]):
        item = items.get(number)
        if item is None or (item.is_told and way not in (_FILE, _OWN_DATA)):
            raise Damaged
        if way == _OWN_DATA:
            if own is None:
                raise Damaged
            start += own.body
        if way in (_FILE, _OWN_DATA):
            if size == 0 or start + size > len(content):
                raise Damaged
            item.spans.append((start, start + size))
    return list(items.values())


def _kinds(content: bytes, box: _Box) -> Iterator[tuple[int, _Item]]:
    """Number and kind of each item."""
    head = _Reader(content, box.body, box.end)
    version = head.number(4) >> 24
    head.number(2 if version == 0 else 4)
    for entry in _boxes(content, head.at, box.end):
        read = _Reader(content, entry.body, entry.end)
        version = read.number(4) >> 24
        if entry.name != b"infe" or version < 2:
            raise Damaged
        number = read.number(2 if version == 2 else 4)
        read.number(2)  # protection
        yield number, _Item(read.take(4))


def _places(content: bytes, box: _Box) -> Iterator[tuple[int, int, int, int]]:
    """Of each piece of each item: whose it is, what its place counts from, the place and the size."""
    read = _Reader(content, box.body, box.end)
    version = read.number(4) >> 24
    if version > 2:
        raise Damaged
    sizes = read.number(2)
    offset, length, base, index = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    count = read.number(4 if version == 2 else 2)
    if count > _MOST_ITEMS:
        raise Damaged
    for _ in range(count):
        number = read.number(4 if version == 2 else 2)
        way = read.number(2) & 15 if version else _FILE
        read.number(2)  # which file: always this one
        start = read.number(base)
        for _ in range(read.number(2)):
            read.number(index if version else 0)
            place = read.number(offset)
            yield number, way, start + place, read.number(length)


def _blank_all_but(fresh: bytearray, box: _Box, kept: Sequence[tuple[int, int]]) -> None:
    at = box.body
    for start, end in sorted(kept):
        if end > box.body and start < box.end:
            fresh[at : max(at, start)] = bytes(max(0, start - at))
            at = max(at, min(end, box.end))
    fresh[at : box.end] = bytes(box.end - at)
    if at == box.body and box.name != b"mdat":  # nothing of it is a picture: readers pass it by
        fresh[box.start + 4 : box.start + 8] = b"free"


def _blank(fresh: bytearray, item: _Item) -> None:
    for start, end in item.spans:
        fresh[start:end] = bytes(end - start)
    if item.kind == b"Exif" and item.spans:
        start, end = item.spans[0]
        if end - start >= len(_NO_EXIF):
            fresh[start : start + len(_NO_EXIF)] = _NO_EXIF
