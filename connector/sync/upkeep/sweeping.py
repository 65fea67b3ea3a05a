"""What keeps everything moving when a wake is lost or a worker dies: every few seconds, PostgreSQL only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.lines import Lane
from connector.domain.states import EnvelopeState, InboxState, OutboxState
from connector.store.session import Store, wake_later
from connector.store.tables import Envelope, Outbox, Pair, Received
from connector.sync import outbox, queues

_NOW = sa.func.clock_timestamp()
_QUIET = {"synchronize_session": False}


def sweep(store: Store) -> None:
    """Ripen what is due, take back what dead workers held, wake every queue that has work."""
    with store.transaction() as session:
        _take_back(session)
        _ripen(session)
        _release_missed(session)
    with store.transaction() as session:
        _wake(session)


def _take_back(session: Session) -> None:
    """A claim whose lease ran out: what its worker wrote, if anything, is looked up first."""
    lost = session.scalars(
        sa.update(Outbox)
        .where(Outbox.state == OutboxState.CLAIMED, Outbox.claimed_until < _NOW)
        .values(state=OutboxState.READY, claim_token=None, claimed_until=None, due=_NOW)
        .returning(Outbox.pair_id)
        .execution_options(**_QUIET)
    ).all()
    if lost:
        session.execute(
            sa.update(Pair)
            .where(Pair.id.in_(lost))
            .values(unseen_write=True, written_at=_NOW)
            .execution_options(**_QUIET)
        )
    for table, claimed, ready in (
        (Received, InboxState.CLAIMED, InboxState.READY),
        (Envelope, EnvelopeState.CLAIMED, EnvelopeState.READY),
    ):
        session.execute(
            sa.update(table)
            .where(table.state == claimed, table.claimed_until < _NOW)
            .values(state=ready, claim_token=None, claimed_until=None, due=_NOW)
            .execution_options(**_QUIET)
        )


def _ripen(session: Session) -> None:
    for table, waiting, ready in (
        (Outbox, OutboxState.WAITING, OutboxState.READY),
        (Received, InboxState.WAITING, InboxState.READY),
        (Envelope, EnvelopeState.WAITING, EnvelopeState.READY),
        (Envelope, EnvelopeState.HELD, EnvelopeState.READY),
    ):
        session.execute(
            sa.update(table)
            .where(table.state == waiting, table.due <= _NOW)
            .values(state=ready)
            .execution_options(**_QUIET)
        )


def _release_missed(session: Session) -> None:
    """Holds whose parent came while nobody was looking."""
    there = sa.select(Pair.id).where(
        Pair.id == Outbox.held_for,
        outbox.has_come(),
    )
    session.execute(
        sa.update(Outbox)
        .where(Outbox.state == OutboxState.HELD, there.correlate(Outbox).exists())
        .values(state=OutboxState.READY, held_for=None, due=_NOW)
        .execution_options(**_QUIET)
    )


def _wake(session: Session) -> None:
    if session.scalar(sa.select(_any(Received, InboxState.READY))):
        wake_later(session, queues.READ)
    if session.scalar(sa.select(_any(Envelope, EnvelopeState.READY))):
        wake_later(session, queues.SEND)
    for lane in Lane:
        here = sa.select(Outbox.id).where(Outbox.state == OutboxState.READY, Outbox.lane == lane)
        if session.scalar(sa.select(here.exists())):
            wake_later(session, queues.deliver(lane))


def _any(table: type[Received | Envelope], state: object) -> sa.Exists:
    return sa.select(table.id).where(table.state == state).exists()
