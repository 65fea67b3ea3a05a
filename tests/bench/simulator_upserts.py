"""How fast the simulated org takes upserts of 200 Contacts a call, without and with change events.

    python -m tests.bench.simulator_upserts [rows] [contacts to keep]

Contacts have two validation rules and the unique key. A rate is told by the clock, and by the
seconds of work of the org's process, which count when the machine has other things to do. The
second number (default 1,000,000) is how many Contacts the org keeps while its memory is measured.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from tests.doors import free_port

API = "/services/data/v62.0"
A_CALL = 200
ROWS, KEPT = 40_000, 1_000_000
STARTING_SECONDS = 30
MEMBER = "LINE_Connector_chn_ContactChangeEvent"
RULES = (
    {"when": "MobilePhone LIKE '0000%'", "message": "no such phone"},
    {"when": "Email = 'nobody@example.com' AND LastName = 'nobody'", "message": "nobody"},
)


class Org:
    """An org in a process of its own, called by one client."""

    def __init__(self, port: int, process: psutil.Process) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.process = process
        self._headers = {"Content-Type": "application/json", "Sforce-Call-Options": "client=bench"}
        self._headers["Authorization"] = f"Bearer {self._credentials()['access_token']}"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer of one call."""
        content = None if body is None else json.dumps(body)
        self._http.request(method, path, content, self._headers)
        answer = self._http.getresponse()
        found = answer.read()
        assert answer.status < 300, found
        return json.loads(found) if found else None

    @property
    def work(self) -> float:
        """Seconds of work of the process so far."""
        spent = self.process.cpu_times()
        return float(spent.user + spent.system)

    def _credentials(self) -> Any:
        until = time.monotonic() + STARTING_SECONDS
        while True:
            try:
                return self.call("GET", "/_simulator/credentials")
            except OSError:
                self._http.close()
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)


@contextmanager
def fresh_org() -> Iterator[Org]:
    """A new org that keeps its rows in a folder, with the validation rules in force."""
    port = free_port()
    ports = ["--port", port, "--tls-port", free_port(), "--pubsub-port", free_port()]
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "simulator", "salesforce", *map(str, ports)]
        process = subprocess.Popen([*command, "--data", home])
        try:
            org = Org(port, psutil.Process(process.pid))
            for rule in RULES:
                org.call(
                    "POST",
                    "/_simulator/rules",
                    {"kind": "validation", "object": "Contact", **rule},
                )
            yield org
        finally:
            process.terminate()
            process.wait(60)


def deselect(org: Org) -> None:
    """Take Contact out of the channel."""
    soql = f"SELECT+Id+FROM+PlatformEventChannelMember+WHERE+DeveloperName='{MEMBER}'"
    (row,) = org.call("GET", f"{API}/tooling/query?q={soql}")["records"]
    org.call("DELETE", f"{API}/tooling/sobjects/PlatformEventChannelMember/{row['Id']}")


def upsert(org: Org, rows: int, word: str) -> tuple[float, float]:
    """Upsert rows; the rates by the clock and by the work of the org."""
    bodies = [_body(start, word) for start in range(0, min(rows, ROWS), A_CALL)]
    begun, worked = time.perf_counter(), org.work
    for start in range(0, rows, A_CALL):
        at = start // A_CALL
        body = bodies[at] if at < len(bodies) else _body(start, word)
        results = org.call("PATCH", f"{API}/composite/sobjects/Contact/LINE_Key__c", body)
        assert all(each["success"] for each in results), results[0]
    return rows / (time.perf_counter() - begun), rows / (org.work - worked)


def _body(start: int, word: str) -> dict[str, Any]:
    return {"allOrNone": False, "records": [_contact(start + at, word) for at in range(A_CALL)]}


def _contact(number: int, word: str) -> dict[str, Any]:
    return {
        "LINE_Key__c": f"0197c8b0-0000-7000-8000-{number:012}",
        "LastName": "王",
        "FirstName": f"小明{number}",
        "MobilePhone": f"+8869{number:08}",
        "Email": f"person{number}@example.com",
        "Description": word,
    }


def main() -> None:
    """Print the table."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    kept = int(sys.argv[2]) if len(sys.argv) > 2 else KEPT
    print(f"{rows:,} Contacts, {A_CALL} a call, two validation rules, a unique key")
    print(f"{'':24}{'rows/s':>10}{'rows per second of work':>26}")
    for events in ("off", "on"):
        with fresh_org() as org:
            if events == "off":
                deselect(org)
            for what in ("created", "updated"):
                rate, work = upsert(org, rows, what)
                print(f"events {events}, {what:12}{rate:10,.0f}{work:26,.0f}")
    with fresh_org() as org:
        upsert(org, kept, "kept")
        resident = org.process.memory_info().rss / (1 << 20)
        print(f"{kept:,} Contacts with events on: {resident:,.0f} MiB resident")


if __name__ == "__main__":
    main()
