"""Intents to bring pairs up to date: made, claimed, held, released, settled.

One live row per pair and no payload: ten edits make one write. Every move is a
compare-and-set on the claim token, so a worker that wakes late changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import cast
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import Session

from connector.domain.lines import Cause, Lane
from connector.domain.states import EffectState, MatchState, OutboxState, PairState, check_move
from connector.domain.values import Value
from connector.errors import ConnectorError
from connector.store import sets
from connector.store.session import among, book, wake_later
from connector.store.tables import Outbox, Pair, epochs
from connector.sync import claims, effects, queues

_WOKEN_BY_A_CHANGE = (OutboxState.HELD, OutboxState.PARKED, OutboxState.DEAD)
_LANES = {lane: rank for rank, lane in enumerate(Lane)}
_RANK = 20
_NO_STEP = "See the reason, and mend what it names, then redrive."
_CHUNK = 500
_ASKED = ("pair_id", "lane", "cause", "recheck", "restores")


@dataclass(frozen=True)
class _Wanted:
    lane: Lane
    cause: Cause
    recheck: bool
    restores: dict[str, Value] | None = None

    def and_also(self, other: _Wanted) -> _Wanted:
        """Both asks in one: the more urgent lane, a live cause before any other."""
        return _Wanted(
            min(self.lane, other.lane, key=lambda lane: _LANES[lane]),
            Cause.LIVE if Cause.LIVE in (self.cause, other.cause) else other.cause,
            self.recheck or other.recheck,
            other.restores or self.restores,
        )


@dataclass
class _Page:
    wanted: dict[UUID, _Wanted] = field(default_factory=dict)
    released: set[UUID] = field(default_factory=set)
    perhaps: set[UUID] = field(default_factory=set)
    ended: list[int] = field(default_factory=list)


def _page(session: Session) -> _Page:
    return book(session, _Page, _RANK, _write)


def want(
    session: Session,
    pair: UUID,
    lane: Lane,
    cause: Cause,
    *,
    recheck: bool = False,
    restores: dict[str, Value] | None = None,
    is_new: bool = False,
) -> None:
    """Ask that a pair be brought up to date; an ask under way is repeated, not doubled.

    `restores` are fields to put back where nobody changed them since (`restoring`).
    """
    page, ask = _page(session), _Wanted(lane, cause, recheck, restores)
    before = page.wanted.get(pair)
    page.wanted[pair] = ask if before is None else before.and_also(ask)
    if not is_new:  # on a pair that was made just now nothing can have stopped
        effects.move_pair(session, pair, EffectState.OPEN)
    wake_later(session, queues.deliver(lane))


def release(session: Session, held_for: Iterable[UUID]) -> None:
    """Let go of everything that waits for these rows."""
    _page(session).released.update(held_for)


def release_if_there(session: Session, held_for: UUID) -> None:
    """Let go at once if the row that is waited for came meanwhile; the sweep catches what is missed."""
    _page(session).perhaps.add(held_for)


def _write(session: Session, page: _Page) -> None:
    """What ended first: of a pair that is wanted again meanwhile a new intent is made."""
    if page.ended:
        ended = sa.delete(Outbox).where(among(Outbox.id, page.ended))
        session.execute(ended.execution_options(synchronize_session=False))
    _release(session, page.released | _there(session, page.perhaps))
    if page.wanted:
        _want(session, page.wanted)


def _want(session: Session, wanted: Mapping[UUID, _Wanted]) -> None:
    rows = [
        {
            "pair_id": pair,
            "lane": wanted[pair].lane,
            "cause": wanted[pair].cause,
            "recheck": wanted[pair].recheck,
            "restores": wanted[pair].restores,
        }
        for pair in sorted(wanted)
    ]
    for at in range(0, len(rows), _CHUNK):
        session.execute(_upsert(), sets.as_parameter(rows[at : at + _CHUNK]))


@cache
def _upsert() -> Insert:
    """Put together once: it is a fifth of what a form costs us."""
    told = sets.given(Outbox, _ASKED)
    begun: dict[str, object] = {"state": OutboxState.READY.value, "again": False, "attempts": 0}
    columns = [*(told.c[name] for name in _ASKED), *(sa.literal(value) for value in begun.values())]
    rows = sa.select(*columns).order_by(told.c.pair_id)
    table = cast("sa.Table", Outbox.__table__)
    fresh = insert(table).from_select([*_ASKED, *begun], rows, include_defaults=False)
    asked = fresh.excluded
    woken = Outbox.state.in_(_WOKEN_BY_A_CHANGE)
    sooner = sa.case(_LANES, value=Outbox.lane) > sa.case(_LANES, value=asked.lane)
    return fresh.on_conflict_do_update(
        index_elements=[Outbox.pair_id],
        set_={
            "again": sa.or_(Outbox.again, Outbox.state == OutboxState.CLAIMED),
            "recheck": sa.or_(Outbox.recheck, asked.recheck),
            "restores": sa.func.coalesce(asked.restores, Outbox.restores),
            "lane": sa.case((sooner, asked.lane), else_=Outbox.lane),
            "cause": sa.case((asked.cause == Cause.LIVE, asked.cause), else_=Outbox.cause),
            "state": sa.case((woken, OutboxState.READY), else_=Outbox.state),
            "attempts": sa.case((woken, 0), else_=Outbox.attempts),
            "held_for": sa.case((woken, None), else_=Outbox.held_for),
            "due": sa.case((woken, sa.func.clock_timestamp()), else_=Outbox.due),
        },
    )


def _there(session: Session, held_for: Collection[UUID]) -> set[UUID]:
    if not held_for:
        return set()
    return set(session.scalars(sa.select(Pair.id).where(among(Pair.id, held_for), has_come())))


def has_come() -> sa.ColumnElement[bool]:
    """Whether a pair keeps nobody waiting: it has a row that is surely its own, or is closed."""
    found = sa.and_(Pair.match == MatchState.FOUND, sa.not_(Pair.adopted))
    unmarked = sa.and_(found, Pair.version == 0)  # never settled: its key is not on the row yet
    surely = sa.and_(Pair.match != MatchState.CONFLICT, sa.not_(unmarked))
    has_row = sa.and_(Pair.salesforce_id.is_not(None), surely)
    return sa.or_(has_row, Pair.state == PairState.CLOSED)


def _release(session: Session, held_for: Collection[UUID]) -> None:
    if not held_for:
        return
    lanes = session.scalars(
        sa.update(Outbox)
        .where(Outbox.state == OutboxState.HELD, among(Outbox.held_for, held_for))
        .values(state=OutboxState.READY, held_for=None, attempts=0, due=sa.func.clock_timestamp())
        .returning(Outbox.lane)
        .execution_options(synchronize_session=False)
    )
    for lane in set(lanes):
        wake_later(session, queues.deliver(lane))


def claim(
    session: Session, lane: Lane, limit: int, lease: timedelta, since: datetime | None = None
) -> list[Outbox]:
    """Take up to `limit` intents; their pairs' epochs move, so older reads no longer count.

    Of those that became due before `since` none is looked for (`heads`).
    """
    token = uuid4()
    session.execute(sa.text("SET LOCAL enable_sort = off"))
    head = (
        sa.select(Outbox.id, Outbox.pair_id)
        .join(Pair, Pair.id == Outbox.pair_id)
        .where(
            Outbox.state == OutboxState.READY,
            Outbox.lane == lane,
            Outbox.due <= sa.func.clock_timestamp(),
            *(() if since is None else (Outbox.due >= since,)),
        )
        .order_by(Outbox.due, Outbox.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=[Outbox, Pair])
    )
    taken = session.execute(head).all()
    if not taken:
        return []
    session.execute(
        sa.update(Pair)
        .where(among(Pair.id, [row.pair_id for row in taken]))
        .values(epoch=epochs.next_value())
        .execution_options(synchronize_session=False)
    )
    claimed = session.scalars(
        sa.update(Outbox)
        .where(among(Outbox.id, [row.id for row in taken]))
        .values(
            state=OutboxState.CLAIMED,
            claim_token=token,
            claimed_until=sa.func.clock_timestamp() + lease,
            attempts=Outbox.attempts + 1,
            again=False,
        )
        .returning(Outbox)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return sorted(claimed, key=lambda row: row.id)


class ClaimsLost(ConnectorError):
    """The lease ran out and another worker has the intents now."""

    def __init__(self) -> None:
        super().__init__("claims_lost", "another worker has taken this batch over")


def renew(session: Session, claimed: Sequence[Outbox], lease: timedelta) -> None:
    """Hold the claims for a lease from now, or raise `ClaimsLost` when none is left."""
    mine = (
        sa.update(Outbox)
        .where(
            among(Outbox.id, [row.id for row in claimed]),
            claims.held(Outbox, claimed[0].claim_token),
        )
        .values(claimed_until=sa.func.clock_timestamp() + lease)
        .returning(Outbox.id)
    )
    held = session.scalars(mine.execution_options(synchronize_session=False)).all()
    if not held:
        raise ClaimsLost


def still_mine(session: Session, claimed: Sequence[Outbox]) -> dict[int, Outbox]:
    """Lock the claimed rows that this worker still holds; the others moved on without it."""
    if not claimed:
        return {}
    rows = session.scalars(
        sa.select(Outbox)
        .where(
            among(Outbox.id, [row.id for row in claimed]),
            claims.held(Outbox, claimed[0].claim_token),
        )
        .order_by(Outbox.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows}


def is_claimed(session: Session, pair: UUID) -> bool:
    """Whether a write of this pair may be under way."""
    return (
        session.scalar(sa.select(Outbox.state).where(Outbox.pair_id == pair)) is OutboxState.CLAIMED
    )


def settle(
    session: Session, row: Outbox, effect: EffectState, version: int, *, recheck: bool = False
) -> None:
    """The pair is up to date as of `version`: close the intent, or take it up again."""
    if row.again or recheck:
        _move(row, OutboxState.READY, attempts=0, recheck=row.recheck or recheck)
        wake_later(session, queues.deliver(row.lane))
    else:
        _page(session).ended.append(row.id)
    effects.move_pair(session, row.pair_id, effect, version)


def go_on(session: Session, row: Outbox, *, recheck: bool = False) -> None:
    """The row is there and what follows it is not: its effects stay open, and nobody waits for it now."""
    repeated = recheck or (row.again and row.recheck)
    lane = max(row.lane, Lane.NORMAL, key=lambda each: _LANES[each])
    _move(row, OutboxState.READY, attempts=0, recheck=repeated, lane=lane)
    wake_later(session, queues.deliver(lane))


def postpone(row: Outbox, at: datetime, reason: str, next_step: str) -> None:
    """Try again at a moment; a moment that has passed means at once."""
    _move(row, OutboxState.WAITING, due=at, reason=reason, next_step=next_step)


def hold(session: Session, row: Outbox, held_for: UUID, reason: str, next_step: str) -> None:
    """Wait, visibly, for another row."""
    if row.again:
        _move(row, OutboxState.READY, attempts=0)
        wake_later(session, queues.deliver(row.lane))
    else:
        _move(row, OutboxState.HELD, held_for=held_for, reason=reason, next_step=next_step)


def stop(
    session: Session,
    row: Outbox,
    to: OutboxState,
    reason: str,
    next_step: str,
    fault: dict[str, Value] | None = None,
) -> None:
    """Park the intent for a person, or give it up; a change during flight gives it another try."""
    if row.again:
        _move(row, OutboxState.READY, attempts=0)
        wake_later(session, queues.deliver(row.lane))
        return
    _move(row, to, reason=reason, next_step=next_step or _NO_STEP, fault=fault)
    parked = to is OutboxState.PARKED
    effects.move_pair(session, row.pair_id, EffectState.PARKED if parked else EffectState.DEAD)


def drop(session: Session, pair: UUID) -> None:
    """Nothing is to be brought up to date any more: the intent ends, its effects with it."""
    session.flush()
    session.execute(
        sa.delete(Outbox).where(Outbox.pair_id == pair).execution_options(synchronize_session=False)
    )
    effects.move_pair(session, pair, EffectState.IGNORED)


def _move(row: Outbox, to: OutboxState, **changes: object) -> None:
    check_move(row.state, to)
    row.state = to
    row.claim_token = row.claimed_until = None
    row.held_for = None
    row.again = False
    row.fault = None
    for name, value in changes.items():
        setattr(row, name, value)
    if to is OutboxState.READY:
        row.reason = row.next_step = None
        row.due = sa.func.clock_timestamp()
