"""How things stand: what was received and became of it, what waits, how far the org is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from connector.domain.lines import Lane
from connector.domain.states import EnvelopeState, InboxState, Ledger, OutboxState
from connector.domain.values import Value, moment
from connector.store import alerts
from connector.store.session import Store
from connector.store.tables import Alert, Envelope, LineAccount, Org, Outbox, Received, Stream
from connector.sync.reading import carriage
from connector.sync.upkeep import ledger

CLASSES = ("written", "notified", "unchanged", "ignored", "parked", "dead", "in_flight")
_MOVING = ("ready", "waiting", "claimed")
_RECENT = timedelta(hours=1)


@dataclass(frozen=True)
class Around:
    """What the database does not know: the version, the settings, the processes."""

    version: str
    reserve: float  # share of the daily API calls that is left to others
    accounts: Sequence[str] = ()  # bot user ids of the official accounts that are set up
    processes: Sequence[Mapping[str, Value]] = ()


@contextmanager
def snapshot(store: Store) -> Iterator[Session]:
    """A reading transaction in which every query sees the same moment."""
    with store.reading() as session:
        session.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        yield session


def status(session: Session, around: Around, now: datetime) -> dict[str, Value]:
    """All of it, as `connector status --json` tells it; call it in a `snapshot`."""
    queues = _queues(session, now)
    return {
        "version": around.version,
        "time": moment(now),
        "idle": _is_idle(queues),
        "ledger": _ledger(session, now),
        "queues": queues,
        "streams": _streams(session, now),
        "salesforce": _salesforce(session, around.reserve, now),
        "line": _line(session, around.accounts),
        "processes": [dict(process) for process in around.processes],
        "alerts": [alert_told(each) for each in alerts.open_alerts(session)],
    }


def alert_told(alert: Alert) -> dict[str, Value]:
    """An alert as JSON."""
    return {
        "kind": alert.kind,
        "subject": alert.subject,
        "message": alert.message,
        "next_step": alert.next_step,
        "times": alert.times,
        "since": moment(alert.opened_at),
        "last_at": moment(alert.last_at),
    }


def equation_told(each: ledger.Equation) -> dict[str, Value]:
    """One hour of one source and kind as JSON."""
    named = {"hour": moment(each.hour), "source": each.source, "kind": each.kind}
    return {**named, "received": each.received, **each.by_class}


def _ledger(session: Session, now: datetime) -> dict[str, Value]:
    count = ledger.count(session)
    return {
        "received": count.received,
        "by_source": dict(count.by_source),
        **{name: count.by_class[name] for name in CLASSES},
        "balanced": count.adds_up and not ledger.imbalances(session, limit=1),
        "by_hour": [equation_told(each) for each in ledger.equations(session, now - _RECENT)],
    }


def _queues(session: Session, now: datetime) -> dict[str, Value]:
    return {
        "inbox": _inbox(session, now),
        "outbox": _outbox(session, now),
        "envelopes": _envelopes(session, now),
        "lanes": _lanes(session),
    }


def _inbox(session: Session, now: datetime) -> dict[str, Value]:
    """An event that is to be read again later counts as ready: it is still to be read."""
    unread = (InboxState.READY, InboxState.WAITING, InboxState.CLAIMED, InboxState.DEAD)
    found = _by_state(session, Received, unread)
    return {
        "ready": found[InboxState.READY] + found[InboxState.WAITING],
        "claimed": found[InboxState.CLAIMED],
        "dead": found[InboxState.DEAD],
        "oldest_s": _age(session, Received, Received.received_at, now),
    }


def _outbox(session: Session, now: datetime) -> dict[str, Value]:
    found = _by_state(session, Outbox, tuple(OutboxState))
    names = ("ready", "waiting", "held", "claimed", "parked", "dead")
    counts: dict[str, Value] = {name: found[OutboxState(name)] for name in names}
    return {**counts, "oldest_s": _age(session, Outbox, Outbox.since, now)}


def _envelopes(session: Session, now: datetime) -> dict[str, Value]:
    names = ("ready", "waiting", "held", "claimed", "uncertain", "dead")
    found = _by_state(session, Envelope, tuple(EnvelopeState(name) for name in names))
    counts: dict[str, Value] = {name: found[EnvelopeState(name)] for name in names}
    return {**counts, "oldest_s": _age(session, Envelope, Envelope.created_at, now)}


def _lanes(session: Session) -> dict[str, Value]:
    takeable = Outbox.state.in_((OutboxState.READY, OutboxState.CLAIMED))
    number = sa.func.count().label("number")
    here = sa.select(Outbox.lane, number).where(takeable).group_by(Outbox.lane)
    found = {row.lane: row.number for row in session.execute(here)}
    return {lane.value: found.get(lane, 0) for lane in Lane}


_Queue = type[Received | Outbox | Envelope]


def _by_state(session: Session, table: _Queue, states: Sequence[StrEnum]) -> dict[StrEnum, int]:
    """One count for each state: `IN` would not see that partial indexes hold them."""
    counts = [
        sa.select(sa.func.count()).where(_stands(table, state)).scalar_subquery()
        for state in states
    ]
    return dict(zip(states, session.execute(sa.select(*counts)).one(), strict=True))


def _age(
    session: Session, table: _Queue, since: InstrumentedAttribute[datetime], now: datetime
) -> float | None:
    """Seconds since the oldest row that still moves came."""
    oldest = [
        sa.select(sa.func.min(since)).where(table.state == state).scalar_subquery()
        for state in _MOVING
    ]
    found = [at for at in session.execute(sa.select(*oldest)).one() if at is not None]
    return _seconds(now, min(found)) if found else None


def _stands(table: _Queue, state: StrEnum) -> sa.ColumnElement[bool]:
    if table is Received and state is InboxState.DEAD:  # found through the ledger's index
        return sa.and_(Received.ledger == Ledger.DEAD, Received.state == state)
    return table.state == state


def _is_idle(queues: Mapping[str, Value]) -> bool:
    """Nothing ready, claimed or waiting; held, parked and dead rows move only by somebody's act."""
    return not any(
        isinstance(counts, dict) and counts.get(name)
        for counts in (queues["inbox"], queues["outbox"], queues["envelopes"])
        for name in _MOVING
    )


