"""The ledger's equation, checked from the outside (design rule 18).

Every received row is in exactly one class. The class that is stored is compared with the one its
effects come to, and what is open must have something that will still close it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.states import EffectState, EnvelopeState, Ledger, NoticeState, OutboxState
from connector.store.tables import Effect, Envelope, Notice, Outbox, Received, Source, Tally
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


@dataclass
class Equation:
    """What one source sent of one kind within one hour, and what became of it."""

    hour: datetime
    source: str
    kind: str
    by_class: dict[str, int] = field(default_factory=lambda: {each.value: 0 for each in Ledger})

    @property
    def received(self) -> int:
        """How many rows these are."""
        return sum(self.by_class.values())


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
    """Count all rows ever received by source and by class, those no longer kept included."""
    kept = sa.select(Received.source, Received.ledger, sa.func.count())
    gone = sa.select(Tally.source, Tally.ledger, sa.cast(sa.func.sum(Tally.number), sa.BigInteger))
    by_source = {source.value: 0 for source in Source}
    by_class = {each.value: 0 for each in Ledger}
    for here in (
        kept.group_by(Received.source, Received.ledger),
        gone.group_by(Tally.source, Tally.ledger),
    ):
        for source, ledger, number in session.execute(here):
            by_source[source] += number
            by_class[ledger] += number
    total = sa.select(sa.func.count()).select_from(Received).scalar_subquery()
    before = sa.select(sa.func.coalesce(sa.func.sum(Tally.number), 0)).scalar_subquery()
    return Count(int(session.scalar(sa.select(total + before)) or 0), by_source, by_class)


def equations(session: Session, since: datetime) -> list[Equation]:
    """What was received in each hour from that of `since`, by source and kind, newest hour first."""
    hour = sa.func.date_trunc("hour", Received.received_at).label("hour")
    first = since.replace(minute=0, second=0, microsecond=0)
    kept = (
        sa.select(hour, Received.source, Received.kind, Received.ledger, sa.func.count())
        .where(Received.received_at >= first)
        .group_by(hour, Received.source, Received.kind, Received.ledger)
    )
    gone = sa.select(Tally.hour, Tally.source, Tally.kind, Tally.ledger, Tally.number)
    found: dict[tuple[datetime, str, str], Equation] = {}
    for here in (kept, gone.where(Tally.hour >= first)):
        for at, source, kind, ledger, number in session.execute(here):
            each = found.setdefault((at, source, kind), Equation(at, source.value, kind))
            each.by_class[ledger] += number
    newest = sorted(found.values(), key=lambda each: (each.source, each.kind))
    return sorted(newest, key=lambda each: each.hour, reverse=True)


def imbalances(
    session: Session, limit: int = 100, *, among: range | None = None
) -> list[Imbalance]:
    """Rows that break the equation, oldest first; all must be seen in one snapshot.

    Looks at all that is not settled and at the newest rows of every class, or at the rows whose
    ids are `among` these.
    """
    found = [*_wrongly_classed(session, limit, among), *_without_cause(session, limit)]
    return sorted(found, key=lambda each: each.received_id)[:limit]


def balanced(session: Session) -> bool:
    """Whether the equation holds now."""
    return count(session).adds_up and not imbalances(session, limit=1)


def _wrongly_classed(session: Session, limit: int, among: range | None) -> Iterator[Imbalance]:
    derived = effects.ledger_class().label("derived")
    here = (
        sa.select(Received, derived)
        .where(_suspects(among), sa.cast(Received.ledger, sa.Text) != sa.cast(derived, sa.Text))
        .order_by(Received.id)
        .limit(limit)
    )
    for row, comes_to in session.execute(here):
        why = "its effects and its inbox state come to another class"
        yield _imbalance(row, str(comes_to), why)


def _suspects(among: range | None) -> sa.ColumnElement[bool]:
    if among is not None:
        return sa.and_(Received.id >= among.start, Received.id < among.stop)
    newest = sa.select(sa.func.max(Received.id)).scalar_subquery() - _NEWEST
    unsettled = sa.select(Effect.received_id).where(Effect.state.in_(_UNSETTLED))
    return sa.or_(
        Received.ledger.in_(_OPEN_CLASSES), Received.id > newest, Received.id.in_(unsettled)
    )


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
