"""Edits that our own write came over unseen, between its look and its commit (design rule 8).

A write leaves behind what its look found of each line, and when (`Pair.looks`). What is seen of that
stretch of time afterwards is a doubt (`Pair.doubts`) until the row is read again: only where it holds our
value then was the other one overwritten. One that came after our write stands in the row, and is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from connector.domain.lines import Direction, Policy
from connector.domain.states import ConflictKind
from connector.domain.values import Fields, Value, moment, read_moment
from connector.mapping.parts.compiled import CompiledMapping, Line
from connector.store.tables import Pair
from connector.sync.changes import Scene
from connector.sync.pairs import questions, weighing
from connector.sync.pairs.jobs import Job
from connector.sync.pairs.sightings import Sighting, end_of_second
from connector.sync.pairs.weighing import Question

_KEPT = timedelta(days=3)  # no event comes later
_MOST_DOUBTS = 8
_STEP = "Decide which value stands: connector conflicts list, then show and resolve."


def remember_look(job: Job, pair: Pair, written: datetime | None) -> None:
    """Keep what the look that a write went by found of the lines that were, or may have been, written."""
    if job.outcome is None or job.row is None or job.asked_at is None or written is None:
        return
    until = moment(end_of_second(written))
    fresh: dict[str, Value] = {
        line.id: {"from": moment(job.asked_at), "until": until, "shown": dict(shown)}
        for line in _watched(job.mapping)
        if weighing.entries_of(line, job.outcome.sent)
        and (shown := weighing.theirs_of(line, job.row)) is not None
    }
    if fresh:
        young = {
            name: look
            for name, look in (pair.looks or {}).items()
            if isinstance(look, dict) and written - _moment_in(look, "until") < _KEPT
        }
        pair.looks = {**young, **fresh}


def doubt(pair: Pair, mapping: CompiledMapping, seen: Sighting) -> None:
    """Keep a sighting that may tell of an edit that is in the row no more, until the row is read."""
    if seen.is_ours:
        return
    told = {name for line in _watched(mapping) for name in line.fields} & seen.fields.keys()
    if not told:
        return
    fresh: dict[str, Value] = {
        "at": moment(seen.at),
        "sharp": seen.is_sharp,
        "by": seen.by,
        "fields": {name: seen.fields[name] for name in sorted(told)},
    }
    kept = [each for each in pair.doubts or () if each != fresh]
    pair.doubts = [*kept, fresh][-_MOST_DOUBTS:]


def answer(scene: Scene, job: Job, pair: Pair) -> None:
    """Open a conflict for each doubt that the row, read since, proves; the others were none."""
    for each in pair.doubts or ():
        if isinstance(each, dict) and job.row is not None:
            for question in _proven(job, pair, job.row, each):
                questions.open_one(scene, pair, question)
    pair.doubts = None


def _proven(job: Job, pair: Pair, row: Fields, each: dict[str, Value]) -> Iterator[Question]:
    """`job.base` also counts what a write of unknown outcome is now seen to have carried."""
    fields = each["fields"]
    for line in _watched(job.mapping):
        look = (pair.looks or {}).get(line.id)
        ours, now = weighing.base_of(line, job.base), weighing.theirs_of(line, row)
        if not isinstance(look, dict) or not isinstance(fields, dict) or ours is None:
            continue
        shown = look["shown"]
        if not isinstance(shown, dict) or now is None or not _is_between(each, look):
            continue
        if not fields.keys() & set(line.fields):
            continue
        theirs = line.canonical({**shown, **fields})
        if not line.same(now, ours) or any(line.same(theirs, known) for known in (shown, ours)):
            continue
        yield Question(
            line.id,
            ConflictKind.OVERWRITTEN,
            shown,
            ours,
            theirs,
            f"{line.id}: an edit in Salesforce came between our look and our write, which overwrote it",
            _STEP,
            told={"at": each["at"], "by": each["by"]},
        )


def _is_between(each: dict[str, Value], look: dict[str, Value]) -> bool:
    """Whether an edit was made after the look and before the write.

    Of a polled row only the second is known: one of the look's own second may be older than the look.
    """
    at, since = _moment_in(each, "at"), _moment_in(look, "from")
    after = at >= since if each["sharp"] else at > since
    return after and at <= _moment_in(look, "until")


def _moment_in(kept: dict[str, Value], name: str) -> datetime:
    return read_moment(str(kept[name]))


def _watched(mapping: CompiledMapping) -> list[Line]:
    """The lines that both sides edit, but for those on which LINE wins anyway."""
    return [
        line
        for line in mapping.lines
        if line.direction is Direction.BOTH and line.policy is not Policy.LINE_WINS
    ]