def _streams(session: Session, now: datetime) -> list[Value]:
    """The objects that are read, each by its topic where that is heard, else by polls."""
    live = carriage.carried(session, now)
    topics = carriage.topic_of(session)
    rows = session.scalars(sa.select(Stream).where(Stream.via == "poll").order_by(Stream.name))
    told: list[Value] = []
    for row in rows:
        through = row.read_through
        if row.name in live:
            through = max(through, topics[row.name].read_through)
        told.append(
            {
                "name": row.name,
                "via": "pubsub" if row.name in live else "poll",
                "read_through": moment(through),
                "lag_s": _seconds(now, through),
            }
        )
    return told


def _salesforce(session: Session, share: float, now: datetime) -> dict[str, Value]:
    org = session.scalars(sa.select(Org).limit(1)).one_or_none()
    paused = org is not None and org.paused_until is not None and org.paused_until > now
    limit = org.api_limit if org else None
    return {
        "organization_id": org.organization_id if org else None,
        "state": "paused" if paused else "open",
        "reason": org.reason if org and paused else None,
        "api_used": org.api_used if org else None,
        "api_limit": limit,
        "reserve": None if limit is None else int(limit * share),
    }


def _line(session: Session, accounts: Sequence[str]) -> list[Value]:
    known = {row.oa: row for row in session.scalars(sa.select(LineAccount))}
    names = dict.fromkeys([*accounts, *sorted(known)])
    return [
        {
            "bot_user_id": name,
            "quota": known[name].quota if name in known else None,
            "used": known[name].used if name in known else None,
        }
        for name in names
    ]


def _seconds(now: datetime, then: datetime) -> float:
    return round(max(0.0, (now - then).total_seconds()), 1)
