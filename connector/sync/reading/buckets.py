"""Ranges of an object's rows that are compared as a whole: by our key, which begins with the time of
its making, or by Id where Salesforce makes the rows.

The bounds of a bucket stay as they were first drawn; what comes later falls into the last one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.states import PairState
from connector.domain.values import Value
from connector.salesforce import soql
from connector.salesforce.planner import KEY_FIELD
from connector.salesforce.steps import Row
from connector.store.tables import Pair

PAIRS = 2000
# A stamp is cut to seconds, and a long transaction shows its rows under a stamp of its beginning.
LATE = timedelta(minutes=15)


@dataclass(frozen=True)
class Bucket:
    """The rows from `low` up to, but without, `high`; no `high` is the open end."""

    object: str
    by: str
    low: str
    high: str | None

    def where(self) -> str:
        """The range in SOQL; rows without our key are in no bucket by key."""
        name = soql.name(self.by)
        parts = [f"{name} >= {soql.quoted(self.low)}" if self.low else f"{name} != null"]
        parts += [f"{name} < {soql.quoted(self.high)}"] if self.high else []
        return " AND ".join(parts)

    def tallying(self) -> str:
        """The query that counts the rows and tells when the newest changed."""
        tally = "COUNT(Id) total, MAX(SystemModstamp) newest"
        return f"SELECT {tally} FROM {soql.name(self.object)} WHERE {self.where()}"

    def reading(self, fields: Sequence[str]) -> str:
        """The query of all its rows."""
        return soql.select(("Id", "SystemModstamp", *fields), self.object, self.where())


@dataclass(frozen=True)
class Tally:
    """What was found of a bucket: the org's rows, the newest change, our pairs, what was left open."""

    rows: int
    newest: str | None
    pairs: int
    left: int = 0

    @classmethod
    def told(cls, row: Row, pairs: int) -> Tally:
        """A tally as the org tells it, beside our own count."""
        newest = row.get("newest")
        return cls(int(row.get("total") or 0), None if newest is None else str(newest), pairs)

    @classmethod
    def read(cls, kept: Value) -> Tally | None:
        """A tally as a run keeps it."""
        match kept:
            case [int(rows), str() | None as newest, int(pairs), int(left)]:
                return cls(rows, newest, pairs, left)
        return None

    def kept(self) -> Value:
        """The inverse of `read`."""
        return [self.rows, self.newest, self.pairs, self.left]

    def may_hide_edits(self, seen_at: datetime) -> bool:
        """Whether it was taken so soon after the newest change that another may bear the same stamp."""
        return self.newest is not None and datetime.fromisoformat(self.newest) > seen_at - LATE

    def says_nothing_new(self, before: Tally | None) -> bool:
        """Whether nothing moved since all was in step."""
        return before == self


def column(by: str) -> sa.ColumnElement[str]:
    """What ours is compared with a range: ids byte by byte, as Salesforce does; keys sort the same anyhow."""
    own: Any = Pair.salesforce_id
    return Pair.key.expression if by == KEY_FIELD else sa.collate(own, "C")


def standing(name: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Our pairs that have a row of this object."""
    return (
        Pair.object == name,
        Pair.state == PairState.OPEN,
        Pair.salesforce_id.is_not(None),
        ~Pair.adopted,
        ~Pair.joined,
    )


def drawn(session: Session, name: str, by: str, lows: Sequence[str]) -> list[Bucket]:
    """The buckets of an object: as drawn before, the last one cut where it has grown."""
    known = sorted({"", *lows})
    number = sa.func.row_number().over(order_by=column(by)).label("number")
    ranked = (
        sa.select(column(by).label("place"), number)
        .where(*standing(name), column(by) >= known[-1])
        .subquery()
    )
    cuts = sa.select(ranked.c.place).where(ranked.c.number > 1, ranked.c.number % PAIRS == 1)
    all_lows = known + sorted(str(place) for place in session.scalars(cuts))
    highs: list[str | None] = [*all_lows[1:], None]
    return [Bucket(name, by, low, high) for low, high in zip(all_lows, highs, strict=True)]


def counted(session: Session, name: str, by: str, buckets: Sequence[Bucket]) -> Counter[str]:
    """How many pairs we hold in each bucket, by its low end."""
    lows = [bucket.low for bucket in buckets]
    found: Counter[str] = Counter()
    here = sa.select(column(by)).where(*standing(name)).execution_options(yield_per=10_000)
    for place in session.scalars(here):
        found[lows[bisect_right(lows, place) - 1]] += 1
    return found
