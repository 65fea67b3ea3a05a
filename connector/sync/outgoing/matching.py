"""Which existing row a record belongs to: found by value, agreed by a second one, never guessed.

One row whose key is empty is taken. A row that carries a key or a pair already, several rows,
or one whose second value disagrees, is for a person to decide (design rule 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from connector.domain.states import MatchState, OutboxState
from connector.domain.values import Fields
from connector.mapping.parts.compiled import LineProblem
from connector.salesforce.planner import KEY_FIELD
from connector.store.tables import Pair
from connector.sync.pairs.jobs import Hold, Job, Later, Stopped

_UNDECIDED = (MatchState.PENDING, MatchState.CONFLICT)
_DECIDE = (
    "Open the rows in Salesforce, merge or correct them so that one is clearly right, then redrive; or "
    "choose one: connector conflicts list."
)


def decide(jobs: Sequence[Job], rows: Sequence[Fields]) -> None:
    """Give each job its row, none, or a conflict."""
    for job in jobs:
        try:
            _decide(job, _candidates(job, rows))
        except LineProblem as problem:  # the value that must agree fits no field
            job.end = Stopped(OutboxState.PARKED, problem.message, problem.fix)


def _decide(job: Job, candidates: Mapping[str, Fields]) -> None:
    if not candidates:
        job.match = MatchState.NONE
    elif len(candidates) > 1:
        ids = ", ".join(sorted(candidates))
        _conflict(job, f"several {job.pair.object} rows fit: {ids}")
    else:
        _take_or_refuse(job, next(iter(candidates.values())))


def _candidates(job: Job, rows: Sequence[Fields]) -> Mapping[str, Fields]:
    """The rows in which any rule finds its value, after normalising both sides."""
    found: dict[str, Fields] = {}
    for rule in job.mapping.match:
        wanted = rule.normalised(job.seen.get(rule.source))
        for row in rows if wanted is not None else ():
            if any(rule.normalised(row.get(name)) == wanted for name in rule.fields):
                found[str(row["Id"])] = row
    return found


def _take_or_refuse(job: Job, row: Fields) -> None:
    key = row.get(KEY_FIELD)
    if isinstance(key, str) and key in job.leaving:
        job.end = Later(None, "the row is being released by the person it belonged to")
        return
    if isinstance(key, str) and key and key != job.pair.key:
        _conflict(job, f"{job.pair.object} {row['Id']} already belongs to another LINE record")
        return
    disagree = sorted(
        {
            name
            for rule in job.mapping.match
            if rule.matches(job.seen, row)
            for name in rule.disagreeing(job.seen, row)
        }
    )
    if disagree:
        names = ", ".join(disagree)
        _conflict(job, f"{job.pair.object} {row['Id']} was found, but its {names} differs")
        return
    job.row, job.salesforce_id, job.match = row, str(row["Id"]), MatchState.FOUND


def _conflict(job: Job, reason: str) -> None:
    job.match = MatchState.CONFLICT
    job.end = Stopped(OutboxState.PARKED, reason, _DECIDE)


def named_for_others(jobs: Iterable[Job]) -> list[str]:
    """Reference fields of these rows that another mapping of the same record adopts from."""
    return [name for job in jobs for name in job.mapping.named_for_others]


def adopt_in_batch(jobs: Sequence[Job], batch: Sequence[Job]) -> None:
    """Take the row that the source's own row names, where the source was matched in this batch."""
    by_pair = {job.pair.id: job for job in batch}
    for job in jobs:
        source = by_pair.get(job.source.id) if job.source is not None else None
        if job.source is None:
            job.match = MatchState.NONE
        elif source is not None:
            _adopt_from(job, source)
        elif job.source.match in _UNDECIDED and job.source.salesforce_id is None:
            _wait_for(job, job.source)
        elif job.source.salesforce_id is None:
            job.match = MatchState.NONE


def _adopt_from(job: Job, source: Job) -> None:
    if source.end is not None or source.match in _UNDECIDED:
        _wait_for(job, source.pair)
    elif source.row is None and source.salesforce_id is None:
        job.match = MatchState.NONE
    elif source.row is not None:
        _adopt(job, source.row)


def _wait_for(job: Job, source: Pair) -> None:
    job.end = Hold(
        source.id,
        f"waits until it is known which {source.object} it belongs to",
        "Resolve that record first; this one follows by itself.",
    )


def adopt_from_rows(jobs: Sequence[Job], rows: Sequence[Fields | None]) -> None:
    """Take the rows that the sources' rows name, read for this purpose."""
    for job, row in zip(jobs, rows, strict=True):
        if row is None:
            job.match = MatchState.NONE
        else:
            _adopt(job, row)


def _adopt(job: Job, source_row: Fields) -> None:
    adopt = job.mapping.adopt
    named = source_row.get(adopt.field) if adopt is not None else None
    if isinstance(named, str) and named:
        job.salesforce_id, job.adopted, job.match = named, True, MatchState.FOUND
    else:
        job.match = MatchState.NONE
