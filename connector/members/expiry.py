"""What is kept for a day only: one-time codes with their forms, guesses, answers to repeats, unused files."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.members.limits import DAY
from connector.store.tables import Challenge, CodeTry, File, Idempotency


def clear(session: Session, now: datetime, most: int = 1000) -> int:
    """Delete what is older than a day, at most so many rows of each; says how many went."""
    return sum(
        _clear(session, key, old, most)
        for key, old in (
            ([Challenge.id], Challenge.created_at <= now - DAY),
            ([CodeTry.id], CodeTry.at <= now - DAY),
            ([Idempotency.person_id, Idempotency.key], Idempotency.at <= now - DAY),
            ([File.id], sa.and_(File.record_id.is_(None), File.created_at <= now - DAY)),
        )
    )


def _clear(session: Session, key: list[Any], old: sa.ColumnElement[bool], most: int) -> int:
    ripe = sa.select(*key).where(old).limit(most).with_for_update(skip_locked=True)
    table = key[0].class_
    gone = sa.delete(table).where(sa.tuple_(*key).in_(ripe)).returning(*key)
    return len(session.execute(gone.execution_options(synchronize_session=False)).all())
