"""The story of one record, from the data alone: where it stands on both sides, and why."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.lines import Write
from connector.domain.records import SCHEMAS, Kind
from connector.domain.states import ConflictState
from connector.domain.values import Fields, Values
from connector.errors import ConnectorError, EnvironmentProblem
from connector.mapping.canonical import long_id
from connector.mapping.compiled import CompiledMapping, Line, LineProblem
from connector.store.tables import (
    Attempt,
    Conflict,
    Effect,
    Envelope,
    Friendship,
    History,
    Notice,
    Org,
    Outbox,
    Pair,
    Person,
    Received,
    Record,
)
from connector.sync import views, weighing
from connector.sync.catalog import Catalog

_LAST_ATTEMPTS = 5
_LAST_RECEIVED = 50
_SALESFORCE_ID = re.compile(r"[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?")
_USER_ID = re.compile(r"U[0-9a-f]{32}")


@dataclass(frozen=True)
class Pending:
    """A field line whose value Salesforce does not have yet, or that cannot be worked out."""

    line: str
    fields: Fields
    problem: LineProblem | None = None


@dataclass(frozen=True)
class PairStory:
    """One pair: where it stands, what it waits for, what was tried."""

    pair: Pair
    mapping: CompiledMapping | None
    intent: Outbox | None
    pending: Sequence[Pending]
    conflicts: Sequence[Conflict]
    attempts: Sequence[Attempt]


@dataclass(frozen=True)
class Story:
    """Everything there is to tell of one record."""

    record: Record
    seen: Values
    relations: Mapping[str, str]  # name -> kind:id
    pairs: Sequence[PairStory]
    unpaired: Sequence[CompiledMapping]  # mappings of its kind under which it has no open pair
    received: Sequence[Received]
    notices: Sequence[tuple[Notice, Envelope]]
    org: Org | None
    holders: Mapping[UUID, str]  # what held intents wait for -> kind:id
    now: datetime


def find(session: Session, reference: str) -> Record:
    """The record that a reference names: KIND:ID, `friend:U…`, a Salesforce id, a key."""
    kind, colon, rest = reference.strip().partition(":")
    if colon:
        record = _by_kind(session, kind, rest)
    elif (uuid := _as_uuid(kind)) is not None:
        record = _by_key(session, str(uuid)) or session.get(Record, uuid)
    elif _SALESFORCE_ID.fullmatch(kind):
        record = _by_salesforce_id(session, kind)
    else:
        raise _misread(reference)
    if record is None:
        raise ConnectorError(
            "unknown_record",
            f"there is no LINE record {reference!r}",
            "It may not have reached us yet: see `connector status`, and check the id.",
        )
    return record


def _by_kind(session: Session, kind: str, rest: str) -> Record | None:
    if kind not in SCHEMAS:
        known = ", ".join(SCHEMAS)
        raise EnvironmentProblem("unknown_kind", f"no record kind {kind!r}", f"Known: {known}.")
    if kind == Kind.FRIEND and _USER_ID.fullmatch(rest):
        return _friend(session, rest)
    uuid = _as_uuid(rest)
    if uuid is None:
        raise _misread(f"{kind}:{rest}")
    record = session.get(Record, uuid)
    return record if record is not None and record.kind == kind else None


def _friend(session: Session, user_id: str) -> Record | None:
    """The record of the friendship that was heard of last."""
    here = (
        sa.select(Record)
        .join(Friendship, Friendship.id == Record.id)
        .join(Person, Person.id == Friendship.person_id)
        .where(Person.line_user_id == user_id)
        .order_by(Friendship.heard_at.desc())
        .limit(1)
    )
    return session.scalars(here).one_or_none()


def _by_key(session: Session, key: str) -> Record | None:
    here = sa.select(Record).join(Pair, Pair.record_id == Record.id).where(Pair.key == key)
    return session.scalars(here).one_or_none()


def _by_salesforce_id(session: Session, salesforce_id: str) -> Record | None:
    """The record that owns the row, before one that only names it or has let go of it."""
    here = (
        sa.select(Record)
        .join(Pair, Pair.record_id == Record.id)
        .where(Pair.salesforce_id == long_id(salesforce_id))
        .order_by(Pair.adopted, sa.case((Pair.state == "open", 0), else_=1), Pair.id.desc())
        .limit(1)
    )
    return session.scalars(here).one_or_none()


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _misread(reference: str) -> EnvironmentProblem:
    return EnvironmentProblem(
        "bad_reference",
        f"{reference!r} is no reference to a record",
        "Give KIND:ID (for example member:0190…), a Salesforce id, a LINE_Key__c or friend:U….",
    )


def tell(session: Session, catalog: Catalog, record: Record, now: datetime) -> Story:
    """Gather the story of a record."""
    seen = views.view_of(session, record)
    pairs = [_pair(session, catalog, pair, seen) for pair in _pairs(session, record)]
    paired = {each.pair.mapping for each in pairs if each.pair.state == "open"}
    mappings = catalog.by_kind.get(record.kind, ())
    notices = _notices(session, record)
    return Story(
        record=record,
        seen=seen,
        relations=_relations(session, record),
        pairs=pairs,
        unpaired=[mapping for mapping in mappings if mapping.name not in paired],
        received=_received(session, record, pairs, [notice for notice, _ in notices]),
        notices=notices,
        org=session.scalars(sa.select(Org).limit(1)).one_or_none(),
        holders=_holders(session, pairs),
        now=now,
    )


def _relations(session: Session, record: Record) -> dict[str, str]:
    related = views.relations_of(session, [record.id]).get(record.id, {})
    here = sa.select(Record.id, Record.kind).where(Record.id.in_(list(related.values())))
    kinds = {row.id: row.kind for row in session.execute(here)}
    return {name: f"{kinds.get(target, '?')}:{target}" for name, target in related.items()}


def _pairs(session: Session, record: Record) -> Sequence[Pair]:
    here = sa.select(Pair).where(Pair.record_id == record.id)
    return session.scalars(here.order_by(Pair.created_at, Pair.id)).all()


def _pair(session: Session, catalog: Catalog, pair: Pair, seen: Values) -> PairStory:
    mapping = catalog.mappings.get(pair.mapping)
    intent = session.scalars(sa.select(Outbox).where(Outbox.pair_id == pair.id)).one_or_none()
    conflicts = sa.select(Conflict).where(
        Conflict.pair_id == pair.id, Conflict.state == ConflictState.OPEN
    )
    attempts = sa.select(Attempt).where(Attempt.pair_id == pair.id)
    last = session.scalars(attempts.order_by(Attempt.id.desc()).limit(_LAST_ATTEMPTS)).all()
    is_written = mapping is not None and pair.state == "open" and not pair.adopted
    return PairStory(
        pair=pair,
        mapping=mapping,
        intent=intent,
        pending=_pending(mapping, pair, seen) if mapping is not None and is_written else (),
        conflicts=session.scalars(conflicts.order_by(Conflict.id)).all(),
        attempts=last[::-1],
    )


def _pending(mapping: CompiledMapping, pair: Pair, seen: Values) -> list[Pending]:
    found = []
    for line in mapping.outbound:
        try:
            fields = line.forward(seen)
        except LineProblem as problem:
            found.append(Pending(line.id, {problem.field: problem.value}, problem))
            continue
        if _is_pending(line, pair, fields):
            found.append(Pending(line.id, fields))
    return found


def _is_pending(line: Line, pair: Pair, fields: Fields) -> bool:
    """Whether a line is still to be sent: the row is not there yet, or the value moved on."""
    if pair.salesforce_id is None:
        return any(value is not None for value in fields.values())
    base = weighing.base_of(line, pair.base)
    follows = line.write is Write.CHANGE
    return follows and base is not None and not line.same(fields, base)


def _notices(session: Session, record: Record) -> list[tuple[Notice, Envelope]]:
    here = (
        sa.select(Notice, Envelope)
        .join(Envelope, Envelope.id == Notice.envelope_id)
        .where(Notice.record_id == record.id)
        .order_by(Notice.created_at, Notice.id)
    )
    return [(notice, envelope) for notice, envelope in session.execute(here)]


def _received(
    session: Session, record: Record, pairs: Sequence[PairStory], notices: Collection[Notice]
) -> Sequence[Received]:
    """What reached us and concerned the record: it caused an effect on it or changed a value."""
    caused = sa.select(Effect.received_id).where(
        sa.or_(
            Effect.pair_id.in_([each.pair.id for each in pairs]),
            Effect.notice_id.in_([notice.id for notice in notices]),
        )
    )
    changed = sa.select(History.received_id).where(
        History.record_id == record.id, History.received_id.is_not(None)
    )
    here = sa.select(Received).where(Received.id.in_(caused.union(changed)))
    return session.scalars(here.order_by(Received.id.desc()).limit(_LAST_RECEIVED)).all()[::-1]


def _holders(session: Session, pairs: Sequence[PairStory]) -> dict[UUID, str]:
    waited = {each.intent.held_for for each in pairs if each.intent and each.intent.held_for}
    if not waited:
        return {}
    named = sa.select(Record.id, Record.id, Record.kind).where(Record.id.in_(waited))
    paired = (
        sa.select(Pair.id, Record.id, Record.kind)
        .join(Record, Record.id == Pair.record_id)
        .where(Pair.id.in_(waited))
    )
    return {
        holder: f"{kind}:{record}"
        for query in (named, paired)
        for holder, record, kind in session.execute(query)
    }
