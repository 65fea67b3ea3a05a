"""One claimed intent with all that is needed to carry it out, loaded in a few queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.domain.faults import BY_ITSELF, Fault
from connector.domain.states import MatchState, OutboxState, PairState
from connector.domain.values import Fields, Value, Values
from connector.mapping.parts.compiled import CompiledMapping, Parent
from connector.salesforce.outcomes import WriteOutcome
from connector.store.session import among
from connector.store.tables import MatchClaim, Outbox, Pair, Record
from connector.sync import views
from connector.sync.catalog import Catalog
from connector.sync.pairs import attachments
from connector.sync.pairs.attachments import Owed
from connector.sync.pairs.identity import Fate
from connector.sync.pairs.joining import Host, hosts
from connector.sync.pairs.weighing import Outcome

_JOINED = "another LINE record has joined {row} already, and one row holds the values of one"
_LEFT = "its row is another pair's, and its mapping no longer says row_of"
_LEFT_STEP = "Publish the mapping with row_of again, or rename it so that it makes rows of its own."
_JOINED_STEP = "Unbind one of the two persons from the member; then redrive."


@dataclass(frozen=True)
class Done:
    """Nothing stands between the record and its row."""


@dataclass(frozen=True)
class Hold:
    """Waits for another row."""

    held_for: UUID
    reason: str
    next_step: str


@dataclass(frozen=True)
class Later:
    """Tried again at a moment; None means soon."""

    at: datetime | None
    reason: str
    unseen_write: bool = False
    stale: bool = False  # what we know of the object is to be asked again first
    spent: bool = True  # whether it was this row's own failure, of which it may have only so many
    next_step: str = BY_ITSELF


@dataclass(frozen=True)
class Stopped:
    """Parked for a person, or given up."""

    state: OutboxState
    reason: str
    next_step: str
    fault: Fault | None = None


@dataclass(frozen=True)
class Lost:
    """The row is not where it was: deleted, merged or converted."""

    reason: str
    fault: Fault | None = None


End: TypeAlias = Done | Hold | Later | Stopped | Lost


@dataclass(frozen=True)
class ParentState:
    """What is known of the row a reference field must name."""

    parent: Parent
    target: UUID | None  # the record it leads to
    pair: Pair | None
    standing: OutboxState | None  # of that pair's own intent


@dataclass(frozen=True)
class Mate:
    """Another pair of the same record, whose new row is made together with ours or not at all."""

    pair: Pair
    standing: OutboxState | None
    held_for: UUID | None


@dataclass
class Job:
    """One pair to be brought up to date, on its way."""

    intent: Outbox
    pair: Pair
    record: Record
    seen: Values
    mapping: CompiledMapping
    parents: Sequence[ParentState] = ()
    source: Pair | None = None  # the pair whose row names ours, where the mapping adopts
    host: Host | None = None  # the pair whose row this one joins
    mates: Sequence[Mate] = ()
    files: list[Owed] = field(default_factory=list)  # that are not on the row yet
    row: Fields | None = None
    missing: bool = False  # was sought by Id and is not there
    looked_at: datetime | None = None  # by the org's clock, of the last look at the row
    asked_at: datetime | None = None  # before that look
    match: MatchState = MatchState.PENDING
    salesforce_id: str | None = None
    adopted: bool = False
    base: dict[str, Value] = field(default_factory=dict)
    outcome: Outcome | None = None
    leaving: frozenset[str] = frozenset()  # keys that are being cleared from their rows
    result: WriteOutcome | None = None
    wrote: bool = False
    bulk_job: int | None = None  # whose end is still to be heard when this is settled
    fate: Fate | None = None  # of a row that is lost
    blames_parents: bool = False  # the org refused a row that this one names
    gathers: bool = False  # what is held for this one is to meet it
    end: End | None = None
    unforeseen: Exception | None = None  # what it raised that no table of faults knows
    weighed_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def begin(self) -> None:
        """Put everything to where it stands before anything is asked or weighed."""
        pair = self.pair
        self.match, self.salesforce_id, self.adopted = pair.match, pair.salesforce_id, pair.adopted
        if pair.match is MatchState.CONFLICT:  # whatever brought it back: it is looked at anew
            found = pair.salesforce_id is not None
            self.match = MatchState.FOUND if found else MatchState.PENDING
        self.base = dict(pair.base)
        self.row = self.looked_at = self.asked_at = self.outcome = self.fate = self.end = None
        self.missing = self.blames_parents = self.gathers = False
        if pair.state in (PairState.GONE, PairState.CLOSED):
            self.end = Lost(pair.reason or "the row is gone")
        elif pair.joined and not self.joins:
            self.end = Stopped(OutboxState.PARKED, _LEFT, _LEFT_STEP)
        elif self.host is not None and not self.releasing:
            self._join(self.host)

    def _join(self, host: Host) -> None:
        """Take the row that the host has by now; one that is new to us we have never met."""
        row = host.row
        if host.by_another:
            self.end = Stopped(OutboxState.PARKED, _JOINED.format(row=row), _JOINED_STEP)
        elif row is None:
            self.end = Hold(*host.awaited(self.record.id, self.record.kind))
        else:
            self.base = self.base if row == self.salesforce_id else {}
            self.salesforce_id, self.match = row, MatchState.FOUND

    @property
    def ref(self) -> str:
        """The name this job goes by in a plan."""
        return str(self.pair.id)

    @property
    def open(self) -> bool:
        """Whether it is still on its way."""
        return self.end is None

    @property
    def seeks(self) -> bool:
        """Whether it must still find out which row it belongs to."""
        wants = bool(self.mapping.match) or self.mapping.adopt is not None
        open_ = self.salesforce_id is None and self.match is MatchState.PENDING
        return wants and open_ and not self.releasing

    @property
    def was_found(self) -> bool:
        """Whether it has been given a row that it has not met yet."""
        return self.match is MatchState.FOUND and not self.base and not self.releasing

    @property
    def joins(self) -> bool:
        """Whether the row is another pair's."""
        return self.mapping.row_of is not None

    @property
    def releasing(self) -> bool:
        """Whether our marks are to be cleared and the pair closed."""
        return self.pair.state is PairState.RELEASING


