"""Pairs that join another pair's row: where it is, and what they wait for while it is nowhere.

The row bears the other pair's key and is made, matched, merged and let go of by that one alone; the pair
that joins follows it. Of one mapping one record at a time joins a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.states import MatchState, PairState
from connector.mapping.parts.joining import RowOf
from connector.store.tables import Pair


@dataclass(frozen=True)
class Host:
    """The pair whose row is joined. `by_another`: a record of the same mapping has joined it already."""

    row_of: RowOf
    target: UUID | None  # the record that the relation leads to
    pair: Pair | None
    by_another: bool = False

    @property
    def row(self) -> str | None:
        """The row, once it surely belongs to the other pair."""
        pair = self.pair
        if pair is None or pair.match is MatchState.CONFLICT:
            return None
        found = pair.match is MatchState.FOUND and not pair.adopted
        return None if found and pair.version == 0 else pair.salesforce_id

    def awaited(self, record: UUID, kind: str) -> tuple[UUID, str, str]:
        """For what a record of this kind is held, why, and what may be done."""
        if self.target is None:
            via = self.row_of.via
            return (
                record,
                f"waits for its {via}: this {kind} has none yet",
                "It goes on by itself once the person has bound the account.",
            )
        name = self.row_of.object
        return (
            self.pair.id if self.pair is not None else self.target,
            f"waits for the {name} of {self.row_of.mapping}, whose fields it adds to",
            f"See why that {name} is not in Salesforce yet; this one follows by itself.",
        )


def hosts(
    session: Session,
    wanted: Sequence[tuple[Pair, RowOf, UUID | None]],
    pairs: Mapping[UUID, Sequence[Pair]],
) -> Mapping[UUID, Host]:
    """The hosts of pairs that join, by pair; `pairs` are those of every record in question."""
    found: dict[UUID, Host] = {}
    for pair, row_of, target in wanted:
        own = pairs.get(target, ()) if target is not None else ()
        found[pair.id] = Host(row_of, target, _open(own, row_of.mapping))
    joined = _joined(session, [pair for pair, _, _ in wanted], found)
    for pair, _, _ in wanted:
        row = _row(pair, found[pair.id])
        first = joined.setdefault((pair.mapping, row), pair.id) if row is not None else pair.id
        if first != pair.id:
            host = found[pair.id]
            found[pair.id] = Host(host.row_of, host.target, host.pair, by_another=True)
    return found


def _open(own: Iterable[Pair], mapping: str) -> Pair | None:
    fits = (pair for pair in own if pair.mapping == mapping and pair.state is PairState.OPEN)
    return next(fits, None)


def _row(pair: Pair, host: Host) -> str | None:
    return pair.salesforce_id if pair.state is PairState.RELEASING else host.row


def _joined(
    session: Session, own: Sequence[Pair], found: Mapping[UUID, Host]
) -> dict[tuple[str, str | None], UUID]:
    """Which pair has joined each row, by mapping and row."""
    rows = {_row(pair, found[pair.id]) for pair in own} - {None}
    if not rows:
        return {}
    here = sa.select(Pair.mapping, Pair.salesforce_id, Pair.id).where(
        Pair.joined,
        Pair.state == PairState.OPEN,
        Pair.salesforce_id.in_(rows),
        Pair.mapping.in_({pair.mapping for pair in own}),
    )
    return {(mapping, row): pair for mapping, row, pair in session.execute(here)}
