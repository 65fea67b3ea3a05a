"""What waits for a person, and how it is brought back: by whom is kept in the history."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.domain.identifiers import uuid7
from connector.domain.lines import Cause
from connector.domain.states import (
    ConflictState,
    EffectState,
    EnvelopeState,
    InboxState,
    Ledger,
    MatchState,
    NoticeState,
    OutboxState,
    PairState,
    check_move,
)
from connector.errors import ConnectorError
from connector.store.session import Store, wake_later
from connector.store.tables import (
    Conflict,
    Envelope,
    History,
    Notice,
    Outbox,
    Pair,
    Received,
    Record,
    Source,
)
from connector.sync import effects, queues

_BATCH = 200
_NOW = sa.func.clock_timestamp()  # the clock that claims go by
_READ_NEXT = "See why it could not be read in the logs, then redrive."
_SEND_NEXT = "See the reason, then redrive."
_VARIES = re.compile(
    r"\b[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}\b|\b[a-zA-Z0-9]{3}[0-9][a-zA-Z0-9]{11}(?:[A-Z0-5]{3})?\b"
)


class What(StrEnum):
    """What can stand still."""

    PAIR = "pair"
    INBOX = "inbox"
    ENVELOPE = "envelope"


@dataclass(frozen=True)
class Stopped:
    """One thing that stands still; `id` is what `redrive` takes."""

    id: str
    state: str
    reason: str
    next_step: str
    since: datetime
    record: str | None = None
    object: str | None = None


@dataclass(frozen=True)
class Group:
    """Things that stand still for the same reason."""

    state: str
    reason: str
    next_step: str
    items: tuple[Stopped, ...]


Handle: TypeAlias = tuple[What, UUID | int]


def parked(session: Session, limit: int = 1000) -> list[Group]:
    """Everything parked, dead, held or in conflict, grouped by reason, the largest group first."""
    groups: dict[tuple[str, str], list[Stopped]] = {}
    for each in [
        *_intents(session, limit),
        *_questions(session, limit),
        *_events(session, limit),
        *_messages(session, limit),
    ]:
        groups.setdefault((each.state, _VARIES.sub("…", each.reason)), []).append(each)
    found = [
        Group(
            state, reason if len(items) > 1 else items[0].reason, items[0].next_step, tuple(items)
        )
        for (state, reason), items in groups.items()
    ]
    return sorted(found, key=lambda group: (-len(group.items), group.state, group.reason))


def _intents(session: Session, limit: int) -> Iterator[Stopped]:
    still = (OutboxState.PARKED, OutboxState.DEAD, OutboxState.HELD)
    here = (
        sa.select(Outbox, Pair, Record.kind)
        .join(Pair, Pair.id == Outbox.pair_id)
        .join(Record, Record.id == Pair.record_id)
        .where(Outbox.state.in_(still))
        .order_by(Outbox.id)
        .limit(limit)
    )
    for row, pair, kind in session.execute(here):
        yield Stopped(
            id=f"{What.PAIR}:{pair.id}",
            state=row.state,
            reason=row.reason or "",
            next_step=row.next_step or "",
            since=row.since,
            record=f"{kind}:{pair.record_id}",
            object=pair.object,
        )


def _questions(session: Session, limit: int) -> Iterator[Stopped]:
    here = (
        sa.select(Conflict, Pair, Record.kind)
        .join(Pair, Pair.id == Conflict.pair_id)
        .join(Record, Record.id == Pair.record_id)
        .where(Conflict.state == ConflictState.OPEN, Pair.state == PairState.OPEN)
        .order_by(Conflict.id)
        .limit(limit)
    )
    for row, pair, kind in session.execute(here):
        yield Stopped(
            id=f"{What.PAIR}:{pair.id}",
            state="conflict",
            reason=f"{pair.object}.{row.line.removesuffix(':in')}: {row.reason}",
            next_step=row.next_step,
            since=row.opened_at,
            record=f"{kind}:{pair.record_id}",
            object=pair.object,
        )


def _events(session: Session, limit: int) -> Iterator[Stopped]:
    here = sa.select(Received).where(
        Received.ledger == Ledger.DEAD, Received.state == InboxState.DEAD
    )
    for row in session.scalars(here.order_by(Received.id).limit(limit)):
        reason = f"{row.source} {row.kind}: {row.reason or 'could not be read'}"
        yield Stopped(f"{What.INBOX}:{row.id}", row.state, reason, _READ_NEXT, row.received_at)


def _messages(session: Session, limit: int) -> Iterator[Stopped]:
    still = (EnvelopeState.DEAD, EnvelopeState.HELD)
    here = sa.select(Envelope).where(Envelope.state.in_(still))
    for row in session.scalars(here.order_by(Envelope.id).limit(limit)):
        said = f"{What.ENVELOPE}:{row.id}"
        yield Stopped(said, row.state, row.reason or "", _SEND_NEXT, row.created_at)


def redrive_all(store: Store, state: str, author: str) -> int:
    """Bring back everything that is `parked` or `dead` now; say how many.

    What is to come back is listed once: what a worker parks again meanwhile stays parked.
    """
    with store.reading() as session:
        found = _all(session, state)
    done = 0
    for at in range(0, len(found), _BATCH):
        with store.transaction() as session:
            done += _bring_back(session, found[at : at + _BATCH], author)
    return done


def redrive(store: Store, reference: str, author: str) -> int:
    """Bring back one thing, by the id that `parked` shows; a record's id means all its pairs."""
    with store.transaction() as session:
        found = _find(session, reference)
        if not found:
            raise ConnectorError(
                "not_stopped",
                f"nothing parked or dead goes by {reference!r}",
                "See what is: connector parked",
            )
        return _bring_back(session, found, author)


