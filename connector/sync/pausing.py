"""The whole org rests: what waits waits on, instead of failing row by row."""

from __future__ import annotations

import random
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain import faults
from connector.domain.faults import Fault
from connector.salesforce.faults import policy
from connector.store.session import Store
from connector.store.tables import Org


def pause(session: Session, reason: str, until: datetime) -> None:
    """Let the whole org rest."""
    session.execute(sa.update(Org).values(paused_until=until, reason=reason[:1000]))


def pause_for(store: Store, fault: Fault, now: datetime) -> None:
    """Let the whole org rest, if that is what the fault means."""
    found = pause_of(fault, now) if fault.org_wide else None
    if found is not None:
        with store.transaction() as session:
            pause(session, *found)


def pause_of(fault: Fault, now: datetime) -> tuple[str, datetime] | None:
    """Why and until when the whole org rests, if that is what the fault means."""
    decision = policy(fault, 1, now, random.random)
    return (decision.reason, decision.until) if isinstance(decision, faults.Pause) else None


def is_paused(session: Session, now: datetime) -> bool:
    """Whether the org rests at this moment."""
    until = session.scalar(sa.select(Org.paused_until).limit(1))
    return until is not None and until > now
