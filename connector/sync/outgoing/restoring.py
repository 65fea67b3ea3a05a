"""Put fields back to what they held before a version of ours wrote them, where nobody changed them since."""

from __future__ import annotations

from collections.abc import Mapping

from connector.domain.values import Value
from connector.mapping.canonical import plain_text, read_instant
from connector.mapping.parts.compiled import Line, LineProblem
from connector.sync.pairs import weighing
from connector.sync.pairs.filling import Key
from connector.sync.pairs.jobs import Job
from connector.sync.pairs.weighing import Outcome


def put_back(job: Job, outcome: Outcome, found: Mapping[Key, str]) -> None:
    """Send what the intent restores; what somebody edited since stays, and is not written over either.

    Lines that still write such a field take what LINE says now as said: they write again when it
    changes, and not before.
    """
    row, restores = job.row, job.intent.restores
    if row is None or not restores:
        return
    fields = {name: each for name, each in restores.items() if isinstance(each, list)}
    for name, (before, after) in fields.items():
        outcome.sends.pop(name, None)
        if name in row and _same(row[name], after):
            outcome.sends[name] = before
    for line in job.mapping.outbound:
        if line.writes_after_creation and not fields.keys().isdisjoint(line.fields):
            _stand_still(job, outcome, line, found)


def _stand_still(job: Job, outcome: Outcome, line: Line, found: Mapping[Key, str]) -> None:
    try:
        ours = weighing.outgoing(line, job.seen, found)
    except LineProblem:
        return  # the line says why it waits
    if ours is None:
        return
    said = job.seen.get(line.source) if line.source is not None else None
    entries = weighing.based(line, ours, said, job.mapping.version)
    for name in entries:
        outcome.sent.pop(name, None)
    outcome.agreed.update(entries)
    if line.source is not None:
        outcome.takes.pop(line.source, None)


def _same(one: Value, other: Value) -> bool:
    """Whether a field still holds what was written, in whatever spelling it is read back."""
    if one is None or other is None:
        return one in (None, False) and other in (None, False)
    at, then = read_instant(one), read_instant(other)
    return plain_text(one) == plain_text(other) or (at is not None and at == then)
