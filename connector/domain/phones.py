"""Phone numbers: one stored form (E.164), the spellings people use, and the form that may be shown."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat

_TAIWAN = 886
_MOBILE_DIGITS = 9
_MOBILE = re.compile(
    r"\+8869[0-9]{8}"
)  # of Taiwan, most of what is stored; it takes 100 times as long to parse


@lru_cache(maxsize=16_384)
def to_e164(text: str, region: str = "TW") -> str | None:
    """The E.164 form of a number as typed, or None where it cannot be a number of any country."""
    if _MOBILE.fullmatch(text):
        return text
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def spellings(e164: str) -> tuple[str, ...]:
    """Every spelling of a number that is in common use, the stored form first."""
    number = phonenumbers.parse(e164)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    abroad = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    found = [e164, e164.removeprefix("+"), "".join(c for c in national if c.isdigit())]
    if number.country_code == _TAIWAN:
        found += _taiwanese(national.replace("-", " "))
    found += [national, national.replace("-", " "), national.replace(" ", "-")]
    found += [abroad, abroad.replace("-", " "), abroad.replace(" ", "-")]
    return tuple(dict.fromkeys(found))


def _taiwanese(spaced: str) -> list[str]:
    """Mobiles as 0912-345-678, landlines as 02-2345-6789 or (02) 2345-6789, and what lies between."""
    area, _, rest = spaced.replace("(", "").replace(")", "").partition(" ")
    joined = rest.replace(" ", "")
    dashed = rest.replace(" ", "-")
    found = [f"{area}-{dashed}", f"{area} {rest}", f"{area}-{joined}", f"{area} {joined}"]
    if not area.startswith("09"):
        found += [
            f"({area}){joined}",
            f"({area}) {joined}",
            f"({area}){dashed}",
            f"({area}) {dashed}",
        ]
    return found


def masked(e164: str) -> str:
    """A number that its owner recognises and nobody else can call: `+886 912 *** 678`."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return "***"
    digits = phonenumbers.national_significant_number(number)
    if len(digits) < _MOBILE_DIGITS - 1:
        return f"+{number.country_code} *** {digits[-2:]}"
    return f"+{number.country_code} {digits[:3]} *** {digits[-3:]}"
