"""People whose row was deleted in Salesforce under a mapping that says what this means: they are erased.

The pair says so as soon as the delete is sure, and from then on nothing of its row is read. The person
follows within a minute, by the very act that `connector erase` is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from connector.domain.states import PairState
from connector.members.tombstones import Tombstones
from connector.store.session import Store
from connector.store.tables import Pair, Person, Record
from connector.sync.privacy.erasing import Erasure

log = structlog.get_logger()

REASON = "deleted in Salesforce, which erases the person"
_AUTHOR = "on_delete: erase"
_AT_ONCE = 100


def depart(pair: Pair) -> None:
    """End a locked pair whose row was deleted; nothing of what it knew is kept."""
    pair.state, pair.erasing, pair.reason = PairState.CLOSED, True, REASON
    pair.base, pair.attempt, pair.unseen_write = {}, None, False
    pair.flips = pair.looks = pair.doubts = None


def erase(store: Store, tombstones: Tombstones, now: datetime) -> int:
    """Erase the people whose rows were deleted; says how many there were."""
    with store.reading() as session:
        people = _waiting(session)
    for person in people:
        Erasure(store, tombstones, _AUTHOR, REASON).erase(person, now)
        log.info("person erased", why=REASON, person=str(person))
    return len(people)


def _waiting(session: Session) -> Sequence[UUID]:
    """People one of whose pairs is to be erased, who are not erased themselves."""
    here = (
        sa.select(Person.id)
        .join(Record, Record.person_id == Person.id)
        .join(Pair, Pair.record_id == Record.id)
        .where(Pair.erasing, Person.erased_at.is_(None))
        .distinct()
    )
    return session.scalars(here.limit(_AT_ONCE)).all()
