"""Unit codes: twelve Crockford base32 characters, eleven random and one that catches misreading.

The check character is the sum of the others in the field of 32 elements (modulus
x^5 + x^2 + 1), each times another power of x: one wrong character or two swapped ones
always show.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.domain.identifiers import uuid7
from connector.store.tables import Record, Unit

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 12
_MODULUS = 0b100101
_MISREAD = str.maketrans("OIL", "011")
_BATCH = 1000


def new_code() -> str:
    """A code nobody can guess."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
    return body + check_character(body)


def check_character(body: str) -> str:
    """The character that completes the first eleven."""
    total = 0
    for letter in body:
        total = _times_x(total ^ ALPHABET.index(letter))
    return ALPHABET[total]


def is_whole(code: str) -> bool:
    """Whether a normalised code agrees with its check character."""
    return check_character(code[:-1]) == code[-1]


def normalise(text: str) -> str | None:
    """A code as stored, from however it was typed; None where it has not a code's shape."""
    plain = unicodedata.normalize("NFKC", text).upper().translate(_MISREAD)
    code = "".join(letter for letter in plain if letter not in "-‐‑–—_ \t\r\n")
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else None


def shown(code: str) -> str:
    """A code as people read it: `7KQ2-M9XR-4TBD`."""
    return "-".join(code[start : start + 4] for start in range(0, LENGTH, 4))


def make_units(
    session: Session, product: Record, *, count: int = 0, serials: Sequence[str] = ()
) -> list[Unit]:
    """Units of a product: one for each serial number, or `count` without one."""
    wanted: list[str | None] = list(serials) if serials else [None] * count
    made: list[Unit] = []
    for start in range(0, len(wanted), _BATCH):
        made += _make(session, product, wanted[start : start + _BATCH])
    return made


def _make(session: Session, product: Record, serials: Sequence[str | None]) -> list[Unit]:
    wanted = {uuid7(): serial for serial in serials}
    rows = [
        {"id": unit_id, "code": new_code(), "serial": serial, "product_id": product.id}
        for unit_id, serial in wanted.items()
    ]
    new = insert(Unit).on_conflict_do_nothing(index_elements=[Unit.code]).returning(Unit)
    units = {unit.id: unit for unit in session.scalars(new.values(rows))}
    made = [units[unit_id] for unit_id in wanted if unit_id in units]
    missing = [serial for unit_id, serial in wanted.items() if unit_id not in units]
    return [*made, *_make(session, product, missing)] if missing else made


def unit_of(session: Session, code: str) -> Unit | None:
    """The unit with this normalised code."""
    return session.scalar(sa.select(Unit).where(Unit.code == code))


def _times_x(element: int) -> int:
    doubled = element << 1
    return doubled ^ _MODULUS if doubled & 0b100000 else doubled
