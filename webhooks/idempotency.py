"""One POST, one effect: its answer is kept with its effect, and given again for 24 hours.

The key's row is written first in the same transaction as the effect, so a second request
with the key waits for the first one's commit, and then finds its answer.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.store.tables import Idempotency
from webhooks.problems import Answer, Problem

KEPT = timedelta(hours=24)
LONGEST_KEY = 128


class Repeated(Exception):
    """This request was answered before."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("answered before")
        self.answer = answer


def fingerprint(path: str, body: object) -> str:
    """SHA-256, hexadecimal, of what a request asks for."""
    canonical = orjson.dumps([path, body], option=orjson.OPT_SORT_KEYS)
    return sha256(canonical).hexdigest()


def reserve(session: Session, person_id: UUID, key: str, request: str, now: datetime) -> None:
    """Take the key for this request; raises `Repeated`, or `idempotency_mismatch`."""
    fresh = {"request_hash": request, "status": None, "answer": None, "at": now}
    new = insert(Idempotency).values(person_id=person_id, key=key, **fresh)
    taken = session.scalar(
        new.on_conflict_do_update(
            index_elements=[Idempotency.person_id, Idempotency.key],
            set_=fresh,
            where=Idempotency.at <= now - KEPT,
        ).returning(Idempotency.key)
    )
    if taken is None:
        _repeat(session, person_id, key, request)


def keep(session: Session, person_id: UUID, key: str, answer: Answer) -> None:
    """Keep the answer of a reserved key."""
    # As text, since jsonb would order its names anew.
    held = {"body": orjson.dumps(answer.body).decode(), "headers": dict(answer.headers)}
    here = sa.update(Idempotency).where(_is(person_id, key))
    session.execute(here.values(status=answer.status, answer=held))


def forget(session: Session, person_id: UUID, key: str) -> None:
    """Let the key be used anew: what it stood for did not come about after all."""
    session.execute(sa.delete(Idempotency).where(_is(person_id, key)))


def _repeat(session: Session, person_id: UUID, key: str, request: str) -> None:
    row = session.scalars(sa.select(Idempotency).where(_is(person_id, key))).one_or_none()
    if row is None or row.status is None or row.answer is None:
        raise Problem("try_later", retry_after=1)
    if row.request_hash != request:
        raise Problem("idempotency_mismatch")
    headers = row.answer["headers"]
    kept = (
        {str(name): str(value) for name, value in headers.items()}
        if isinstance(headers, dict)
        else {}
    )
    raise Repeated(Answer(row.status, orjson.loads(str(row.answer["body"])), kept))


def _is(person_id: UUID, key: str) -> sa.ColumnElement[bool]:
    return sa.and_(Idempotency.person_id == person_id, Idempotency.key == key)
