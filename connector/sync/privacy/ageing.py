"""What becomes of each class of data once it is old: masked, counted and deleted, or deleted.

Every class is gone through by its primary key, so a step costs what its page costs, however many
rows there are. What is still under way, or waits for a person, is never old.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from connector.domain.states import ConflictState, EnvelopeState, Ledger
from connector.domain.values import Value
from connector.store.tables import (
    Alert,
    Attempt,
    BulkJob,
    Conflict,
    Contrasted,
    Drift,
    Effect,
    Envelope,
    File,
    FileContent,
    Filing,
    History,
    Hole,
    Notice,
    Outbox,
    Pair,
    Plan,
    PlanRow,
    Received,
    Rehearsal,
    ReplyToken,
    Run,
    Source,
    Tally,
)

# LINE's redelivery, the overlap of polls and three days of replayed events: until then a row is what
# tells that a delivery came before.
FLOOR = timedelta(days=7)
EXPIRED: dict[str, Value] = {"expired": True}
FORGOTTEN = ("expired", "erased")  # what a body says that no longer says anything
_TOKEN_REST = timedelta(hours=1)
_GROUPS = timedelta(hours=24)
_DAILY = timedelta(days=1)
_MINUTELY = timedelta(minutes=1)
_QUIET = {"synchronize_session": False}
_FINISHED = (Ledger.WRITTEN, Ledger.NOTIFIED, Ledger.UNCHANGED, Ledger.IGNORED)
_UNDER_WAY = (
    EnvelopeState.READY,
    EnvelopeState.WAITING,
    EnvelopeState.HELD,
    EnvelopeState.CLAIMED,
)
_SENT = tuple(
    state for state in EnvelopeState if state not in _UNDER_WAY and state is not EnvelopeState.DEAD
)

Ids = Sequence[Any]


@dataclass(frozen=True)
class Ages:
    """How long each class of data is kept."""

    bodies: timedelta = timedelta(days=30)
    received: timedelta = timedelta(days=90)
    history: timedelta = timedelta(days=365)
    attempts: timedelta = timedelta(days=90)
    messages: timedelta = timedelta(days=30)
    closed: timedelta = timedelta(days=365)
    files: timedelta = timedelta(days=7)


@dataclass(frozen=True)
class Shelf:
    """One class of data in one table: older than what, which of the rows, and what is done to them.

    `moment` rises with `key`. A walk goes from the oldest row to those that are too young; `again`
    later the next begins at the start, for what was under way then. Without `again` there is
    nothing to come back for, and the walk goes on where it ended.
    """

    name: str
    key: InstrumentedAttribute[Any]
    moment: InstrumentedAttribute[Any]
    before: datetime
    ripe: sa.ColumnElement[bool]
    end: Callable[[Session, Ids], None]
    again: timedelta | None = _DAILY


def shelves(ages: Ages, now: datetime) -> tuple[Shelf, ...]:
    """Every class of data that grows old, as of now."""
    return (
        *_inbox(ages, now),
        *_messages(ages, now),
        *_trails(ages, now),
        *_closed(ages, now),
        *_files(ages, now),
    )


def _inbox(ages: Ages, now: datetime) -> tuple[Shelf, ...]:
    by_operator = Received.source == Source.OPERATOR
    finished = Received.ledger.in_(_FINISHED)
    forgotten = Received.body.bool_op("?|")(sa.cast(FORGOTTEN, sa.ARRAY(sa.Text)))
    groups = Received.body["source"]["type"].as_string().in_(("group", "room")) & ~forgotten
    bodies = finished & ~forgotten & ~by_operator
    key, at = Received.id, Received.received_at
    old, kept = now - max(ages.received, FLOOR), now - max(ages.history, FLOOR)
    return (
        Shelf("group bodies", key, at, now - _GROUPS, groups, _mask_received, again=None),
        Shelf("bodies", key, at, now - ages.bodies, bodies, _mask_received),
        Shelf("received", key, at, old, finished & ~by_operator, _count_and_delete),
        Shelf("acts", key, at, kept, finished & by_operator, _count_and_delete),
    )


def _messages(ages: Ages, now: datetime) -> tuple[Shelf, ...]:
    key, at = Envelope.id, Envelope.created_at
    sent = Envelope.state.in_(_SENT)
    told = sa.func.coalesce(~Envelope.body.bool_op("?")("expired"), sa.true())
    counts = sa.exists().where(Notice.envelope_id == Envelope.id, Effect.notice_id == Notice.id)
    old = now - max(ages.received, FLOOR)
    in_use = sa.exists().where(Envelope.token_id == ReplyToken.id, Envelope.state.in_(_UNDER_WAY))
    tokens = ReplyToken.id, ReplyToken.good_until, now - _TOKEN_REST
    return (
        Shelf("messages", key, at, now - ages.messages, sent & told, _mask_messages),
        Shelf("envelopes", key, at, old, sent & ~counts, _delete_envelopes),
        Shelf("reply tokens", *tokens, ~in_use, _delete_tokens, _MINUTELY),
    )


def _trails(ages: Ages, now: datetime) -> tuple[Shelf, ...]:
    past = (History.id, History.at, now - ages.history)
    tried = (Attempt.id, Attempt.at, now - ages.attempts)
    planned = (PlanRow.id, PlanRow.at, now - ages.attempts)
    plans = (Plan.id, Plan.at, now - ages.history)
    bare = ~sa.exists().where(PlanRow.plan_id == Plan.id)
    return (
        Shelf("history", *past, sa.true(), _delete(History.id)),
        Shelf("attempts", *tried, sa.true(), _delete(Attempt.id)),
        Shelf("rows of plans", *planned, sa.true(), _delete(PlanRow.id)),
        Shelf("plans", *plans, bare, _delete(Plan.id)),
    )


def _closed(ages: Ages, now: datetime) -> tuple[Shelf, ...]:
    """What was opened and closed: its age counts from the closing."""
    old = now - ages.closed
    resolved = (Conflict.state == ConflictState.RESOLVED) & (Conflict.resolved_at < old)
    ended = BulkJob.closed_at < old
    named = sa.exists().where(Pair.bulk_job_id == BulkJob.id)
    # The newest run of a kind keeps the place from which the next one goes on.
    newer = aliased(Run)
    same = (newer.kind == Run.kind) & (newer.subject == Run.subject)
    passed = sa.exists().where(same, newer.id > Run.id, newer.place.is_not(None))
    ran = (Run.finished_at < old) & passed
    return (
        Shelf("conflicts", Conflict.id, Conflict.opened_at, old, resolved, _delete(Conflict.id)),
        Shelf("alerts", Alert.id, Alert.opened_at, old, Alert.closed_at < old, _delete(Alert.id)),
        Shelf("holes", Hole.id, Hole.found_at, old, Hole.closed_at < old, _delete(Hole.id)),
        Shelf("bulk jobs", BulkJob.id, BulkJob.opened_at, old, ended & ~named, _delete(BulkJob.id)),
        Shelf("runs", Run.id, Run.started_at, old, ran, _delete(Run.id)),
        Shelf("drifts", Drift.id, Drift.found_at, old, Drift.closed_at < old, _delete(Drift.id)),
        Shelf(
            "rehearsals",
            Rehearsal.id,
            Rehearsal.begun_at,
            old,
            Rehearsal.ended_at < old,
            _delete_rehearsals,
        ),
    )


def _files(ages: Ages, now: datetime) -> tuple[Shelf, ...]:
    """Bytes that are where they belong, and those that no mapping sends anywhere."""
    old = now - ages.files
    of_file = Filing.file_id == FileContent.file_id
    filed = sa.exists().where(of_file, Filing.filed_at < old)
    owed = sa.exists().where(of_file, sa.or_(Filing.filed_at.is_(None), Filing.filed_at >= old))
    to_come = sa.exists().where(
        File.id == FileContent.file_id, Pair.record_id == File.record_id, Outbox.pair_id == Pair.id
    )
    kept = FileContent.created_at >= now - max(ages.received, ages.files)
    done = ~owed & ~to_come & sa.or_(filed, ~kept)
    key, at = FileContent.file_id, FileContent.created_at
    return (Shelf("files", key, at, old, done, _delete(key)),)


def _mask_received(session: Session, ids: Ids) -> None:
    blank = {"body": EXPIRED, "original": sa.null(), "reason": None, "address_hash": None}
    _update(session, Received, Received.id.in_(ids), blank)


def _count_and_delete(session: Session, ids: Ids) -> None:
    """What is deleted goes on counting: the ledger's sums are the same before and after."""
    session.execute(
        sa.delete(Effect).where(Effect.received_id.in_(ids)).execution_options(**_QUIET)
    )
    columns = (Received.received_at, Received.source, Received.kind, Received.ledger)
    gone = sa.delete(Received).where(Received.id.in_(ids)).returning(*columns).cte("gone")
    hour = sa.func.date_trunc("hour", gone.c.received_at)
    group = (hour, gone.c.source, gone.c.kind, gone.c.ledger)
    counted = sa.select(*group, sa.func.count()).group_by(*group)
    names = ["hour", "source", "kind", "ledger", "number"]
    tally = insert(Tally).from_select(names, counted)
    session.execute(
        tally.on_conflict_do_update(
            index_elements=names[:-1], set_={"number": Tally.number + tally.excluded.number}
        )
    )


