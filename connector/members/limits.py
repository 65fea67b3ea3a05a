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
    unknown_units_per_person_and_hour: int = 10
    repairs_per_person_and_day: int = 20


LIMITS = Limits()


def is_public(address: str) -> bool:
    """Whether an address tells people apart; a proxy's or this machine's own does not."""
    try:
        return ip_address(address).is_global
    except ValueError:
        return False


def require_room(
    session: Session,
    moment: sa.SQLColumnExpression[datetime],
    where: Sequence[sa.ColumnElement[bool]],
    most: int,
    window: timedelta,
    now: datetime,
) -> None:
    """Refuse with `too_many` when the last `window` already holds `most` rows."""
    query: sa.Select[Any] = (
        sa.select(moment)
        .where(*where, moment > now - window)
        .order_by(moment.desc())
        .offset(most - 1)
        .limit(1)
    )
    oldest = session.scalar(query)
    if oldest is not None:
        raise Refused("too_many", retry_after=seconds_until(oldest + window, now))


def seconds_until(at: datetime, now: datetime) -> int:
    """Whole seconds until a moment, at least one."""
    return max(1, math.ceil((at - now).total_seconds()))
