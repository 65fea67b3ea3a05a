"""Rows written by a Bulk ingest job: made, filled once, closed, waited for, its results read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import requests

from connector.salesforce.bulk.content import content
from connector.salesforce.bulk.jobs import ABORTED, OPEN, Heard, Jobs, JobState
from connector.salesforce.bulk.results import Results, Table
from connector.salesforce.bulk.tables import read_table
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway
from connector.salesforce.plans import WriteIntent

UPSERT, UPDATE = "upsert", "update"
_CSV = {"Content-Type": "text/csv; charset=UTF-8"}


@dataclass(frozen=True)
class BulkIngest:
    """Ingest jobs of one org."""

    gateway: Gateway

    def make(self, object_name: str, operation: str, key_field: str) -> str:
        """An empty job's id; nothing of it happens before it is filled and closed."""
        wanted = {
            "object": object_name,
            "operation": operation,
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }
        if operation == UPSERT:
            wanted["externalIdFieldName"] = key_field
        return self._jobs.make(wanted)

    def fill(self, job_id: str, intents: Sequence[WriteIntent]) -> None:
        """Upload the rows and close the job, after which the org works it off."""
        path = self._jobs.path(job_id, "/batches")
        self.gateway.exchange("PUT", path, _nothing, content(intents), _CSV, writes=True)
        self._jobs.move(job_id, "UploadComplete")

    def wait(
        self,
        job_id: str,
        heard: Heard | None = None,
        stop: threading.Event | None = None,
        patience: float | None = None,
    ) -> JobState | None:
        """The state it ends in, or the present one when patience ends; None for an unknown job."""
        return self._jobs.wait(job_id, heard, stop, patience)

    def give_up(self, job_id: str) -> JobState | None:
        """The state of a job that another worker made; one that was never closed is aborted."""
        found = self._jobs.state(job_id)
        if found is None or found.state != OPEN:
            return found
        try:
            self._jobs.move(job_id, ABORTED)
        except CallFailed:
            # It was closed in between, or is gone: its state says which.
            return self._jobs.state(job_id)
        return JobState(ABORTED)

    def results(self, job_id: str, object_name: str, key: str) -> Results:
        """What became of each row of an ended job, by its text in the `key` column."""
        found = Results()

        def refused(table: Table, key: str) -> None:
            found.take_refused(table, key, object_name)

        for part, take in (
            ("successfulResults", found.take_written),
            ("failedResults", refused),
            ("unprocessedrecords", found.take_unprocessed),
        ):
            self._read(self._jobs.path(job_id, f"/{part}"), key, take)
        return found

    def _read(self, path: str, key: str, take: Callable[[Table, str], None]) -> None:
        def read(answer: requests.Response) -> None:
            take(read_table(answer), key)

        self.gateway.exchange("GET", path, read, headers={"Accept": "text/csv"})

    @property
    def _jobs(self) -> Jobs:
        return Jobs(self.gateway, "ingest")


def _nothing(answer: requests.Response) -> None:
    del answer
