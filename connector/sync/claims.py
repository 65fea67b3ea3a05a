"""Rows of a queue, taken for a lease under one token, whoever else is taking some."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.store.tables import Envelope, Outbox, Received

T = TypeVar("T", Received, Envelope)


def held(table: type[Received | Envelope | Outbox], token: UUID | None) -> sa.ColumnElement[bool]:
    """What is held under a token, which a row has only while it is claimed.

    Its state is not asked: so few rows are claimed that PostgreSQL would look for them by their state,
    and behind an old snapshot step over all that ever were.
    """
    return table.claim_token == token


def take(
    session: Session, table: type[T], waiting: sa.Select[Any], lease: timedelta
) -> Sequence[T]:
    """Take the rows whose ids `waiting` names, in its order; those that others hold are passed over."""
    session.execute(sa.text("SET LOCAL enable_sort = off"))  # the index has the order already
    head = waiting.with_for_update(skip_locked=True).cte("head")
    return session.scalars(
        sa.update(table)
        .where(table.id == head.c.id)
        .values(
            state="claimed",
            claim_token=uuid4(),
            claimed_until=sa.func.clock_timestamp() + lease,
            attempts=table.attempts + 1,
        )
        .returning(table)
        .execution_options(synchronize_session=False)
    ).all()
