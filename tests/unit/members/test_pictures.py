"""What is left of a picture: what is seen of it, and nothing that was noted beside it."""

from __future__ import annotations

import struct

import pytest

from connector.members import pictures
from tests.pictures import PLACE, XMP, heic, jpeg, png

ALL = (jpeg(), png(), heic(), heic(exif_in="idat"))


def cleaned(content: bytes) -> bytes:
    kind = pictures.content_type_of(content)
    assert kind is not None
    return pictures.cleaned(content, kind)


@pytest.mark.parametrize("content", ALL)
def test_nothing_tells_where_when_or_by_whom_it_was_taken(content: bytes) -> None:
    assert PLACE in content
    left = cleaned(content)
    assert [
        told for told in (PLACE, XMP, b"ann", b"Photoshop", b"MPF", b"tIME") if told in left
    ] == []


@pytest.mark.parametrize("content", ALL)
def test_a_cleaned_picture_is_not_changed_any_more(content: bytes) -> None:
    once = cleaned(content)
    assert pictures.content_type_of(once) == pictures.content_type_of(content)
    assert cleaned(once) == once


def test_a_jpeg_keeps_its_picture_its_colours_and_which_way_up_it_is() -> None:
    left = cleaned(jpeg(orientation=6, behind=b"film"))
    assert b"ICC_PROFILE\x00\x01\x01colours" in left
    assert left.endswith(b"\x12\xff\x00\x34\xff\xd0\x56\xff\xd9")
    assert struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0) in left


def test_a_jpeg_that_stands_upright_says_nothing_of_it() -> None:
    assert b"Exif" not in cleaned(jpeg(orientation=1))


@pytest.mark.parametrize("exif_in", ["mdat", "idat"])
def test_a_heic_keeps_its_length_and_its_picture(exif_in: str) -> None:
    content = heic(exif_in=exif_in)
    left = cleaned(content)
    assert len(left) == len(content)
    assert b"the picture itself" in left
    assert b"mpvd" not in left


@pytest.mark.parametrize("content", ALL)
def test_a_picture_that_is_cut_short_is_damaged(content: bytes) -> None:
    end = {"image/jpeg": 4, "image/png": 40, "image/heic": 70}
    for cut in range(30, len(content) - end[str(pictures.content_type_of(content))], 7):
        with pytest.raises(pictures.Damaged):
            cleaned(content[:cut])


@pytest.mark.parametrize(
    "content",
    [b"", b"%PDF-1.7", b"GIF89a", b"<svg/>", b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00mp42"],
)
def test_anything_else_is_no_picture(content: bytes) -> None:
    assert pictures.content_type_of(content) is None
