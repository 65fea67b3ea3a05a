"""What is kept for a day only: one-time codes with their forms, guesses, answers to repeats."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.members.limits import DAY
from connector.store.tables import Challenge, CodeTry, Idempotency


def clear(session: Session, now: datetime, most: int = 1000) -> int:
    """Delete what is older than a day, at most so many rows of each; says how many went."""
    return sum(
        _clear(session, key, at, now, most)
        for key, at in (
            ([Challenge.id], Challenge.created_at),
            ([CodeTry.id], CodeTry.at),
            ([Idempotency.person_id, Idempotency.key], Idempotency.at),
        )
    )


def _clear(session: Session, key: list[Any], at: Any, now: datetime, most: int) -> int:
    old = sa.select(*key).where(at <= now - DAY).limit(most).with_for_update(skip_locked=True)
    table = key[0].class_
    gone = sa.delete(table).where(sa.tuple_(*key).in_(old)).returning(*key)
    return len(session.execute(gone.execution_options(synchronize_session=False)).all())
