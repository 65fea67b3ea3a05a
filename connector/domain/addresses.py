"""Postal addresses of Taiwan: one line as people write it, three fields as Salesforce keeps it.

Law: `split_address(join_address(*split_address(x))) == split_address(x)`. A line in which no city or county
is recognised is a street as a whole.
"""

from __future__ import annotations

import re
import unicodedata

_PLACES = (
    "台北市臺北市新北市桃園市台中市臺中市台南市臺南市高雄市基隆市新竹市嘉義市"
    "新竹縣苗栗縣彰化縣南投縣雲林縣嘉義縣屏東縣宜蘭縣花蓮縣台東縣臺東縣澎湖縣金門縣連江縣"
)
_LETTERS = 3  # of every name
_CITIES = frozenset(_PLACES[at : at + _LETTERS] for at in range(0, len(_PLACES), _LETTERS))
_LINE = re.compile(
    rf"(?P<code>\d{{6}}|\d{{5}}|\d{{3}})?\s*(?P<city>{'|'.join(sorted(_CITIES))})\s*(?P<street>\S.*)",
    re.ASCII | re.DOTALL,
)


def split_address(line: str) -> tuple[str, str | None, str | None]:
    """Street, city or county, and postal code; only the street where no city is recognised."""
    text = unicodedata.normalize("NFC", line).strip()
    found = _LINE.fullmatch(text)
    if found is None:
        return text, None, None
    return found["street"].strip(), found["city"], found["code"]


def join_address(street: str | None, city: str | None, code: str | None) -> str:
    """The whole line: run together as in Taiwan where the city is one of its own, else with commas."""
    parts = [(part or "").strip() for part in (street, city, code)]
    written, place, number = parts
    if place in _CITIES and written:
        return f"{number}{place}{written}"
    return ", ".join(part for part in (written, " ".join(p for p in (place, number) if p)) if part)
