"""The page's texts, one locale file a language."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson

FOLDER = Path(__file__).parent.parent / "locales"
DEFAULT = "zh-TW"
LANGUAGES = ("zh-TW", "en", "ja")


class Texts:
    """The texts of one language."""

    def __init__(self, language: str, known: Mapping[str, Any]) -> None:
        self.language = language
        self.own_name: str = known["name"]
        self._texts: Mapping[str, str] = known["texts"]
        self._objects: Mapping[str, Mapping[str, str]] = known["objects"]
        self._fields: Mapping[str, str] = known["fields"]
        self._values: Mapping[str, str] = known["values"]

    def __call__(self, key: str, **parts: object) -> str:
        """A text of the page."""
        return self._texts[key].format(**parts)

    def script_texts(self) -> dict[str, str]:
        """The texts that the page's script uses."""
        return {key[3:]: text for key, text in self._texts.items() if key.startswith("js_")}

    def object_name(self, name: str, *, plural: bool = False) -> str:
        """What an object is called."""
        return self._objects[name]["many" if plural else "one"]

    def field_label(self, kind: str, name: str, label: str) -> str:
        """What a field is called; its describe label where no translation exists."""
        return self._fields.get(f"{kind}.{name}") or self._fields.get(name) or label

    def value_label(self, value: str) -> str:
        """What a picklist value is called."""
        return self._values.get(value, value)


@cache
def texts(language: str) -> Texts:
    """The texts of a language, the default ones for an unknown language."""
    chosen = language if language in LANGUAGES else DEFAULT
    return Texts(chosen, orjson.loads((FOLDER / f"{chosen}.json").read_bytes()))
