"""What a change of a record means for its LINE user: notices owed, gathered into envelopes.

An envelope that has not been sent yet takes further notices of the same person; notices of one
rule on one record coalesce to the latest state.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.states import EnvelopeState, NoticeState
from connector.domain.values import Values
from connector.mapping.notices import CompiledNotice
from connector.store.session import wake_later
from connector.store.tables import Envelope, Friendship, Notice, Received, Record
from connector.sync import effects, queues, views

if TYPE_CHECKING:
    from connector.sync.changes import Scene

TOKEN_LIFE = timedelta(seconds=50)
_UNSENT = (EnvelopeState.READY, EnvelopeState.WAITING, EnvelopeState.HELD)
_MOST_BUBBLES = 5


def owe_for(scene: Scene, record: Record, before: Values) -> None:
    """Owe the notices whose rules say that this change is worth a message."""
    if record.person_id is None:
        return
    was = {**views.blank_values(record.kind), **before}
    now = {**views.blank_values(record.kind), **record.values}
    for notice in scene.catalog.notices.of_kind(record.kind):
        if notice.matches(was, now):
            owe(scene, record.person_id, notice, record, was, now)


def owe(
    scene: Scene, person: UUID, rule: CompiledNotice, record: Record, before: Values, after: Values
) -> None:
    """Owe one notice to one person, on the official account they befriended last."""
    session = scene.session
    oa = _account_of(session, person)
    if oa is None:
        return
    notice = _coalesced(session, rule.id, record.id, after)
    if notice is None:
        envelope = _open_envelope(session, person, oa) or _new_envelope(session, person, oa)
        notice = Notice(
            envelope_id=envelope.id,
            person_id=person,
            record_id=record.id,
            rule=rule.id,
            purpose=rule.purpose,
            template=rule.template,
            before=dict(before),
            after=dict(after),
            expires_at=scene.now + rule.max_age,
        )
        session.add(notice)
        session.flush()
        _hope_for_token(envelope, _opened_from_chat(session, scene.received, scene.now, rule))
    effects.link_notice(session, scene.received, notice.id)
    wake_later(session, queues.SEND)


def _account_of(session: Session, person: UUID) -> str | None:
    newest = sa.select(Friendship.oa).where(Friendship.person_id == person)
    return session.scalar(
        newest.order_by(Friendship.following.desc(), Friendship.heard_at.desc()).limit(1)
    )


def _coalesced(session: Session, rule: str, record: UUID, after: Values) -> Notice | None:
    here = (
        sa.select(Notice)
        .join(Envelope, Envelope.id == Notice.envelope_id)
        .where(
            Notice.record_id == record,
            Notice.rule == rule,
            Notice.state == NoticeState.OWED,
            Envelope.state.in_(_UNSENT),
            Envelope.body.is_(None),
        )
        .with_for_update(of=Envelope)
    )
    notice = session.scalars(here).first()
    if notice is not None:
        notice.after = dict(after)
    return notice


def _open_envelope(session: Session, person: UUID, oa: str) -> Envelope | None:
    held = sa.select(sa.func.count()).where(Notice.envelope_id == Envelope.id).scalar_subquery()
    here = (
        sa.select(Envelope)
        .where(
            Envelope.person_id == person,
            Envelope.oa == oa,
            Envelope.state.in_(_UNSENT),
            Envelope.body.is_(None),
            held < _MOST_BUBBLES,
        )
        .order_by(Envelope.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return session.scalars(here).first()


def _new_envelope(session: Session, person: UUID, oa: str) -> Envelope:
    envelope = Envelope(person_id=person, oa=oa, retry_key=uuid4())
    session.add(envelope)
    session.flush()
    return envelope


def _opened_from_chat(
    session: Session, received: Collection[int], now: datetime, rule: CompiledNotice
) -> datetime | None:
    """Until when a reply token may follow: our page says a line in the chat once a form is accepted."""
    if not received or rule.reply_within is None:
        return None
    here = sa.select(sa.func.max(Received.received_at)).where(
        Received.id.in_(list(received)), Received.body["from_chat"].as_boolean().is_(True)
    )
    newest = session.scalar(here)
    until = None if newest is None else newest + rule.reply_within
    return until if until is not None and until > now else None


def _hope_for_token(envelope: Envelope, until: datetime | None) -> None:
    if until is not None and (
        envelope.token_hoped_until is None or envelope.token_hoped_until < until
    ):
        envelope.token_hoped_until = until
