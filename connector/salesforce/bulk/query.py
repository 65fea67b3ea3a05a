"""Rows of a whole object by a Bulk query job: page after page, never more than one in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import requests

from connector.errors import ConnectorError
from connector.salesforce.bulk.jobs import ABORTED, COMPLETE, Heard, Jobs
from connector.salesforce.bulk.tables import read_whole
from connector.salesforce.faults import CallFailed, fault_of
from connector.salesforce.gateway import Gateway

_LAST = "null"  # the locator of the last page, to the letter


class WaitEnded(ConnectorError):
    """Waiting was told to stop; the job goes on in the org and can be asked again."""

    def __init__(self, job_id: str) -> None:
        super().__init__("wait_ended", f"no longer waiting for the Bulk query job {job_id}")


@dataclass(frozen=True)
class Page:
    """Some rows under their names; a blank value is an empty text, as the CSV has it.

    `locator` is where the next page begins, None at the end; `total` the rows of the whole job
    where its end was waited for.
    """

    names: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    locator: str | None
    total: int | None = None


@dataclass(frozen=True)
class BulkQuery:
    """Bulk query jobs of one org."""

    gateway: Gateway
    _totals: dict[str, int] = field(default_factory=dict, init=False, repr=False)

    def start(self, soql: str, *, deleted: bool = False) -> str:
        """Begin a job and say its id; `deleted` sees the recycle bin and archive too."""
        operation = "queryAll" if deleted else "query"
        return self._jobs.make({"operation": operation, "query": soql})

    def wait(
        self, job_id: str, heard: Heard | None = None, stop: threading.Event | None = None
    ) -> int:
        """Wait until the rows are there and say how many; `CallFailed` when they never will be."""
        found = self._jobs.wait(job_id, heard, stop)
        if found is None:
            raise CallFailed(fault_of("INVALIDJOB", f"The org knows no query job {job_id}."))
        if not found.ended:
            raise WaitEnded(job_id)
        if found.state != COMPLETE:
            raise CallFailed(found.fault)
        self._totals[job_id] = found.rows
        return found.rows

    def pages(
        self, job_id: str, locator: str | None = None, *, most: int = 50_000
    ) -> Iterator[Page]:
        """The pages from a locator on, of up to `most` rows; one whose transfer breaks is read again."""
        at: str | None = locator
        while True:
            page = self._page(job_id, at, most)
            yield page
            at = page.locator
            if at is None:
                return

    def end(self, job_id: str) -> None:
        """Put the job away; one that still works is stopped."""
        self._jobs.end(job_id)

    def abort(self, job_id: str) -> None:
        """Stop a job."""
        self._jobs.move(job_id, ABORTED)

    @property
    def _jobs(self) -> Jobs:
        return Jobs(self.gateway, "query")

    def _page(self, job_id: str, locator: str | None, most: int) -> Page:
        def read(answer: requests.Response) -> Page:
            names, rows = read_whole(answer)
            following = answer.headers.get("Sforce-Locator", _LAST)
            more = following if following != _LAST else None
            return Page(names, rows, more, self._totals.get(job_id))

        place = f"&locator={locator}" if locator else ""
        path = self._jobs.path(job_id, f"/results?maxRecords={most}{place}")
        return self.gateway.exchange("GET", path, read, headers={"Accept": "text/csv"})
