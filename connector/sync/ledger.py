"""The ledger's equation, checked from the outside (design rule 18).

Every received row is in exactly one class. The class that is stored is compared with the one its
effects come to, and what is open must have something that will still close it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.states import EffectState, EnvelopeState, Ledger, NoticeState, OutboxState
from connector.store.tables import Effect, Envelope, Notice, Outbox, Received, Source
from connector.sync import effects

_NEWEST = 10_000  # rows of any class that are looked at besides all that are open
_OPEN_CLASSES = (Ledger.IN_FLIGHT, Ledger.PARKED, Ledger.DEAD)
_UNSETTLED = (EffectState.OPEN, EffectState.PARKED, EffectState.DEAD)
_MOVING = (OutboxState.READY, OutboxState.WAITING, OutboxState.HELD, OutboxState.CLAIMED)
_UNDER_WAY = (
    EnvelopeState.READY,
    EnvelopeState.WAITING,
    EnvelopeState.HELD,
    EnvelopeState.CLAIMED,
)


@dataclass(frozen=True)
class Count:
    """How many rows were received, from where, and what became of them."""

    received: int
    by_source: Mapping[str, int]
    by_class: Mapping[str, int]

    @property
    def adds_up(self) -> bool:
        """Whether sources and classes both come to what was received."""
        sums = (sum(self.by_source.values()), sum(self.by_class.values()))
        return sums == (self.received, self.received)


@dataclass(frozen=True)
class Imbalance:
    """A received row whose stored class is not what its effects come to, and why."""

    received_id: int
    source: str
    kind: str
    stored: str
    derived: str
    why: str


def count(session: Session) -> Count:
    """Count all received rows by source and by class."""
    here = sa.select(Received.source, Received.ledger, sa.func.count())
    rows = session.execute(here.group_by(Received.source, Received.ledger)).all()
    by_source = {source.value: 0 for source in Source}
    by_class = {each.value: 0 for each in Ledger}
    for source, ledger, number in rows:
        by_source[source] += number
        by_class[ledger] += number
    total = session.scalar(sa.select(sa.func.count()).select_from(Received)) or 0
    return Count(total, by_source, by_class)


def imbalances(session: Session, limit: int = 100) -> list[Imbalance]:
    """Rows that break the equation, oldest first; all must be seen in one snapshot."""
    found = [*_wrongly_classed(session, limit), *_without_cause(session, limit)]
    return sorted(found, key=lambda each: each.received_id)[:limit]


def balanced(session: Session) -> bool:
    """Whether the equation holds now."""
    return count(session).adds_up and not imbalances(session, limit=1)


def _wrongly_classed(session: Session, limit: int) -> Iterator[Imbalance]:
    derived = effects.ledger_class().label("derived")
    newest = sa.select(sa.func.max(Received.id)).scalar_subquery() - _NEWEST
    unsettled = sa.select(Effect.received_id).where(Effect.state.in_(_UNSETTLED))
    suspects = sa.or_(
        Received.ledger.in_(_OPEN_CLASSES), Received.id > newest, Received.id.in_(unsettled)
    )
    here = (
        sa.select(Received, derived)
        .where(suspects, sa.cast(Received.ledger, sa.Text) != sa.cast(derived, sa.Text))
        .order_by(Received.id)
        .limit(limit)
    )
    for row, comes_to in session.execute(here):
        why = "its effects and its inbox state come to another class"
        yield _imbalance(row, str(comes_to), why)


def _without_cause(session: Session, limit: int) -> Iterator[Imbalance]:
    """Effects that nothing will ever close, or that wait for nobody."""
    here = (
        sa.select(Received, Effect.state, Outbox.state, Notice.state, Envelope.state)
        .join(Received, Received.id == Effect.received_id)
        .outerjoin(Outbox, Outbox.pair_id == Effect.pair_id)
        .outerjoin(Notice, Notice.id == Effect.notice_id)
        .outerjoin(Envelope, Envelope.id == Notice.envelope_id)
        .where(Effect.state.in_(_UNSETTLED), sa.not_(sa.or_(*_sound())))
        .order_by(Received.id)
        .limit(limit)
    )
    for row, effect, intent, notice, envelope in session.execute(here):
        yield _imbalance(row, row.ledger, _why(effect, intent, notice, envelope))


def _sound() -> Sequence[sa.ColumnElement[bool]]:
    """The ways in which an unsettled effect may rightly stand; null states fit none of them."""

    def stands(effect: EffectState, *so: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
        return sa.func.coalesce(sa.and_(Effect.state == effect, *so), sa.false())

    owed = Notice.state == NoticeState.OWED
    return (
        stands(EffectState.OPEN, Outbox.state.in_(_MOVING)),
        stands(EffectState.OPEN, owed, Envelope.state.in_(_UNDER_WAY)),
        stands(EffectState.PARKED, Outbox.state == OutboxState.PARKED),
        stands(EffectState.DEAD, Outbox.state == OutboxState.DEAD),
        stands(EffectState.DEAD, Notice.state == NoticeState.DEAD),
    )


def _why(
    effect: EffectState,
    intent: OutboxState | None,
    notice: NoticeState | None,
    envelope: EnvelopeState | None,
) -> str:
    if notice is not None:
        return f"its effect is {effect}, its notice {notice}, the envelope {envelope}"
    stands = f"the pair's intent is {intent}" if intent else "the pair has no intent any more"
    return f"its effect is {effect}, but {stands}"


def _imbalance(row: Received, derived: str, why: str) -> Imbalance:
    return Imbalance(row.id, row.source.value, row.kind, row.ledger.value, str(derived), why)
