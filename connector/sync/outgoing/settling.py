"""Write down how each job ended: pairs, records, effects and the intents themselves, in one transaction."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain import faults
from connector.domain.faults import BY_ITSELF, Fault, FaultKind
from connector.domain.lines import Cause
from connector.domain.states import EffectState, MatchState, OutboxState, PairState
from connector.domain.values import Fields, Value
from connector.salesforce.faults import fault_of, policy
from connector.store import sets
from connector.store.session import among
from connector.store.tables import MatchClaim, Outbox, Pair, Record, epochs
from connector.sync import effects, outbox, views
from connector.sync.changes import Scene
from connector.sync.incoming import inbound
from connector.sync.outgoing import attempts, clearing, writes
from connector.sync.pairs import (
    attachments,
    flips,
    identity,
    overwrites,
    questions,
    superseding,
    weighing,
)
from connector.sync.pairs.jobs import Done, Hold, Job, Later, Lost, Stopped
from connector.sync.pairs.sightings import end_of_second
from connector.sync.pairs.weighing import Outcome

_SOON = timedelta(seconds=2)
_DUPLICATES = "DUPLICATES_DETECTED"
_NO_PARENT = "INVALID_CROSS_REFERENCE_KEY"
_UNSEEN = (
    "Let the integration user see the row (sharing rules, or View All for the object in "
    "Setup > Permission Sets > LINE Connector), then redrive."
)


def end_of(job: Job, fault: Fault, now: datetime) -> None:
    """Decide by the fault table how a job that failed ends."""
    seeks = bool(job.mapping.match) and job.salesforce_id is None
    if fault.code == _DUPLICATES and seeks and job.intent.attempts <= 1:
        job.match = (
            MatchState.PENDING
        )  # the org knows the customer: look again, more people may type
        job.end = Later(now + _SOON, "Salesforce says that the row exists already")
        return
    fault = _seen_right(job, fault)
    decision = policy(fault, job.intent.attempts, now, random.random)
    reason = f"{fault.code}: {fault.message}"[:1000]
    match decision:
        case faults.RetryAt(at):
            spent = fault.kind is not FaultKind.COLLATERAL
            job.end = Later(at, reason, spent=spent, next_step=fault.next_step or BY_ITSELF)
        case faults.LookUp(at):
            unseen = fault.kind is FaultKind.UNKNOWN
            job.end = Later(at, reason, unseen_write=unseen, next_step=fault.next_step or BY_ITSELF)
        case faults.Pause(why, until):
            job.end = Later(until, why, spent=False, next_step=fault.next_step or BY_ITSELF)
        case faults.Refresh():
            job.end = Later(now + _SOON, reason, stale=True)
        case faults.Park(why, step):
            job.end = Stopped(OutboxState.PARKED, why, step, fault)
        case faults.GiveUp(why):
            job.end = Stopped(OutboxState.DEAD, why, fault.next_step, fault)
        case faults.Follow() if job.releasing:
            # the row is gone, and our marks with it
            job.end = clearing.refusal(job, fault) or Done()
        case faults.Follow():
            job.end = writes.gone(job, reason, now, fault)


def _seen_right(job: Job, fault: Fault) -> Fault:
    """Where it is not this row that is gone but one that it names, the fault says so."""
    is_own = job.salesforce_id is not None and not fault.fields
    if is_own or fault.code not in (_NO_PARENT, "ENTITY_IS_DELETED"):
        return fault
    job.blames_parents = True
    return fault_of(_NO_PARENT, fault.message, fault.fields, object_name=job.pair.object)


def settle(scene: Scene, jobs: Sequence[Job]) -> None:
    """Settle every job that this worker still holds. Locks: records, pairs, intents."""
    session = scene.session
    records = _locked(session, Record, {job.record.id for job in jobs})
    pairs = _locked(session, Pair, {job.pair.id for job in jobs})
    mine = outbox.still_mine(session, [job.intent for job in jobs])
    waiting = effects.waiting_on(session, list(pairs))
    open_ = questions.open_conflicts(session, list(pairs))
    scene.conflicts = {pair: open_.get(pair, {}) for pair in pairs}
    for job in jobs:
        row = mine.get(job.intent.id)
        if row is None:
            _admit(scene, job, pairs[job.pair.id])
        else:
            scene.received = waiting.get(job.pair.id, ())
            _settle_one(scene, job, row, records[job.record.id], pairs[job.pair.id])
            attempts.log(session, job, scene.now)
    moved = {job.pair.id for job in jobs if job.intent.id in mine}
    _write_pairs(session, pairs, moved)
    sets.update_all(session, records.values())
    _drop_claims(session, pairs.values())


def _admit(scene: Scene, job: Job, pair: Pair) -> None:
    """A write that came after its claim was gone is ours all the same: no agent's edit to be taken over."""
    perhaps = isinstance(job.end, Later) and job.end.unseen_write
    if not (job.wrote or perhaps):
        return
    if job.releasing:
        _write_anew(scene, job)
    elif job.outcome is not None and pair.state is PairState.OPEN:
        _remember_unseen(job, pair, unseen=True, now=scene.now)
        outbox.want(scene.session, pair.id, job.intent.lane, job.intent.cause, recheck=True)


