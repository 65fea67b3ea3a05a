"""The records of a plan, page by page, each with the jobs it would lead to. Nothing is stored."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from connector.domain.identifiers import uuid7
from connector.domain.lines import Cause, Lane
from connector.domain.states import MatchState, OutboxState, PairState
from connector.mapping.documents.document import Create
from connector.mapping.parts.compiled import CompiledMapping
from connector.store.session import Store, among
from connector.store.tables import Org, Outbox, Pair, Person, Record
from connector.sync.catalog import Catalog
from connector.sync.pairs import jobs as loading
from connector.sync.pairs.jobs import Job, Wanted

SIZE = 2500
FIRST = UUID(int=0)
_ENDED = (PairState.GONE, PairState.CLOSED, PairState.RELEASING)


@dataclass(frozen=True)
class Page:
    """Some records of one kind: their jobs, and how many there is nothing to do for, by mapping."""

    jobs: Sequence[Job]
    left_out: Mapping[str, int]
    records: int
    last: UUID


def count(session: Session, kinds: Collection[str]) -> int:
    """How many records there are of these kinds."""
    here = sa.select(sa.func.count()).select_from(Record).where(Record.kind.in_(kinds), _stands())
    return session.scalar(here) or 0


def read(
    store: Store, catalog: Catalog, kind: str, names: Collection[str], after: UUID
) -> Page | None:
    """The page of records after this one; None at the end."""
    with store.reading() as session:
        here = sa.select(Record).where(Record.kind == kind, Record.id > after, _stands())
        records = session.scalars(here.order_by(Record.id).limit(SIZE)).all()
        if not records:
            return None
        mappings = [catalog.mappings[name] for name in names]
        org = session.scalar(sa.select(Org.organization_id).limit(1)) or ""
        wanted, left_out = _wanted(session, org, records, mappings)
        jobs = loading.assemble(session, catalog, wanted)
        session.expunge_all()
    return Page(jobs, left_out, len(records), records[-1].id)


def _stands() -> sa.ColumnElement[bool]:
    erased = sa.exists().where(Person.id == Record.person_id, Person.erased_at.is_not(None))
    return ~erased


def _wanted(
    session: Session, org: str, records: Sequence[Record], mappings: Sequence[CompiledMapping]
) -> tuple[list[Wanted], dict[str, int]]:
    pairs = _pairs(session, records, [mapping.name for mapping in mappings])
    intents = _intents(session, [pair.id for pair in pairs.values()])
    wanted: list[Wanted] = []
    left_out: dict[str, int] = {}
    for record in records:
        for mapping in mappings:
            pair = pairs.get((record.id, mapping.name))
            if pair is None and mapping.create is not Create.SALESFORCE:
                pair = _thought_up(record, mapping, org)
            if pair is None or pair.state in _ENDED:
                left_out[mapping.name] = left_out.get(mapping.name, 0) + 1
                continue
            wanted.append((_intent(pair, intents.get(pair.id)), pair, record))
    return wanted, left_out


def _pairs(
    session: Session, records: Sequence[Record], names: Collection[str]
) -> Mapping[tuple[UUID, str], Pair]:
    """Of each record and mapping the open pair, else the newest that was."""
    ids = [record.id for record in records]
    here = sa.select(Pair).where(among(Pair.record_id, ids), Pair.mapping.in_(names))
    ordered = here.order_by(Pair.state == PairState.OPEN, Pair.created_at)
    return {(pair.record_id, pair.mapping): pair for pair in session.scalars(ordered)}


def _intents(session: Session, pairs: Collection[UUID]) -> Mapping[UUID, Outbox]:
    here = sa.select(Outbox).where(among(Outbox.pair_id, pairs), Outbox.state == OutboxState.PARKED)
    return {row.pair_id: row for row in session.scalars(here)}


def _thought_up(record: Record, mapping: CompiledMapping, org: str) -> Pair:
    return Pair(
        id=uuid7(),
        record_id=record.id,
        mapping=mapping.name,
        org_id=org,
        object=mapping.object,
        key=str(uuid7()),
        match=MatchState.PENDING,
        base={},
        version=0,
        adopted=False,
        joined=mapping.row_of is not None,
        unseen_write=False,
        erasing=False,
        state=PairState.OPEN,
    )


def _intent(pair: Pair, parked: Outbox | None) -> Outbox:
    """An intent that reads both sides; of one that is parked, what stopped it is kept."""
    if parked is not None:
        set_committed_value(parked, "recheck", pair.salesforce_id is not None)
        return parked
    return _READS if pair.salesforce_id is not None else _SEEKS


def _thought_up_intent(*, recheck: bool) -> Outbox:
    kept = {"lane": Lane.BULK, "cause": Cause.PUBLISH, "state": OutboxState.CLAIMED}
    return Outbox(recheck=recheck, attempts=1, **kept)


# Nothing of a plan is settled, so all jobs may share them.
_READS, _SEEKS = _thought_up_intent(recheck=True), _thought_up_intent(recheck=False)


def kinds(catalog: Catalog, names: Collection[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The record kinds of these mappings, each with its mappings; those that others name go first."""
    by_kind: dict[str, list[str]] = {}
    for name in sorted(names):
        by_kind.setdefault(catalog.mappings[name].kind, []).append(name)
    done: set[str] = set()

    def visit(kind: str, trail: frozenset[str]) -> Iterator[str]:
        if kind in done or kind in trail:
            return
        for name in by_kind[kind]:
            mapping = catalog.mappings[name]
            for parent in mapping.parents:
                above = mapping.schema.relations.get(parent.via)
                if above in by_kind and above is not None:
                    yield from visit(above, trail | {kind})
        done.add(kind)
        yield kind

    for kind in sorted(by_kind):
        for found in visit(kind, frozenset()):
            yield found, tuple(by_kind[found])
