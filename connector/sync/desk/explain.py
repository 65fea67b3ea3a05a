"""The story of one record, from the data alone: where it stands on both sides, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.lines import Write
from connector.domain.records import RecordSchema
from connector.domain.states import ConflictState, OutboxState, PairState
from connector.domain.values import Fields, Value, Values
from connector.mapping.parts.compiled import CompiledMapping, Line, LineProblem, Parent
from connector.store.tables import (
    Attempt,
    Conflict,
    Effect,
    Envelope,
    File,
    Filing,
    History,
    Notice,
    Org,
    Outbox,
    Pair,
    Received,
    Record,
)
from connector.sync import views
from connector.sync.catalog import Catalog
from connector.sync.pairs import attachments, weighing
from connector.sync.veil import is_personal, personal_fields

_LAST_ATTEMPTS = 5
_LAST_RECEIVED = 50


@dataclass(frozen=True)
class Pending:
    """A field line whose value Salesforce does not have yet, or that cannot be worked out."""

    line: str
    fields: Fields
    problem: LineProblem | None = None


@dataclass(frozen=True)
class Kin:
    """A row that this one names as its parent, and whether it is there."""

    parent: Parent
    record: str | None  # kind:id; None where the record is not related to any
    salesforce_id: str | None
    standing: OutboxState | None  # of its own intent


@dataclass(frozen=True)
class Filter:
    """The mapping's condition, and whether the record fulfils it."""

    text: str
    holds: bool | None  # None where it cannot be worked out
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
    parents: Sequence[Kin] = ()
    filter: Filter | None = None
    files: Sequence[tuple[File, Filing]] = ()


@dataclass(frozen=True)
class Holder:
    """What a held intent waits for, and where that stands itself."""

    record: str  # kind:id
    standing: OutboxState | None = None
    reason: str | None = None
    personal: Sequence[Value] = ()


@dataclass(frozen=True)
class Story:
    """Everything there is to tell of one record."""

    record: Record
    schema: RecordSchema | None  # None where its form is withdrawn
    seen: Values
    relations: Mapping[str, str]  # name -> kind:id
    pairs: Sequence[PairStory]
    unpaired: Sequence[CompiledMapping]  # mappings of its kind under which it has no open pair
    received: Sequence[Received]
    notices: Sequence[tuple[Notice, Envelope]]
    tries: Mapping[UUID, Sequence[Attempt]]  # of each message
    org: Org | None
    holders: Mapping[UUID, Holder]  # what held intents wait for
    now: datetime

    @property
    def personal(self) -> list[Value]:
        """The personal values of it all, which a reason may repeat."""
        found = _personal(self.record.kind, self.record.values)
        found += [value for holder in self.holders.values() for value in holder.personal]
        for each in self.pairs:
            hidden = personal_fields(each.mapping) if each.mapping is not None else frozenset()
            for pending in each.pending:
                found += [value for name, value in pending.fields.items() if name in hidden]
        return found


def tell(session: Session, catalog: Catalog, record: Record, now: datetime) -> Story:
    """Gather the story of a record."""
    seen = views.view_of(session, record)
    relations = relations_of(session, record)
    pairs = [_pair(session, catalog, pair, seen, relations) for pair in _pairs(session, record)]
    paired = {each.pair.mapping for each in pairs if each.pair.state == "open"}
    mappings = catalog.by_kind.get(record.kind, ())
    notices = _notices(session, record)
    return Story(
        record=record,
        schema=catalog.kinds.get(record.kind),
        seen=seen,
        relations=relations,
        pairs=pairs,
        unpaired=[mapping for mapping in mappings if mapping.name not in paired],
        received=_received(session, record, pairs, [notice for notice, _ in notices]),
        notices=notices,
        tries=_tries(session, {envelope.id for _, envelope in notices}),
        org=session.scalars(sa.select(Org).limit(1)).one_or_none(),
        holders=_holders(session, pairs),
        now=now,
    )


