"""One-time codes: made, kept only as a keyed hash, and compared."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.identifiers import uuid7
from connector.domain.states import ChallengeState
from connector.domain.values import Value
from connector.members import alarms
from connector.members.limits import DAY, HOUR, Cap, Limits, is_public, require_room, seconds_until
from connector.members.refusals import Refused
from connector.store.alerts import AlertKind
from connector.store.tables import Challenge, Person

FLOODING, GUESSING = AlertKind.FLOODING, AlertKind.GUESSING
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
        address_hash=address_hash_of(secret_key, address) or "",
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
    at, address_hash = Challenge.created_at, address_hash_of(secret_key, address)
    many = partial(alarms.of_person, FLOODING, person.id)
    caps = [
        Cap(at, [Challenge.phone == phone, sent], limits.codes_per_phone_and_hour, HOUR),
        Cap(
            at,
            [Challenge.person_id == person.id],
            limits.codes_per_person_and_day,
            DAY,
            many("asked for more one-time codes within a day than anybody needs"),
        ),
        Cap(at, [], limits.codes_per_day, DAY, alarms.of_all(FLOODING, "asked for too many codes")),
    ]
    if address_hash is not None:
        from_there = [Challenge.address_hash == address_hash]
        told = alarms.of_address(FLOODING, address_hash, "too many one-time codes were asked for")
        caps.append(Cap(at, from_there, limits.codes_per_address_and_day, DAY, told))
    require_room(session, caps, now)


def require_tries_left(
    session: Session, row: Challenge, now: datetime, secret_key: str, limits: Limits
) -> None:
    """Refuse when too many wrong codes came from this person, for this phone or from this address.

    Each challenge takes a few; whoever begins one after another tries out codes all the same.
    """
    said = "too many wrong one-time codes were given in a day"
    phone_hash = keyed(secret_key, f"phone:{row.phone}")
    counted = [
        (
            Challenge.person_id == row.person_id,
            limits.wrong_codes_per_person_and_day,
            alarms.of_person(
                GUESSING, row.person_id, "gave too many wrong one-time codes in a day"
            ),
        ),
        (
            Challenge.phone == row.phone,
            limits.wrong_codes_per_phone_and_day,
            alarms.of_phone(GUESSING, phone_hash, said),
        ),
    ]
    if row.address_hash:
        from_there = Challenge.address_hash == row.address_hash
        told = alarms.of_address(GUESSING, row.address_hash, said)
        counted.append((from_there, limits.wrong_codes_per_address_and_day, told))
    recent = (Challenge.created_at > now - DAY, Challenge.tries > 0)
    columns = sa.func.sum(Challenge.tries), sa.func.min(Challenge.created_at)
    sums = [
        sa.select(sa.literal(place).label("place"), *columns).where(where, *recent)
        for place, (where, _, _) in enumerate(counted)
    ]
    for place, tries, oldest in sorted(session.execute(sa.union_all(*sums))):
        _, most, alarm = counted[place]
        if tries is not None and tries >= most:
            raise Refused("too_many", retry_after=seconds_until(oldest + DAY, now), alarm=alarm)


def address_hash_of(secret_key: str, address: str) -> str | None:
    """The hash of an address that tells people apart; None for one that does not."""
    return keyed(secret_key, f"address:{address}") if is_public(address) else None


def code_hash(secret_key: str, challenge_id: UUID, code: str) -> str:
    """What is kept of a code; the challenge's id is its salt."""
    return keyed(secret_key, f"code:{challenge_id}:{code}")


def keyed(secret_key: str, text: str) -> str:
    """HMAC-SHA256 of a text, hexadecimal."""
    return hmac.digest(secret_key.encode(), text.encode(), sha256().name).hex()


def fits(row: Challenge, code: str, secret_key: str) -> bool:
    """Whether this is the code that was sent, compared in constant time."""
    return hmac.compare_digest(row.code_hash, code_hash(secret_key, row.id, code))
