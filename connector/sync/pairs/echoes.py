"""Rows that say what we know already, most of them our own writes: sorted out in sets.

What may be the echo of a write that is just being settled waits a moment: read at once it would
look like news, and cost a call to learn that it is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import cast
from uuid import UUID

import sqlalchemy as sa

from connector.domain.states import MatchState, OutboxState, PairState
from connector.store import sets
from connector.store.session import among
from connector.store.tables import Outbox, Pair, Received
from connector.sync.changes import Scene
from connector.sync.pairs import identity, weighing
from connector.sync.pairs.sightings import Sighting, may_be_echo, sighting_of, speaks_of_all

_PATIENCE = timedelta(seconds=90)  # beyond it an event is read whatever is under way


@dataclass
class Sorting:
    """The received rows that are done, and those that wait; `seen` is what pairs learnt by the former."""

    done: set[int] = field(default_factory=set)
    waiting: set[int] = field(default_factory=set)
    seen: dict[UUID, datetime] = field(default_factory=dict)


def sort_out(scene: Scene, rows: Sequence[Received]) -> Sorting:
    """Of these rows, those that hold what their pairs agreed on, and those that come too early."""
    found = Sorting()
    told = {row.id: sighting_of(row) for row in rows if not speaks_of_all(row)}
    tied = _pairs(scene, told)
    busy = _under_way(scene, rows, tied)
    for row in rows:
        seen = told.get(row.id)
        pairs = tied.get(row.id, [])
        if seen is None or not pairs or row.kind in scene.catalog.children:
            continue  # of a child row others have to know as well
        if all(_is_echo(scene, pair, seen) for pair in pairs):
            found.done.add(row.id)
            for pair in pairs:
                found.seen[pair.id] = max(found.seen.get(pair.id, seen.until), seen.until)
        elif _is_patient(scene, row) and any(pair.id in busy for pair in pairs):
            found.waiting.add(row.id)
    return found


def _is_patient(scene: Scene, row: Received) -> bool:
    return may_be_echo(row) and scene.now - row.received_at < _PATIENCE


def remember(scene: Scene, seen: Mapping[UUID, datetime]) -> None:
    """Note up to when the bases of pairs are known to hold. Locks: pairs by id."""
    if not seen:
        return
    here = sa.select(Pair.id).where(among(Pair.id, seen)).order_by(Pair.id).with_for_update()
    scene.session.execute(here)
    rows = [{"id": pair, "seen_at": at} for pair, at in seen.items()]
    scene.session.execute(_noting(), sets.as_parameter(rows))


@cache
def _noting() -> sa.Update:
    pairs = cast("sa.Table", Pair.__table__).c
    told = sets.given(Pair, ("id", "seen_at"))
    news = sa.or_(pairs.seen_at.is_(None), pairs.seen_at < told.c.seen_at)
    here = sa.update(cast("sa.Table", Pair.__table__)).where(pairs.id == told.c.id, news)
    return here.values(seen_at=told.c.seen_at)


def _pairs(scene: Scene, told: Mapping[int, Sighting]) -> Mapping[int, list[Pair]]:
    ids = {seen.row_id for seen in told.values()}
    keys = {seen.key for seen in told.values() if isinstance(seen.key, str)}
    by_id: dict[str, list[Pair]] = {}
    by_key: dict[str, Pair] = {}
    tied = sa.or_(
        among(Pair.salesforce_id, ids),
        sa.and_(among(Pair.key, keys), Pair.salesforce_id.is_(None)),
    )
    for pair in scene.session.scalars(
        sa.select(Pair).where(tied, Pair.state == PairState.OPEN, ~Pair.adopted)
    ):
        if pair.salesforce_id is None:
            by_key[pair.key] = pair
        else:
            by_id.setdefault(pair.salesforce_id, []).append(pair)
    alone = {key: [pair] for key, pair in by_key.items()}
    return {
        row: by_id.get(seen.row_id) or alone.get(str(seen.key), []) for row, seen in told.items()
    }


def _under_way(
    scene: Scene, rows: Sequence[Received], tied: Mapping[int, list[Pair]]
) -> frozenset[UUID]:
    pairs = [pair.id for row in rows if may_be_echo(row) for pair in tied.get(row.id, ())]
    if not pairs:
        return frozenset()
    wanted = sa.select(Outbox.pair_id, Outbox.state).where(among(Outbox.pair_id, pairs))
    found = scene.session.execute(wanted)  # by state they are found slowly: see `claims.held`
    return frozenset(pair for pair, state in found if state is OutboxState.CLAIMED)


def _is_echo(scene: Scene, pair: Pair, seen: Sighting) -> bool:
    mapping = scene.catalog.mappings.get(pair.mapping)
    if mapping is None or not mapping.enabled or pair.salesforce_id is None:
        return False
    if seen.unsaid or seen.is_torn(mapping) or identity.fate_of(seen.fields) is not None:
        return False
    if pair.match is MatchState.CONFLICT:
        return False
    return weighing.equals_base(mapping, pair.base, seen.fields)
