"""A simulated org as a process of its own, and rows to fill it with."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from connector.domain.identifiers import uuid7
from connector.salesforce.access import OrgAccess
from tests.doors import free_port

API = "/services/data/v62.0"
STEP = 200


@dataclass(frozen=True)
class SimulatedOrg:
    """Where it answers, and how it is entered."""

    url: str
    told: dict[str, Any]

    @property
    def token(self) -> str:
        """The agent's token."""
        return str(self.told["access_token"])

    @property
    def access(self) -> OrgAccess:
        """How the connector enters."""
        integration = self.told["integration"]
        return OrgAccess(
            login_url=self.told["login_url"],
            flow="jwt",
            client_id=integration["client_id"],
            username=integration["username"],
            private_key=integration["private_key"],
        )

    def set(self, **switches: object) -> None:
        """Set switches."""
        url = f"{self.url}/_simulator/switches"
        requests.post(url, json=switches, timeout=5).raise_for_status()

    def calls(self) -> int:
        """How many calls were made so far."""
        entries = requests.get(f"{self.url}/_simulator/calls", timeout=60).json()
        return max((entry["seq"] for entry in entries), default=0)


@contextmanager
def simulated_org(home: Path, patience: float = 30.0) -> Iterator[SimulatedOrg]:
    """An org that lives as long as the block; one with many rows needs patience (seconds) to start."""
    port = free_port()
    command = ["--port", port, "--tls-port", free_port(), "--pubsub-port", free_port()]
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", "salesforce", *map(str, command), "--data", str(home)],
        stdout=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        yield SimulatedOrg(url, _credentials(url, patience))
    finally:
        process.terminate()
        process.wait(10)


def _credentials(url: str, patience: float) -> dict[str, Any]:
    until = time.monotonic() + patience
    while True:
        try:
            return dict(requests.get(f"{url}/_simulator/credentials", timeout=2).json())
        except requests.RequestException:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def fill(org: SimulatedOrg, rows: int) -> None:
    """Make Contacts by collections of 200."""
    with requests.Session() as session, ThreadPoolExecutor(2) as pool:
        session.headers["Authorization"] = f"Bearer {org.token}"

        def make(at: int) -> None:
            records = [_contact(n) for n in range(at, min(at + STEP, rows))]
            body = {"allOrNone": False, "records": records}
            url = f"{org.url}{API}/composite/sobjects"
            answer = session.post(url, json=body, timeout=60)
            answer.raise_for_status()
            assert all(row["success"] for row in answer.json()), answer.text[:500]

        list(pool.map(make, range(0, rows, STEP)))


def _contact(number: int) -> dict[str, Any]:
    return {
        "attributes": {"type": "Contact"},
        "LastName": f"王{number:07}",
        "FirstName": "小明",
        "MobilePhone": f"+8869{number:08}",
        "Email": f"person{number}@example.com",
        "LINE_Key__c": str(uuid7()),
    }
