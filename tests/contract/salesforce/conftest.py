"""The Salesforce simulator as its own process, entered through the connector's gateway."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.salesforce.access import OrgAccess
from connector.salesforce.gateway import Gateway
from tests.doors import free_ports

STARTED_WITHIN = 30


@dataclass
class Org:
    """What a test does on the far side."""

    url: str
    credentials: dict[str, Any]

    def fault(self, name: str, *, times: int = 1, path: str = "*", **params: Any) -> None:
        """Let the next matching calls of ours fail."""
        body = {
            "fault": name,
            "times": times,
            "params": params,
            "match": {"path": path, "client": "line-connector*"},
        }
        requests.post(f"{self.url}/_simulator/faults", json=body, timeout=5).raise_for_status()

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """The calls the org has seen."""
        answer = requests.get(f"{self.url}/_simulator/calls?since={since}", timeout=5)
        return answer.json()

    def agent(self, method: str, path: str, **body: Any) -> Any:
        """Something the agent does through the API."""
        answer = requests.request(
            method,
            f"{self.url}/services/data/v62.0/{path}",
            json=body or None,
            headers={"Authorization": f"Bearer {self.credentials['access_token']}"},
            timeout=5,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def access(self, **changes: Any) -> OrgAccess:
        """How the connector enters this org."""
        ours = self.credentials["integration"]
        facts = {
            "login_url": self.credentials["login_url"],
            "flow": "jwt",
            "client_id": ours["client_id"],
            "client_secret": ours["client_secret"],
            "username": ours["username"],
            "private_key": ours["private_key"],
        }
        return OrgAccess(**(facts | changes))


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    port, tls, pubsub = free_ports(3)
    folder: Path = tmp_path_factory.mktemp("org")
    command = [sys.executable, "-m", "simulator", "salesforce", "--data", str(folder)]
    command += ["--port", str(port), "--tls-port", str(tls), "--pubsub-port", str(pubsub)]
    with (folder / "log").open("wb") as log:
        root = Path(__file__).parents[3]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=root)
        try:
            yield Org(f"http://127.0.0.1:{port}", _credentials(port, process, folder / "log"))
        finally:
            process.terminate()
            process.wait(10)


def _credentials(port: int, process: "subprocess.Popen[bytes]", log: Path) -> dict[str, Any]:
    until = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < until and process.poll() is None:
        try:
            url = f"http://127.0.0.1:{port}/_simulator/credentials"
            return requests.get(url, timeout=2).json()
        except requests.ConnectionError:
            time.sleep(0.1)
    pytest.fail(f"the simulator did not start: {log.read_text()}")


@pytest.fixture
def org(running: Org) -> Org:
    requests.post(f"{running.url}/_simulator/reset", timeout=5).raise_for_status()
    return running


@pytest.fixture
def gateway(org: Org) -> Iterator[Gateway]:
    gate = Gateway(org.access())
    yield gate
    gate.close()