def _mask_messages(session: Session, ids: Ids) -> None:
    _update(session, Notice, Notice.envelope_id.in_(ids), {"before": {}, "after": {}})
    _update(session, Envelope, Envelope.id.in_(ids), {"body": EXPIRED})


def _delete_envelopes(session: Session, ids: Ids) -> None:
    for own in (Attempt.envelope_id, Notice.envelope_id, Envelope.id):
        _delete(own)(session, ids)


def _delete_rehearsals(session: Session, ids: Ids) -> None:
    for own in (Contrasted.rehearsal_id, Rehearsal.id):
        _delete(own)(session, ids)


def _delete_tokens(session: Session, ids: Ids) -> None:
    _update(session, Envelope, Envelope.token_id.in_(ids), {"token_id": None})
    _delete(ReplyToken.id)(session, ids)


def _delete(key: InstrumentedAttribute[Any]) -> Callable[[Session, Ids], None]:
    def delete(session: Session, ids: Ids) -> None:
        gone = sa.delete(key.class_).where(key.in_(ids))
        session.execute(gone.execution_options(**_QUIET))

    return delete


def _update(
    session: Session, table: type[Any], rows: sa.ColumnElement[bool], values: dict[str, Any]
) -> None:
    changed = sa.update(table).where(rows).values(values)
    session.execute(changed.execution_options(**_QUIET))
