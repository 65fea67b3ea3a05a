"""What would become of records under mappings that are not live yet: looked up and weighed by the code
that delivery uses, and nothing is written, here or in the org.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from connector.domain.faults import Fault
from connector.domain.states import ConflictKind, MatchState, OutboxState
from connector.domain.values import Fields, Value
from connector.mapping.parts.compiled import CompiledMapping
from connector.planning.trying import Trial
from connector.salesforce.gateway import Gateway
from connector.salesforce.planner import KEY_FIELD, WriteIntent
from connector.store.tables import Verdict
from connector.sync.outgoing import lookups, writes
from connector.sync.outgoing.precedence import Taken
from connector.sync.outgoing.references import References
from connector.sync.pairs import weighing
from connector.sync.pairs.filling import Key
from connector.sync.pairs.jobs import Hold, Job, Later, Lost, Stopped
from connector.sync.pairs.weighing import Outcome, Question

_REFUSED_BEFORE = "the org refused just this before: {reason}"
_MEND = "Mend what it names, in Salesforce or in the mapping, then plan again."


@dataclass(frozen=True)
class Foreseen:
    """What would become of one record under one mapping; fields and values as [before, after]."""

    mapping: str
    record: UUID
    version: int
    salesforce_id: str | None
    verdict: Verdict
    fields: dict[str, Value] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    lines: tuple[str, ...] = ()  # that are refused, or that a person must decide
    reason: str | None = None
    next_step: str | None = None


@dataclass(frozen=True)
class Foresight:
    """Looks ahead for pages of jobs; of records that would get one row the first is given it."""

    gateway: Gateway
    live: Mapping[str, CompiledMapping]
    references: References = field(default_factory=References)
    trial: Trial | None = None  # asks the org itself about some of the rows
    taken: Taken = field(default_factory=Taken)

    def foresee(self, jobs: Sequence[Job]) -> list[Foreseen]:
        """The future of each job."""
        failed: dict[str, Fault] = {}

        def fail(job: Job, fault: Fault) -> None:
            failed[job.ref] = fault

        for job in jobs:
            self.taken.come_second(job)
        lookups.look_up(self.gateway, jobs, fail)
        for job in jobs:
            if job.pair.salesforce_id is None:  # of those that are there each has a row of its own
                self.taken.keep_row(job)
        asked = [job for job in jobs if job.ref not in failed]
        found = self.references.find(self.gateway, asked)
        writes.weigh_all(asked, datetime.now(UTC), found)
        intents = writes.intents(asked)
        named = {intent.ref: intent for intent in intents}
        refused = self.trial.refused(asked, intents) if self.trial is not None else {}
        return [
            _refused_by_org(job, named[job.ref], refused[job.ref])
            if job.ref in refused
            else self._foreseen(job, named.get(job.ref), failed.get(job.ref), found)
            for job in jobs
        ]

    def _foreseen(
        self,
        job: Job,
        intent: WriteIntent | None,
        fault: Fault | None,
        found: Mapping[Key, str],
    ) -> Foreseen:
        if fault is not None:
            return _told(job, Verdict.WAIT, f"{fault.code}: {fault.message}", fault.next_step)
        outcome = job.outcome
        if isinstance(job.end, Stopped):
            lost = job.match is MatchState.CONFLICT
            verdict = Verdict.CONFLICT if lost else Verdict.REJECT
            lines = tuple(each.line for each in _refused(outcome)) if outcome else ()
            return _told(job, verdict, job.end.reason, job.end.next_step, lines=lines)
        if isinstance(job.end, Lost):
            return _told(
                job, Verdict.CONFLICT, job.end.reason, "See what became of the row: explain."
            )
        if isinstance(job.end, Hold | Later):
            return _told(
                job, Verdict.WAIT, job.end.reason, job.end.next_step, _changes(job, intent)
            )
        if outcome is None:
            return _told(job, Verdict.LEFT_OUT)
        if self._was_refused(job, outcome, found):
            reason = _REFUSED_BEFORE.format(reason=job.intent.reason)
            return _told(job, Verdict.REJECT, reason, _MEND, _changes(job, intent))
        return _weighed(job, outcome, _changes(job, intent))

    def _was_refused(self, job: Job, outcome: Outcome, found: Mapping[Key, str]) -> bool:
        """Whether the org refused the same values when the live mapping sent them."""
        live, fault = self.live.get(job.mapping.name), job.intent.fault
        if job.intent.state is not OutboxState.PARKED or not fault or live is None:
            return False
        creating = job.salesforce_id is None
        before = weighing.weigh(live, job.seen, job.base, job.row, creating=creating, found=found)
        return before.sends == outcome.sends


def _refused_by_org(job: Job, intent: WriteIntent, fault: Fault) -> Foreseen:
    reason = f"the org refused it when asked: {fault.code}: {fault.message}"
    return _told(job, Verdict.REJECT, reason, fault.next_step, _changes(job, intent))


def _weighed(job: Job, outcome: Outcome, changes: dict[str, Value]) -> Foreseen:
    refused = _refused(outcome)
    asked = [each for each in outcome.questions if each.kind != ConflictKind.VALUE]
    if stands := refused or asked:
        verdict = Verdict.REJECT if refused else Verdict.CONFLICT
        lines = tuple(each.line for each in stands)
        reason = "; ".join(_said(each) for each in stands)
        return _told(job, verdict, reason, stands[0].next_step, changes, lines)
    if job.salesforce_id is None:
        return _told(job, Verdict.CREATE, changes=changes)
    if job.was_found:
        return _told(job, Verdict.MATCH, changes=changes)
    moves = changes or _taken(job)
    return _told(job, Verdict.UPDATE if moves else Verdict.UNCHANGED, changes=changes)


def _said(question: Question) -> str:
    named = question.reason.startswith(question.line)
    return question.reason if named else f"{question.line}: {question.reason}"


def _refused(outcome: Outcome) -> list[Question]:
    return [each for each in outcome.questions if each.kind == ConflictKind.VALUE]


def _changes(job: Job, intent: WriteIntent | None) -> dict[str, Value]:
    """The fields that would be written, with what they hold now."""
    row: Fields = job.row or {}
    sends = dict(job.outcome.sends) if job.outcome is not None else {}
    lines = [line for line in job.mapping.outbound if not sends.keys().isdisjoint(line.fields)]
    known = {name: value for line in lines for name, value in line.canonical(row).items()}
    changed: dict[str, Value] = {
        name: [known.get(name, row.get(name)), after] for name, after in sends.items()
    }
    if intent is not None and intent.salesforce_id is not None:
        for parent in intent.parents:
            changed[parent.field] = [row.get(parent.field), parent.id or f"the row of {parent.key}"]
        if KEY_FIELD in intent.fields:
            changed[KEY_FIELD] = [row.get(KEY_FIELD), intent.fields[KEY_FIELD]]
    return changed


def _taken(job: Job) -> dict[str, Value]:
    """The record values that would come from Salesforce, with what they are now."""
    takes = job.outcome.takes if job.outcome is not None else {}
    pairs = ((name, job.seen.get(name), after) for name, after in takes.items())
    return {name: [was, after] for name, was, after in pairs if was != after}


def _told(
    job: Job,
    verdict: Verdict,
    reason: str | None = None,
    next_step: str | None = None,
    changes: dict[str, Value] | None = None,
    lines: tuple[str, ...] = (),
) -> Foreseen:
    return Foreseen(
        mapping=job.mapping.name,
        record=job.record.id,
        version=job.record.version,
        salesforce_id=job.salesforce_id,
        verdict=verdict,
        fields=changes or {},
        values=_taken(job),
        lines=lines,
        reason=reason,
        next_step=next_step,
    )