def load(session: Session, catalog: Catalog, claimed: Sequence[Outbox]) -> list[Job]:
    """The jobs behind claimed intents; what has no live mapping any more ends at once."""
    pairs = _by_id(session, Pair, [row.pair_id for row in claimed])
    records = _by_id(session, Record, [pair.record_id for pair in pairs.values()])
    wanted = []
    for row in claimed:
        pair = pairs[row.pair_id]
        wanted.append((row, pair, records[pair.record_id]))
    jobs = assemble(session, catalog, wanted)
    attachments.load(session, jobs)
    return jobs


Wanted: TypeAlias = tuple[Outbox, Pair, Record]


def assemble(session: Session, catalog: Catalog, wanted: Sequence[Wanted]) -> list[Job]:
    """The jobs of pairs, whether they are stored or only thought up."""
    records = {record.id: record for _, _, record in wanted}
    related = views.relations_of(session, list(records))
    seen = views.views_beside(session, list(records.values()), related)
    jobs = []
    for row, pair, record in wanted:
        mapping = catalog.mappings.get(pair.mapping)
        if mapping is None:
            continue
        job = Job(row, pair, record, seen[record.id], mapping)
        job.begin()
        jobs.append(job)
    _load_parents(session, jobs, related)
    meeting = any(job.seeks or job.was_found for job in jobs)
    leaving = _leaving(session) if meeting else frozenset()
    for job in jobs:
        job.leaving = leaving
    return jobs


def _leaving(session: Session) -> frozenset[str]:
    here = sa.select(Pair.key).where(Pair.state == PairState.RELEASING)
    return frozenset(session.scalars(here))


T = TypeVar("T", Pair, Record)


def _by_id(session: Session, table: type[T], ids: Sequence[UUID]) -> dict[UUID, T]:
    found = session.scalars(sa.select(table).where(among(table.id, set(ids))))
    return {row.id: row for row in found}


def _load_parents(
    session: Session, jobs: Sequence[Job], related: Mapping[UUID, Mapping[str, UUID]]
) -> None:
    targets = {job.record.id for job in jobs}
    targets |= {target for named in related.values() for target in named.values()}
    pairs = _pairs_of(session, targets)
    _think_up(pairs, jobs)
    standing = _standing(session, [pair.id for own in pairs.values() for pair in own])
    for job in jobs:
        named = related.get(job.record.id, {})
        job.parents = tuple(
            _parent(parent, job.record.id, named, pairs, standing) for parent in job.mapping.parents
        )
        if job.mapping.adopt is not None:
            own = pairs.get(job.record.id, [])
            adopts = job.mapping.adopt.mapping
            job.source = next((pair for pair in own if pair.mapping == adopts), None)
        job.mates = tuple(_mates(job, pairs.get(job.record.id, ()), standing))
    _load_hosts(session, jobs, related, pairs)


def _load_hosts(
    session: Session,
    jobs: Sequence[Job],
    related: Mapping[UUID, Mapping[str, UUID]],
    pairs: Mapping[UUID, Sequence[Pair]],
) -> None:
    wanted = [
        (job.pair, row_of, job.record.id if row_of.via == "self" else named.get(row_of.via))
        for job in jobs
        if (row_of := job.mapping.row_of) is not None
        for named in (related.get(job.record.id, {}),)
    ]
    found = hosts(session, wanted, pairs) if wanted else {}
    for job in jobs:
        if job.joins:
            job.host = found[job.pair.id]
            job.begin()


