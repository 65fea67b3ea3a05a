"""Put received rows into the inbox: every distinct one once, whoever else is doing the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.store.session import wake_later
from connector.store.tables import Received
from connector.sync import queues

_CHUNK = 500


def receive(session: Session, rows: Sequence[Mapping[str, object]]) -> int:
    """Store rows by (source, dedupe_key), wake their reader, and say how many were new."""
    ordered = sorted(
        rows, key=lambda row: str(row["dedupe_key"])
    )  # two receivers lock in one order
    new = 0
    for at in range(0, len(ordered), _CHUNK):
        chunk = insert(Received).values(ordered[at : at + _CHUNK]).on_conflict_do_nothing()
        new += len(session.scalars(chunk.returning(Received.id)).all())
    if new:
        wake_later(session, queues.READ)
    return new
