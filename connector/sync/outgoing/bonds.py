"""New rows of one record that are made together or not at all (design rule 12).

Those that are claimed apart meet at the next even second; one whose mate waits for something else
is held, visibly, until that one is on its way again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from connector.domain.states import OutboxState
from connector.salesforce.plans import WriteIntent
from connector.store.tables import Pair
from connector.sync.pairs.jobs import Done, End, Hold, Job, Later, Mate, Stopped

_MOVING = (OutboxState.READY, OutboxState.CLAIMED, OutboxState.WAITING)
_MEET_EVERY = 2  # seconds
_REFERENCE = "@{"  # the org takes it for the name of another row of the same graph

_Going = Mapping[str, WriteIntent]


def hold_back(jobs: Sequence[Job], going: _Going) -> bool:
    """End those among the new rows that cannot go because of a mate; say whether there were any."""
    by_pair = {job.pair.id: job for job in jobs}
    ends = [
        (job, end)
        for job in jobs
        if job.open and job.ref in going and job.salesforce_id is None
        for end in (_obstacle(job, by_pair, going),)
        if end is not None
    ]
    for job, end in ends:
        job.end = end
    return bool(ends)


def tied(jobs: Sequence[Job], going: _Going) -> list[WriteIntent]:
    """What is to be written, new rows of one bond marked as such."""
    bonds = {job.ref: _bond(job) for job in jobs if job.mates and job.salesforce_id is None}
    return [replace(intent, bond=bonds.get(ref)) for ref, intent in going.items()]


def meeting(job: Job, parent: Pair | None) -> End | None:
    """How a new row ends whose parent is a mate that is not in the batch; None for other parents."""
    for mate in job.mates if job.salesforce_id is None else ():
        if mate.pair is parent and _calls_for(job, mate):
            return _meet(job, mate)
    return None


def _obstacle(job: Job, by_pair: Mapping[UUID, Job], going: _Going) -> End | None:
    for mate in job.mates:
        other = by_pair.get(mate.pair.id)
        if mate.pair.salesforce_id is not None or (other and other.salesforce_id is not None):
            continue
        if other is None:
            if mate.standing is not None:
                return _meet(job, mate) if _calls_for(job, mate) else _held(mate, mate.standing)
        elif other.ref in going and other.open:
            if (refusal := _unsendable(going[job.ref])) is not None:
                return refusal
        elif not isinstance(other.end, Done):
            return _after(mate, other.end)
    return None


def _calls_for(job: Job, mate: Mate) -> bool:
    """Whether a mate that was not claimed with us is on its way, or waits for nothing but us."""
    return mate.standing in _MOVING or _waits_for(mate, job)


def _waits_for(mate: Mate, job: Job) -> bool:
    return mate.standing is OutboxState.HELD and mate.held_for == job.pair.id


def _meet(job: Job, mate: Mate) -> Later:
    job.gathers = job.gathers or _waits_for(mate, job)
    reason = f"meets the {mate.pair.object} that it is made together with"
    return Later(_next_meeting(job.weighed_at), reason, spent=False)


def _after(mate: Mate, end: End | None) -> End:
    if isinstance(end, Later):
        return Later(end.at, end.reason, spent=False, next_step=end.next_step)
    return _held(mate, getattr(end, "reason", ""))


def _held(mate: Mate, why: str) -> Hold:
    return Hold(
        mate.pair.id,
        f"is made together with its {mate.pair.object} or not at all, and that one waits: {why}",
        f"Mend the {mate.pair.object}; this one follows by itself.",
    )


def _unsendable(intent: WriteIntent) -> Stopped | None:
    for name, value in intent.fields.items():
        if isinstance(value, str) and _REFERENCE in value:
            return Stopped(
                OutboxState.PARKED,
                f"{name} holds {_REFERENCE}, which no row that is made together with others may",
                "Take it out of the text, or publish the mapping without atomic; then redrive.",
            )
    return None


def _bond(job: Job) -> str:
    return f"{job.record.id} {min([job.mapping.name, *job.mapping.mates])}"


def _next_meeting(now: datetime) -> datetime:
    whole = int(now.timestamp()) // _MEET_EVERY + 1
    return datetime.fromtimestamp(whole * _MEET_EVERY, UTC)
