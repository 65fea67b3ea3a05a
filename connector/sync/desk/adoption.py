"""Records that have no row yet: which existing rows they would be given, and the wish that they are.

The report looks rows up with the code that delivery uses and writes nothing, here or in the org: the
pairs it thinks up are rolled back before the first call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.faults import Fault
from connector.domain.lines import Cause, Lane
from connector.domain.states import PairState
from connector.domain.values import Values
from connector.mapping.parts.compiled import CompiledMapping, LineProblem
from connector.salesforce.gateway import Gateway
from connector.store.session import Store
from connector.store.tables import Outbox, Pair, Person, Record
from connector.sync import acts, effects, outbox, views
from connector.sync.catalog import Catalog, Catalogs
from connector.sync.changes import Scene, make_pair
from connector.sync.incoming.intake import scene_for
from connector.sync.outgoing import lookups
from connector.sync.outgoing.precedence import Taken
from connector.sync.pairs import jobs as loading
from connector.sync.pairs.jobs import Hold, Job, Stopped

PAGE = 500
_FIRST = UUID(int=0)


class Outcome(StrEnum):
    """What would become of a record that has no row yet."""

    PAIR = "pair"  # an existing row is taken
    CREATE = "create"
    CONFLICT = "conflict"  # a person decides
    WAIT = "wait"  # for one that is in conflict
    UNKNOWN = "unknown"  # the org did not say


@dataclass(frozen=True)
class Prospect:
    """What would become of one record under one mapping."""

    record: str
    mapping: str
    object: str
    outcome: Outcome
    salesforce_id: str | None = None
    reason: str = ""
    next_step: str = ""


@dataclass(frozen=True)
class Census:
    """Reads the records in pages and asks the org about each page."""

    store: Store
    catalogs: Catalogs
    gateway: Gateway

    def count(self) -> int:
        """How many records there are to look at."""
        with self.store.reading() as session:
            kinds = _kinds(self.catalogs.live(session))
            return session.scalar(sa.select(sa.func.count()).where(Record.kind.in_(kinds))) or 0

    def take(self, looked: Callable[[int], None] = lambda _: None) -> Iterator[Prospect]:
        """What would become of every record that has no row yet; `looked` is told of each page's size."""
        taken = Taken()
        with self.store.reading() as session:
            kinds = _kinds(self.catalogs.live(session))
        for kind in kinds:
            after = _FIRST
            while True:
                size, after, jobs = self._page(kind, after)
                if not size:
                    break
                yield from _prospects(self.gateway, jobs, taken)
                looked(size)

    def _page(self, kind: str, after: UUID) -> tuple[int, UUID, list[Job]]:
        """The jobs that wanting a page's pairs would lead to; what is made for them is rolled back."""
        with self.store.sessions() as session:
            scene = scene_for(session, self.catalogs, datetime.now(UTC))
            records = _records(session, kind, after)
            lacking = list(_lacking(scene, records))
            session.flush()
            made = [Outbox(pair_id=pair.id, recheck=False, attempts=1) for _, _, pair in lacking]
            jobs = loading.load(session, scene.catalog, made)
            session.expunge_all()
            session.rollback()
        return len(records), records[-1].id if records else after, jobs


def adopt(store: Store, catalogs: Catalogs, author: str, looked: Callable[[int], None]) -> int:
    """Want the pairs of every record that has no row yet; says how many. What is parked stays parked."""
    with store.transaction() as session:
        kinds = _kinds(catalogs.live(session))
        act = acts.act(session, "adopt", author, {}).id
        effects.reckon(session, [act])
    wanted = 0
    for kind in kinds:
        after, size = _FIRST, 1
        while size:
            size, after, done = _want_page(store, catalogs, kind, after, act)
            wanted += done
            looked(size)
    return wanted


def _want_page(
    store: Store, catalogs: Catalogs, kind: str, after: UUID, act: int
) -> tuple[int, UUID, int]:
    with store.transaction() as session:
        scene = scene_for(session, catalogs, datetime.now(UTC), (act,))
        records = _records(session, kind, after)
        lacking = list(_lacking(scene, records))
        under_way = _under_way(session, [pair.id for _, _, pair in lacking])
        fresh = [each for each in lacking if each[2].id not in under_way]
        for record, _, pair in fresh:
            effects.link_pair(session, scene.received, pair.id, record.version)
            outbox.want(session, pair.id, Lane.BULK, Cause.BACKFILL)
        return len(records), records[-1].id if records else after, len(fresh)


# -- the records


def _kinds(catalog: Catalog) -> list[str]:
    """The kinds that are written, those that others name as parents first."""
    writing = {
        kind: mappings
        for kind, mappings in catalog.by_kind.items()
        if any(_writes(mapping) for mapping in mappings)
    }
    ordered: list[str] = []

    def visit(kind: str, trail: frozenset[str]) -> None:
        if kind in ordered or kind in trail:
            return
        for parent in _parent_kinds(writing[kind]):
            if parent in writing:
                visit(parent, trail | {kind})
        ordered.append(kind)

    for kind in sorted(writing):
        visit(kind, frozenset())
    return ordered


