"""One-time codes: made, kept only as a keyed hash, and compared."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.identifiers import uuid7
from connector.domain.states import ChallengeState
from connector.domain.values import Value
from connector.members.limits import DAY, HOUR, Limits, is_public, require_room
from connector.store.tables import Challenge, Person

DIGITS = 6
GOOD_FOR = timedelta(minutes=5)
RESEND_AFTER = timedelta(seconds=60)
TRIES = 5


@dataclass(frozen=True)
class Sent:
    """A code to be sent, in the clear, and the row that knows its hash."""

    row: Challenge
    code: str = field(repr=False)


def make(
    session: Session,
    person: Person,
    phone: str,
    address: str,
    answers: Mapping[str, Value],
    now: datetime,
    secret_key: str,
) -> Sent:
    """A new code for this phone."""
    challenge_id, code = uuid7(), f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    row = Challenge(
        id=challenge_id,
        person_id=person.id,
        phone=phone,
        address_hash=keyed(secret_key, f"address:{address}"),
        answers=dict(answers),
        code_hash=code_hash(secret_key, challenge_id, code),
        state=ChallengeState.OPEN,
        tries=0,
        created_at=now,
        expires_at=now + GOOD_FOR,
    )
    session.add(row)
    session.flush()
    return Sent(row, code)


def require_sends_left(
    session: Session,
    person: Person,
    phone: str,
    address: str,
    now: datetime,
    secret_key: str,
    limits: Limits,
) -> None:
    """Refuse when this phone, person, address or all together were sent enough codes."""
    # Two people may ask for the same phone at the same moment.
    session.execute(
        sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"phone:{phone}", 0)))
    )
    sent = Challenge.state != ChallengeState.EXPIRED  # a code that could not be sent is expired
    caps: list[tuple[Sequence[sa.ColumnElement[bool]], int, timedelta]] = [
        ([Challenge.phone == phone, sent], limits.codes_per_phone_and_hour, HOUR),
        ([Challenge.person_id == person.id], limits.codes_per_person_and_day, DAY),
        ([], limits.codes_per_day, DAY),
    ]
    if is_public(address):
        from_there = Challenge.address_hash == keyed(secret_key, f"address:{address}")
        caps.append(([from_there], limits.codes_per_address_and_day, DAY))
    for where, most, window in caps:
        require_room(session, Challenge.created_at, where, most, window, now)


def code_hash(secret_key: str, challenge_id: UUID, code: str) -> str:
    """What is kept of a code; the challenge's id is its salt."""
    return keyed(secret_key, f"code:{challenge_id}:{code}")


def keyed(secret_key: str, text: str) -> str:
    """HMAC-SHA256 of a text, hexadecimal."""
    return hmac.digest(secret_key.encode(), text.encode(), sha256().name).hex()


def fits(row: Challenge, code: str, secret_key: str) -> bool:
    """Whether this is the code that was sent, compared in constant time."""
    return hmac.compare_digest(row.code_hash, code_hash(secret_key, row.id, code))