def _write_anew(scene: Scene, job: Job) -> None:
    """Marks that were cleared too late may be those of the record that has the row by now."""
    here = sa.select(Pair).where(
        Pair.org_id == job.pair.org_id,
        Pair.object == job.pair.object,
        Pair.salesforce_id == job.salesforce_id,
        Pair.state == PairState.OPEN,
        ~Pair.adopted,
    )
    for pair in scene.session.scalars(here.order_by(Pair.id).with_for_update()):
        mapping = scene.catalog.mappings.get(pair.mapping)
        if mapping is not None:
            identity.forget_ours(pair, mapping)
            outbox.want(scene.session, pair.id, job.intent.lane, job.intent.cause, recheck=True)


def _write_pairs(session: Session, pairs: Mapping[UUID, Pair], moved: Set[UUID]) -> None:
    """With their new epochs: what was read before this moment no longer counts against them."""
    written = sets.update_all(session, [pairs[each] for each in moved], counting=("epoch",))
    if left := moved - {pair.id for pair in written}:
        moves = sa.update(Pair).where(among(Pair.id, left)).values(epoch=epochs.next_value())
        session.execute(moves.execution_options(synchronize_session=False))


def _settle_one(scene: Scene, job: Job, row: Outbox, record: Record, pair: Pair) -> None:
    session = scene.session
    _remember_match(session, job, pair)
    pair.bulk_job_id = job.bulk_job
    if pair.erasing and not job.releasing:
        clearing.begun_before(session, job, row, pair, scene.now)
        return
    row.again = row.again or superseding.is_superseded(scene, job)
    if job.blames_parents:
        _look_at_parents(session, job)
    if job.gathers:
        outbox.release(session, (pair.id,))
    match job.end:
        case Hold(held_for, reason, step):
            outbox.hold(session, row, held_for, reason, step)
            outbox.release_if_there(session, held_for)
        case Later(at, reason, unseen, _, spent, step):
            _remember_unseen(job, pair, unseen=unseen, now=scene.now)
            row.attempts -= 0 if spent else 1
            outbox.postpone(row, at or scene.now + _SOON, reason, step)
        case Stopped(to, reason, step, fault):
            outbox.stop(session, row, to, reason, step, _told(fault))
        case Lost(reason, fault):
            _follow(scene, job, row, record, pair, reason, fault)
        case Done() | None:
            _finish(scene, job, row, record, pair)