def relations_of(session: Session, record: Record) -> dict[str, str]:
    """The records that a record names, as kind:id, by relation."""
    related = views.relations_of(session, [record.id]).get(record.id, {})
    here = sa.select(Record.id, Record.kind).where(Record.id.in_(list(related.values())))
    kinds = {row.id: row.kind for row in session.execute(here)}
    return {name: f"{kinds.get(target, '?')}:{target}" for name, target in related.items()}


def _pairs(session: Session, record: Record) -> Sequence[Pair]:
    here = sa.select(Pair).where(Pair.record_id == record.id)
    return session.scalars(here.order_by(Pair.created_at, Pair.id)).all()


def _pair(
    session: Session, catalog: Catalog, pair: Pair, seen: Values, relations: Mapping[str, str]
) -> PairStory:
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
        parents=[] if mapping is None else parents_of(session, mapping, pair.record_id, relations),
        filter=None if mapping is None else filter_of(mapping, seen),
        files=attachments.of_pair(session, pair.id),
    )


def filter_of(mapping: CompiledMapping, seen: Values) -> Filter | None:
    """A mapping's `when` for a record; None where it has none."""
    if mapping.when is None:
        return None
    try:
        return Filter(mapping.when.text, mapping.active(seen))
    except LineProblem as problem:
        return Filter(mapping.when.text, None, problem)


def parents_of(
    session: Session, mapping: CompiledMapping, record: UUID, relations: Mapping[str, str]
) -> list[Kin]:
    """The rows that a record's row names as parents, as far as they are there."""
    own = f"{mapping.kind}:{record}"
    return [
        _kin(session, parent, own if parent.via == "self" else relations.get(parent.via))
        for parent in mapping.parents
    ]


def _kin(session: Session, parent: Parent, record: str | None) -> Kin:
    if record is None:
        return Kin(parent, None, None, None)
    under = Pair.mapping == parent.mapping if parent.mapping else Pair.object == parent.object
    here = (
        sa.select(Pair.salesforce_id, Outbox.state)
        .outerjoin(Outbox, Outbox.pair_id == Pair.id)
        .where(Pair.record_id == UUID(record.partition(":")[2]), under)
        .order_by(Pair.state != PairState.OPEN, Pair.id.desc())
        .limit(1)
    )
    row = session.execute(here).one_or_none()
    return Kin(parent, record, None, None) if row is None else Kin(parent, record, row[0], row[1])


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


def _tries(session: Session, envelopes: Collection[UUID]) -> dict[UUID, list[Attempt]]:
    found: dict[UUID, list[Attempt]] = {}
    here = sa.select(Attempt).where(Attempt.envelope_id.in_(envelopes))
    for attempt in session.scalars(here.order_by(Attempt.id)):
        if attempt.envelope_id is not None:
            found.setdefault(attempt.envelope_id, []).append(attempt)
    return found


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


def _holders(session: Session, pairs: Sequence[PairStory]) -> dict[UUID, Holder]:
    waited = {each.intent.held_for for each in pairs if each.intent and each.intent.held_for}
    if not waited:
        return {}
    named = sa.select(Record.id, Record, sa.null(), sa.null())
    paired = (
        sa.select(Pair.id, Record, Outbox.state, Outbox.reason)
        .join(Record, Record.id == Pair.record_id)
        .outerjoin(Outbox, Outbox.pair_id == Pair.id)
    )
    queries = named.where(Record.id.in_(waited)), paired.where(Pair.id.in_(waited))
    return {
        holder: Holder(
            f"{record.kind}:{record.id}", standing, reason, _personal(record.kind, record.values)
        )
        for query in queries
        for holder, record, standing, reason in session.execute(query)
    }


def _personal(kind: str, values: Values) -> list[Value]:
    return [value for name, value in values.items() if is_personal(kind, name)]
