"""Read all rows of an object and bring in what matters: what differs from the base, and new records.

Rows of no concern are counted and forgotten. What matters becomes received rows with the cause
`backfill`, so nobody is told, and under a key of the row and the mappings it was read for, so a run
that is resumed or repeated brings nothing in twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from connector.domain.lines import Cause
from connector.domain.values import Value, Values
from connector.errors import ConnectorError
from connector.mapping.parts.compiled import CompiledMapping
from connector.salesforce.bulk.query import BulkQuery
from connector.salesforce.gateway import Gateway
from connector.salesforce.planner import KEY_FIELD
from connector.store.session import Store
from connector.sync.catalog import Catalog, Catalogs
from connector.sync.incoming.arrivals import Arrivals, epoch_now
from connector.sync.live.polled_fields import polled_fields
from connector.sync.pairs import identity
from connector.sync.reading.pages import (
    BULK_PAGE,
    KEYSET_PAGE,
    BulkPages,
    KeysetPages,
    Page,
    Pages,
    Place,
    Wish,
)
from connector.sync.reading.sieve import Sieve
from connector.sync.runs import Course

KIND = "backfill"
BULK_FROM = 5000  # rows: a job costs about five calls, as many as five thousand rows by keyset
BROUGHT_IN, KNOWN_ALREADY = "brought_in", "known_already"
_JOB_CALLS = 7  # the org's time, begun, asked about a few times, put away
_PORTION = 5000  # received rows in one transaction

Say = Callable[[str], None]


class Via(StrEnum):
    """By which of the org's APIs rows are read."""

    BULK = "bulk"
    REST = "rest"


@dataclass(frozen=True)
class Order:
    """Which rows to read, and which of their mapped fields to fill; no fields means all of them."""

    object: str
    fields: tuple[str, ...] = ()
    where: str | None = None
    limit: int | None = None

    def told(self) -> dict[str, Value]:
        """As a run keeps it."""
        return {"fields": list(self.fields), "where": self.where, "limit": self.limit}

    @classmethod
    def read(cls, name: str, told: Values) -> Order:
        """The inverse of `told`."""
        fields, where, limit = told.get("fields"), told.get("where"), told.get("limit")
        return cls(
            name,
            tuple(map(str, fields)) if isinstance(fields, list) else (),
            where if isinstance(where, str) else None,
            limit if isinstance(limit, int) else None,
        )


@dataclass(frozen=True)
class Bounds:
    """What a backfill will come to."""

    rows: int
    via: Via
    calls: int


class BudgetSpent(ConnectorError):
    """The org's API calls of the day are needed by others."""

    def __init__(self, done: int) -> None:
        super().__init__(
            "budget_spent",
            f"stopped after {done} rows: the day's API calls are spent down to what bulk work leaves to others",
            "Call the same command again later; it goes on from here.",
        )


@dataclass(frozen=True)
class Backfill:
    """Backfills one object of one org."""

    store: Store
    catalogs: Catalogs
    gateway: Gateway
    order: Order
    allowed: Callable[[], bool] = lambda: True

    def bounds(self, via: Via | None = None) -> Bounds:
        """How many rows there are, and by which way they are read best."""
        rows = self.gateway.count(self._wish().counting())
        if self.order.limit is not None:
            rows = min(rows, self.order.limit)
        way = via or (Via.BULK if rows > BULK_FROM else Via.REST)
        page, more = (BULK_PAGE, _JOB_CALLS) if way is Via.BULK else (KEYSET_PAGE, 0)
        return Bounds(rows, way, -(-rows // page) + more)

    def run(
        self, course: Course, bounds: Bounds, heard: Callable[[Course], None], say: Say
    ) -> None:
        """Carry the run to its end; a place is kept after every page."""
        via = Via(str(course.place.get("via") or bounds.via))
        course.total = bounds.rows
        with self.store.reading() as session:
            sieve = self._sieve(session)
        for page in self._pages(via, course, say).pages(course.place, course.done):
            self._bring_in(sieve, course, page, via)
            heard(course)
            if not self.allowed():
                raise BudgetSpent(course.done)
        with self.store.transaction() as session:
            course.note(session, finished=True)

    def _sieve(self, session: Session) -> Sieve:
        catalog = self.catalogs.live(session)
        creates = not self.order.fields and any(
            mapping.create != "line" for mapping in _mappings(catalog, self.order.object)
        )
        sieve = Sieve(catalog, self.order.object, creates)
        sieve.learn(session)
        return sieve

    def _pages(self, via: Via, course: Course, say: Say) -> Pages:
        def restart(place: Place) -> None:
            course.place, course.done = {**place, "via": via.value}, 0
            course.counts.clear()
            with self.store.transaction() as session:
                course.note(session)

        if via is Via.REST:
            return KeysetPages(self.gateway, self._wish(), self._note)
        return BulkPages(BulkQuery(self.gateway), self._wish(), self._note, restart, say)

    def _wish(self) -> Wish:
        with self.store.reading() as session:
            catalog = self.catalogs.live(session)
        name = self.order.object
        schema = catalog.schemas.get(name)
        if schema is None or name not in polled_fields(catalog):
            known = ", ".join(polled_fields(catalog))
            raise ConnectorError(
                "unknown_object",
                f"no live mapping reads {name}",
                f"Objects that are read: {known}.",
            )
        fields = _narrowed(catalog, name, self.order.fields)
        return Wish(name, fields, schema, self.order.where, self.order.limit)

    def _note(self) -> int:
        with self.store.reading() as session:
            return epoch_now(session)

    def _bring_in(self, sieve: Sieve, course: Course, page: Page, via: Via) -> None:
        """Store what concerns us, and with the last of it the place."""
        with self.store.reading() as session:
            rows = list(sieve.sift(session, page.sheet))
        arrivals = Arrivals.under(sieve.catalog, self.order.object, Cause.BACKFILL)
        for at in range(0, max(len(rows), 1), _PORTION):
            portion = rows[at : at + _PORTION]
            with self.store.transaction() as session:
                new = arrivals.take_in(session, portion, page.noted, page.at)
                course.counts[BROUGHT_IN] += new
                course.counts[KNOWN_ALREADY] += len(portion) - new
                if at + _PORTION >= len(rows):
                    course.place = {**page.place, "via": via.value}
                    course.done += len(page.sheet.lines)
                    course.counts.update(sieve.counts)
                    course.note(session)
        sieve.counts.clear()


def _mappings(catalog: Catalog, name: str) -> Sequence[CompiledMapping]:
    return catalog.by_object.get(name, ())


def _narrowed(catalog: Catalog, name: str, only: Sequence[str]) -> tuple[str, ...]:
    """The fields to read: all that are mapped, or those named with the rest of their lines."""
    known = polled_fields(catalog)[name]
    if not only:
        return known
    mapped = {field.lower() for field in known} - {KEY_FIELD.lower()}
    strange = [field for field in only if field.lower() not in mapped]
    if strange:
        raise ConnectorError(
            "unknown_field",
            f"no live mapping reads {', '.join(strange)} of {name}",
            f"Fields that are read: {', '.join(field for field in known if field != KEY_FIELD)}.",
        )
    named = {field.lower() for field in only}
    lines = [line for mapping in _mappings(catalog, name) for line in mapping.inbound]
    whole = [
        field for line in lines if named & set(map(str.lower, line.fields)) for field in line.fields
    ]
    standing = [KEY_FIELD] if KEY_FIELD in known else []
    return tuple(dict.fromkeys([*standing, *identity.fields_of(name), *whole]))
