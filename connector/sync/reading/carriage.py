"""Which objects a topic carries now, and since when: those are polled seldom, as a check only.

A topic counts only while it is heard. Its process may run and its connection stand: an event or a
keep-alive is the proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from connector.store.tables import Stream

# The real platform says something at least every 270 s.
SILENCE = timedelta(seconds=300)


def carried(session: Session, now: datetime) -> Mapping[str, datetime]:
    """For each object that a topic carries, the moment from which on it was heard."""
    topic = aliased(Stream)
    here = (
        sa.select(Stream.name, topic.live_since)
        .join(topic, topic.name == Stream.carried_by)
        .where(topic.live_since.is_not(None), topic.heard_at > now - SILENCE)
    )
    return {name: since for name, since in session.execute(here) if since is not None}


def topic_of(session: Session) -> Mapping[str, Stream]:
    """For each carried object, its topic."""
    topic = aliased(Stream)
    here = sa.select(Stream.name, topic).join(topic, topic.name == Stream.carried_by)
    return {row.name: row[1] for row in session.execute(here)}
