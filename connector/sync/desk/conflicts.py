"""What waits for a person's decision: lines on which both sides disagree, and records without a clear row.

A conflict of a line is a row of its own; that of a match is the pair itself, and goes by the pair's id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.states import ConflictKind, ConflictState, MatchState, OutboxState, PairState
from connector.domain.values import Fields, Value, moment, read_moment
from connector.errors import ConnectorError, EnvironmentProblem
from connector.mapping.parts.compiled import CompiledMapping, Line
from connector.salesforce import soql
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway
from connector.store.tables import Conflict, Outbox, Pair, Record
from connector.sync.catalog import Catalog
from connector.sync.pairs import weighing
from connector.sync.veil import is_personal, personal_fields

MOST = 1000
_OPEN = sa.and_(Conflict.state == ConflictState.OPEN, Pair.state == PairState.OPEN)
_UNCLEAR = sa.and_(Pair.match == MatchState.CONFLICT, Pair.state == PairState.OPEN)
_PARKED = Outbox.state == OutboxState.PARKED  # few among many pairs, and found by an index
_CHOOSE = (
    "Give it a row (--row SALESFORCE_ID) or a new one (--new-row); or correct the rows in Salesforce so "
    "that one is clearly right, then redrive."
)


@dataclass(frozen=True)
class Scope:
    """Which conflicts: all, or those of an object, of a kind, of a line, of a mapping."""

    object: str | None = None
    kind: str | None = None
    line: str | None = None
    mapping: str | None = None

    def lines(self) -> list[sa.ColumnElement[bool]]:
        """What conflicts of lines meet."""
        wanted = ((Conflict.kind, self.kind), (Conflict.line, self.line))
        return [_OPEN, *(column == value for column, value in wanted if value), *self._pairs()]

    def matches(self) -> list[sa.ColumnElement[bool]]:
        """What conflicts of matches meet."""
        fits = self.line is None and self.kind in (None, ConflictKind.MATCH)
        return [_PARKED, _UNCLEAR, *self._pairs()] if fits else [sa.false()]

    def _pairs(self) -> list[sa.ColumnElement[bool]]:
        wanted = ((Pair.object, self.object), (Pair.mapping, self.mapping))
        return [column == value for column, value in wanted if value]


@dataclass(frozen=True)
class Dispute:
    """One conflict and what it is about; `conflict` is None for that of a match."""

    id: UUID
    kind: str
    pair: Pair
    record: Record
    mapping: CompiledMapping | None
    conflict: Conflict | None
    reason: str
    next_step: str
    opened_at: datetime

    @property
    def line_id(self) -> str | None:
        """The line it is about."""
        return self.conflict.line if self.conflict is not None else None

    @property
    def line(self) -> Line | None:
        """That line, if the mapping still has it."""
        known = self.mapping is not None and self.line_id is not None
        return self.mapping.line(self.line_id or "") if known and self.mapping else None

    @property
    def name(self) -> str:
        """The record, as commands take it."""
        return f"{self.record.kind}:{self.record.id}"

    @property
    def personal(self) -> list[Value]:
        """The personal values of it, which a reason may repeat."""
        kind, values = self.record.kind, self.record.values
        hidden = personal_fields(self.mapping) if self.mapping is not None else None
        found = [value for name, value in values.items() if is_personal(kind, name)]
        for side in ("base", "ours", "theirs"):
            fields = getattr(self.conflict, side, None) or {}
            found += [value for name, value in fields.items() if hidden is None or name in hidden]
        return found

    @property
    def is_open(self) -> bool:
        """Whether it still waits for a person."""
        if self.conflict is not None:
            return self.conflict.state is ConflictState.OPEN
        return self.pair.match is MatchState.CONFLICT


def count(session: Session, scope: Scope) -> int:
    """How many there are."""
    lines = sa.select(sa.func.count()).select_from(Conflict).join(Pair, Pair.id == Conflict.pair_id)
    pairs = sa.select(sa.func.count()).select_from(Pair).join(Outbox, Outbox.pair_id == Pair.id)
    found = [lines.where(*scope.lines()), pairs.where(*scope.matches())]
    return sum(session.scalar(each) or 0 for each in found)


def listed(session: Session, catalog: Catalog, scope: Scope, limit: int = MOST) -> list[Dispute]:
    """The open conflicts, oldest first."""
    found = [*_of_lines(session, catalog, *scope.lines(), limit=limit)]
    found += _of_matches(session, catalog, *scope.matches(), limit=limit - len(found))
    return sorted(found, key=lambda each: each.opened_at)


def find(session: Session, catalog: Catalog, reference: str) -> Dispute:
    """The conflict of that id, open or not."""
    try:
        wanted = UUID(reference)
    except ValueError:
        raise EnvironmentProblem(
            "bad_reference",
            f"{reference!r} is no id of a conflict",
            "Give an id that `connector conflicts list` shows.",
        ) from None
    for each in of(session, catalog, [wanted]):
        return each
    raise ConnectorError(
        "unknown_conflict",
        f"there is no conflict {reference}",
        "See what is open: connector conflicts list",
    )


def of(session: Session, catalog: Catalog, ids: Collection[UUID]) -> list[Dispute]:
    """The conflicts of these ids; of a match that was decided, what was decided."""
    found = [*_of_lines(session, catalog, Conflict.id.in_(ids), limit=len(ids))]
    found += _of_matches(session, catalog, Pair.id.in_(ids), _UNCLEAR, limit=len(ids))
    left = set(ids) - {each.id for each in found}
    if left:
        decided = sa.and_(Conflict.pair_id.in_(left), Conflict.kind == ConflictKind.MATCH)
        found += list(_of_lines(session, catalog, decided, limit=len(left)))[-1:]
    return found


def like(session: Session, dispute: Dispute) -> list[UUID]:
    """The other open conflicts of the same mapping, kind and line, oldest first."""
    scope = Scope(kind=dispute.kind, line=dispute.line_id, mapping=dispute.pair.mapping)
    lines = sa.select(Conflict.id).join(Pair, Pair.id == Conflict.pair_id)
    pairs = sa.select(Pair.id).join(Outbox, Outbox.pair_id == Pair.id)
    found = [
        *session.scalars(lines.where(*scope.lines()).order_by(Conflict.id)),
        *session.scalars(pairs.where(*scope.matches()).order_by(Pair.id)),
    ]
    return [each for each in found if each != dispute.id]


@dataclass(frozen=True)
class Sight:
    """What the org says of a row now, and who changed it last; or why it could not be asked."""

    fields: Fields | None = None
    by: str | None = None
    at: str | None = None
    problem: str | None = None


def look(gateway: Gateway, dispute: Dispute) -> Sight:
    """Ask the org once for the row that a conflict of a line is about."""
    line, row = dispute.line, dispute.pair.salesforce_id
    if line is None or row is None:
        return Sight(problem="there is no row to ask for")
    names = ("Id", *line.fields, "LastModifiedById", "LastModifiedBy.Name", "LastModifiedDate")
    try:
        found = gateway.query(soql.select(names, dispute.pair.object, soql.in_list("Id", [row])))
    except CallFailed as failed:
        return Sight(problem=f"the org could not be asked: {failed.fault.message}")
    if not found:
        return Sight(problem="the org does not show the row")
    told = found[0]
    by = told.get("LastModifiedBy.Name") or told.get("LastModifiedById")
    at = moment(read_moment(str(told["LastModifiedDate"])))
    return Sight(weighing.theirs_of(line, told), None if by is None else str(by), at)


def _of_lines(
    session: Session, catalog: Catalog, *where: sa.ColumnElement[bool], limit: int
) -> Iterator[Dispute]:
    here = (
        sa.select(Conflict, Pair, Record)
        .join(Pair, Pair.id == Conflict.pair_id)
        .join(Record, Record.id == Pair.record_id)
        .where(*where)
        .order_by(Conflict.id)
        .limit(limit)
    )
    for conflict, pair, record in session.execute(here):
        yield Dispute(
            conflict.id,
            conflict.kind,
            pair,
            record,
            catalog.mappings.get(pair.mapping),
            conflict,
            conflict.reason,
            conflict.next_step,
            conflict.opened_at,
        )


def _of_matches(
    session: Session, catalog: Catalog, *where: sa.ColumnElement[bool], limit: int
) -> Iterator[Dispute]:
    here = (
        sa.select(Pair, Record, Outbox)
        .join(Record, Record.id == Pair.record_id)
        .outerjoin(Outbox, Outbox.pair_id == Pair.id)
        .where(*where)
        .order_by(Pair.id)
        .limit(max(limit, 0))
    )
    for pair, record, row in session.execute(here):
        yield Dispute(
            pair.id,
            ConflictKind.MATCH,
            pair,
            record,
            catalog.mappings.get(pair.mapping),
            None,
            (row.reason if row else None) or pair.reason or "it is not clear which row is its own",
            _CHOOSE,
            row.since if row else pair.created_at,
        )


def sought(dispute: Dispute) -> dict[str, Value]:
    """The values by which a record looks for its row."""
    if dispute.mapping is None:
        return {}
    sources: Sequence[str] = [rule.source for rule in dispute.mapping.match]
    agreed = [line.source for rule in dispute.mapping.match for line in rule.agree if line.source]
    values = dispute.record.values
    return {name: values.get(name) for name in dict.fromkeys([*sources, *agreed])}
