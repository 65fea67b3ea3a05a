"""Where a row lives on: merged into another, converted, deleted, or back from the recycle bin (design rule 4).

A delete acts only once the recycle bin shows no master record, for the loser of a merge looks
deleted too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.lines import Cause
from connector.domain.states import EffectState, MatchState, OutboxState, PairState
from connector.domain.values import Fields
from connector.mapping.documents.document import OnDelete
from connector.mapping.parts.compiled import CompiledMapping
from connector.salesforce import soql
from connector.salesforce.steps import Query
from connector.store.tables import Outbox, Pair, Record
from connector.sync import effects, outbox
from connector.sync.changes import Scene, make_pair
from connector.sync.pairs import weighing
from connector.sync.privacy import departed

_MERGED = frozenset({"Account", "Case", "Contact", "Lead"})  # what Salesforce can merge
_CONVERTED = frozenset({"Lead"})
_TWO = "two LINE records now lead to one row: it was merged in Salesforce"
_TWO_STEP = (
    "Keep the record it belongs to; unbind the other person, or undo the merge, then redrive; or choose: "
    "connector conflicts list."
)


@dataclass(frozen=True)
class Fate:
    """What became of a row that is no longer what it was."""

    master: str | None = None
    converted: bool = False


def fields_of(name: str) -> tuple[str, ...]:
    """The fields that tell a row's fate."""
    merged = ("MasterRecordId",) if name in _MERGED else ()
    return ("IsDeleted", *merged, *(("IsConverted",) if name in _CONVERTED else ()))


def question(ref: str, name: str, ids: Sequence[str]) -> Query:
    """The query that tells the fate of rows, the recycle bin included."""
    text = soql.select(("Id", *fields_of(name)), name, soql.in_list("Id", ids))
    return Query(ref, text, deleted=True)


def fate_of(row: Fields) -> Fate | None:
    """A row's fate; None while it stands."""
    if row.get("IsConverted") is True:
        return Fate(converted=True)
    if row.get("IsDeleted") is not True:
        return None
    master = row.get("MasterRecordId")
    return Fate(master=str(master) if master else None)


def follow(
    scene: Scene, mapping: CompiledMapping, pair: Pair, record: Record, fate: Fate
) -> OutboxState | None:
    """Give a locked pair the row it lives on in, or end it.

    Says what its intent becomes: ready (read and merge anew), parked, or None where there is
    nothing left to do.
    """
    if fate.converted:
        pair.state, pair.reason = PairState.CLOSED, "converted in Salesforce"
        return None
    if fate.master is not None:
        return _rebind(scene.session, mapping, pair, fate.master)
    if mapping.on_delete is OnDelete.RECREATE:
        pair.state, pair.reason = PairState.CLOSED, "deleted in Salesforce, made anew"
        scene.session.flush()
        fresh = make_pair(scene, record, mapping)
        effects.link_pair(scene.session, scene.received, fresh.id, record.version)
        outbox.want(scene.session, fresh.id, mapping.lane, Cause.RESTORE)
        return None
    if mapping.on_delete is OnDelete.ERASE and record.person_id is not None:
        departed.depart(pair)
        return None
    pair.state, pair.reason = PairState.GONE, "deleted in Salesforce"
    return None


def _rebind(session: Session, mapping: CompiledMapping, pair: Pair, master: str) -> OutboxState:
    """The master row is ours now, unless another record holds it: then a person decides.

    Until then the pair keeps the lost row's Id, by which the master is found again. What the master
    holds in lines of both ways was chosen in the merge: an edit. What only we write it never met.
    """
    if not pair.adopted and holder(session, pair, master) is not None:
        pair.match, pair.reason = MatchState.CONFLICT, _TWO
        return OutboxState.PARKED
    pair.salesforce_id, pair.match, pair.reason = master, MatchState.FOUND, None
    forget_ours(pair, mapping)
    return OutboxState.READY


def forget_ours(pair: Pair, mapping: CompiledMapping) -> None:
    """Of the base only what comes back is kept: the row has never met, or lost, what only we write."""
    met = [weighing.entries_of(line, pair.base) for line in mapping.inbound]
    pair.base = {name: entry for entries in met for name, entry in entries.items()}


def holder(session: Session, pair: Pair, row: str) -> Pair | None:
    """Another pair that holds a row, or is still clearing its marks from it."""
    here = sa.select(Pair).where(
        Pair.org_id == pair.org_id,
        Pair.object == pair.object,
        Pair.salesforce_id == row,
        Pair.state.in_((PairState.OPEN, PairState.RELEASING)),
        Pair.id != pair.id,
        ~Pair.adopted,
        ~Pair.joined,
    )
    return session.scalars(here.limit(1)).one_or_none()


def settle(scene: Scene, row: Outbox, pair: Pair, to: OutboxState | None, version: int) -> None:
    """Move a claimed intent as `follow` said."""
    if to is OutboxState.PARKED:
        outbox.stop(scene.session, row, to, _TWO, _TWO_STEP)
    elif to is OutboxState.READY:
        outbox.settle(scene.session, row, EffectState.OPEN, version, recheck=True)
    else:
        outbox.drop(scene.session, pair.id)
        scene.session.expunge(row)


def arrive(scene: Scene, mapping: CompiledMapping, pair: Pair, record: Record, row: Fields) -> bool:
    """Act on the fate that an inbound row tells; False where the row stands and is to be merged.

    Deleted or merged: it may have been brought back since this was seen, so the org is asked first.
    """
    fate = fate_of(row)
    if fate is None:
        return _come_back(scene, mapping, pair, record, row)
    if pair.state is not PairState.OPEN:
        return True
    if fate.converted:  # which nobody can undo
        follow(scene, mapping, pair, record, fate)
        outbox.drop(scene.session, pair.id)
    else:
        effects.link_pair(scene.session, scene.received, pair.id, record.version)
        outbox.want(scene.session, pair.id, mapping.lane, Cause.LIVE, recheck=True)
    return True


def _come_back(
    scene: Scene, mapping: CompiledMapping, pair: Pair, record: Record, row: Fields
) -> bool:
    """A row that was deleted or merged stands again: so does its pair, read and merged anew."""
    parted = pair.match is MatchState.CONFLICT and pair.salesforce_id == row.get("Id")
    if pair.state is not PairState.GONE and not parted:
        return False
    if holder(scene.session, pair, str(pair.salesforce_id)) is not None:
        return True  # merged into it meanwhile, and told to another record
    pair.state, pair.reason = PairState.OPEN, None
    effects.link_pair(scene.session, scene.received, pair.id, record.version)
    outbox.want(scene.session, pair.id, mapping.lane, Cause.RESTORE, recheck=True)
    return True
