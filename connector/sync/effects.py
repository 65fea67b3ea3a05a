"""The ledger: what each received row caused, and what became of it (design rule 18).

Links and moves are noted as they happen and written in sets just before the commit, where the
received rows they belong to are reckoned too; so the equation holds at every moment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.states import EffectState, InboxState, Ledger
from connector.store import sets
from connector.store.arrays import array
from connector.store.session import among, book
from connector.store.tables import Effect, Received

_UNSETTLED = (EffectState.OPEN, EffectState.PARKED, EffectState.DEAD)
_CLASSES = {  # what matters most comes first
    EffectState.OPEN: Ledger.IN_FLIGHT,
    EffectState.DEAD: Ledger.DEAD,
    EffectState.PARKED: Ledger.PARKED,
    EffectState.WRITTEN: Ledger.WRITTEN,
    EffectState.NOTIFIED: Ledger.NOTIFIED,
    EffectState.UNCHANGED: Ledger.UNCHANGED,
    EffectState.IGNORED: Ledger.IGNORED,
}
_QUIET = {"synchronize_session": False}
_RANK = 30


@dataclass
class _Page:
    links: list[dict[str, object]] = field(default_factory=list)
    pairs: dict[EffectState, dict[UUID, int | None]] = field(default_factory=dict)
    notices: dict[EffectState, set[UUID]] = field(default_factory=dict)
    received: set[int] = field(default_factory=set)


def _page(session: Session) -> _Page:
    return book(session, _Page, _RANK, _write)


def link_pair(session: Session, received: Collection[int], pair: UUID, version: int) -> None:
    """Say that these received rows want `pair` to be at `version`."""
    _page(session).links += [_link(row, pair=pair, version=version) for row in received]


def link_notice(session: Session, received: Collection[int], notice: UUID) -> None:
    """Say that these received rows caused a notice."""
    _page(session).links += [_link(row, notice=notice) for row in received]


def move_pair(session: Session, pair: UUID, to: EffectState, version: int | None = None) -> None:
    """Move the unsettled effects on a pair, up to `version` where one is given."""
    _page(session).pairs.setdefault(to, {})[pair] = version


def move_notices(session: Session, notices: Collection[UUID], to: EffectState) -> None:
    """Move the effects that are notices."""
    _page(session).notices.setdefault(to, set()).update(notices)


def reckon(session: Session, received: Iterable[int]) -> None:
    """Write down for each received row, which the caller made or has locked, its class of the ledger."""
    _page(session).received.update(received)


def waiting_on(session: Session, pairs: Sequence[UUID]) -> Mapping[UUID, tuple[int, ...]]:
    """For each pair, the received rows with an open effect on it."""
    found: dict[UUID, list[int]] = {}
    here = sa.select(Effect.pair_id, Effect.received_id).distinct()
    open_ = here.where(among(Effect.pair_id, pairs), Effect.state == EffectState.OPEN)
    for pair, received in session.execute(open_.order_by(Effect.received_id)):
        if pair is not None:
            found.setdefault(pair, []).append(received)
    return {pair: tuple(rows) for pair, rows in found.items()}


def _link(
    received: int,
    *,
    pair: UUID | None = None,
    version: int | None = None,
    notice: UUID | None = None,
) -> dict[str, object]:
    return {
        "received_id": received,
        "pair_id": pair,
        "version": version,
        "notice_id": notice,
        "state": EffectState.OPEN,
    }


def _write(session: Session, page: _Page) -> None:
    """Links first, then what is opened again, then what is settled: the order they happened in."""
    touched = set(page.received)
    if page.links:
        sets.insert_all(session, Effect, page.links)
        touched.update(int(str(link["received_id"])) for link in page.links)
    for to in sorted(page.pairs, key=lambda state: state is not EffectState.OPEN):
        touched.update(_move_pairs(session, page.pairs[to], to))
    for to, notices in page.notices.items():
        touched.update(_move(session, among(Effect.notice_id, sorted(notices)), to))
    _lock(session, touched - page.received)
    _reckon(session, touched)


def _move_pairs(
    session: Session, pairs: Mapping[UUID, int | None], to: EffectState
) -> Sequence[int]:
    columns = sa.column("pair_id", sa.Uuid), sa.column("up_to", sa.Integer)
    wanted = (
        sa.func.unnest(
            sa.literal(list(pairs), array(sa.Uuid())),
            sa.literal(list(pairs.values()), array(sa.Integer())),
        )
        .table_valued(*columns, name="wanted")
        .render_derived()
    )
    here = sa.and_(
        Effect.pair_id == wanted.c.pair_id,
        Effect.state.in_(_UNSETTLED),
        Effect.state != to,
        sa.or_(wanted.c.up_to.is_(None), Effect.version <= wanted.c.up_to),
    )
    return _move(session, here, to)


def _move(session: Session, where: sa.ColumnElement[bool], to: EffectState) -> Sequence[int]:
    moved = sa.update(Effect).where(where).values(state=to).returning(Effect.received_id)
    return session.scalars(moved.execution_options(**_QUIET)).all()


def _lock(session: Session, received: Collection[int]) -> None:
    ids = sorted(received)
    if ids:
        # Two transactions may each close one effect of a row: the second must look after the
        # first has committed, and a statement sees other tables as they were when it began.
        mine = sa.select(Received.id).where(among(Received.id, ids)).order_by(Received.id)
        session.execute(mine.with_for_update())


def _reckon(session: Session, received: Collection[int]) -> None:
    if received:
        session.execute(_reckoning(), {"ids": sorted(received)})


@cache
def _reckoning() -> sa.Update:
    """Put together once: it is a fifth of what a form costs us."""
    table = cast("sa.Table", Received.__table__)
    ids = sa.bindparam("ids", type_=array(sa.BigInteger()))
    moved = Received.id == sa.any_(ids), Received.ledger != ledger_class()
    return sa.update(table).where(*moved).values(ledger=ledger_class())


def finish(session: Session, received: sa.ColumnElement[bool], verdict: Ledger) -> None:
    """Read rows that caused nothing more are done: state and class in one version of each. Locks them."""
    session.execute(sa.select(Received.id).where(received).order_by(Received.id).with_for_update())
    done = (
        sa.update(Received)
        .where(received)
        .values(
            state=InboxState.DONE,
            verdict=verdict,
            ledger=_class_of_effects(sa.literal(verdict)),
            claim_token=None,
            claimed_until=None,
        )
    )
    session.execute(done.execution_options(**_QUIET))


def ledger_class() -> sa.ColumnElement[Ledger]:
    """The class of a received row, derived from its state and its effects alone."""
    return sa.case(
        (Received.state == InboxState.DEAD, Ledger.DEAD),
        (Received.state != InboxState.DONE, Ledger.IN_FLIGHT),
        else_=_class_of_effects(sa.func.coalesce(Received.verdict, Ledger.UNCHANGED)),
    )


def _class_of_effects(verdict: sa.ColumnElement[Ledger]) -> sa.ColumnElement[Ledger]:
    """Of all its effects the one that matters most; the verdict where it had none. One look per row."""
    rank = sa.case({state.value: at for at, state in enumerate(_CLASSES)}, value=Effect.state)
    classes = {at: ledger.value for at, ledger in enumerate(_CLASSES.values())}
    first = (
        sa.select(sa.case(classes, value=sa.func.min(rank)))
        .where(Effect.received_id == Received.id)
        .correlate(Received)
        .scalar_subquery()
    )
    return sa.func.coalesce(first, verdict)