def _parent_kinds(mappings: Sequence[CompiledMapping]) -> list[str]:
    related = (
        mapping.schema.relations.get(parent.via)
        for mapping in mappings
        for parent in mapping.parents
    )
    return sorted({kind for kind in related if kind is not None})


def _writes(mapping: CompiledMapping) -> bool:
    return mapping.enabled and mapping.create != "salesforce"


def _records(session: Session, kind: str, after: UUID) -> list[Record]:
    """A page of records, locked as everywhere: records before pairs."""
    erased = sa.exists().where(Person.id == Record.person_id, Person.erased_at.is_not(None))
    here = sa.select(Record).where(Record.kind == kind, Record.id > after, ~erased)
    return list(session.scalars(here.order_by(Record.id).limit(PAGE).with_for_update()))


def _lacking(
    scene: Scene, records: Sequence[Record]
) -> Iterator[tuple[Record, CompiledMapping, Pair]]:
    """The pairs of these records that have no row, made where there are none; ended ones stay ended."""
    seen = views.views_of(scene.session, records)
    pairs = _pairs(scene.session, [record.id for record in records])
    for record in records:
        for mapping in scene.catalog.by_kind.get(record.kind, ()):
            if not _writes(mapping) or not _is_active(mapping, seen[record.id]):
                continue
            pair = pairs.get((record.id, mapping.name))
            if pair is None:
                yield record, mapping, make_pair(scene, record, mapping)
            elif pair.state is PairState.OPEN and pair.salesforce_id is None:
                yield record, mapping, pair


def _pairs(session: Session, records: Collection[UUID]) -> Mapping[tuple[UUID, str], Pair]:
    """Of each record and mapping the open pair, else the newest that was."""
    here = sa.select(Pair).where(Pair.record_id.in_(records))
    ordered = here.order_by(Pair.state == PairState.OPEN, Pair.created_at)
    return {(pair.record_id, pair.mapping): pair for pair in session.scalars(ordered)}


def _is_active(mapping: CompiledMapping, seen: Values) -> bool:
    try:
        return mapping.active(seen)
    except LineProblem:
        return True  # delivery parks it and says why


def _under_way(session: Session, pairs: Collection[UUID]) -> set[UUID]:
    """Those that something is done about already, or that wait for a person."""
    return set(session.scalars(sa.select(Outbox.pair_id).where(Outbox.pair_id.in_(pairs))))


# -- what would become of them


def _prospects(gateway: Gateway, jobs: Sequence[Job], taken: Taken) -> Iterator[Prospect]:
    for job in jobs:
        taken.come_second(job)
    failed: dict[str, Fault] = {}

    def fail(job: Job, fault: Fault) -> None:
        failed[job.ref] = fault

    lookups.look_up(gateway, jobs, fail)
    for job in jobs:
        fault = failed.get(job.ref)
        if fault is None:
            yield _prospect(job, taken)
        else:
            step = fault.next_step
            yield _told(job, Outcome.UNKNOWN, f"{fault.code}: {fault.message}", step)


def _prospect(job: Job, taken: Taken) -> Prospect:
    taken.keep_row(job)
    if isinstance(job.end, Stopped):
        taken.stuck.add((job.record.id, job.mapping.name))
        return _told(job, Outcome.CONFLICT, job.end.reason, job.end.next_step)
    waits_for = _stuck_parent(job, taken)
    if isinstance(job.end, Hold) or waits_for is not None:
        taken.stuck.add((job.record.id, job.mapping.name))
        reason = job.end.reason if isinstance(job.end, Hold) else f"waits for its {waits_for}"
        return _told(job, Outcome.WAIT, reason, "Resolve that one; this one follows by itself.")
    found = job.salesforce_id is not None
    return _told(job, Outcome.PAIR if found else Outcome.CREATE)


def _stuck_parent(job: Job, taken: Taken) -> str | None:
    """The object of a parent that must be there and is stuck itself."""
    for state in job.parents:
        if state.parent.optional or (state.pair is not None and state.pair.salesforce_id):
            continue
        if state.target is None:
            return state.parent.object
        if state.parent.mapping and (state.target, state.parent.mapping) in taken.stuck:
            return state.parent.object
    return None


def _told(job: Job, outcome: Outcome, reason: str = "", next_step: str = "") -> Prospect:
    record = f"{job.record.kind}:{job.record.id}"
    row = job.salesforce_id if outcome is Outcome.PAIR else None
    return Prospect(record, job.mapping.name, job.pair.object, outcome, row, reason, next_step)
