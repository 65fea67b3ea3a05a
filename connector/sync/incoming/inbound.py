"""What a Salesforce row that was read means for its record: merged if fresh, else reread.

An echo, a replayed hour or a late page can never overwrite a newer value: a row counts only
if the pair has not moved since the moment noted before the row was read (design rule 7).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.changes import Change
from connector.domain.identifiers import uuid7
from connector.domain.lines import Cause, Lane
from connector.domain.states import ConflictKind, Ledger, MatchState, PairState
from connector.domain.values import Value
from connector.mapping.parts.compiled import CompiledMapping, LineProblem
from connector.store.tables import Pair, Received, Record, Stream, epochs
from connector.sync import effects, outbox, views, windows
from connector.sync.changes import Scene, alter, apply, make_pair
from connector.sync.pairs import buried, children, flips, identity, overwrites, questions, weighing
from connector.sync.pairs.sightings import Sighting, sighting_of, speaks_of_all
from connector.sync.pairs.weighing import Outcome, Question


def read(scene: Scene, row: Received) -> Ledger:
    """Read what was seen of one row: every pair tied to it takes what is new."""
    if speaks_of_all(row):
        return _read_all_again(scene, row)
    seen = sighting_of(row)
    touched = children.touch(scene, row, seen)
    found = _pairs_of(scene.session, seen)
    if not found:
        if touched:
            return Ledger.UNCHANGED
        if buried.take(scene, row, seen):
            return Ledger.IGNORED
        return _made_in_salesforce(scene, row.kind, seen, row.cause)
    verdicts = [_meet(scene, pair, seen, row.cause) for pair, _ in found]
    row.person_id = found[0][1]  # last: a row that was changed is written before anything is asked
    return Ledger.UNCHANGED if any(verdicts) else Ledger.IGNORED


def _read_all_again(scene: Scene, row: Received) -> Ledger:
    """An event that speaks of a whole object: too much changed to tell, so the polls read it."""
    here = sa.select(Stream.carried_by).where(Stream.name == row.kind)
    stream = scene.session.scalar(here) or row.kind
    reason = f"the org told only that many rows of {row.kind} changed"
    windows.record_hole(scene.session, stream, [row.kind], row.at, scene.now, reason)
    return Ledger.UNCHANGED


def _pairs_of(session: Session, seen: Sighting) -> list[tuple[Pair, UUID | None]]:
    """The pairs tied to a row, each with the person whose record it is."""
    tied = [Pair.salesforce_id == seen.row_id]
    if isinstance(seen.key, str) and seen.key:
        tied.append(Pair.key == seen.key)
    standing = Pair.state.in_((PairState.OPEN, PairState.GONE))
    # marks that could not be cleared, for the row was in the recycle bin, or not there yet
    leaving = Pair.state.in_((PairState.RELEASING, PairState.CLOSED))
    left = sa.and_(leaving, ~Pair.erasing, Pair.key == seen.key)
    here = (
        sa.select(Pair, Record.person_id)
        .join(Record, Record.id == Pair.record_id)
        .where(sa.or_(sa.and_(sa.or_(*tied), standing), left), ~Pair.adopted)
    )
    return [(pair, person) for pair, person in session.execute(here.order_by(Pair.id))]


@dataclass(frozen=True)
class _Meeting:
    """A pair, locked with its record, and what was seen of its row."""

    scene: Scene
    mapping: CompiledMapping
    pair: Pair
    record: Record
    seen: Sighting
    cause: Cause

    @property
    def gone(self) -> bool:
        """Whether the row was seen deleted, merged or converted."""
        return self.seen.deleted or identity.fate_of(self.seen.fields) is not None

    @property
    def stands(self) -> bool:
        """Whether the row was seen to stand, and later than all that the base knows."""
        return not self.gone and self.seen.is_news(self.pair)

    def want(self, *, recheck: bool) -> None:
        """Want the pair brought up to date; what no person waits for goes behind everything else."""
        scene, pair = self.scene, self.pair
        lane = self.mapping.lane if self.cause is Cause.LIVE else Lane.BULK
        effects.link_pair(scene.session, scene.received, pair.id, self.record.version)
        outbox.want(scene.session, pair.id, lane, self.cause, recheck=recheck)


def _meet(scene: Scene, pair: Pair, seen: Sighting, cause: Cause) -> bool:
    """Merge what was seen into the pair's record; False where the mapping is no longer live."""
    session = scene.session
    mapping = scene.catalog.mappings.get(pair.mapping)
    if mapping is None or not mapping.enabled:
        return False
    record = lock_record(session, pair.record_id)
    session.refresh(pair, with_for_update=True)
    if pair.erasing:
        return False
    met = _Meeting(scene, mapping, pair, record, seen, cause)
    if not (_is_about_the_row(met) or identity.arrive(scene, mapping, pair, record, seen.fields)):
        _compare(met)
    return True


def _is_about_the_row(met: _Meeting) -> bool:
    """Act on what tells of the row itself and not of its values; says whether it does."""
    pair, seen = met.pair, met.seen
    if pair.state is PairState.CLOSED:
        _let_go_again(met)
    elif pair.state is PairState.RELEASING:
        if pair.salesforce_id != seen.row_id:  # found by its key when its turn comes
            met.want(recheck=True)
    elif pair.salesforce_id not in (None, seen.row_id):
        _stands_again(met)
    elif seen.deleted:
        if pair.state is PairState.OPEN:  # merged, perhaps: the recycle bin is asked first
            met.want(recheck=True)
    else:
        return False
    return True


