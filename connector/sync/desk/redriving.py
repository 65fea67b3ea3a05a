"""Bring back what is parked or dead; who did it is kept in the history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.domain.lines import Cause
from connector.domain.states import (
    EffectState,
    EnvelopeState,
    InboxState,
    MatchState,
    NoticeState,
    OutboxState,
    check_move,
)
from connector.domain.values import Value
from connector.line.faults import REFUSED
from connector.store.session import Store, wake_later
from connector.store.tables import (
    Attempt,
    Envelope,
    History,
    Notice,
    Outbox,
    Pair,
    Received,
    Record,
)
from connector.sync import acts, effects, queues
from connector.sync.desk import stuck
from connector.sync.desk.standing import What
from connector.sync.desk.stuck import Handle

_BATCH = 200
_NOW = sa.func.clock_timestamp()  # the clock that claims go by


def redrive(store: Store, reference: str, author: str) -> int:
    """Bring back what goes by an id that `connector dead list` shows; say how many that were."""
    with store.transaction() as session:
        found = stuck.find(session, reference)
        return bring_back(session, found, acts.act(session, "redrive", author, told(found)))


def redrive_all(store: Store, state: str, author: str) -> int:
    """Bring back everything that is `parked` or `dead` now; say how many."""
    with store.reading() as session:
        found = stuck.all_in(session, state)
    return redrive_these(store, found, author)


def redrive_these(
    store: Store,
    handles: Sequence[Handle],
    author: str,
    done: Callable[[int], None] = lambda _: None,
) -> int:
    """Bring back what was listed, in parts; what a worker parks again meanwhile stays parked."""
    brought = 0
    for at in range(0, len(handles), _BATCH):
        part = handles[at : at + _BATCH]
        with store.transaction() as session:
            brought += bring_back(session, part, acts.act(session, "redrive", author, told(part)))
        done(brought)
    return brought


def bring_back(session: Session, handles: Sequence[Handle], act: Received) -> int:
    """Bring these back now; they are effects of the act."""
    records = _lock_records(session, handles)
    done = 0
    for what, wanted in handles:
        match what:
            case What.PAIR:
                done += _pair(session, act, wanted, records)
            case What.INBOX:
                done += _event(session, wanted)
            case What.ENVELOPE:
                done += _message(session, act, wanted)
    effects.reckon(session, [act.id])
    return done


def told(handles: Sequence[Handle]) -> dict[str, Value]:
    """What an act on these says of itself."""
    return {"ids": [f"{what}:{wanted}" for what, wanted in handles]}


def _lock_records(session: Session, handles: Sequence[Handle]) -> Mapping[UUID, Record]:
    """The records of these pairs, locked first as everywhere: record, pair, outbox."""
    pairs = [wanted for what, wanted in handles if what is What.PAIR]
    records = sa.select(Pair.record_id).where(Pair.id.in_(pairs))
    here = sa.select(Record).where(Record.id.in_(records)).order_by(Record.id).with_for_update()
    return {record.id: record for record in session.scalars(here)}


def _pair(
    session: Session, act: Received, wanted: UUID | int, records: Mapping[UUID, Record]
) -> int:
    pair = session.scalars(sa.select(Pair).where(Pair.id == wanted).with_for_update()).one()
    here = sa.select(Outbox).where(Outbox.pair_id == pair.id).with_for_update()
    row = session.scalars(here).one_or_none()
    if row is None or row.state not in (OutboxState.PARKED, OutboxState.DEAD):
        return 0
    check_move(row.state, OutboxState.READY)
    _remember(session, act, records[pair.record_id], row.state)
    if pair.match is MatchState.CONFLICT and pair.salesforce_id is None:
        pair.match = MatchState.PENDING  # a person has looked: the row is sought anew
    row.state, row.due = OutboxState.READY, _NOW
    row.attempts, row.recheck = 0, row.recheck or pair.salesforce_id is not None
    row.reason = row.next_step = row.fault = row.held_for = None
    session.flush()
    effects.link_pair(session, (act.id,), pair.id, records[pair.record_id].version)
    effects.move_pair(session, pair.id, EffectState.OPEN)
    wake_later(session, queues.deliver(row.lane))
    return 1


def _remember(session: Session, act: Received, record: Record, was: OutboxState) -> None:
    session.execute(
        insert(History).values(
            record_id=record.id,
            version=record.version,
            name="redrive",
            before={"value": was.value},
            after={"value": OutboxState.READY.value},
            side="operator",
            author=str(act.body["author"]),
            cause=Cause.LIVE,
            received_id=act.id,
            at=act.at,
        )
    )


def _event(session: Session, wanted: UUID | int) -> int:
    row = session.scalars(sa.select(Received).where(Received.id == wanted).with_for_update()).one()
    if row.state is not InboxState.DEAD:
        return 0
    check_move(row.state, InboxState.READY)
    row.state, row.due = InboxState.READY, _NOW
    row.attempts, row.reason = 0, None
    effects.reckon(session, [row.id])
    wake_later(session, queues.READ)
    return 1


def _message(session: Session, act: Received, wanted: UUID | int) -> int:
    row = session.scalars(sa.select(Envelope).where(Envelope.id == wanted).with_for_update()).one()
    if row.state is not EnvelopeState.DEAD:
        return 0
    check_move(row.state, EnvelopeState.READY)
    if _was_refused(session, row):
        _thaw(row)
    row.state, row.due = EnvelopeState.READY, _NOW
    row.attempts, row.reason, row.next_step = 0, None, None
    notices = session.scalars(
        sa.update(Notice)
        .where(Notice.envelope_id == row.id, Notice.state == NoticeState.DEAD)
        .values(state=NoticeState.OWED)
        .returning(Notice.id)
        .execution_options(synchronize_session=False)
    ).all()
    session.flush()
    effects.move_notices(session, notices, EffectState.OPEN)
    for notice in notices:
        effects.link_notice(session, (act.id,), notice)
    wake_later(session, queues.SEND)
    return 1


def _was_refused(session: Session, envelope: Envelope) -> bool:
    """Whether LINE said no to the last try; had it taken an earlier one, it would have said so."""
    tries = sa.select(Attempt.answer["code"].astext).where(Attempt.envelope_id == envelope.id)
    return session.scalar(tries.order_by(Attempt.id.desc()).limit(1)) in REFUSED


def _thaw(envelope: Envelope) -> None:
    """What was refused is worked out anew, from the template as it is now."""
    envelope.body = envelope.via = envelope.first_sent_at = None
    envelope.retry_key = uuid4()
