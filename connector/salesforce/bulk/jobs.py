"""What ingest and query jobs have in common: they are made, asked about, waited for and put away.

Source: Bulk API 2.0 and Bulk API Developer Guide, "Ingest" and "Query". A poll costs a call, so
the rests between polls grow.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import orjson
import requests

from connector.domain.faults import Fault
from connector.salesforce.faults import CallFailed, fault_of
from connector.salesforce.gateway import Gateway

Heard = Callable[[str, int], None]

COMPLETE: Final = "JobComplete"
OPEN: Final = "Open"
ABORTED: Final = "Aborted"
_ENDED = frozenset({COMPLETE, ABORTED, "Failed"})
_UNKNOWN_JOB = frozenset({"NOT_FOUND", "INVALIDJOB"})
_JSON = {"Content-Type": "application/json"}
_FIRST_REST, _LONGEST_REST, _GROWTH = 0.2, 10.0, 1.5


@dataclass(frozen=True)
class JobState:
    """How far a job has come; `rows` are those it has been through, refused ones too."""

    state: str
    rows: int = 0
    refused: int = 0
    message: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in _ENDED

    @property
    def fault(self) -> Fault:
        """Why a job that ended ill did so: the org's own words begin with a code."""
        code, _, rest = self.message.partition(":")
        if rest and code.strip().isidentifier():
            return fault_of(code.strip(), rest.strip())
        return fault_of("BULK_JOB_ENDED", self.message or f"The Bulk job is {self.state}.")


@dataclass(frozen=True)
class Jobs:
    """The jobs of one kind in one org."""

    gateway: Gateway
    kind: Literal["ingest", "query"]

    def make(self, wanted: Mapping[str, Any]) -> str:
        """A new job's id; asking again after a lost answer leaves an empty job behind, no more."""
        body = orjson.dumps({"contentType": "CSV", **wanted})
        made = self._ask("POST", f"jobs/{self.kind}", body)
        return str(made["id"])

    def path(self, job_id: str, part: str = "") -> str:
        """Where a job is, below the version."""
        return f"jobs/{self.kind}/{job_id}{part}"

    def state(self, job_id: str) -> JobState | None:
        """How far a job has come; None for one that the org does not know."""
        try:
            told = self._ask("GET", self.path(job_id))
        except CallFailed as failed:
            if failed.fault.code in _UNKNOWN_JOB:
                return None
            raise
        return JobState(
            str(told["state"]),
            int(told.get("numberRecordsProcessed") or 0),
            int(told.get("numberRecordsFailed") or 0),
            str(told.get("errorMessage") or ""),
        )

    def move(self, job_id: str, state: str) -> None:
        """Ask for `UploadComplete` or `Aborted`."""
        body = orjson.dumps({"state": state})
        self.gateway.exchange("PATCH", self.path(job_id), _nothing, body, _JSON, writes=True)

    def end(self, job_id: str) -> None:
        """Put a job away with its results; one that still works is stopped instead."""
        try:
            self.gateway.exchange("DELETE", self.path(job_id), _nothing, writes=True)
        except CallFailed as failed:
            if failed.fault.code in _UNKNOWN_JOB:
                return
            if failed.fault.code != "INVALIDJOBSTATE":
                raise
            self.move(job_id, ABORTED)

    def wait(
        self,
        job_id: str,
        heard: Heard | None = None,
        stop: threading.Event | None = None,
        patience: float | None = None,
    ) -> JobState | None:
        """The state a job ends in, or is in when it is told to stop or patience (seconds) runs out."""
        until = None if patience is None else time.monotonic() + patience
        stop = stop or threading.Event()
        for rest in _rests():
            found = self.state(job_id)
            if found is None or found.ended:
                return found
            if heard is not None:
                heard(found.state, found.rows)
            out_of_patience = until is not None and time.monotonic() + rest > until
            if out_of_patience or stop.wait(rest):
                return found
        return None

    def _ask(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        return self.gateway.exchange(method, path, _json, body, _JSON)


def _rests() -> Iterator[float]:
    rest = _FIRST_REST
    while True:
        yield rest
        rest = min(_LONGEST_REST, rest * _GROWTH)


def _json(answer: requests.Response) -> dict[str, Any]:
    return cast("dict[str, Any]", orjson.loads(answer.content))


def _nothing(answer: requests.Response) -> None:
    del answer
