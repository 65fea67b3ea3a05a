"""A Salesforce org on a free port, at its start state before every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests

from simulator.control.server import serving
from simulator.salesforce.app import make_app
from simulator.salesforce.org import Addresses, SalesforceOrg
from simulator.salesforce.pubsub.server import PubSubServer
from tests.doors import free_port

from .stage import Client
from .subscriber import Subscriber

CONTRACTS = Path(__file__).parents[4] / "shared/contracts/salesforce"


@pytest.fixture(scope="session")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SalesforceOrg, str]]:
    port = free_port()
    org = SalesforceOrg(tmp_path_factory.mktemp("org"), Addresses(port=port))
    with serving(make_app(org), port=port) as url:
        yield org, url
    org.close()


@pytest.fixture
def org(_served: tuple[SalesforceOrg, str]) -> SalesforceOrg:
    """The org behind the server."""
    found, url = _served
    assert requests.post(f"{url}/_simulator/reset", timeout=10).status_code == 204
    return found


@pytest.fixture
def url(org: SalesforceOrg, _served: tuple[SalesforceOrg, str]) -> str:  # noqa: ARG001
    """The address of the org."""
    return _served[1]


@pytest.fixture
def credentials(url: str) -> dict[str, Any]:
    """What `GET /_simulator/credentials` answers."""
    return dict(requests.get(f"{url}/_simulator/credentials", timeout=10).json())


@pytest.fixture
def agent(url: str, credentials: dict[str, Any]) -> Iterator[Client]:
    """The org as the agent."""
    with Client(url, credentials["access_token"]) as client:
        yield client


@pytest.fixture(scope="session")
def _channel(_served: tuple[SalesforceOrg, str]) -> Iterator[grpc.Channel]:
    org, _ = _served
    trusted = grpc.ssl_channel_credentials(org.tls_files.ca.read_bytes())
    with (
        PubSubServer(org, "127.0.0.1", 0) as server,
        grpc.secure_channel(f"127.0.0.1:{server.port}", trusted) as channel,
    ):
        yield channel


@pytest.fixture
def subscriber(org: SalesforceOrg, _channel: grpc.Channel) -> Iterator[Subscriber]:
    """The org over gRPC as the agent, with signs of life that tests need not wait for."""
    org.switch({"keepalive_seconds": 0.05})
    known = Subscriber(org.published_credentials(), _channel)
    yield known
    known.close()


@pytest.fixture
def contracts() -> Path:
    """The folder of recorded answers."""
    if not CONTRACTS.is_dir():
        pytest.skip(f"recorded Salesforce answers are not at {CONTRACTS}")
    return CONTRACTS
