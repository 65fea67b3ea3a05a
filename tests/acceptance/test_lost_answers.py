"""Every write is committed and its answer then lost once: the same rows, nothing twice.

The fault board of the simulator matches whole calls, and reads and writes are calls to the same
path; so here the org stands behind a cable that tells them apart.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.acceptance.cable import Cable
from tests.acceptance.core import Core
from tests.acceptance.stack import ROOT, free_base, plain_environment
from tests.acceptance.waiting import until
from tests.acceptance.world import World


@pytest.fixture(scope="module")
def base() -> int:
    """The port base of this module's stack."""
    return free_base()


@pytest.fixture(scope="module")
def cable(tmp_path_factory: pytest.TempPathFactory, base: int) -> Iterator[Cable]:
    """An org of our own, and the cable to it."""
    data: Path = tmp_path_factory.mktemp("org")
    ports = ["--port", str(base + 3), "--pubsub-port", str(base + 4), "--tls-port", str(base + 5)]
    argv = [sys.executable, "-m", "simulator", "salesforce", "--data", str(data), *ports]
    with (data / "org.log").open("wb") as log:
        org = subprocess.Popen(argv, cwd=ROOT, env=plain_environment(), stdout=log, stderr=log)
    url = f"http://127.0.0.1:{base + 3}"
    try:
        until(lambda: _answers(url), "the org answers", 30)
        with Cable(url).laid() as laid:
            yield laid
    finally:
        org.terminate()
        org.wait(10)


@pytest.fixture(scope="module")
def settings(cable: Cable) -> dict[str, str]:
    """The org as an installation names a real one, signed in to by client credentials."""
    told = requests.get(f"{cable.org}/_simulator/credentials", timeout=10).json()
    return {
        "CONNECTOR_SALESFORCE_LOGIN_URL": cable.url,
        "CONNECTOR_SALESFORCE_FLOW": "client_credentials",
        "CONNECTOR_SALESFORCE_CLIENT_ID": told["integration"]["client_id"],
        "CONNECTOR_SALESFORCE_CLIENT_SECRET": told["integration"]["client_secret"],
        "CONNECTOR_POLL_SECONDS": "2",
    }


@pytest.mark.timeout(600)
def test_every_write_is_committed_and_then_lost_once(world: World, cable: Cable) -> None:
    core = Core(world, "0911000009")
    core.run()
    core.check()
    print(f"\nanswers lost: {len(cable.lost)}, writes repeated: {len(cable.again)}")
    assert len(cable.lost) >= 4, "Lead, Contact with Account, Asset, Case with WorkOrder"
    assert cable.again == [], "a write of unknown outcome is looked up, never repeated blind"


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/_simulator/credentials", timeout=2).ok
    except requests.RequestException:
        return False
