"""Put received rows into the inbox: every distinct one once, whoever else is doing the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.store.session import wake_later
from connector.store.tables import Received
from connector.sync import queues

_CHUNK = 500
# With the rows as parameters the statement is compiled once, not for each number of rows.
_STORE = insert(Received).on_conflict_do_nothing().returning(Received.id)


def receive(session: Session, rows: Sequence[Mapping[str, object]]) -> int:
    """Store rows by (source, dedupe_key), wake their reader, and say how many were new."""
    ordered = sorted(
        rows, key=lambda row: str(row["dedupe_key"])
    )  # two receivers lock in one order
    new = 0
    for at in range(0, len(ordered), _CHUNK):
        stored = session.scalars(_STORE, ordered[at : at + _CHUNK])
        new += len(stored.all())
    if new:
        wake_later(session, queues.READ)
    return new
