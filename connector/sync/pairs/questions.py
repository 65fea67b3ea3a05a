"""Open questions about the lines of a pair: opened once, kept up to date, closed when they answer themselves."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.states import ConflictKind, ConflictState
from connector.domain.values import Fields, Value, moment
from connector.mapping.parts.compiled import CompiledMapping
from connector.store.session import among
from connector.store.tables import Conflict, History, Pair
from connector.sync.changes import Scene
from connector.sync.pairs import weighing
from connector.sync.pairs.weighing import Outcome, Question

_BY_ITSELF = "the values agree again"


def ask(scene: Scene, pair: Pair, outcome: Outcome) -> None:
    """Open a conflict for each line that needs a person, once; close those that no longer do."""
    standing = _standing(scene, pair)
    mapping = scene.catalog.mappings.get(pair.mapping)
    for line in outcome.answered:
        if line in standing and _answers_itself(standing[line], pair, mapping):
            close(standing[line], _BY_ITSELF)
    for question in outcome.questions:
        if mapping is None or mapping.line(question.line) is not None:  # else taken out meanwhile
            open_one(scene, pair, question)


def open_one(scene: Scene, pair: Pair, question: Question) -> None:
    """Open the conflict of one line, or bring the one that is open up to date."""
    standing = _standing(scene, pair)
    known = standing.get(question.line)
    if known is None:
        if question.kind == ConflictKind.FLIPS and not question.reason:
            return  # thawed while this was weighed
        known = Conflict(pair_id=pair.id, line=question.line, state=ConflictState.OPEN)
        standing[question.line] = known
        _fill(scene, pair, known, question)
        scene.session.add(known)
    elif known.state is ConflictState.RESOLVED or _is_news(known, question):
        known.state, known.resolved_at, known.resolved_by = ConflictState.OPEN, None, None
        _fill(scene, pair, known, question)


def close(conflict: Conflict, by: str) -> None:
    """Say that a conflict is over, and through whom."""
    conflict.state = ConflictState.RESOLVED
    conflict.resolved_at = sa.func.clock_timestamp()
    conflict.resolved_by = by


def open_conflicts(session: Session, pairs: Collection[UUID]) -> dict[UUID, dict[str, Conflict]]:
    """The open conflicts of these pairs, by line."""
    found: dict[UUID, dict[str, Conflict]] = {}
    here = sa.select(Conflict).where(
        among(Conflict.pair_id, pairs), Conflict.state == ConflictState.OPEN
    )
    for conflict in session.scalars(here):
        found.setdefault(conflict.pair_id, {})[conflict.line] = conflict
    return found


def _standing(scene: Scene, pair: Pair) -> dict[str, Conflict]:
    if scene.conflicts is None:  # else loaded for a whole batch
        scene.conflicts = {}
    if pair.id not in scene.conflicts:
        found = open_conflicts(scene.session, [pair.id]).get(pair.id, {})
        scene.conflicts[pair.id] = found
    return scene.conflicts[pair.id]


def _answers_itself(conflict: Conflict, pair: Pair, mapping: CompiledMapping | None) -> bool:
    """Whether a line that may go on again leaves nothing to decide.

    What was overwritten stays so until the same value is entered anew, and only a person thaws a line.
    """
    if conflict.kind == ConflictKind.FLIPS:
        return False
    if conflict.kind != ConflictKind.OVERWRITTEN:
        return True
    line = mapping.line(conflict.line) if mapping is not None else None
    known = weighing.base_of(line, pair.base) if line is not None else None
    if line is None or known is None or conflict.theirs is None:
        return False
    return line.same(known, conflict.theirs)


def _is_news(known: Conflict, question: Question) -> bool:
    if (known.base, known.ours) != (_stored(question.base), _stored(question.ours)):
        return True
    return question.theirs is not None and known.theirs != _stored(question.theirs)


def _fill(scene: Scene, pair: Pair, conflict: Conflict, question: Question) -> None:
    """The newest question of a line stands; of a frozen one only the sides change."""
    if question.reason:
        conflict.kind = question.kind
        conflict.reason, conflict.next_step = question.reason, question.next_step
    told = dict(conflict.told or {})
    told["ours"] = _entered(scene, pair, question.line)
    if question.theirs is not None and conflict.theirs != _stored(question.theirs):
        conflict.theirs = _stored(question.theirs)
        told["theirs"] = _stored(question.told)
    conflict.told = told
    conflict.base, conflict.ours = _stored(question.base), _stored(question.ours)


def _entered(scene: Scene, pair: Pair, line_id: str) -> Value:
    """When and on which side the record came by the value that it has now."""
    mapping = scene.catalog.mappings.get(pair.mapping)
    line = mapping.line(line_id) if mapping is not None else None
    if line is None or line.source is None:
        return None
    here = sa.select(History).where(
        History.record_id == pair.record_id, History.name == line.source
    )
    row = scene.session.scalars(here.order_by(History.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    return {"at": moment(row.at), "side": row.side, "by": row.author}


def _stored(fields: Fields | None) -> dict[str, Value] | None:
    return None if fields is None else dict(fields)
