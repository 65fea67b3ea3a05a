"""The Salesforce simulator in a process of its own, for clients that know nothing of tests."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.doors import free_ports

ROOT = Path(__file__).parents[3]
STARTED_WITHIN = 30


@dataclass
class Org:
    """What tests see of it: its addresses, its secrets and the calls it got."""

    url: str
    credentials: dict[str, Any] = field(repr=False)

    def calls(self) -> list[dict[str, Any]]:
        """The calls since the last reset."""
        return list(requests.get(f"{self.url}/_simulator/calls?since=0", timeout=5).json())

    def rows(self, soql: str) -> list[dict[str, Any]]:
        """The rows of a query that the agent makes."""
        answer = requests.get(
            f"{self.url}/services/data/v62.0/query",
            params={"q": soql},
            headers={"Authorization": f"Bearer {self.credentials['access_token']}"},
            timeout=5,
        )
        assert answer.status_code == 200, answer.text
        return list(answer.json()["records"])

    def fault(self, name: str, **params: Any) -> None:
        """Set a fault, once."""
        wanted = {"fault": name, "times": 1, "params": params}
        answer = requests.post(f"{self.url}/_simulator/faults", json=wanted, timeout=5)
        assert answer.status_code == 201, answer.text

    def reset(self) -> None:
        """Go back to the start state."""
        requests.post(f"{self.url}/_simulator/reset", timeout=5).raise_for_status()
        known = requests.get(f"{self.url}/_simulator/credentials", timeout=5).json()
        self.credentials.update(known)


@contextmanager
def running(folder: Path) -> Iterator[Org]:
    """An org that answers until the end of the block."""
    port, tls, pubsub = free_ports(3)
    command = [sys.executable, "-m", "simulator", "salesforce", "--data", str(folder)]
    command += ["--port", str(port), "--tls-port", str(tls), "--pubsub-port", str(pubsub)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT)
    try:
        yield Org(f"http://127.0.0.1:{port}", _credentials(port, process))
    finally:
        process.terminate()
        process.wait(10)


def _credentials(port: int, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    until = time.monotonic() + STARTED_WITHIN
    while True:
        try:
            url = f"http://127.0.0.1:{port}/_simulator/credentials"
            return dict(requests.get(url, timeout=2).json())
        except requests.ConnectionError:
            if time.monotonic() > until or process.poll() is not None:
                raise
            time.sleep(0.1)
