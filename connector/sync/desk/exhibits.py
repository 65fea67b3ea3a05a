"""One thing that stands still, whole: a pair with its record, what could not be read, or a message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.errors import ConnectorError
from connector.store.tables import Attempt, Envelope, Notice, Pair, Received, Record
from connector.sync.catalog import Catalog
from connector.sync.desk import explain, stuck
from connector.sync.desk.explain import PairStory, Story
from connector.sync.desk.standing import What


@dataclass(frozen=True)
class StoppedPair:
    """A pair, with the story of its record."""

    story: Story
    pair: PairStory


@dataclass(frozen=True)
class UnreadEvent:
    """Something received that could not be read."""

    row: Received


@dataclass(frozen=True)
class UnsentMessage:
    """A message that could not be sent, what it was to tell, and the tries."""

    envelope: Envelope
    notices: Sequence[Notice]
    attempts: Sequence[Attempt]


Exhibit: TypeAlias = StoppedPair | UnreadEvent | UnsentMessage


def exhibit(session: Session, catalog: Catalog, reference: str, now: datetime) -> Exhibit:
    """The one thing that goes by an id which a list shows."""
    found = stuck.find(session, reference)
    if len(found) > 1:
        ids = ", ".join(f"{what}:{wanted}" for what, wanted in found)
        raise ConnectorError(
            "several", f"several things stand still under {reference}", f"Name one of them: {ids}."
        )
    ((what, wanted),) = found
    if what is What.PAIR:
        return _pair(session, catalog, wanted, now)
    if what is What.INBOX:
        return UnreadEvent(session.get_one(Received, wanted))
    return _message(session, session.get_one(Envelope, wanted))


def _pair(session: Session, catalog: Catalog, wanted: UUID | int, now: datetime) -> StoppedPair:
    record = session.get_one(Record, session.get_one(Pair, wanted).record_id)
    story = explain.tell(session, catalog, record, now)
    return StoppedPair(story, next(each for each in story.pairs if each.pair.id == wanted))


def _message(session: Session, envelope: Envelope) -> UnsentMessage:
    notices = sa.select(Notice).where(Notice.envelope_id == envelope.id).order_by(Notice.id)
    tries = sa.select(Attempt).where(Attempt.envelope_id == envelope.id).order_by(Attempt.id)
    return UnsentMessage(envelope, session.scalars(notices).all(), session.scalars(tries).all())