def _think_up(pairs: dict[UUID, list[Pair]], jobs: Sequence[Job]) -> None:
    """Beside the stored pairs of a record those that are only thought up."""
    for job in jobs:
        if sa.inspect(job.pair).transient:
            pairs.setdefault(job.record.id, []).insert(0, job.pair)


def _mates(job: Job, own: Sequence[Pair], standing: Mapping[UUID, _Standing]) -> Iterator[Mate]:
    for pair in own:
        if pair.state is PairState.OPEN and pair.mapping in job.mapping.mates:
            wanted = standing.get(pair.id)
            yield Mate(pair, wanted and wanted.state, wanted and wanted.held_for)


def _pairs_of(session: Session, records: set[UUID]) -> dict[UUID, list[Pair]]:
    """Their pairs, open ones first; one that was let go of still tells which row the record had."""
    found: dict[UUID, list[Pair]] = {}
    if records:
        let_go = Pair.state.in_((PairState.RELEASING, PairState.CLOSED))
        told = sa.or_(
            Pair.state == PairState.OPEN, sa.and_(let_go, Pair.salesforce_id.is_not(None))
        )
        here = sa.select(Pair).where(among(Pair.record_id, records), told)
        for pair in session.scalars(here.order_by(Pair.state != PairState.OPEN, Pair.id)):
            found.setdefault(pair.record_id, []).append(pair)
    return found


class _Standing(NamedTuple):
    """Where a pair's own intent stands."""

    state: OutboxState
    held_for: UUID | None


def _standing(session: Session, pairs: Sequence[UUID]) -> dict[UUID, _Standing]:
    if not pairs:
        return {}
    here = sa.select(Outbox.pair_id, Outbox.state, Outbox.held_for)
    rows = session.execute(here.where(among(Outbox.pair_id, pairs)))
    return {row.pair_id: _Standing(row.state, row.held_for) for row in rows}


def _parent(
    parent: Parent,
    record: UUID,
    named: Mapping[str, UUID],
    pairs: Mapping[UUID, Sequence[Pair]],
    standing: Mapping[UUID, _Standing],
) -> ParentState:
    target = record if parent.via == "self" else named.get(parent.via)
    if target is None:
        return ParentState(parent, None, None, None)
    fits = (
        pair
        for pair in pairs.get(target, ())
        if (pair.mapping == parent.mapping if parent.mapping else pair.object == parent.object)
    )
    pair = next(fits, None)
    wanted = standing.get(pair.id) if pair else None
    return ParentState(parent, target, pair, wanted and wanted.state)


def claim_matches(session: Session, jobs: Sequence[Job]) -> None:
    """Take the right to look for, or make, the row with a job's value; a job that comes second waits."""
    wanted = [each for job in jobs for each in _wanted_claims(job)]
    holders = _claim(session, [claim for _, _, claim in wanted])
    for job, source, claim in wanted:
        holder = holders[claim.place]
        if holder != job.pair.id and job.open:
            job.end = Hold(
                holder,
                f"another record with the same {source} is being matched",
                "Nothing to do unless that record is parked: then resolve it first.",
            )


class _Claim(NamedTuple):
    org_id: str
    object: str
    value: str
    pair_id: UUID

    @property
    def place(self) -> tuple[str, str, str]:
        """What only one pair at a time may have."""
        return self[:3]


def _wanted_claims(job: Job) -> Iterator[tuple[Job, str, _Claim]]:
    if not job.seeks or not job.open:
        return
    for rule in job.mapping.match:
        value = rule.normalised(job.seen.get(rule.source))
        if value is not None:
            text = f"{rule.normalise}:{value}"
            claim = _Claim(job.pair.org_id, job.pair.object, text, job.pair.id)
            yield job, rule.source, claim


def _claim(session: Session, wanted: Sequence[_Claim]) -> Mapping[tuple[str, str, str], UUID]:
    """Who holds each value; of those who want one that is free the first gets it."""
    if not wanted:
        return {}
    # In one order everywhere, so that two workers never wait for each other.
    rows = [claim._asdict() for claim in sorted(wanted, key=lambda claim: claim.place)]
    session.execute(insert(MatchClaim).values(rows).on_conflict_do_nothing())
    place = sa.tuple_(MatchClaim.org_id, MatchClaim.object, MatchClaim.value)
    here = sa.select(MatchClaim).where(place.in_({claim.place for claim in wanted}))
    return {(held.org_id, held.object, held.value): held.pair_id for held in session.scalars(here)}