def _all(session: Session, state: str) -> list[Handle]:
    pairs = sa.select(Outbox.pair_id).where(Outbox.state == OutboxState(state))
    ordered = session.scalars(pairs.order_by(Outbox.pair_id))
    found: list[Handle] = [(What.PAIR, pair) for pair in ordered]
    if state == OutboxState.DEAD:
        rows = sa.select(Received.id).where(
            Received.ledger == Ledger.DEAD, Received.state == InboxState.DEAD
        )
        found += [(What.INBOX, row) for row in session.scalars(rows.order_by(Received.id))]
        sent = sa.select(Envelope.id).where(Envelope.state == EnvelopeState.DEAD)
        found += [(What.ENVELOPE, row) for row in session.scalars(sent.order_by(Envelope.id))]
    return found


def _find(session: Session, reference: str) -> list[Handle]:
    what, _, rest = reference.rpartition(":")
    if rest.isdecimal():
        row = sa.select(Received.id).where(
            Received.id == int(rest), Received.state == InboxState.DEAD
        )
        return [(What.INBOX, found) for found in session.scalars(row)]
    try:
        wanted = UUID(rest)
    except ValueError:
        return []
    dead = sa.select(Envelope.id).where(Envelope.id == wanted, Envelope.state == EnvelopeState.DEAD)
    if what == What.ENVELOPE:
        return [(What.ENVELOPE, found) for found in session.scalars(dead)]
    mine = Pair.id == wanted
    if what != What.PAIR:
        mine = sa.or_(mine, Pair.record_id == wanted, Pair.key == str(wanted))
    still = Outbox.state.in_((OutboxState.PARKED, OutboxState.DEAD))
    here = sa.select(Pair.id).join(Outbox, Outbox.pair_id == Pair.id).where(mine, still)
    pairs: list[Handle] = [(What.PAIR, found) for found in session.scalars(here)]
    return pairs or [(What.ENVELOPE, found) for found in session.scalars(dead)]


def _bring_back(session: Session, handles: Sequence[Handle], author: str) -> int:
    """The act is a received row of its own; what it brings back are its effects."""
    act = _act(session, handles, author)
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


def _act(session: Session, handles: Sequence[Handle], author: str) -> Received:
    act = Received(
        source=Source.OPERATOR,
        kind="redrive",
        dedupe_key=f"redrive:{uuid7()}",
        body={"author": author, "ids": [f"{what}:{wanted}" for what, wanted in handles]},
        at=datetime.now(UTC),
        state=InboxState.DONE,
        verdict=Ledger.UNCHANGED,
    )
    session.add(act)
    session.flush()
    return act


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
            after={"value": OutboxState.READY.value, "author": act.body["author"]},
            side="operator",
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
    row.state, row.due = EnvelopeState.READY, _NOW
    row.attempts, row.reason = 0, None
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
