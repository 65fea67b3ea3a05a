"""What is wrong with a request body, collected the way LINE reports it."""

import unicodedata
from typing import Any
from urllib.parse import urlsplit

JOINER = "\u200d"
VARIATION = "\ufe0f"
SKIN_TONES = range(0x1F3FB, 0x1F400)
FLAGS = range(0x1F1E6, 0x1F200)
REQUIRED = "must be specified"
EMPTY = "May not be empty"
MEDIA_URL_LENGTH = 2000


class Problems:
    """The details of `The request body has X error(s)`, in body order."""

    def __init__(self) -> None:
        self.details: list[dict[str, str]] = []

    def add(self, where: str, message: str) -> None:
        """Note one problem of the property `where`."""
        self.details.append({"message": message, "property": where})

    @property
    def message(self) -> str:
        """LINE's summary line."""
        return f"The request body has {len(self.details)} error(s)"

    def text(
        self,
        holder: dict[str, Any],
        name: str,
        where: str,
        longest: int,
        *,
        required: bool = True,
        graphemes: bool = False,
    ) -> None:
        """Check a string; lengths in UTF-16 code units, or in grapheme clusters."""
        place, value = f"{where}.{name}", holder.get(name)
        if value is None:
            if required:
                self.add(place, EMPTY)
        elif not isinstance(value, str):
            self.add(place, "must be a string")
        elif required and not value:
            self.add(place, EMPTY)
        elif (grapheme_length(value) if graphemes else utf16_length(value)) > longest:
            self.add(place, f"Length must be between 0 and {longest}")

    def objects(
        self, holder: dict[str, Any], name: str, where: str, least: int, most: int
    ) -> list[tuple[str, dict[str, Any]]]:
        """Check a list of objects; gives the objects with their places."""
        place, value = f"{where}.{name}" if where else name, holder.get(name)
        if not isinstance(value, list) or not least <= len(value) <= most:
            self.add(place, f"Size must be between {least} and {most}")
            return []
        found = []
        for index, one in enumerate(value):
            if isinstance(one, dict):
                found.append((f"{place}[{index}]", one))
            else:
                self.add(f"{place}[{index}]", "May not be null" if one is None else "invalid")
        return found

    def one_of(
        self, holder: dict[str, Any], name: str, where: str, values: tuple[str, ...]
    ) -> str | None:
        """Check an enumerated string; gives it when it is one of the values."""
        value = holder.get(name)
        if isinstance(value, str) and value in values:
            return value
        listed = ", ".join(values)
        self.add(f"{where}.{name}", f"Must be one of the following values: [{listed}]")
        return None

    def media_url(
        self, holder: dict[str, Any], name: str, where: str, *, required: bool = True
    ) -> None:
        """Check the address of an image, video or sound: HTTPS only."""
        value = holder.get(name)
        if value is None:
            if required:
                self.add(f"{where}.{name}", EMPTY)
            return
        if not is_uri(value, ("https",)) or len(value) > MEDIA_URL_LENGTH:
            self.add(f"{where}.{name}", "invalid uri")


def is_uri(value: Any, schemes: tuple[str, ...]) -> bool:
    """Whether a value is an absolute address of one of the schemes, percent-encoded."""
    if not isinstance(value, str) or any(ord(one) <= ord(" ") for one in value):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    if parts.scheme.lower() not in schemes:
        return False
    return bool(parts.netloc if parts.scheme.lower().startswith("http") else parts.path)


def utf16_length(text: str) -> int:
    """UTF-16 code units."""
    return len(text) + sum(ord(one) > 0xFFFF for one in text)


def grapheme_length(text: str) -> int:
    """Grapheme clusters, near enough for labels: marks, emoji sequences and flags count once."""
    count, joined, flags = 0, False, 0
    for one in text:
        if ord(one) in FLAGS:
            flags += 1
            count += flags % 2
            continue
        flags = 0
        if one == JOINER:
            joined = True
        elif not (one == VARIATION or unicodedata.combining(one) or ord(one) in SKIN_TONES):
            count += not joined
            joined = False
    return count
