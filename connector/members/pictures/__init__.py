"""Pictures as they are kept: told by their first bytes, and without what a camera notes beside them.

Where and when a picture was taken, by which phone, what an editor wrote into it: none of that was
asked for. The container is written anew and the picture itself is not touched, so nothing of its
quality is lost and no decoder has to read what strangers send.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connector.members.pictures import heic, jpeg, png
from connector.members.pictures.damage import Damaged

__all__ = ["SUFFIXES", "Damaged", "cleaned", "content_type_of"]

SUFFIXES: Mapping[str, str] = {"image/jpeg": "jpg", "image/png": "png", "image/heic": "heic"}
_CLEANERS: Mapping[str, Callable[[bytes], bytes]] = {
    "image/jpeg": jpeg.cleaned,
    "image/png": png.cleaned,
    "image/heic": heic.cleaned,
}


def content_type_of(content: bytes) -> str | None:
    """What a file is by its first bytes; None where it is nothing that is taken."""
    if content.startswith(jpeg.MAGIC):
        return "image/jpeg"
    if content.startswith(png.MAGIC):
        return "image/png"
    return "image/heic" if heic.is_heic(content) else None


def cleaned(content: bytes, content_type: str) -> bytes:
    """The same picture without its metadata; raises `Damaged`."""
    return _CLEANERS[content_type](content)
