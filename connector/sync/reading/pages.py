"""All rows of an object, page by page: by keyset queries, or from the answer of a Bulk query job.

Each page comes with the place after it. The epoch that counts for its rows, and the moment of org time
that they speak of, are noted before they are read: for a job before it begins (design rule 7). Of a
job's answer the next page is fetched while one is worked on: the org takes as long to send it as we
take to sort it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

from connector.domain.faults import FaultKind
from connector.domain.values import Value, moment, read_moment
from connector.mapping.schema import ObjectSchema
from connector.salesforce import soql
from connector.salesforce.bulk.query import BulkQuery
from connector.salesforce.bulk.values import as_row, cells
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway
from connector.salesforce.steps import Query, Result, Row, Rows, StepFailed
from connector.sync.reading.sieve import Line, Sheet

KEYSET_PAGE = 2000
BULK_PAGE = 25_000
_GONE = frozenset({"HTTP_404", "INVALIDJOB", "NOT_FOUND", "INVALID_QUERY_LOCATOR"})
_ENDED_ILL = "BULK_JOB_ENDED"

Place = dict[str, Value]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Wish:
    """Which rows of an object, and which fields of them; `where` is SOQL as an operator wrote it."""

    object: str
    fields: tuple[str, ...]
    schema: ObjectSchema
    where: str | None = None
    limit: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The fields asked for, each once."""
        return tuple(dict.fromkeys(("Id", "SystemModstamp", *self.fields)))

    def counting(self) -> str:
        """The query that counts the rows."""
        where = f" WHERE ({self.where})" if self.where else ""
        return f"SELECT COUNT() FROM {soql.name(self.object)}{where}"

    def after(self, last: str, limit: int) -> str:
        """The query of the page after an Id."""
        parts = [f"({self.where})"] if self.where else []
        parts += [f"Id > {soql.quoted(last)}"] if last else []
        query = soql.select(self.names, self.object, " AND ".join(parts))
        return f"{query} ORDER BY Id LIMIT {limit}"

    def whole(self) -> str:
        """The query of all rows at once."""
        query = soql.select(self.names, self.object, f"({self.where})" if self.where else "")
        return query if self.limit is None else f"{query} LIMIT {self.limit}"


@dataclass(frozen=True)
class Page:
    """Some rows, the epoch and the org's time noted before they were read, and the place after them."""

    sheet: Sheet
    noted: int
    at: datetime
    place: Place


class Pages(Protocol):
    """A way to read all rows."""

    def pages(self, place: Place, done: int) -> Iterator[Page]:
        """The pages after a place, at which `done` rows were read."""


@dataclass(frozen=True)
class KeysetPages:
    """Reads by Id, a query for each page."""

    gateway: Gateway
    wish: Wish
    note: Callable[[], int]

    def pages(self, place: Place, done: int) -> Iterator[Page]:
        """The pages after a place."""
        last, size, names = str(place.get("after") or ""), KEYSET_PAGE, self.wish.names
        left = None if self.wish.limit is None else self.wish.limit - done
        while size == KEYSET_PAGE and (left is None or left > 0):
            wanted = KEYSET_PAGE if left is None else min(KEYSET_PAGE, left)
            noted = self.note()
            answer = self.gateway.run([Query("page", self.wish.after(last, wanted))])
            rows = _found(answer.results["page"])
            size, left = len(rows), None if left is None else left - len(rows)
            if rows:
                last = str(rows[-1]["Id"])
                lines = [tuple(row[name] for name in names) for row in rows]
                sheet = Sheet(names, lines, _as_read(names))
                yield Page(sheet, noted, answer.asked_at, {"after": last})


@dataclass(frozen=True)
class BulkPages:
    """Reads the answer of one job, which another process may go on with."""

    bulk: BulkQuery
    wish: Wish
    note: Callable[[], int]
    keep: Callable[[Place], None]  # commits the job before anything is read of it
    say: Callable[[str], None] = lambda _: None

    def pages(self, place: Place, done: int) -> Iterator[Page]:
        """The pages after a place; a job that has expired is asked for anew, from the beginning."""
        del done
        if place.get("ended"):
            return
        if place.get("job") is None:
            place = self._started()
        try:
            yield from self._pages(place)
        except CallFailed as failed:
            if failed.fault.code not in _GONE:
                raise
            self.say(
                "the org no longer has the job's answer: reading begins anew; nothing is taken twice"
            )
            yield from self._pages(self._started())

    def _started(self) -> Place:
        noted = self.note()
        at = self.bulk.gateway.run([Query("now", "SELECT Id FROM Organization")]).asked_at
        job = self.bulk.start(self.wish.whole())
        place: Place = {"job": job, "noted": noted, "at": moment(at)}
        self.keep(place)
        return place

    def _pages(self, place: Place) -> Iterator[Page]:
        job, noted, at = str(place["job"]), int(str(place["noted"])), str(place["at"])
        self._wait(job)
        locator = place.get("locator")
        answer = self.bulk.pages(job, str(locator) if locator else None, most=BULK_PAGE)
        for page in _ahead(answer):
            names = self._named(page.names)
            sheet = Sheet(names, page.rows, partial(as_row, cells(self.wish.schema, names, names)))
            after: Place = {"job": job, "noted": noted, "at": at, "locator": page.locator}
            ended: Place = {} if page.locator else {"ended": True}
            yield Page(sheet, noted, read_moment(at), after | ended)
        self.bulk.end(job)

    def _wait(self, job: str) -> None:
        told: set[str] = set()

        def heard(state: str, _rows: int) -> None:
            if state not in told:
                told.add(state)
                self.say(f"waiting for the org to gather the rows (Bulk job {job}: {state})")

        try:
            self.bulk.wait(job, heard)
        except CallFailed as failed:
            if failed.fault.code == _ENDED_ILL or failed.fault.kind is FaultKind.CONFIG:
                self.keep({})  # it will never answer: the next try asks for another
            raise

    def _named(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The columns under the names that we asked for, whatever their case."""
        ours = {name.lower(): name for name in self.wish.names}
        return tuple(ours.get(name.lower(), name) for name in names)


def _ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same, each fetched while the one before it is worked on."""
    with ThreadPoolExecutor(1, "ahead") as beside:
        coming = beside.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = beside.submit(next, items, None)
            yield item


def _found(result: Result) -> list[Row]:
    if isinstance(result, StepFailed):
        raise CallFailed(result.fault)
    return result.found if isinstance(result, Rows) else []


def _as_read(names: tuple[str, ...]) -> Callable[[Line], dict[str, Value]]:
    return lambda line: dict(zip(names, line, strict=True))
