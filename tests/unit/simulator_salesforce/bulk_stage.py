"""What tests do with jobs of the Bulk API: upload, wait, read the result files."""

from __future__ import annotations

import csv
import io
import time
from typing import Any

import requests

from .stage import VERSION, Client

DONE_WITHIN = 10
ENDS = {"JobComplete", "Failed", "Aborted"}
Rows = list[dict[str, str]]


class Bulk:
    """Jobs of one user."""

    def __init__(self, agent: Client) -> None:
        self.agent = agent

    def open(self, kind: str, operation: str, **more: Any) -> str:
        """Create an ingest job and give its id."""
        body = {"object": kind, "operation": operation, **more}
        answer = self.agent.call("POST", "/jobs/ingest", body)
        assert answer.status_code == 200, answer.text
        job_id: str = answer.json()["id"]
        return job_id

    def put(self, job_id: str, content: str | bytes) -> requests.Response:
        """Upload the rows of a job."""
        path = f"/services/data/{VERSION}/jobs/ingest/{job_id}/batches"
        raw = content.encode() if isinstance(content, str) else content
        headers = {"Content-Type": "text/csv; charset=UTF-8"}
        return self.agent.http.put(self.agent.url + path, data=raw, headers=headers, timeout=10)

    def move(self, job_id: str, state: str, kind: str = "ingest") -> requests.Response:
        """Ask for another state of a job."""
        return self.agent.call("PATCH", f"/jobs/{kind}/{job_id}", {"state": state})

    def info(self, job_id: str, kind: str = "ingest") -> dict[str, Any]:
        """A job as it is now."""
        return dict(self.agent.call("GET", f"/jobs/{kind}/{job_id}").json())

    def ended(self, job_id: str, kind: str = "ingest") -> dict[str, Any]:
        """A job at its end."""
        until = time.monotonic() + DONE_WITHIN
        while time.monotonic() < until:
            job = self.info(job_id, kind)
            if job["state"] in ENDS:
                return job
            time.sleep(0.01)
        raise AssertionError(f"job {job_id} did not end within {DONE_WITHIN} s")

    def load(self, kind: str, operation: str, content: str | bytes, **more: Any) -> dict[str, Any]:
        """Upload rows and wait for the end of the job."""
        job_id = self.open(kind, operation, **more)
        assert self.put(job_id, content).status_code == 201
        assert self.move(job_id, "UploadComplete").json()["state"] == "UploadComplete"
        return self.ended(job_id)

    def results(self, job: dict[str, Any], which: str) -> Rows:
        """A result file, by column."""
        answer = self.agent.call("GET", f"/jobs/ingest/{job['id']}/{which}")
        assert answer.status_code == 200, answer.text
        return list(csv.DictReader(io.StringIO(answer.content.decode())))

    def errors(self, job: dict[str, Any]) -> list[str]:
        """Why rows failed."""
        return sorted(row["sf__Error"] for row in self.results(job, "failedResults"))

    def logged(self, method: str, path_end: str) -> int | None:
        """The rows that the call log tells of, for the latest call like this."""
        # A call is logged after its answer left: the log is asked after one more call.
        self.agent.call("GET", "/limits")
        answer = self.agent.http.get(f"{self.agent.url}/_simulator/calls", timeout=10)
        calls = [
            each
            for each in answer.json()
            if each["method"] == method and each["path"].endswith(path_end)
        ]
        records: int | None = calls[-1]["records"]
        return records

    def query(self, soql: str, operation: str = "query", **more: Any) -> dict[str, Any]:
        """Run a query job to its end."""
        body = {"operation": operation, "query": soql, **more}
        answer = self.agent.call("POST", "/jobs/query", body)
        assert answer.status_code == 200, answer.text
        return self.ended(answer.json()["id"], "query")

    def page(self, job: dict[str, Any], **query: Any) -> requests.Response:
        """A page of what a query job found."""
        return self.agent.call("GET", f"/jobs/query/{job['id']}/results", params=query)

    def read(self, soql: str, operation: str = "query") -> Rows:
        """What a query job finds, by column."""
        text = self.page(self.query(soql, operation)).content.decode()
        return list(csv.DictReader(io.StringIO(text)))
