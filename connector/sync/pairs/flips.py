"""Values that go to and fro: we send one, somebody turns it back, we send it again (design rule 10).

Kept in `Pair.flips` by line: which of our values were replaced, when one was sent anew, or that the
line is frozen. Values are kept as digests, and nothing is kept for longer than it counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

import orjson

from connector.domain.lines import Direction
from connector.domain.states import ConflictKind
from connector.domain.values import Fields, Value, moment, read_moment
from connector.mapping.parts.compiled import CompiledMapping, Line
from connector.store import alerts
from connector.store.alerts import AlertKind
from connector.store.tables import Pair
from connector.sync.changes import Scene
from connector.sync.pairs import questions, weighing
from connector.sync.pairs.jobs import Job
from connector.sync.pairs.weighing import Outcome, Question

WITHIN = timedelta(minutes=10)
MOST = 2  # the flip that freezes a line
_KEPT = 5
_FROZEN = "frozen"
_STEP = (
    "Stop the other writer, most likely an automation or an integration of the org; then decide which "
    "value stands: connector conflicts list."
)


def frozen(pair: Pair) -> frozenset[str]:
    """The lines of a pair that stand still until a person decides."""
    return frozenset(line for line, known in (pair.flips or {}).items() if known == _FROZEN)


def note_taken(pair: Pair, mapping: CompiledMapping, outcome: Outcome, now: datetime) -> None:
    """Remember which of the values that both sides held were replaced; called before the base moves."""
    for line in _two_way(mapping):
        was, fresh = (weighing.base_of(line, base) for base in (pair.base, outcome.agreed))
        if was is None or fresh is None or line.source not in outcome.takes:
            continue
        replaced, sent = _recent(pair, line, now)
        replaced[_digest(line, was)] = moment(now)
        _keep(pair, line, replaced, sent)


def note_sent(scene: Scene, pair: Pair, job: Job, read_back: Fields | None) -> None:
    """Count a value that was sent again after it had been replaced; the second time freezes the line."""
    if job.outcome is None or not pair.flips:
        return
    for line in _two_way(job.mapping):
        fields = weighing.base_of(line, job.outcome.sent)
        if fields is None or line.id not in pair.flips or line.id in frozen(pair):
            continue
        replaced, sent = _recent(pair, line, scene.now)
        if replaced.pop(_digest(line, fields), None) is not None:
            sent.append(moment(scene.now))
        _keep(pair, line, replaced, sent)
        if len(sent) >= MOST:
            _freeze(scene, pair, line, fields, read_back)


def thaw(pair: Pair, line_id: str) -> None:
    """Let a frozen line go on."""
    pair.flips = {name: known for name, known in (pair.flips or {}).items() if name != line_id}


def alert_of(pair: Pair, line_id: str) -> str:
    """What the alert of a frozen line is about."""
    return f"{pair.id}:{line_id}"


def _freeze(scene: Scene, pair: Pair, line: Line, fields: Fields, read_back: Fields | None) -> None:
    pair.flips = {**(pair.flips or {}), line.id: _FROZEN}
    minutes = int(WITHIN.total_seconds() // 60)
    reason = (
        f"{line.id}: LINE and another writer turned each other's value back twice within {minutes} "
        "minutes, so the line is frozen"
    )
    theirs = weighing.theirs_of(line, read_back) or fields
    question = Question(line.id, ConflictKind.FLIPS, fields, fields, theirs, reason, _STEP)
    questions.open_one(scene, pair, question)
    said = f"{pair.object} {pair.salesforce_id}, {reason}"
    alerts.raise_alert(scene.session, AlertKind.FLIPS, alert_of(pair, line.id), said, _STEP)


def _two_way(mapping: CompiledMapping) -> list[Line]:
    return [line for line in mapping.lines if line.direction is Direction.BOTH]


def _recent(pair: Pair, line: Line, now: datetime) -> tuple[dict[str, Value], list[Value]]:
    """The values of a line that were replaced, and the moments one was sent again, while they count."""
    known = (pair.flips or {}).get(line.id)
    if not isinstance(known, Mapping):
        return {}, []
    replaced, sent = known.get("replaced"), known.get("sent")
    young = replaced.items() if isinstance(replaced, Mapping) else ()
    return (
        {value: at for value, at in young if _counts(at, now)},
        [at for at in sent if _counts(at, now)] if isinstance(sent, list) else [],
    )


def _counts(at: Value, now: datetime) -> bool:
    return now - read_moment(str(at)) < WITHIN


def _keep(pair: Pair, line: Line, replaced: Mapping[str, Value], sent: list[Value]) -> None:
    newest = dict(sorted(replaced.items(), key=lambda each: str(each[1]))[-_KEPT:])
    others = {name: known for name, known in (pair.flips or {}).items() if name != line.id}
    mine: dict[str, Value] = {"replaced": newest, "sent": sent}
    pair.flips = {**others, line.id: mine} if newest or sent else others


def _digest(line: Line, fields: Fields) -> str:
    meaning = orjson.dumps(line.meaning(line.canonical(fields)), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(meaning).hexdigest()[:16]
