"""Record ids: 15 case-sensitive characters, or 18 with a checksum (facts section 15)."""

import re
from functools import cache

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
POD = "5g00"
SERIAL_LENGTH = 8
SHORT, LONG = 15, 18
SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")
DIGITS = {letter: value for value, letter in enumerate(ALPHABET)}


def mint(prefix: str, serial: int) -> str:
    """The 18-character id of the `serial`-th row under a key prefix; later ids compare greater."""
    letters = []
    for _ in range(SERIAL_LENGTH):
        serial, digit = divmod(serial, len(ALPHABET))
        letters.append(ALPHABET[digit])
    return long_form(prefix + POD + "".join(reversed(letters)))


def serial_of(row_id: str) -> int:
    """The serial number that `mint` was given for an id."""
    serial = 0
    for letter in row_id[SHORT - SERIAL_LENGTH : SHORT]:
        serial = serial * len(ALPHABET) + DIGITS[letter]
    return serial


def long_form(row_id: str) -> str:
    """The 18-character spelling of an id of 15 or 18 characters."""
    return row_id[:SHORT] + "".join(_checksum(row_id[at : at + 5]) for at in (0, 5, 10))


def is_id(text: object) -> bool:
    """Whether a text has the shape of an id."""
    return isinstance(text, str) and SHAPE.fullmatch(text) is not None


@cache
def _checksum(group: str) -> str:
    return CHECKSUM[sum(1 << at for at, letter in enumerate(group) if letter.isupper())]
