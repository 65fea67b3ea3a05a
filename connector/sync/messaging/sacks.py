"""Envelopes that were claimed together, with all that sending them needs, loaded in a few queries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.lines import Lane
from connector.domain.states import EnvelopeState
from connector.store.session import among
from connector.store.tables import (
    Envelope,
    Friendship,
    LineAccount,
    Notice,
    Person,
    Record,
    ReplyToken,
)
from connector.sync import claims
from connector.sync.catalog import Catalog, Catalogs
from connector.sync.messaging import postmarks

BATCH = 80


@dataclass(frozen=True)
class Sack:
    """One batch on its way."""

    envelopes: Sequence[Envelope]
    catalog: Catalog
    people: Mapping[UUID, Person]
    followed: Collection[tuple[UUID, str]]  # by whom, which official account
    notices: Mapping[UUID, Sequence[Notice]]
    records: Mapping[UUID, Record]
    replying: Collection[tuple[UUID, str]]  # to whom, from which account a reply may still go

    def follows(self, envelope: Envelope) -> bool:
        """Whether the person can be reached at all."""
        return (envelope.person_id, envelope.oa) in self.followed

    def token(self, session: Session, envelope: Envelope, now: datetime) -> str | None:
        """The token this envelope already tried, else the freshest unused one, taken for it alone."""
        if envelope.token_id is not None:
            held = session.get_one(ReplyToken, envelope.token_id)
            envelope.tries_on_token += 1
            return held.token
        if envelope.via == "push":
            return None  # a push under way keeps its retry key; a reply now could say it twice
        if (envelope.person_id, envelope.oa) not in self.replying:
            return None
        here = sa.select(ReplyToken).where(
            ReplyToken.person_id == envelope.person_id,
            ReplyToken.oa == envelope.oa,
            _is_unused(now),
        )
        freshest = here.order_by(ReplyToken.good_until.desc()).limit(1)
        token = session.scalars(freshest.with_for_update(skip_locked=True)).one_or_none()
        if token is None:
            return None
        token.used_at = now
        envelope.token_id, envelope.tries_on_token = token.id, 1
        return token.token


def claim(session: Session, catalogs: Catalogs, lease: timedelta, now: datetime) -> Sack | None:
    """Take what is due; None where nothing is."""
    envelopes = _claim(session, lease)
    if not envelopes:
        return None
    people = [envelope.person_id for envelope in envelopes]
    owed = postmarks.owed(session, envelopes)
    records = {each.record_id for some in owed.values() for each in some if each.record_id}
    friends = sa.select(Friendship.person_id, Friendship.oa).where(
        among(Friendship.person_id, people), Friendship.following
    )
    tokens = sa.select(ReplyToken.person_id, ReplyToken.oa).where(
        among(ReplyToken.person_id, people), _is_unused(now)
    )
    return Sack(
        envelopes,
        catalogs.live(session),
        {row.id: row for row in session.scalars(sa.select(Person).where(among(Person.id, people)))},
        {(person, oa) for person, oa in session.execute(friends)},
        owed,
        {
            row.id: row
            for row in session.scalars(sa.select(Record).where(among(Record.id, records)))
        },
        {(person, oa) for person, oa in session.execute(tokens)},
    )


def _is_unused(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(ReplyToken.used_at.is_(None), ReplyToken.good_until > now)


def _claim(session: Session, lease: timedelta) -> Sequence[Envelope]:
    resting = sa.select(LineAccount.oa).where(LineAccount.paused_until > sa.func.clock_timestamp())
    waiting = sa.select(Envelope.id).where(
        Envelope.state == EnvelopeState.READY,
        Envelope.lane == Lane.URGENT,
        Envelope.due <= sa.func.clock_timestamp(),
        Envelope.oa.not_in(resting),
    )
    in_order = waiting.order_by(Envelope.due, Envelope.id).limit(BATCH)
    return claims.take(session, Envelope, in_order, lease)
