"""Carry many writes out by Bulk jobs, and hear the end of those that another worker began.

A job's id is stored before its rows are uploaded (design rule 11). While the org works a job off
nobody writes those rows: a worker that finds a pair tied to a job asks that job first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from connector.domain.faults import Fault, FaultKind
from connector.domain.lines import Lane
from connector.domain.states import MatchState, OutboxState
from connector.salesforce.bulk.content import key_column, key_of, portions
from connector.salesforce.bulk.ingest import UPDATE, UPSERT, BulkIngest
from connector.salesforce.bulk.jobs import ABORTED, COMPLETE, OPEN, JobState
from connector.salesforce.bulk.results import Results
from connector.salesforce.faults import CallFailed, fault_of, unknown_outcome
from connector.salesforce.gateway import Gateway
from connector.salesforce.outcomes import WriteOutcome
from connector.salesforce.plans import KEY_FIELD, WriteIntent
from connector.salesforce.steps import RowOk
from connector.store.session import Store
from connector.store.tables import BulkJob, Outbox
from connector.sync.outgoing import bulk_jobs
from connector.sync.outgoing.bulk_reading import read_back
from connector.sync.pairs.jobs import Job, Later

log = structlog.get_logger()

LEAST = 2_500  # rows of a kind from which a job is no slower than calls (decision 14)
MOST = 10_000
_PATIENCE = 600.0
_ASK_AGAIN = timedelta(seconds=15)
_REST_SECONDS = 600.0
_TIED = 1_000

Outcomes = dict[str, WriteOutcome]
Fail = Callable[[Job, Fault], None]


@dataclass
class BulkDelivery:
    """Bulk jobs of one org. Threads may share it."""

    store: Store
    gateway: Gateway
    least: int = LEAST
    patience: float = _PATIENCE
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _resting: dict[str, float] = field(default_factory=dict, init=False)

    def is_worth_it(self, session: Session) -> bool:
        """Whether so much waits in the bulk lane that it is worth a job."""
        ready = (
            sa.select(sa.literal(1))
            .select_from(Outbox)
            .where(
                Outbox.state == OutboxState.READY,
                Outbox.lane == Lane.BULK,
                Outbox.due <= sa.func.clock_timestamp(),
            )
            .limit(self.least)
        )
        counted = sa.select(sa.func.count()).select_from(ready.subquery())
        return (session.scalar(counted) or 0) >= self.least

    def carry(
        self,
        intents: Sequence[WriteIntent],
        by_ref: Mapping[str, Job],
        failed: Callable[[Fault], None],
    ) -> Outcomes:
        """Write rows of one kind by jobs; what has no outcome then is left to ordinary calls."""
        told: Outcomes = {}
        for portion in portions(intents):
            if self._rests(portion[0].object):
                break
            told |= self._carry(portion, by_ref, failed)
        return told

    def _rests(self, object_name: str) -> bool:
        return self._resting.get(object_name, 0.0) > time.monotonic()

    def _rest(self, object_name: str, fault: Fault) -> None:
        """Let an object's rows go by ordinary calls for a while, and say so once."""
        if not self._rests(object_name):
            reason = f"{fault.code}: {fault.message}"
            log.warning("bulk refused, going by calls", object=object_name, reason=reason)
        self._resting[object_name] = time.monotonic() + _REST_SECONDS

    # -- one job

    def _carry(
        self,
        intents: Sequence[WriteIntent],
        by_ref: Mapping[str, Job],
        failing: Callable[[Fault], None],
    ) -> Outcomes:
        ingest, name = BulkIngest(self.gateway), intents[0].object
        creating = intents[0].salesforce_id is None
        operation = UPSERT if creating else UPDATE
        try:
            job_id = ingest.make(name, operation, KEY_FIELD)
        except CallFailed as failed:
            if _is_refusal(failed.fault):
                self._rest(name, failed.fault)
                return {}
            failing(failed.fault)
            return _all(intents, failed.fault)
        row = BulkJob(
            job_id=job_id, object=name, operation=operation, rows=len(intents), state=OPEN
        )
        mine = self._tie(row, [by_ref[intent.ref] for intent in intents])
        ours = [intent for intent in intents if intent.ref in mine]
        try:
            state = self._work_off(ingest, row, ours)
        except CallFailed as failed:
            failing(failed.fault)
            return self._unheard(ours, by_ref, row, unknown_outcome(failed.fault))
        if state is None or not state.ended:
            fault = unknown_outcome(fault_of("BULK_JOB_ENDED", f"Bulk job {job_id} still works."))
            return self._unheard(ours, by_ref, row, fault)
        return self._heard(ingest, row, state, ours, by_ref)

    def _tie(self, row: BulkJob, jobs: Sequence[Job]) -> set[str]:
        """Store the job with its pairs; the refs of those that are still ours to write."""
        row.org_id = jobs[0].pair.org_id
        with self.store.transaction() as session:
            session.add(row)
            session.flush()
            tied = [
                bulk_jobs.tie(session, row, jobs[at : at + _TIED])
                for at in range(0, len(jobs), _TIED)
            ]
        return {str(pair) for some in tied for pair in some}

    def _work_off(
        self, ingest: BulkIngest, row: BulkJob, intents: Sequence[WriteIntent]
    ) -> JobState | None:
        ingest.fill(row.job_id, intents)
        noted: set[str] = {OPEN}

        def heard(state: str, _rows: int) -> None:
            if state not in noted:
                noted.add(state)
                self._note(row, state)

        return ingest.wait(row.job_id, heard, threading.Event(), self.patience)

    def _heard(
        self,
        ingest: BulkIngest,
        row: BulkJob,
        state: JobState,
        intents: Sequence[WriteIntent],
        by_ref: Mapping[str, Job],
    ) -> Outcomes:
        date = self.gateway.org_time
        self._note(row, state.state, state.message)
        if state.state != COMPLETE:
            self._rest(row.object, state.fault)
        try:
            results = ingest.results(row.job_id, row.object, key_column(intents[0]))
        except CallFailed as failed:
            return self._unheard(intents, by_ref, row, unknown_outcome(failed.fault))
        told = {intent.ref: _outcome(results, intent, date) for intent in intents}
        for intent in intents:
            by_ref[intent.ref].wrote = told[intent.ref].ok is not None
        return read_back(self.gateway, intents, told)

    def _unheard(
        self,
        intents: Sequence[WriteIntent],
        by_ref: Mapping[str, Job],
        row: BulkJob,
        fault: Fault,
    ) -> Outcomes:
        """The end of the job is not known: its pairs stay tied to it."""
        for intent in intents:
            by_ref[intent.ref].bulk_job = row.id
        return _all(intents, fault)

    def _note(self, row: BulkJob, state: str, reason: str = "") -> None:
        with self.store.transaction() as session:
            bulk_jobs.note_state(session, row, state, reason)

    # -- jobs that another worker began

    def ask(self, jobs: Sequence[Job], fail: Fail) -> None:
        """Hear what became of pairs' rows from the jobs that they went into."""
        tied = [job for job in jobs if job.open and job.pair.bulk_job_id is not None]
        if not tied:
            return
        with self.store.reading() as session:
            unheard = bulk_jobs.unheard(session, tied)
        for row, waiting in unheard.items():
            try:
                self._ask(row, waiting, fail)
            except CallFailed as failed:
                for job in waiting:
                    job.bulk_job = row.id
                    fail(job, failed.fault)

    def _ask(self, row: BulkJob, jobs: Sequence[Job], fail: Fail) -> None:
        ingest = BulkIngest(self.gateway)
        state = ingest.give_up(row.job_id)
        self._note(row, "Unknown" if state is None else state.state)
        if state is None or state.state == ABORTED:
            return  # nothing of it was carried out, or nobody knows: the look-up by key tells
        if not state.ended:
            reason = f"the Bulk job {row.job_id} still works on its row"
            for job in jobs:
                job.bulk_job = row.id
                job.end = Later(self.clock() + _ASK_AGAIN, reason, spent=False)
            return
        creating = row.operation == UPSERT
        results = ingest.results(row.job_id, row.object, KEY_FIELD if creating else "Id")
        for job in jobs:
            key = job.pair.key if creating else job.salesforce_id or ""
            _take(job, results, key, fail)

    def close_settled(self) -> None:
        """Close the jobs of which everything is settled."""
        with self.store.transaction() as session:
            bulk_jobs.close_settled(session)


