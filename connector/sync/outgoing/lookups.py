"""What must be read before anything is written, in as few calls as it takes.

Rows are sought by key after an unknown outcome, by the values of a match rule, and by Id
where a blind write could overwrite (design rules 2, 8 and 11).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

from connector.domain.faults import Fault
from connector.domain.states import MatchState
from connector.mapping.canonical import long_id
from connector.mapping.parts.children import own_fields
from connector.salesforce import soql
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway
from connector.salesforce.planner import KEY_FIELD
from connector.salesforce.steps import Query, Read, Result, Rows, Step, StepFailed
from connector.sync.outgoing import matching
from connector.sync.pairs import children, identity, weighing
from connector.sync.pairs.jobs import Job, Lost

Fail = Callable[[Job, Fault], None]
_Ask = tuple[Step, Callable[[Rows], None], Sequence[Job]]

_STEPS = 5
_KEYS = 500  # of 36 characters: well below what one query may hold
_IDS = 2000


def look_up(gateway: Gateway, jobs: Sequence[Job], fail: Fail) -> None:
    """Find the rows of jobs that do not know theirs, then read what must not be overwritten blind."""
    seeking = [job for job in jobs if job.open and _lost(job)]
    _ask(gateway, _by_key(seeking), fail)
    matching_jobs = [job for job in jobs if job.open and job.seeks and job.row is None]
    _ask(gateway, _by_value(matching_jobs), fail)
    adopting = [job for job in jobs if job.open and job.seeks and job.mapping.adopt is not None]
    matching.adopt_in_batch(adopting, jobs)
    _ask(gateway, _by_source([job for job in adopting if job.open and job.seeks]), fail)
    reading = [job for job in jobs if job.open and _needs_row(job)]
    _ask(gateway, _by_id(reading), fail)
    told = [job for job in jobs if job.open and job.row is not None and not job.releasing]
    _ask(gateway, children.questions(told), fail, is_look=False)


def ask_fates(gateway: Gateway, jobs: Sequence[Job], fail: Fail) -> None:
    """For rows that are lost: whether they were merged, converted or deleted."""
    lost = [job for job in jobs if isinstance(job.end, Lost) and job.salesforce_id]
    _ask(gateway, _by_fate(lost), fail)


def _by_fate(jobs: Sequence[Job]) -> Iterator[_Ask]:
    for number, group in enumerate(_grouped(jobs, _IDS)):
        ids = [job.salesforce_id or "" for job in group]
        step = identity.question(f"f{number}", group[0].pair.object, ids)
        yield step, partial(_take_fates, group), group


def _take_fates(jobs: Sequence[Job], rows: Rows) -> None:
    found = {long_id(str(row["Id"])): row for row in rows.found}
    for job in jobs:
        row = found.get(long_id(job.salesforce_id or ""))
        # A row the recycle bin does not know was deleted for good.
        job.fate = identity.Fate() if row is None else identity.fate_of(row)


def _lost(job: Job) -> bool:
    """Whether a row may exist that only the key can find.

    A late first write makes a second one where the first has let go of the key already.
    """
    tried = job.pair.unseen_write or job.intent.recheck
    return tried and (job.salesforce_id is None or (job.releasing and not job.joins))


def _needs_row(job: Job) -> bool:
    if job.salesforce_id is None or job.row is not None:
        return False
    if job.adopted:
        return job.intent.recheck
    if job.releasing:
        # another record may have taken the row since
        return job.intent.recheck or job.pair.unseen_write or job.pair.erasing or job.joins
    if job.intent.recheck or job.pair.unseen_write or not job.base:
        return True
    return weighing.must_read(job.mapping, job.seen, job.base)


def fields_of(job: Job) -> tuple[str, ...]:
    """All fields a job may need of its row."""
    names = [name for line in job.mapping.lines for name in own_fields(line.fields)]
    names += [state.parent.field for state in job.parents]
    names += [name for rule in job.mapping.match for name in rule.fields]
    names += job.intent.restores or ()
    return tuple(dict.fromkeys([KEY_FIELD, *names]))


def _ask(gateway: Gateway, asks: Iterable[_Ask], fail: Fail, *, is_look: bool = True) -> None:
    """Ask in as few calls as it takes; `is_look` says that the jobs' own rows are looked at."""
    waiting = iter(asks)
    while batch := list(islice(waiting, _STEPS)):
        try:
            answer = gateway.run([step for step, _, _ in batch])
        except CallFailed as failed:
            _fail_all(batch, failed.fault, fail)
            continue
        for step, take, jobs in batch:
            _hand_over(answer.results[step.ref], take, jobs, fail)
            for job in jobs if is_look else ():
                job.looked_at, job.asked_at = answer.date, answer.asked_at


