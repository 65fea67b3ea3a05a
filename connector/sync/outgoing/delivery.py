"""Bring claimed pairs up to date: look up, weigh, write, settle.

Claim commits, the calls run bare, settle commits: no transaction is open across the network.
One bad row never blocks the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from connector.domain.faults import Fault, FaultKind
from connector.domain.lines import Lane
from connector.domain.states import OutboxState
from connector.errors import ConnectorError
from connector.salesforce.faults import CallFailed, fault_of, unknown_outcome
from connector.salesforce.gateway import Gateway
from connector.salesforce.outcomes import WriteOutcome, collect, failed_with, orphans
from connector.salesforce.planner import Call, WriteIntent, plan_writes, without
from connector.store.session import Store
from connector.store.tables import Outbox
from connector.sync import outbox, pausing, unforeseen
from connector.sync.catalog import Catalogs
from connector.sync.heads import Heads
from connector.sync.incoming.intake import scene_for
from connector.sync.live import looking
from connector.sync.live.guarding import OrgGuard
from connector.sync.outbox import ClaimsLost
from connector.sync.outgoing import bulk_delivery, bulk_stages, isolating, lookups, settling, writes
from connector.sync.outgoing.bulk_delivery import BulkDelivery
from connector.sync.outgoing.bulk_stages import Stage
from connector.sync.outgoing.filing import Filer
from connector.sync.outgoing.governing import Governor
from connector.sync.outgoing.leases import KeptClaims
from connector.sync.outgoing.references import References
from connector.sync.outgoing.unfiling import Unfiler
from connector.sync.pairs import jobs as loading
from connector.sync.pairs.jobs import Job, Later, Stopped

log = structlog.get_logger()

BATCH = 1000
_BUDGET_REST = timedelta(minutes=5)
_SPENT = "the day's API calls are spent down to the reserve that is left to the org's other tools"


@dataclass(frozen=True)
class _Portion:
    """What was claimed in one transaction and is settled in one."""

    claimed: Sequence[Outbox]
    jobs: list[Job]


@dataclass
class _Batch:
    """What is carried out together."""

    portions: list[_Portion] = field(default_factory=list)
    in_bulk: bool = False

    @cached_property
    def jobs(self) -> list[Job]:
        """All jobs; asked for once the last portion is in."""
        return [job for portion in self.portions for job in portion.jobs]

    @property
    def met_bulk_jobs(self) -> bool:
        """Whether any pair may have been tied to a Bulk job."""
        return self.in_bulk or any(job.pair.bulk_job_id is not None for job in self.jobs)


@dataclass(frozen=True)
class Delivery:
    """Delivers to one org."""

    store: Store
    catalogs: Catalogs
    gateway: Gateway
    governor: Governor
    guard: OrgGuard
    lease: timedelta
    bulk: BulkDelivery | None = None
    references: References = field(default_factory=References)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _rested: list[Fault] = field(default_factory=list, init=False, repr=False)
    _heads: Heads = field(default_factory=Heads, init=False, repr=False)

    @property
    def _filer(self) -> Filer:
        return Filer(self.store, self.gateway, self.clock)

    def deliver(self, lane: Lane, limit: int = BATCH) -> int:
        """Bring one batch of a lane up to date; say how many intents were taken."""
        if not self.guard.holds():
            return 0
        with KeptClaims(self.store, self.lease) as claims:
            batch = self._claim(lane, limit, claims)
            if not batch.portions:
                return 0
            try:
                isolating.carry(
                    batch.jobs, lambda jobs: self._carry_out(jobs, batch.in_bulk, claims), _bury
                )
            except ClaimsLost:
                log.warning("batch left to the worker that took it over", rows=len(batch.jobs))
                return len(batch.jobs)
            self._describe_again(batch.jobs)
            for portion in batch.portions:
                claims.let_go(portion.claimed)
                self._settle(portion.jobs)
            self._note_usage()
        if self.bulk is not None and batch.met_bulk_jobs:
            self.bulk.close_settled()
        return sum(len(portion.claimed) for portion in batch.portions)

    def _claim(self, lane: Lane, limit: int, claims: KeptClaims) -> _Batch:
        """One portion, or as many as a Bulk job takes where so much waits."""
        batch, left = _Batch(), limit
        while left > 0:
            with self.store.transaction() as session:
                if not batch.portions:
                    if self._rests(session, lane):
                        break
                    batch.in_bulk = self._is_worth_bulk(session, lane, limit)
                    left = bulk_delivery.MOST if batch.in_bulk else limit
                claimed = self._take(session, lane, min(left, BATCH))
                if not claimed:
                    break
                jobs = loading.load(session, self.catalogs.live(session), claimed)
                loading.claim_matches(session, jobs)
            claims.keep(claimed, watch=batch.in_bulk)
            if len(jobs) < len(claimed):
                self._settle_unmapped(claimed, jobs)
            batch.portions.append(_Portion(claimed, jobs))
            left -= len(claimed)
        return batch

    def _take(self, session: Session, lane: Lane, most: int) -> Sequence[Outbox]:
        def take(since: datetime | None) -> Sequence[Outbox]:
            return outbox.claim(session, lane, most, self.lease, since)

        return self._heads.claim(lane, take, lambda row: row.due)

    def _is_worth_bulk(self, session: Session, lane: Lane, limit: int) -> bool:
        if lane is not Lane.BULK or limit < BATCH or self.bulk is None:
            return False
        return self.bulk.is_worth_it(session)

    def _rests(self, session: Session, lane: Lane) -> bool:
        if pausing.is_paused(session, self.clock()):
            return True
        if self.governor.allows(lane):
            return False
        if lane is Lane.URGENT:  # not even a waiting LINE user may spend what is left to others
            pausing.pause(session, _SPENT, self.clock() + _BUDGET_REST)
        return True

    def _carry_out(self, jobs: Sequence[Job], in_bulk: bool, claims: KeptClaims) -> None:
        try:
            if self.bulk is not None:
                self.bulk.ask(jobs, self._fail)
            lookups.look_up(self.gateway, jobs, self._fail)
            Unfiler(self._filer).take_back(jobs, claims.renew, self._fail)
            found = self.references.find(self.gateway, jobs)
            writes.weigh_all(jobs, self.clock(), found)
            self._write(jobs, in_bulk, claims)
            self._filer.file(jobs, claims.renew, self._fail)
            lookups.ask_fates(self.gateway, jobs, self._fail)
        except CallFailed as failed:
            for job in jobs:
                if job.open and job.result is None:
                    self._fail(job, failed.fault)

    def _write(self, jobs: Sequence[Job], in_bulk: bool, claims: KeptClaims) -> None:
        intents = writes.intents(jobs)
        by_ref = {job.ref: job for job in jobs}
        outcomes: dict[str, WriteOutcome] = {}
        for stage in self._stages(intents, in_bulk=in_bulk):
            outcomes |= stage.orphans(outcomes)
            if stage.in_bulk and self.bulk is not None:
                claims.renew()
                outcomes |= self.bulk.carry(stage.without(outcomes), by_ref, self._rest)
            outcomes = self._by_calls(stage.without(outcomes), outcomes, by_ref, claims)
        for intent in intents:
            self._conclude(by_ref[intent.ref], intent, outcomes.get(intent.ref))

    def _stages(self, intents: Sequence[WriteIntent], *, in_bulk: bool) -> list[Stage]:
        if not in_bulk or self.bulk is None:
            return bulk_stages.one_stage(intents)
        return bulk_stages.stages(intents, self.bulk.least)

    def _by_calls(
        self,
        intents: Sequence[WriteIntent],
        outcomes: dict[str, WriteOutcome],
        by_ref: dict[str, Job],
        claims: KeptClaims,
    ) -> dict[str, WriteOutcome]:
        self._note_attempts([by_ref[intent.ref] for intent in intents])
        for call in plan_writes(intents, self.governor.limits()):
            claims.renew()
            outcomes |= orphans(call, outcomes)
            left = without(call, [ref for ref in outcomes if outcomes[ref].failed])
            if left is not None:
                outcomes = self._call(left, outcomes, by_ref)
        return outcomes

    def _note_attempts(self, batch: Sequence[Job]) -> None:
        """Keep what goes to lines of both ways: should we not live to tell, it can be told from an edit."""
        delicate = [job for job in batch if job.open and writes.is_delicate(job)]
        if delicate:
            with self.store.transaction() as session:
                settling.note_attempts(session, delicate)

    def _call(
        self, call: Call, outcomes: dict[str, WriteOutcome], by_ref: dict[str, Job]
    ) -> dict[str, WriteOutcome]:
        try:
            answer = self.gateway.run(call.steps, assign=call.assign)
        except CallFailed as failed:
            self._rest(failed.fault)
            lost = failed_with(call, failed.fault)
            self.governor.learn(call, 0.0, lost)
            return outcomes | lost
        finally:  # also where the answer cannot be made sense of
            for refs in call.rows.values():
                for ref in refs:
                    by_ref[ref].wrote = True
        told = collect(call, answer, outcomes)
        self.governor.learn(call, answer.elapsed, told)
        return told

    def _conclude(self, job: Job, intent: WriteIntent, outcome: WriteOutcome | None) -> None:
        job.result = outcome
        if outcome is None or outcome.failed:
            job.wrote = False
            if outcome is not None and outcome.split and outcome.faults[0].kind is FaultKind.DATA:
                job.end = Later(None, "its whole step was refused; smaller ones find the culprit")
                return
            faults = outcome.faults if outcome is not None else ()
            self._fail(job, faults[0] if faults else _unanswered(intent))

    def _fail(self, job: Job, fault: Fault) -> None:
        self._rest(fault)
        settling.end_of(job, fault, self.clock())

    def _rest(self, fault: Fault) -> None:
        """An org-wide fault lets everything rest, once, instead of failing row by row."""
        if not fault.org_wide or any(fault is known for known in self._rested):
            return
        self._rested[:] = [fault]  # all rows of a call share it
        pausing.pause_for(self.store, fault, self.clock())

    def _describe_again(self, batch: Sequence[Job]) -> None:
        """A field that the org does not know: what it looks like now is asked before the next try."""
        names = {job.pair.object for job in batch if isinstance(job.end, Later) and job.end.stale}
        if names:
            looking.refresh_schemas(self.store, self.gateway, sorted(names))

    def _settle(self, batch: Sequence[Job]) -> None:
        try:
            self._settle_together(batch)
        except isolating.NOT_OURS:
            raise
        except Exception as error:  # noqa: BLE001 - whatever one does, the others are settled
            log.warning("batch not settled together", rows=len(batch), **unforeseen.told(error))
            for job in batch:
                self._settle_alone(job)

    def _note_usage(self) -> None:
        """Apart from what is settled: all workers write this one row, and would wait for each other."""
        with self.store.transaction() as session:
            self.governor.note(session)

    def _settle_together(self, batch: Sequence[Job]) -> None:
        with self.store.transaction() as session:
            settling.settle(scene_for(session, self.catalogs, self.clock()), batch)
            for job in batch:
                if job.unforeseen is not None:
                    unforeseen.report(
                        session, job.unforeseen, f"a {job.pair.object} of {job.mapping.name}"
                    )

    def _settle_alone(self, job: Job) -> None:
        try:
            self._settle_together([job])
        except IntegrityError as error:
            log.warning("not settled", pair=job.ref, constraint=_constraint(error))
            job.end = Stopped(
                OutboxState.PARKED,
                f"{job.pair.object} {job.salesforce_id or ''} already belongs to another LINE record",
                "Unbind the other record from that row, or merge the rows; then redrive.",
            )
            job.match, job.salesforce_id = job.pair.match, None
            self._settle_together([job])
        except isolating.NOT_OURS:
            raise
        except Exception as error:  # noqa: BLE001 - it is stopped, and says so
            log.warning("not settled", pair=job.ref, **unforeseen.told(error))
            job.begin()
            _bury(job, error)
            self._settle_together([job])

    def _settle_unmapped(self, claimed: Sequence[Outbox], batch: Sequence[Job]) -> None:
        known = {job.intent.id for job in batch}
        with self.store.transaction() as session:
            for row in outbox.still_mine(session, claimed).values():
                if row.id not in known:
                    outbox.stop(
                        session,
                        row,
                        OutboxState.PARKED,
                        "the mapping this pair was made under is no longer published",
                        "Publish the mapping again, or unbind the record from its row.",
                    )


def _bury(job: Job, error: Exception) -> None:
    """Stop the one record that does not go: for a person if it says why, else as given up."""
    if isinstance(error, ConnectorError):  # a plan or a value we could not make sense of
        job.end = Stopped(OutboxState.PARKED, error.message, error.fix)
    else:
        job.end = Stopped(OutboxState.DEAD, unforeseen.reason(error), unforeseen.STEP)
        job.unforeseen = error


def _unanswered(intent: WriteIntent) -> Fault:
    return unknown_outcome(fault_of("ANSWER_LOST", f"no answer for {intent.object}"))


def _constraint(error: IntegrityError) -> str | None:
    return getattr(getattr(error.orig, "diag", None), "constraint_name", None)
