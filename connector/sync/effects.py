"""The ledger: what each received row caused, and what became of it (design rule 18).

Every move of an effect goes through here, and the received rows it belongs to are reckoned in
the same transaction, so that the equation holds at every moment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.domain.states import EffectState, InboxState, Ledger
from connector.store.tables import Effect, Received

_UNSETTLED = (EffectState.OPEN, EffectState.PARKED, EffectState.DEAD)


def link_pair(session: Session, received: Collection[int], pair: UUID, version: int) -> None:
    """Say that these received rows want `pair` to be at `version`."""
    _link(session, [{"received_id": row, "pair_id": pair, "version": version} for row in received])


def link_notice(session: Session, received: Collection[int], notice: UUID) -> None:
    """Say that these received rows caused a notice."""
    _link(session, [{"received_id": row, "notice_id": notice} for row in received])


def _link(session: Session, rows: list[dict[str, object]]) -> None:
    if rows:
        session.execute(insert(Effect), [{**row, "state": EffectState.OPEN} for row in rows])


def move_pair(session: Session, pair: UUID, to: EffectState, version: int | None = None) -> None:
    """Move the unsettled effects on a pair, up to `version` where one is given, and reckon."""
    where = [Effect.pair_id == pair, Effect.state.in_(_UNSETTLED)]
    if version is not None:
        where.append(Effect.version <= version)
    _move(session, sa.and_(*where), to)


def move_notices(session: Session, notices: Collection[UUID], to: EffectState) -> None:
    """Move the effects that are notices, and reckon."""
    if notices:
        _move(session, Effect.notice_id.in_(list(notices)), to)


def waiting_on(session: Session, pair: UUID) -> list[int]:
    """The received rows with an open effect on a pair."""
    here = (Effect.pair_id == pair, Effect.state == EffectState.OPEN)
    return list(session.scalars(sa.select(Effect.received_id).distinct().where(*here)))


def _move(session: Session, where: sa.ColumnElement[bool], to: EffectState) -> None:
    moved = session.scalars(
        sa.update(Effect)
        .where(where)
        .values(state=to)
        .returning(Effect.received_id)
        .execution_options(synchronize_session=False)
    )
    reckon(session, set(moved))


def reckon(session: Session, received: Iterable[int]) -> None:
    """Write down for each received row which class of the ledger it is in."""
    ids = sorted(set(received))
    if not ids:
        return
    session.flush()
    session.execute(
        sa.update(Received)
        .where(Received.id.in_(ids))
        .values(ledger=ledger_class())
        .execution_options(synchronize_session=False)
    )


def ledger_class() -> sa.ColumnElement[Ledger]:
    """The class of a received row, derived from its state and its effects alone."""
    counted = {state: _has(state) for state in EffectState}
    return sa.case(
        (Received.state == InboxState.DEAD, Ledger.DEAD),
        (Received.state != InboxState.DONE, Ledger.IN_FLIGHT),
        (counted[EffectState.OPEN], Ledger.IN_FLIGHT),
        (counted[EffectState.DEAD], Ledger.DEAD),
        (counted[EffectState.PARKED], Ledger.PARKED),
        (counted[EffectState.WRITTEN], Ledger.WRITTEN),
        (counted[EffectState.NOTIFIED], Ledger.NOTIFIED),
        (counted[EffectState.UNCHANGED], Ledger.UNCHANGED),
        (counted[EffectState.IGNORED], Ledger.IGNORED),
        else_=sa.func.coalesce(Received.verdict, Ledger.UNCHANGED),
    )


def _has(state: EffectState) -> sa.ColumnElement[bool]:
    return (
        sa.select(sa.literal(1))
        .where(Effect.received_id == Received.id, Effect.state == state)
        .correlate(Received)
        .exists()
    )