def _hand_over(
    result: Result, take: Callable[[Rows], None], jobs: Sequence[Job], fail: Fail
) -> None:
    if isinstance(result, StepFailed):
        for job in jobs:
            fail(job, result.fault)
    elif isinstance(result, Rows):
        take(result)


def _fail_all(batch: Sequence[_Ask], fault: Fault, fail: Fail) -> None:
    for _, _, jobs in batch:
        for job in jobs:
            fail(job, fault)


def _by_key(jobs: Sequence[Job]) -> Iterator[_Ask]:
    for number, group in enumerate(_grouped(jobs, _KEYS)):
        name = group[0].pair.object
        keys = soql.in_list(KEY_FIELD, [job.pair.key for job in group])
        step = Query(f"k{number}", soql.select(["Id", *_all_fields(group)], name, keys))
        yield step, partial(_take_by_key, group), group


def _take_by_key(jobs: Sequence[Job], rows: Rows) -> None:
    found = {row.get(KEY_FIELD): row for row in rows.found}
    for job in jobs:
        row = found.get(job.pair.key)
        if row is not None:
            job.row, job.salesforce_id = row, str(row["Id"])
            job.match = MatchState.NONE if job.match is MatchState.PENDING else job.match


def _by_value(jobs: Sequence[Job]) -> Iterator[_Ask]:
    simple = [job for job in jobs if job.mapping.match]
    for number, group in enumerate(_grouped(simple, 100)):
        name = group[0].pair.object
        rules = group[0].mapping.match
        sought = dict.fromkeys(field for rule in rules for field in rule.fields)
        values = dict.fromkeys(
            spelling for job in group for rule in rules for spelling in rule.candidates(job.seen)
        )
        if not values:
            matching.decide(group, [])
            continue
        text = soql.matches(name, _all_fields(group), list(sought), list(values))
        yield (
            Query(f"m{number}", text),
            partial(_decide, group),
            group,
        )


def _by_source(jobs: Sequence[Job]) -> Iterator[_Ask]:
    """The rows of the pairs that name ours, where they are not in this batch."""
    for number, group in enumerate(_grouped(jobs, _IDS)):
        ids = [job.source.salesforce_id or "" for job in group if job.source is not None]
        adopt = group[0].mapping.adopt
        name = group[0].source.object if group[0].source is not None else ""
        if adopt is None:
            continue
        yield (
            Read(f"a{number}", name, ids, ["Id", adopt.field]),
            partial(_adopt, group),
            group,
        )


def _by_id(jobs: Sequence[Job]) -> Iterator[_Ask]:
    for number, group in enumerate(_grouped(jobs, _IDS)):
        ids = [job.salesforce_id or "" for job in group]
        step = Read(f"i{number}", group[0].pair.object, ids, ["Id", *_all_fields(group)])
        yield step, partial(_take_by_id, group), group


def _take_by_id(jobs: Sequence[Job], rows: Rows) -> None:
    for job, row in zip(jobs, rows.rows, strict=True):
        job.row, job.missing = row, row is None


def _decide(jobs: Sequence[Job], rows: Rows) -> None:
    matching.decide(jobs, rows.found)


def _adopt(jobs: Sequence[Job], rows: Rows) -> None:
    matching.adopt_from_rows(jobs, rows.rows)


def _all_fields(jobs: Sequence[Job]) -> list[str]:
    names = dict.fromkeys(name for job in jobs for name in fields_of(job))
    names.update(dict.fromkeys(matching.named_for_others(jobs)))
    return list(names)


def _grouped(jobs: Sequence[Job], size: int) -> Iterator[list[Job]]:
    groups: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        groups.setdefault((job.pair.object, job.mapping.name), []).append(job)
    for group in groups.values():
        for at in range(0, len(group), size):
            yield group[at : at + size]