def _take(job: Job, results: Results, key: str, fail: Fail) -> None:
    """A row that was written is read by its id next; one that no file names is looked up by key."""
    told = results.rows.get(key)
    if isinstance(told, RowOk):
        job.salesforce_id = told.id
        job.match = MatchState.NONE if job.match is MatchState.PENDING else job.match
    elif told is not None:
        fail(job, told.faults[0])


def _outcome(results: Results, intent: WriteIntent, date: datetime) -> WriteOutcome:
    told = results.rows.get(key_of(intent))
    if isinstance(told, RowOk):
        return WriteOutcome(told, date=date)
    if told is not None:
        return WriteOutcome(None, told.faults, date=date)
    came_to = "did not come to" if key_of(intent) in results.unprocessed else "says nothing of"
    fault = fault_of("ANSWER_LOST", f"The Bulk job {came_to} this row.")
    return WriteOutcome(None, (unknown_outcome(fault),), date=date)


def _all(intents: Sequence[WriteIntent], fault: Fault) -> Outcomes:
    return {intent.ref: WriteOutcome(None, (fault,)) for intent in intents}


def _is_refusal(fault: Fault) -> bool:
    """Whether Bulk itself is refused (feature, permission, object) while other calls may go through."""
    passing = (FaultKind.RETRY, FaultKind.WAIT, FaultKind.UNKNOWN)
    return not fault.org_wide and fault.kind not in passing
