"""What an operator does, received like whatever else changes something; its effects are linked to it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from connector.domain.identifiers import uuid7
from connector.domain.lines import Cause
from connector.domain.states import InboxState, Ledger
from connector.domain.values import Value
from connector.store.tables import Received, Source


def act(
    session: Session,
    kind: str,
    author: str,
    told: dict[str, Value],
    *,
    cause: Cause = Cause.LIVE,
    person: UUID | None = None,
    at: datetime | None = None,
) -> Received:
    """Store an act: who did it, and what it was asked to do in `told`."""
    row = Received(
        source=Source.OPERATOR,
        kind=kind,
        dedupe_key=f"{kind}:{uuid7()}",
        person_id=person,
        body={"author": author, **told},
        at=at or datetime.now(UTC),
        cause=cause,
        state=InboxState.DONE,
        verdict=Ledger.UNCHANGED,
    )
    session.add(row)
    session.flush()
    return row
