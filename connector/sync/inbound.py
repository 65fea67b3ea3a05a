"""What a Salesforce row that was read means for its record: merged if fresh, else reread.

An echo, a replayed hour or a late page can never overwrite a newer value: a row counts only
if the pair has not moved since the moment noted before the row was read (design rule 7).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.changes import Change
from connector.domain.identifiers import uuid7
from connector.domain.lines import Cause
from connector.domain.states import ConflictState, Ledger, MatchState, OutboxState, PairState
from connector.domain.values import Fields, Value
from connector.mapping.compiled import CompiledMapping, LineProblem
from connector.store.tables import Conflict, Outbox, Pair, Received, Record
from connector.sync import effects, identity, outbox, views, weighing
from connector.sync.changes import Scene, alter, apply, make_pair
from connector.sync.weighing import Outcome, Question


def read(scene: Scene, row: Received) -> Ledger:
    """Read one polled row: every pair tied to it takes what is new."""
    fields = row.body
    pairs = _pairs_of(scene.session, str(fields.get("Id")), fields.get("LINE_Key__c"))
    if not pairs:
        return _made_in_salesforce(scene, row.kind, fields)
    row.person_id = scene.session.scalar(
        sa.select(Record.person_id).where(Record.id == pairs[0].record_id)
    )
    verdicts = [_meet(scene, pair, fields, row.noted or 0) for pair in pairs]
    return Ledger.UNCHANGED if any(verdicts) else Ledger.IGNORED


def echoes(scene: Scene, rows: Sequence[Received]) -> set[int]:
    """Of these rows, those that hold what their pairs agreed on already."""
    ids = {str(row.body.get("Id")) for row in rows}
    here = sa.select(Pair).where(
        Pair.salesforce_id.in_(ids), Pair.state == PairState.OPEN, ~Pair.adopted
    )
    pairs: dict[str | None, list[Pair]] = {}
    for pair in scene.session.scalars(here):
        pairs.setdefault(pair.salesforce_id, []).append(pair)
    return {
        row.id
        for row in rows
        for tied in [pairs.get(str(row.body.get("Id")), [])]
        if tied and all(_is_echo(scene, pair, row.body) for pair in tied)
    }


def _is_echo(scene: Scene, pair: Pair, fields: Fields) -> bool:
    mapping = scene.catalog.mappings.get(pair.mapping)
    if mapping is None or not mapping.enabled or identity.fate_of(fields) is not None:
        return False
    if pair.match is MatchState.CONFLICT:
        return False
    return weighing.equals_base(mapping, pair.base, fields)


def _pairs_of(session: Session, salesforce_id: str, key: Value) -> list[Pair]:
    tied = [Pair.salesforce_id == salesforce_id]
    if isinstance(key, str) and key:
        tied.append(sa.and_(Pair.key == key, Pair.salesforce_id.is_(None)))
    standing = Pair.state.in_((PairState.OPEN, PairState.GONE))
    here = sa.select(Pair).where(sa.or_(*tied), standing, ~Pair.adopted)
    return list(session.scalars(here.order_by(Pair.id)))


def _meet(scene: Scene, pair: Pair, fields: Fields, noted: int) -> bool:
    """Merge a row into its pair's record; False where the mapping is no longer live."""
    session = scene.session
    mapping = scene.catalog.mappings.get(pair.mapping)
    if mapping is None or not mapping.enabled:
        return False
    record = lock_record(session, pair.record_id)
    session.refresh(pair, with_for_update=True)
    if identity.arrive(scene, mapping, pair, record, fields):
        return True
    if pair.match is MatchState.CONFLICT:
        return True  # until a person decides, nothing of this row reaches LINE
    if pair.salesforce_id is not None and weighing.equals_base(mapping, pair.base, fields):
        return True
    if pair.salesforce_id is None or pair.epoch > noted or _unclear(session, pair):
        effects.link_pair(session, scene.received, pair.id, record.version)
        outbox.want(session, pair.id, mapping.lane, Cause.LIVE, recheck=True)
        return True
    outcome = weighing.weigh(mapping, views.view_of(session, record), pair.base, fields)
    take(scene, pair, record, outcome, Cause.LIVE)
    if outcome.sends:
        effects.link_pair(session, scene.received, pair.id, record.version)
        outbox.want(session, pair.id, mapping.lane, Cause.LIVE)
    return True


def take(
    scene: Scene,
    pair: Pair,
    record: Record,
    outcome: Outcome,
    cause: Cause,
) -> None:
    """Write what weighing came to: the record's new values, the new base, the open questions."""
    pair.base = {**pair.base, **outcome.agreed}
    ask(scene, pair, outcome)
    if outcome.takes:
        side, scene.side = scene.side, "salesforce"
        scene.settling = pair.id
        change = Change(
            record.id,
            record.kind,
            outcome.takes,
            record.person_id,
            cause=cause,
            notify=cause is Cause.LIVE,
        )
        alter(scene, record, change)
        scene.settling, scene.side = None, side
        _feed(scene, pair, record, set(outcome.takes), cause)


