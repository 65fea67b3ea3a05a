"""The durable ask to read pairs anew on both sides and merge.

It goes through the ledger as an operator's act. Each page is an act of its own: what a pair comes to is
reckoned over all effects of its act, so an act must not have a million of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.lines import Cause, Lane
from connector.domain.states import OutboxState, PairState
from connector.domain.values import Value
from connector.store.session import Store
from connector.store.tables import Outbox, Pair, Record
from connector.sync import acts, effects, finding, outbox
from connector.sync.catalog import Catalog, Catalogs

PAGE = 1000
FIRST = UUID(int=0)
_STOPPED = (OutboxState.PARKED, OutboxState.DEAD)


@dataclass(frozen=True)
class Scope:
    """Which pairs: those of one record, else of one object, else all; `stopped` ones too or not."""

    record: UUID | None = None
    object: str | None = None
    stopped: bool = False

    def where(self, catalog: Catalog) -> tuple[sa.ColumnElement[bool], ...]:
        """What their rows in the database meet: they are open and their mapping is live."""
        live = [name for name, mapping in catalog.mappings.items() if mapping.enabled]
        found = [Pair.state == PairState.OPEN, Pair.mapping.in_(live)]
        if self.record is not None:
            found.append(Pair.record_id == self.record)
        if self.object is not None:
            found.append(Pair.object == self.object)
        if not self.stopped:
            here = sa.select(Outbox.id).where(Outbox.pair_id == Pair.id, Outbox.state.in_(_STOPPED))
            found.append(~here.correlate(Pair).exists())
        return tuple(found)


@dataclass(frozen=True)
class Ask:
    """Who wants it, why, and how soon; only what is `live` may be told to LINE users."""

    kind: str
    author: str
    lane: Lane = Lane.BULK
    cause: Cause = Cause.RECONCILE


def scope_of(session: Session, reference: str) -> Scope:
    """The pairs of the record that a reference names, parked ones too."""
    return Scope(record=finding.find(session, reference).id, stopped=True)


def count(session: Session, catalog: Catalog, scope: Scope) -> int:
    """How many pairs would be read anew."""
    here = sa.select(sa.func.count()).select_from(Pair).where(*scope.where(catalog))
    return session.scalar(here) or 0


def recheck(
    store: Store,
    catalogs: Catalogs,
    scope: Scope,
    ask: Ask,
    looked: Callable[[int], None] = lambda _: None,
) -> int:
    """Want every pair of the scope, page by page; says how many."""
    wanted, after = 0, FIRST
    while True:
        with store.transaction() as session:
            pairs = page(session, catalogs.live(session), scope, after)
            want(session, pairs, ask)
        if not pairs:
            return wanted
        wanted, after = wanted + len(pairs), pairs[-1][0]
        looked(wanted)


def page(
    session: Session, catalog: Catalog, scope: Scope, after: UUID
) -> Sequence[tuple[UUID, int]]:
    """A page of pairs beyond `after`, locked, each with the version of its record."""
    here = (
        sa.select(Pair.id, Record.version)
        .join(Record, Record.id == Pair.record_id)
        .where(Pair.id > after, *scope.where(catalog))
        .order_by(Pair.id)
        .limit(PAGE)
        .with_for_update(of=Pair)
    )
    return [(pair, version) for pair, version in session.execute(here)]


def locked(session: Session, pairs: Collection[UUID]) -> Sequence[tuple[UUID, int]]:
    """These pairs, in the same manner."""
    here = (
        sa.select(Pair.id, Record.version)
        .join(Record, Record.id == Pair.record_id)
        .where(Pair.id.in_(pairs))
        .order_by(Pair.id)
        .with_for_update(of=Pair)
    )
    return [(pair, version) for pair, version in session.execute(here)]


def want(session: Session, pairs: Sequence[tuple[UUID, int]], ask: Ask) -> None:
    """Want these locked pairs read anew, as the effects of one act."""
    if not pairs:
        return
    told: dict[str, Value] = {"pairs": len(pairs), "cause": ask.cause.value}
    act = acts.act(session, ask.kind, ask.author, told, cause=ask.cause)
    for pair, version in pairs:
        effects.link_pair(session, (act.id,), pair, version)
        outbox.want(session, pair, ask.lane, ask.cause, recheck=True)
    effects.reckon(session, (act.id,))
