"""From weighed jobs to write intents: which fields, which parents, and what must wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from connector.domain.faults import Fault
from connector.domain.lines import Direction, Write
from connector.domain.states import ConflictKind, MatchState, OutboxState
from connector.domain.values import Fields, Value
from connector.mapping.canonical import payload
from connector.mapping.parts.compiled import LineProblem, Parent
from connector.salesforce.planner import KEY_FIELD, ParentRef, WriteIntent
from connector.store.tables import Pair
from connector.sync.outgoing import bonds, clearing, restoring
from connector.sync.pairs import filling, flips, weighing
from connector.sync.pairs.filling import Key
from connector.sync.pairs.jobs import Done, End, Hold, Job, Later, Lost, ParentState, Stopped
from connector.sync.pairs.weighing import Outcome

_GONE = "{name} {row} is not there any more"
_UNSEEN_FOR = timedelta(seconds=120)
_LONGEST = 60  # seconds between two looks for a row that is joined
_MOVING = (OutboxState.READY, OutboxState.CLAIMED, OutboxState.WAITING)
_UNDONE = (Stopped, Hold, Later, Lost)


def weigh_all(jobs: Sequence[Job], now: datetime, found: Mapping[Key, str]) -> None:
    """Weigh every open job; those with nothing to say end here."""
    for job in jobs:
        if job.open:
            job.weighed_at = now
            _weigh(job, now, found)


def _weigh(job: Job, now: datetime, found: Mapping[Key, str]) -> None:
    if job.releasing or job.adopted:
        if job.adopted and job.missing:
            job.end = Lost(_GONE.format(name=job.pair.object, row=job.salesforce_id))
        elif clearing.may_still_come(job, now, _UNSEEN_FOR):
            job.end = Later(now + timedelta(seconds=5), "a first write may still come through")
        elif job.adopted or _has_let_go(job):
            job.end = Done()
        return
    if job.missing:
        job.end = gone(job, _GONE.format(name=job.pair.object, row=job.salesforce_id), now)
        return
    if job.was_found and job.row is not None and job.row.get(KEY_FIELD) in job.leaving:
        job.end = Later(None, "the row is being released by the person it belonged to")
        return
    creating = job.salesforce_id is None
    if job.pair.unseen_write and job.row is not None:
        _count_attempt_as_ours(job, job.row)
    if not _is_wanted(job):
        return
    job.outcome = weighing.weigh(
        job.mapping,
        job.seen,
        job.base,
        job.row,
        creating=creating,
        found=found,
        frozen=flips.frozen(job.pair),
    )
    restoring.put_back(job, job.outcome, found)
    job.end = _unsettled(job, job.outcome, now)
    if job.open and creating:
        _give(job, job.outcome, found)


def gone(job: Job, reason: str, now: datetime, fault: Fault | None = None) -> End:
    """How a job ends whose row is gone; what became of one that it joins is for the host to find out."""
    if not job.joins:
        return Lost(reason, fault)
    name = job.pair.object
    return Later(
        now + timedelta(seconds=min(_LONGEST, 2**job.intent.attempts)),
        f"the {name} that it adds to is not there any more",
        next_step=f"It goes on by itself once it is known what became of that {name}.",
    )


def _unsettled(job: Job, outcome: Outcome, now: datetime) -> End | None:
    """What keeps the whole record from being written, if anything does."""
    failing = [
        question
        for question in outcome.questions
        if question.kind == ConflictKind.VALUE and question.computed
    ]
    if failing:
        first = failing[0]
        return Stopped(OutboxState.PARKED, first.reason, first.next_step)
    if awaited := [each for each in outcome.questions if each.kind == ConflictKind.WAIT]:
        first = awaited[0]
        return Later(now + timedelta(seconds=60), first.reason, next_step=first.next_step)
    if _must_wait_for_sight(job, now):
        return Later(now + timedelta(seconds=5), "an earlier write has not been seen yet")
    return None


def _give(job: Job, outcome: Outcome, found: Mapping[Key, str]) -> None:
    """Owner and record type of a new row; one that cannot have them waits for a person."""
    try:
        outcome.sends.update(filling.give(job.mapping, found, job.seen))
    except LineProblem as problem:
        job.end = Stopped(OutboxState.PARKED, problem.reason, problem.next_step)


def _is_wanted(job: Job) -> bool:
    """Whether `when` still holds; a record that it cannot be worked out for is parked."""
    try:
        if not job.mapping.active(job.seen):
            job.end = Done()
    except LineProblem as problem:
        job.end = Stopped(OutboxState.PARKED, problem.message, problem.fix)
    return job.open


def _has_let_go(job: Job) -> bool:
    """Whether no row carries this pair's marks: there was none, it is gone, or it is another's now."""
    if job.salesforce_id is None or job.missing:
        return True
    if job.host is not None:
        return job.host.by_another
    ours = (job.pair.key, None) if job.pair.erasing else (job.pair.key,)
    return job.row is not None and job.row.get(KEY_FIELD) not in ours


def _count_attempt_as_ours(job: Job, row: Fields) -> None:
    """What the unseen write carried and the row now shows is agreed (design rule 11).

    A first write that left its key there was carried out whole, whatever became of its values
    since. Of a dead worker's the values are not known, but lines that only go out show them.
    """
    attempt = job.pair.attempt or {}
    first = not job.base and row.get(KEY_FIELD) == job.pair.key
    for line in job.mapping.lines:
        tried, theirs = weighing.base_of(line, attempt), weighing.theirs_of(line, row)
        if theirs is None:
            continue
        if tried is not None and (first or line.same(tried, theirs)):
            job.base.update(weighing.entries_of(line, attempt))
        elif tried is None and first and line.direction is Direction.TO_SALESFORCE:
            job.base.update(weighing.based(line, theirs, None, job.mapping.version))


def _must_wait_for_sight(job: Job, now: datetime) -> bool:
    """A second, different write waits until a read shows the first, or two minutes."""
    attempt, outcome = job.pair.attempt, job.outcome
    if not job.pair.unseen_write or not attempt or outcome is None or job.salesforce_id is None:
        return False
    since = job.pair.written_at
    if since is None or now - since > _UNSEEN_FOR:
        return False
    seen = all(job.base.get(name) == held for name, held in attempt.items())
    same = all(
        isinstance(held, dict) and outcome.sends.get(name, held["value"]) == held["value"]
        for name, held in attempt.items()
    )
    return not seen and not same


def intents(jobs: Sequence[Job]) -> list[WriteIntent]:
    """The writes of all open jobs; what waits for a parent, or a mate, is held instead."""
    going = _going(jobs)
    while bonds.hold_back(jobs, going):
        going = _going(jobs)  # what was to name a row that is held back waits with it
    return bonds.tied(jobs, going)


def _going(jobs: Sequence[Job]) -> dict[str, WriteIntent]:
    found: dict[str, WriteIntent] = {}
    by_pair = {str(job.pair.id): job for job in jobs}
    for job in _parents_first(jobs):
        if job.open:
            intent = _intent(job, by_pair)
            if intent is not None:
                found[job.ref] = intent
    return found


def _parents_first(jobs: Sequence[Job]) -> list[Job]:
    """An order in which every job comes after those whose rows it names."""
    by_pair = {job.pair.id: job for job in jobs}
    ordered: dict[str, Job] = {}

    def visit(job: Job, trail: frozenset[str]) -> None:
        if job.ref in ordered or job.ref in trail:
            return
        for state in job.parents:
            if state.pair is not None and state.pair.id in by_pair:
                visit(by_pair[state.pair.id], trail | {job.ref})
        ordered[job.ref] = job

    for job in jobs:
        visit(job, frozenset())
    return list(ordered.values())


def _intent(job: Job, by_pair: Mapping[str, Job]) -> WriteIntent | None:
    if job.releasing:
        return _release(job)
    creating = job.salesforce_id is None
    parents = [ref for state in job.parents for ref in _parent(job, state, by_pair, creating)]
    if not job.open or job.outcome is None:
        return None
    fields = dict(job.outcome.sends)
    bears = job.joins or job.row is None or job.row.get(KEY_FIELD) == job.pair.key
    if not creating and not bears:
        fields[KEY_FIELD] = job.pair.key
    if not creating and not fields and not parents:
        job.end = Done()
        return None
    return WriteIntent(
        ref=job.ref,
        object=job.pair.object,
        key=job.pair.key,
        salesforce_id=job.salesforce_id,
        fields=payload(fields),
        parents=tuple(parents),
        read_back=job.mapping.read_fields,
        group=_group(job, parents),
        assign=job.mapping.assignment_rule and creating,
    )


def _release(job: Job) -> WriteIntent | None:
    cleared: dict[str, Value] = {} if job.joins else {KEY_FIELD: None}
    for line in job.mapping.lines:
        for name in set(line.fields) & set(job.mapping.marks):
            cleared.update(line.canonical({name: None}))
    if job.pair.erasing:
        cleared |= clearing.blanks(job.mapping)
    if not cleared:
        job.end = Done()
        return None
    return WriteIntent(job.ref, job.pair.object, job.pair.key, job.salesforce_id, cleared)


def _parent(
    job: Job, state: ParentState, by_pair: Mapping[str, Job], creating: bool
) -> list[ParentRef]:
    """The reference to write, none, or a hold on the job."""
    parent = state.parent
    if not creating and not _fills(job, parent):
        return []
    known = _known_id(state, by_pair)
    if known is not None:
        return [_ref(parent, known, None)]
    comes_along = by_pair.get(str(state.pair.id)) if state.pair is not None else None
    if comes_along is not None and comes_along.open:
        return [_ref(parent, None, comes_along.pair.key)]
    if parent.optional and not _is_coming(state, comes_along):
        return []
    absent = state.pair if comes_along is None else None
    job.end = bonds.meeting(job, absent) or _hold(job, state)
    return []


def _fills(job: Job, parent: Parent) -> bool:
    """Whether an existing row is to be given this parent."""
    if job.row is None or parent.field not in job.row:
        return False
    blank = job.row[parent.field] in (None, "")
    return blank and (parent.write is not Write.CREATE)


def _known_id(state: ParentState, by_pair: Mapping[str, Job]) -> str | None:
    if state.pair is None or state.pair.match is MatchState.CONFLICT:
        return None
    job = by_pair.get(str(state.pair.id))
    goes = job is not None and (job.adopted or not isinstance(job.end, _UNDONE))
    if job is not None and goes:  # a row that is only now given our key is named by it, to go first
        return None if job.open and job.was_found else job.salesforce_id
    return state.pair.salesforce_id if _is_marked(state.pair) else None


def _is_marked(pair: Pair) -> bool:
    """Whether a row that was found bears our key: until then its children wait (design rule 2)."""
    return pair.adopted or pair.match is not MatchState.FOUND or pair.version > 0


def _is_coming(state: ParentState, comes_along: Job | None) -> bool:
    """Whether a parent that may be left out will be there shortly."""
    if comes_along is not None:
        return isinstance(comes_along.end, Later)
    return state.pair is not None and state.standing in _MOVING


def _ref(parent: Parent, salesforce_id: str | None, key: str | None) -> ParentRef:
    return ParentRef(parent.field, parent.relationship_name, parent.object, salesforce_id, key)


def _hold(job: Job, state: ParentState) -> Hold:
    via = state.parent.via
    if state.target is None:
        return Hold(
            job.record.id,
            f"waits for its {via}: this {job.record.kind} has none yet",
            "It goes on by itself once the person has bound the account.",
        )
    held_for = state.pair.id if state.pair is not None else state.target
    return Hold(
        held_for,
        f"waits for the {state.parent.object} that {state.parent.field} must name",
        f"See why that {state.parent.object} is not in Salesforce yet; this one follows by itself.",
    )


def _group(job: Job, parents: Sequence[ParentRef]) -> str | None:
    for parent in parents:
        if parent.object == "Account":
            return parent.id or parent.key
    if job.pair.object == "Account":
        return job.salesforce_id or job.pair.key
    return None


def is_delicate(job: Job) -> bool:
    """Whether the row alone will not tell what a write carried: whatever changes a row that others
    may change too, and of a first write the values that the other side may edit.
    """
    sent = job.outcome.sent if job.outcome is not None else {}
    if job.base:
        return bool(sent)
    both = (line for line in job.mapping.lines if line.direction is Direction.BOTH)
    return any(weighing.entries_of(line, sent) for line in both)


def sent_base(job: Job, row: Fields | None, decided: Fields) -> dict[str, Value]:
    """The base once a job is through; `decided` is what a person changed of it meanwhile."""
    if job.outcome is None:
        return {**job.base, **decided}
    return {**job.base, **decided, **weighing.settled_base(job.mapping, job.outcome, row)}
