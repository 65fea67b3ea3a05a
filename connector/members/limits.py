"""How often one person, phone or address may ask, and how long until it may again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.members.alarms import Alarm
from connector.members.refusals import Refused

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Limits:
    """The most of each that is taken."""

    codes_per_phone_and_hour: int = 3
    codes_per_person_and_day: int = 10
    # Mobile carriers put thousands of phones behind one address.
    codes_per_address_and_day: int = 300
    codes_per_day: int = 20_000
    wrong_codes_per_person_and_day: int = 15
    wrong_codes_per_phone_and_day: int = 30
    wrong_codes_per_address_and_day: int = 300
    unknown_units_per_person_and_hour: int = 10
    unknown_units_per_person_and_day: int = 30
    unknown_units_per_address_and_day: int = 300
    unknown_units_per_day: int = 5_000
    bindings_per_person_and_day: int = 10
    consents_per_person_and_day: int = 40
    registrations_per_person_and_day: int = 50
    repairs_per_person_and_day: int = 20
    # Only an alarm: who names somebody else's number must not be able to lock them out by it.
    repairs_per_phone_and_day: int = 50
    # Five photos for each repair of a day; pictures left out again and those of registrations.
    files_per_person_and_day: int = 150
    answers_per_form_person_and_day: int = 20
    forms_per_person_and_day: int = 200
    forms_per_address_and_day: int = 5_000
    answers_per_person_and_day: int = 500


LIMITS = Limits()


def is_public(address: str) -> bool:
    """Whether an address tells people apart; a proxy's or this machine's own does not."""
    try:
        return ip_address(address).is_global
    except ValueError:
        return False


@dataclass(frozen=True)
class Cap:
    """The most rows that a window of time may hold, counted by their moment, and who hears of more."""

    moment: sa.SQLColumnExpression[Any]
    where: Sequence[sa.ColumnElement[bool]]
    most: int
    window: timedelta
    alarm: Alarm | None = None
    refuses: bool = True  # else it is only told

    def oldest(self, now: datetime) -> sa.ScalarSelect[Any]:
        """The moment of the row that fills it; null where there is room."""
        query: sa.Select[Any] = (
            sa.select(self.moment)
            .where(*self.where, self.moment > now - self.window)
            .order_by(self.moment.desc())
            .offset(self.most - 1)
            .limit(1)
        )
        return query.scalar_subquery()


def require_room(session: Session, caps: Sequence[Cap], now: datetime) -> None:
    """Refuse with `too_many` when one of these is full; all are counted at once."""
    counted = sa.select(*(cap.oldest(now).label(f"cap_{n}") for n, cap in enumerate(caps)))
    for cap, oldest in zip(caps, session.execute(counted).one(), strict=True):
        if oldest is None:
            continue
        if cap.refuses:
            wait = seconds_until(oldest + cap.window, now)
            raise Refused("too_many", retry_after=wait, alarm=cap.alarm)
        if cap.alarm is not None:
            cap.alarm.raise_in(session)


def seconds_until(at: datetime, now: datetime) -> int:
    """Whole seconds until a moment, at least one."""
    return max(1, math.ceil((at - now).total_seconds()))