def _feed(scene: Scene, pair: Pair, record: Record, taken: set[str], cause: Cause) -> None:
    """Want the pair again where a value that was taken goes into other fields of the same row."""
    mapping = scene.catalog.mappings.get(pair.mapping)
    if mapping is None:
        return
    one_way = (line for line in mapping.outbound if not line.inbound)
    if any(line.writes_after_creation and line.inputs & taken for line in one_way):
        effects.link_pair(scene.session, scene.received, pair.id, record.version)
        outbox.want(scene.session, pair.id, mapping.lane, cause)


def ask(scene: Scene, pair: Pair, outcome: Outcome) -> None:
    """Open a conflict for each line that needs a person, once; close those that no longer do."""
    open_lines = _open_conflicts(scene, pair)
    for line in outcome.answered:
        if line in open_lines:
            _close(open_lines[line])
    for question in outcome.questions:
        known = open_lines.get(question.line)
        if known is None:
            open_lines[question.line] = _opened(pair, question)
            scene.session.add(open_lines[question.line])
        elif known.state is ConflictState.RESOLVED:  # answered and asked again in one go
            known.state, known.resolved_at, known.resolved_by = ConflictState.OPEN, None, None


def _opened(pair: Pair, question: Question) -> Conflict:
    return Conflict(
        pair_id=pair.id,
        kind=question.kind,
        line=question.line,
        base=_stored(question.base),
        ours=_stored(question.ours),
        theirs=_stored(question.theirs),
        reason=question.reason,
        next_step=question.next_step,
        state=ConflictState.OPEN,
    )


def _open_conflicts(scene: Scene, pair: Pair) -> dict[str, Conflict]:
    if scene.conflicts is not None:  # loaded for a whole batch
        return scene.conflicts.setdefault(pair.id, {})
    return open_conflicts(scene.session, [pair.id]).get(pair.id, {})


def open_conflicts(session: Session, pairs: Collection[UUID]) -> dict[UUID, dict[str, Conflict]]:
    """The open conflicts of these pairs, by line."""
    found: dict[UUID, dict[str, Conflict]] = {}
    here = sa.select(Conflict).where(
        Conflict.pair_id.in_(pairs), Conflict.state == ConflictState.OPEN
    )
    for conflict in session.scalars(here):
        found.setdefault(conflict.pair_id, {})[conflict.line] = conflict
    return found


def _close(conflict: Conflict) -> None:
    conflict.state = ConflictState.RESOLVED
    conflict.resolved_at = sa.func.clock_timestamp()
    conflict.resolved_by = "the values agree again"


def _stored(fields: Fields | None) -> dict[str, Value] | None:
    return None if fields is None else dict(fields)


def lock_record(session: Session, record: UUID) -> Record:
    """The record, locked, as it is now."""
    here = sa.select(Record).where(Record.id == record).with_for_update()
    return session.scalars(here.execution_options(populate_existing=True)).one()


def _unclear(session: Session, pair: Pair) -> bool:
    """Whether a write is under way or of unknown outcome: the row may show it or not."""
    claimed = Outbox.state == OutboxState.CLAIMED
    here = sa.select(Outbox.id).where(Outbox.pair_id == pair.id, claimed)
    return pair.unseen_write or session.scalar(here) is not None


def _made_in_salesforce(scene: Scene, name: str, fields: Fields) -> Ledger:
    """A row of an object that Salesforce may create: it becomes a record."""
    if identity.fate_of(fields) is not None:
        return Ledger.IGNORED
    for mapping in scene.catalog.by_object.get(name, ()):
        if mapping.create in ("salesforce", "both") and fields.get("Id"):
            _adopt_row(scene, mapping, fields)
            return Ledger.UNCHANGED
    return Ledger.IGNORED


def _adopt_row(scene: Scene, mapping: CompiledMapping, fields: Fields) -> None:
    values: dict[str, Value] = {}
    base: dict[str, Value] = {}
    outcome = Outcome()
    for line in mapping.inbound:
        theirs = weighing.theirs_of(line, fields)
        if theirs is None or line.source is None:
            continue
        try:
            values[line.source] = line.inverse(theirs)
            base.update(weighing.based(line, theirs, values[line.source], mapping.version))
        except LineProblem as problem:
            outcome.questions.append(
                Question(line.id, "value", None, None, theirs, problem.reason, problem.next_step)
            )
    change = Change(uuid7(), mapping.kind, values, cause=Cause.LIVE, notify=False)
    applied = apply(scene, change)
    pair = _pair_under(scene, applied.record, mapping)
    pair.salesforce_id = str(fields["Id"])
    pair.match = MatchState.FOUND
    pair.base, pair.version = base, applied.record.version
    ask(scene, pair, outcome)


def _pair_under(scene: Scene, record: Record, mapping: CompiledMapping) -> Pair:
    here = sa.select(Pair).where(
        Pair.record_id == record.id,
        Pair.mapping == mapping.name,
        Pair.state == PairState.OPEN,
    )
    return scene.session.scalars(here).one_or_none() or make_pair(scene, record, mapping)
