"""What stands still: parked for a person, dead, or held for another; grouped by root cause in the database.

A group's members are found again by its key, so that what is listed is what is brought back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.orm import Session

from connector.domain.states import (
    ConflictState,
    EnvelopeState,
    InboxState,
    OutboxState,
    PairState,
)
from connector.errors import ConnectorError
from connector.store.tables import Conflict, Envelope, Outbox, Pair, Received, Record
from connector.sync.desk.rootcauses import Facts, RootCause, root_cause
from connector.sync.desk.standing import Standing, What, standings

_SHOWN = 10

Handle: TypeAlias = tuple[What, UUID | int]


@dataclass(frozen=True)
class Item:
    """One thing that stands still; `id` is what `connector dead` takes."""

    id: str
    record: str | None = None


@dataclass(frozen=True)
class Group:
    """Things that stand still for one cause; `items` are the first of them."""

    facts: Facts
    cause: RootCause
    next_step: str
    count: int
    oldest: datetime
    items: tuple[Item, ...]
    by: Mapping[str, Any] = field(repr=False)  # the columns it was grouped by

    @property
    def key(self) -> str:
        """What the group goes by."""
        return self.facts.key


def groups(session: Session, *, held: bool = False) -> list[Group]:
    """What is parked or dead, or with `held` what waits for another, the largest group first."""
    found = [
        _group(session, kind, row) for kind in standings(held=held) for row in _rows(session, kind)
    ]
    return sorted(found, key=lambda group: (-group.count, group.facts.state, group.cause.says))


def group_of(session: Session, key: str) -> Group:
    """The group of what is parked or dead that goes by that key."""
    for group in groups(session):
        if group.key == key:
            return group
    raise ConnectorError(
        "unknown_group",
        f"no group of parked or dead goes by {key!r}",
        "Groups change as things are mended; see what there is: connector dead list",
    )


def members(session: Session, group: Group) -> list[Handle]:
    """All that stands still for one cause, the oldest first."""
    kind = next(kind for kind in standings(held=False) if kind.what == group.facts.what)
    same = [column == group.by[f"by_{name}"] for name, column in kind.by.items()]
    ids = kind.listed(kind.id).where(*same).order_by(kind.order)
    return [(kind.what, wanted) for wanted in session.scalars(ids)]


def all_in(session: Session, state: str) -> list[Handle]:
    """All that is in that state (`parked` or `dead`) now, the oldest first."""
    found: list[Handle] = []
    for kind in standings(held=False):
        ids = kind.listed(kind.id).where(kind.by["state"] == state).order_by(kind.order)
        found += [(kind.what, wanted) for wanted in session.scalars(ids)]
    return found


def find(session: Session, reference: str) -> list[Handle]:
    """What is parked or dead under an id that a list shows; a record's id means all its pairs."""
    what, _, rest = reference.rpartition(":")
    found = _by_number(session, int(rest)) if rest.isdecimal() else _by_uuid(session, what, rest)
    if not found:
        raise ConnectorError(
            "not_stopped",
            f"nothing parked or dead goes by {reference!r}",
            "See what is: connector dead list",
        )
    return found


def open_questions(session: Session) -> int:
    """How many single lines wait for somebody's decision."""
    here = (
        sa.select(sa.func.count())
        .select_from(Conflict)
        .join(Pair, Pair.id == Conflict.pair_id)
        .where(Conflict.state == ConflictState.OPEN, Pair.state == PairState.OPEN)
    )
    return session.scalar(here) or 0


def count_held(session: Session) -> int:
    """How many wait for another record, for quiet hours to end."""
    held = 0
    for kind in standings(held=True):
        held += session.scalar(kind.listed(sa.func.count())) or 0
    return held


def _rows(session: Session, kind: Standing) -> Sequence[sa.RowMapping]:
    ids = sa.func.array_agg(aggregate_order_by(kind.id, kind.order), type_=ARRAY(kind.id.type))
    named: list[sa.Label[Any]] = [column.label(f"by_{name}") for name, column in kind.by.items()]
    here = kind.listed(
        *named,
        sa.func.count().label("count"),
        sa.func.min(kind.since).label("oldest"),
        sa.func.min(kind.reason).label("reason"),
        sa.func.min(kind.next_step).label("next_step"),
        ids[1:_SHOWN].label("ids"),
    )
    grouped = here.group_by(*(sa.literal_column(f"by_{name}") for name in kind.by))
    return session.execute(grouped).mappings().all()


def _facts(kind: Standing, row: sa.RowMapping) -> Facts:
    listed = str(row.get("by_fields") or "[]").strip("[]")
    return Facts(
        what=kind.what,
        state=row["by_state"],
        object=row.get("by_object") or "",
        code=row.get("by_code") or None,
        fields=tuple(name.strip(' "') for name in listed.split(",") if name),
        detail=row["by_detail"],
        unclear=bool(row.get("by_unclear")),
    )


def _group(session: Session, kind: Standing, row: sa.RowMapping) -> Group:
    facts = _facts(kind, row)
    items = tuple(_items(session, kind.what, row["ids"]))
    cause = root_cause(facts)
    if facts.unclear and row["count"] == 1:
        cause = replace(cause, says=row["reason"])  # which rows it may be
    return Group(
        facts, cause, row["next_step"] or "", row["count"], row["oldest"], items, dict(row)
    )


def _items(session: Session, what: What, ids: Sequence[UUID | int]) -> Iterator[Item]:
    records: dict[UUID | int, str] = {}
    if what is What.PAIR:
        here = sa.select(Pair.id, Record.kind, Record.id).join(Record, Record.id == Pair.record_id)
        rows = session.execute(here.where(Pair.id.in_(ids)))
        records = {pair: f"{kind}:{record}" for pair, kind, record in rows}
    for wanted in ids:
        yield Item(f"{what}:{wanted}", records.get(wanted))


# -- one of them, by its id


def _by_number(session: Session, number: int) -> list[Handle]:
    row = sa.select(Received.id).where(Received.id == number, Received.state == InboxState.DEAD)
    return [(What.INBOX, found) for found in session.scalars(row)]


def _by_uuid(session: Session, what: str, text: str) -> list[Handle]:
    try:
        wanted = UUID(text)
    except ValueError:
        return []
    dead = sa.select(Envelope.id).where(Envelope.id == wanted, Envelope.state == EnvelopeState.DEAD)
    mine = Pair.id == wanted
    if what != What.PAIR:
        mine = sa.or_(mine, Pair.record_id == wanted, Pair.key == str(wanted))
    still = Outbox.state.in_((OutboxState.PARKED, OutboxState.DEAD))
    here = sa.select(Pair.id).join(Outbox, Outbox.pair_id == Pair.id).where(mine, still)
    pairs: list[Handle] = []
    if what != What.ENVELOPE:
        pairs = [(What.PAIR, found) for found in session.scalars(here.order_by(Pair.id))]
    return pairs or [(What.ENVELOPE, found) for found in session.scalars(dead)]
