"""The languages of the pages: every visible string, and which language a visitor gets."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson


@dataclass(frozen=True)
class Locale:
    """One language and its strings by key."""

    name: str
    strings: Mapping[str, str]

    def text(self, key: str, /, **values: object) -> str:
        """The string of a key, its `{placeholders}` filled."""
        return self.strings[key].format(**values) if values else self.strings[key]


def load_locales(folder: Path, first: str) -> dict[str, Locale]:
    """Every locale file of a folder by its name, the default one first."""
    files = sorted(folder.glob("*.json"), key=lambda file: (file.stem != first, file.stem))
    return {file.stem: Locale(file.stem, orjson.loads(file.read_bytes())) for file in files}


def choose(
    locales: Mapping[str, Locale], asked: str | None, accept_language: str, default: str
) -> Locale:
    """The locale asked for by name, else the best of Accept-Language, else the default."""
    if asked is not None and asked in locales:
        return locales[asked]
    for language in _preferred(accept_language):
        for name, locale in locales.items():
            if name.partition("-")[0].lower() == language:
                return locale
    return locales[default]


def _preferred(accept_language: str) -> list[str]:
    """Primary language tags of an Accept-Language header (RFC 9110), most wanted first."""
    weighed = []
    for item in accept_language.split(","):
        tag, _, parameters = item.strip().partition(";")
        quality = _quality(parameters)
        if tag and quality > 0:
            weighed.append((quality, tag.partition("-")[0].lower()))
    return [tag for _, tag in sorted(weighed, key=lambda pair: -pair[0])]


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
