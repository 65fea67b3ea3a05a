"""What a change of a record means for its LINE user: notices owed, gathered into envelopes.

An envelope that has not been sent yet takes further notices of the same person; notices of one
rule on one record coalesce to the latest state.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.identifiers import uuid7
from connector.domain.lines import Lane
from connector.domain.states import EnvelopeState, NoticeState
from connector.domain.values import Values
from connector.mapping.messaging.notices import CompiledNotice
from connector.store import sets
from connector.store.session import among, book, wake_later
from connector.store.tables import Envelope, Friendship, Notice, Received, Record
from connector.sync import effects, queues, views

if TYPE_CHECKING:
    from connector.sync.changes import Scene

TOKEN_LIFE = timedelta(seconds=50)
_UNSENT = (EnvelopeState.READY, EnvelopeState.WAITING, EnvelopeState.HELD)
_MOST_BUBBLES = 5
_RANK = 10  # before effects, which notices become


@dataclass(frozen=True)
class _Owed:
    person: UUID
    rule: CompiledNotice
    record: UUID
    before: Values
    after: Values
    received: tuple[int, ...]
    at: datetime


@dataclass
class _Page:
    owed: dict[tuple[UUID, str], _Owed] = field(default_factory=dict)


def owe_for(scene: Scene, record: Record, before: Values) -> None:
    """Owe the notices whose rules say that this change is worth a message."""
    if record.person_id is None:
        return
    was = {**views.blank_values(record.kind), **before}
    now = {**views.blank_values(record.kind), **record.values}
    for rule in scene.catalog.notices.of_kind(record.kind):
        if rule.matches(was, now):
            owe(scene, record.person_id, rule, record, was, now)


def owe(
    scene: Scene, person: UUID, rule: CompiledNotice, record: Record, before: Values, after: Values
) -> None:
    """Owe one notice to one person; it is put into an envelope just before the commit."""
    owed = book(scene.session, _Page, _RANK, _write).owed
    first = owed.get((record.id, rule.id))
    received = scene.received if first is None else (*first.received, *scene.received)
    was = before if first is None else first.before
    owed[record.id, rule.id] = _Owed(person, rule, record.id, was, after, received, scene.now)


def _write(session: Session, page: _Page) -> None:
    """Coalesce with what is not sent yet, fill open envelopes, begin new ones."""
    owed = list(page.owed.values())
    accounts = _accounts(session, {each.person for each in owed})
    waiting = _waiting(session, owed)
    hopes = _tokens_hoped_for(session, owed)
    envelopes = _open_envelopes(session, accounts)
    fresh: list[dict[str, object]] = []
    for each in owed:
        oa = accounts.get(each.person)
        if oa is None:
            continue
        notice = waiting.get((each.record, each.rule.id))
        named = notice.id if notice is not None else uuid7()
        if notice is not None:
            notice.after = dict(each.after)
        else:
            envelope = envelopes.with_room(each.person, oa)
            envelope.hope(_hoped_until(each, hopes))
            fresh.append(_notice(each, envelope.id, named))
        effects.link_notice(session, each.received, named)
        wake_later(session, queues.SEND)
    sets.update_all(session, waiting.values())
    envelopes.write(session)  # before the notices, which name them
    sets.insert_all(session, Notice, fresh)


def _notice(owed: _Owed, envelope: UUID, named: UUID) -> dict[str, object]:
    return {
        "id": named,
        "envelope_id": envelope,
        "person_id": owed.person,
        "record_id": owed.record,
        "rule": owed.rule.id,
        "purpose": owed.rule.purpose,
        "template": owed.rule.template,
        "before": owed.before,
        "after": owed.after,
        "expires_at": owed.at + owed.rule.max_age,
        "state": NoticeState.OWED,
    }


def _accounts(session: Session, people: Collection[UUID]) -> Mapping[UUID, str]:
    """For each person, the official account they befriended last."""
    here = sa.select(Friendship.person_id, Friendship.oa).where(among(Friendship.person_id, people))
    newest = here.order_by(Friendship.following, Friendship.heard_at)
    return {row.person_id: row.oa for row in session.execute(newest)}


def _waiting(session: Session, owed: Sequence[_Owed]) -> Mapping[tuple[UUID, str], Notice]:
    """Notices of these rules on these records that are not sent yet; their envelopes are locked."""
    here = (
        sa.select(Notice)
        .join(Envelope, Envelope.id == Notice.envelope_id)
        .where(
            among(Notice.record_id, {each.record for each in owed}),
            Notice.state == NoticeState.OWED,
            Envelope.state.in_(_UNSENT),
            Envelope.body.is_(None),
        )
        .order_by(Envelope.id)
        .with_for_update(of=Envelope)
    )
    return {(row.record_id, row.rule): row for row in session.scalars(here) if row.record_id}


@dataclass
class _Open:
    """An envelope that still takes so many notices; `stored` is its row, where it has one."""

    id: UUID
    room: int
    stored: Envelope | None = None
    hoped_until: datetime | None = None

    def hope(self, until: datetime | None) -> None:
        """Let it wait for a reply token until then, or longer where it does already."""
        known = self.hoped_until
        if until is None or (known is not None and known >= until):
            return
        self.hoped_until = until
        if self.stored is not None:
            self.stored.token_hoped_until = until


@dataclass
class _Envelopes:
    """The envelopes that a transaction fills, by person and official account."""

    open: dict[tuple[UUID, str], _Open]
    begun: list[tuple[UUID, str, _Open]] = field(default_factory=list)

    def with_room(self, person: UUID, oa: str) -> _Open:
        """An envelope with room for one more bubble, which it takes."""
        envelope = self.open.get((person, oa))
        if envelope is None or envelope.room < 1:
            envelope = self.open[person, oa] = _Open(uuid7(), _MOST_BUBBLES)
            self.begun.append((person, oa, envelope))
        envelope.room -= 1
        return envelope

    def write(self, session: Session) -> None:
        """Store what was begun, and what was hoped for."""
        sets.update_all(session, [each.stored for each in self.open.values() if each.stored])
        rows: list[dict[str, object]] = [
            {
                "id": envelope.id,
                "person_id": person,
                "oa": oa,
                "lane": Lane.URGENT,
                "state": EnvelopeState.READY,
                "retry_key": uuid4(),
                "tries_on_token": 0,
                "attempts": 0,
                "token_hoped_until": envelope.hoped_until,
            }
            for person, oa, envelope in self.begun
        ]
        sets.insert_all(session, Envelope, rows)


def _open_envelopes(session: Session, accounts: Mapping[UUID, str]) -> _Envelopes:
    held = sa.select(sa.func.count()).where(Notice.envelope_id == Envelope.id).scalar_subquery()
    here = (
        sa.select(Envelope, held)
        .where(
            among(Envelope.person_id, list(accounts)),
            Envelope.state.in_(_UNSENT),
            Envelope.body.is_(None),
        )
        .order_by(Envelope.id)
        .with_for_update(skip_locked=True, of=Envelope)
    )
    return _Envelopes(
        {
            (row.person_id, row.oa): _Open(
                row.id, _MOST_BUBBLES - filled, row, row.token_hoped_until
            )
            for row, filled in session.execute(here)
        }
    )


def _tokens_hoped_for(session: Session, owed: Sequence[_Owed]) -> Mapping[int, datetime]:
    """The forms that were opened from a chat: our page says a line there, which brings a reply token."""
    waiting = [each for each in owed if each.rule.reply_within is not None]
    received = {row for each in waiting for row in each.received}
    if not received:
        return {}
    from_chat = Received.body["from_chat"].as_boolean().is_(True)
    here = sa.select(Received.id, Received.received_at).where(
        among(Received.id, received), from_chat
    )
    return {row.id: row.received_at for row in session.execute(here)}


def _hoped_until(owed: _Owed, hopes: Mapping[int, datetime]) -> datetime | None:
    """Until when a reply may come for what is owed, if that is still to come."""
    within = owed.rule.reply_within
    if within is None:
        return None
    latest = max((hopes[row] + within for row in owed.received if row in hopes), default=owed.at)
    return latest if latest > owed.at else None