def _follow(
    scene: Scene,
    job: Job,
    row: Outbox,
    record: Record,
    pair: Pair,
    reason: str,
    fault: Fault | None,
) -> None:
    """Give the pair the row it lives on in; one that stands and refuses us all the same is parked."""
    if pair.state in (PairState.GONE, PairState.CLOSED):
        identity.settle(scene, row, pair, None, job.record.version)
    elif job.fate is None:
        step = fault.next_step if fault is not None else _UNSEEN
        outbox.stop(scene.session, row, OutboxState.PARKED, reason, step, _told(fault))
    elif row.again or _seen_since(job, pair):  # the row may be back: the org is asked once more
        outbox.settle(scene.session, row, EffectState.OPEN, job.record.version, recheck=True)
    else:
        to = identity.follow(scene, job.mapping, pair, record, job.fate)
        identity.settle(scene, row, pair, to, job.record.version)


def _seen_since(job: Job, pair: Pair) -> bool:
    """Whether the row was seen standing after the org was asked what became of it."""
    if job.looked_at is None or pair.seen_at is None:
        return False
    return pair.seen_at > end_of_second(job.looked_at)


def _finish(scene: Scene, job: Job, row: Outbox, record: Record, pair: Pair) -> None:
    session = scene.session
    if job.releasing:
        _remember_sight(job, pair)
        pair.state, pair.salesforce_id = PairState.CLOSED, job.salesforce_id
        if not pair.erasing:
            pair.reason = "the person let go of it"
        outbox.settle(session, row, EffectState.WRITTEN, job.record.version)
        return
    if job.intent.recheck and job.row is not None and not row.again:  # what it showed is the newest
        overwrites.answer(scene, job, pair)
    written = job.result
    if written is not None and written.ok is not None:
        pair.salesforce_id = written.ok.id
        pair.written_at = written.date
    _remember_sight(job, pair)
    if job.adopted:
        pair.salesforce_id, pair.adopted = job.salesforce_id, True
    if job.joins:
        pair.salesforce_id, pair.joined = job.salesforce_id, True
    came_through = pair.unseen_write and job.row is not None
    if job.pair.unseen_write or not pair.unseen_write:  # else another's came in while this went on
        pair.unseen_write, pair.attempt = False, None
    pair.version = job.record.version
    read_back = written.row if written is not None else None
    _take_over(scene, job, record, pair, read_back)
    unread = job.wrote and bool(job.mapping.read_fields) and read_back is None
    filed = attachments.came(job.files)
    written_now = job.wrote or job.adopted or came_through or bool(filed)
    effect = EffectState.WRITTEN if written_now else EffectState.UNCHANGED
    if job.outcome is not None and len(filed) < len(job.files):
        outbox.go_on(session, row, recheck=unread)
    else:
        outbox.settle(session, row, effect, job.record.version, recheck=unread)
    if pair.salesforce_id is not None:
        outbox.release(session, (pair.id, pair.record_id))


def _remember_sight(job: Job, pair: Pair) -> None:
    """What happened in the org up to our last look at the row, or write to it, is no news any more."""
    written = job.result.date if job.result is not None and job.result.ok is not None else None
    moments = [end_of_second(at) for at in (job.looked_at, written) if at is not None]
    if moments:
        pair.seen_at = max([*moments, *([pair.seen_at] if pair.seen_at is not None else [])])


def _take_over(
    scene: Scene, job: Job, record: Record, pair: Pair, read_back: dict[str, Value] | None
) -> None:
    """New base, new values for the record, and the questions only a person can answer."""
    decided = {name: held for name, held in pair.base.items() if job.pair.base.get(name) != held}
    outcome = _as_of_now(scene, job, record, decided)
    if job.wrote:
        flips.note_sent(scene, pair, job, read_back)
        overwrites.remember_look(job, pair, job.result.date if job.result is not None else None)
    pair.base = writes.sent_base(job, read_back, decided)
    cause = job.intent.cause
    if job.row is not None and (job.match is MatchState.FOUND and not job.pair.base):
        cause = Cause.FIRST_MEETING
    inbound.take(scene, pair, record, outcome, cause)
    if read_back is None:
        return
    seen = {**job.seen, **record.values}
    lines = weighing.told_by(job.mapping, read_back)
    frozen = flips.frozen(pair)
    later = weighing.weigh(job.mapping, seen, pair.base, read_back, frozen=frozen, lines=lines)
    inbound.take(scene, pair, record, later, job.intent.cause)