def _stands_again(met: _Meeting) -> None:
    """The row that bears the pair's key is back, from a merge that was undone: it is the pair's again."""
    row = met.seen.row_id
    if met.stands and identity.holder(met.scene.session, met.pair, row) is None:
        met.pair.salesforce_id, met.pair.state = row, PairState.OPEN
        met.want(recheck=True)


def _let_go_again(met: _Meeting) -> None:
    """A row shows the marks of one who has let go: it came back, or a late first write made it."""
    another = met.seen.row_id != met.pair.salesforce_id  # of which the base knows nothing
    if met.stands or (another and not met.gone):
        met.pair.state, met.pair.salesforce_id = PairState.RELEASING, met.seen.row_id
        met.want(recheck=True)


def _compare(met: _Meeting) -> None:
    """Take what is news; have read anew what is in doubt."""
    pair, seen, mapping = met.pair, met.seen, met.mapping
    if pair.match is MatchState.CONFLICT:
        return  # until a person decides, nothing of this row reaches LINE
    known = pair.salesforce_id is not None
    partly = seen.unsaid or seen.is_torn(mapping)
    if known and not partly and weighing.equals_base(mapping, pair.base, seen.fields):
        _remember(pair, seen)
        return
    doubtful = not seen.is_news(pair) or _unclear(met.scene.session, pair)
    if known and doubtful:
        overwrites.doubt(pair, mapping, seen)
    if partly or doubtful or not known:
        met.want(recheck=True)
    else:
        _merge(met)


def _merge(met: _Meeting) -> None:
    scene, pair, seen = met.scene, met.pair, met.seen
    view = views.view_of(scene.session, met.record)
    frozen = flips.frozen(pair)
    outcome = weighing.weigh(met.mapping, view, pair.base, seen.fields, frozen=frozen)
    outcome.questions = [replace(each, told=seen.told) for each in outcome.questions]
    _remember(pair, seen)
    # what was polled before this moment is older now
    pair.epoch = epochs.next_value()
    take(scene, pair, met.record, outcome, met.cause)
    if outcome.sends:
        met.want(recheck=False)


def _remember(pair: Pair, seen: Sighting) -> None:
    pair.seen_at = seen.until if pair.seen_at is None else max(pair.seen_at, seen.until)


def take(
    scene: Scene,
    pair: Pair,
    record: Record,
    outcome: Outcome,
    cause: Cause,
) -> None:
    """Write what weighing came to: the record's new values, the new base, the open questions."""
    mapping = scene.catalog.mappings.get(pair.mapping)
    if mapping is not None:
        flips.note_taken(pair, mapping, outcome, scene.now)
    pair.base = {**pair.base, **outcome.agreed}
    questions.ask(scene, pair, outcome)
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


def lock_record(session: Session, record: UUID) -> Record:
    """The record, locked, as it is now."""
    here = sa.select(Record).where(Record.id == record).with_for_update()
    return session.scalars(here.execution_options(populate_existing=True)).one()


def _unclear(session: Session, pair: Pair) -> bool:
    """Whether a write is under way or of unknown outcome: the row may show it or not."""
    return pair.unseen_write or outbox.is_claimed(session, pair.id)


def _made_in_salesforce(scene: Scene, name: str, seen: Sighting, cause: Cause) -> Ledger:
    """A row of an object that Salesforce may create: it becomes a record."""
    if identity.fate_of(seen.fields) is not None or seen.deleted:
        return Ledger.IGNORED
    for mapping in scene.catalog.by_object.get(name, ()):
        if mapping.create not in ("salesforce", "both") or not seen.fields.get("Id"):
            continue
        if seen.whole and not seen.unsaid:
            _adopt_row(scene, mapping, seen, cause)
            return Ledger.UNCHANGED
        windows.reread(scene.session, [name], seen.at)  # the rest of the row is not told
        return Ledger.UNCHANGED
    return Ledger.IGNORED


def _adopt_row(scene: Scene, mapping: CompiledMapping, seen: Sighting, cause: Cause) -> None:
    values: dict[str, Value] = {}
    base: dict[str, Value] = {}
    outcome = Outcome()
    for line in mapping.inbound:
        theirs = weighing.theirs_of(line, seen.fields)
        if theirs is None or line.source is None:
            continue
        try:
            values[line.source] = line.inverse(theirs)
            base.update(weighing.based(line, theirs, values[line.source], mapping.version))
        except LineProblem as problem:
            outcome.questions.append(
                Question(
                    line.id,
                    ConflictKind.VALUE,
                    None,
                    None,
                    theirs,
                    problem.reason,
                    problem.next_step,
                )
            )
    change = Change(uuid7(), mapping.kind, values, cause=cause, notify=False)
    applied = apply(scene, change)
    pair = _pair_under(scene, applied.record, mapping)
    pair.salesforce_id = seen.row_id
    pair.match = MatchState.FOUND
    pair.base, pair.version = base, applied.record.version
    _remember(pair, seen)
    questions.ask(scene, pair, outcome)


def _pair_under(scene: Scene, record: Record, mapping: CompiledMapping) -> Pair:
    here = sa.select(Pair).where(
        Pair.record_id == record.id,
        Pair.mapping == mapping.name,
        Pair.state == PairState.OPEN,
    )
    return scene.session.scalars(here).one_or_none() or make_pair(scene, record, mapping)