def _as_of_now(scene: Scene, job: Job, record: Record, decided: Fields) -> Outcome:
    """What was weighed, weighed again where somebody moved on meanwhile: the newer value stands.

    Of lines that were written the look before the write tells nothing any more.
    """
    moved = record.version != job.record.version or bool(decided)
    if job.outcome is None or job.row is None or not moved:
        return job.outcome or Outcome()
    seen, base = views.view_of(scene.session, record), {**job.base, **decided}
    sent, frozen = job.outcome.sent, flips.frozen(job.pair)
    lines = [line for line in job.mapping.lines if not weighing.entries_of(line, sent)]
    return weighing.weigh(job.mapping, seen, base, job.row, frozen=frozen, lines=lines)


def _look_at_parents(session: Session, job: Job) -> None:
    """The rows this one names are read anew: where they were merged, their pairs follow."""
    for state in job.parents:
        pair = state.pair
        if pair is not None and pair.salesforce_id and pair.state is PairState.OPEN:
            outbox.want(session, pair.id, job.intent.lane, Cause.RESTORE, recheck=True)


def _remember_match(session: Session, job: Job, pair: Pair) -> None:
    if job.match is not pair.match:
        pair.match = job.match
        if job.match in (MatchState.NONE, MatchState.FOUND):
            outbox.release(session, (pair.id,))
    if job.salesforce_id is not None and pair.salesforce_id is None:
        pair.salesforce_id, pair.adopted = job.salesforce_id, job.adopted


def note_attempts(session: Session, jobs: Sequence[Job]) -> None:
    """Keep what is about to be written, as long as the claim is ours."""
    for job in jobs:
        mine = sa.exists().where(
            Outbox.id == job.intent.id, Outbox.claim_token == job.intent.claim_token
        )
        sent = dict(job.outcome.sent) if job.outcome is not None else {}
        noted = sa.update(Pair).where(Pair.id == job.pair.id, mine).values(attempt=sent)
        session.execute(noted.execution_options(synchronize_session=False))


def _remember_unseen(job: Job, pair: Pair, *, unseen: bool, now: datetime) -> None:
    """Keep what a write of unknown outcome carried, and when, so that a read can be told from an edit."""
    if not unseen:
        pair.attempt = pair.attempt if pair.unseen_write else None
        return
    overwrites.remember_look(job, pair, now)
    pair.unseen_write = True
    pair.attempt = dict(job.outcome.sent) if job.outcome is not None else {}
    pair.written_at = now


def _drop_claims(session: Session, pairs: Iterable[Pair]) -> None:
    """A pair that has its row, or is closed, no longer keeps others from looking for it."""
    through = [
        pair.id
        for pair in pairs
        if pair.salesforce_id is not None or pair.state is PairState.CLOSED
    ]
    session.execute(sa.delete(MatchClaim).where(among(MatchClaim.pair_id, through)))


T = TypeVar("T", Record, Pair)


def _locked(session: Session, table: type[T], ids: Collection[UUID]) -> dict[UUID, T]:
    here = sa.select(table).where(among(table.id, ids)).order_by(table.id).with_for_update()
    rows = session.scalars(here.execution_options(populate_existing=True))
    return {row.id: row for row in rows}


def _told(fault: Fault | None) -> dict[str, Value] | None:
    if fault is None:
        return None
    return {
        "kind": fault.kind.value,
        "code": fault.code,
        "message": fault.message,
        "fields": list(fault.fields),
    }
