"""Foreign clients, unmodified, pointed at the simulator by their ordinary settings."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .installing import HERE, require_node, require_python
from .org import Org, running

CONTRACTS = HERE.parent
Answered = Callable[..., Any]


def _is_wanted(config: pytest.Config) -> bool:
    """Whether this run was called for the contract tests, and not for all tests."""
    named = [Path(argument.partition("::")[0]) for argument in config.args]
    places = [config.invocation_params.dir / each for each in named]
    return all(CONTRACTS in (place, *place.parents) for place in map(Path.resolve, places))


@pytest.fixture(scope="session", autouse=True)
def _called_for(request: pytest.FixtureRequest) -> None:
    """Installing clients takes a minute and a network: `make contract` does it."""
    if not _is_wanted(request.config):
        pytest.skip("foreign clients are installed and run by `make contract`")


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    with running(tmp_path_factory.mktemp("org")) as org:
        yield org


@pytest.fixture
def org(_running: Org) -> Org:
    """An org at its start state."""
    _running.reset()
    return _running


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """Where the Node.js clients lie."""
    return require_node()


@pytest.fixture(scope="session")
def foreign_python() -> Path:
    """An interpreter with the Python clients."""
    return require_python()


@pytest.fixture
def jsforce(org: Org, node_modules: Path) -> Answered:
    """Runs a case of `clients/jsforce.mjs` and gives what it printed."""
    return _node_client(org, "jsforce.mjs")


@pytest.fixture
def pubsub(org: Org, node_modules: Path) -> Answered:
    """Runs a case of `clients/pubsub.mjs` and gives what it printed."""
    return _node_client(org, "pubsub.mjs")


@pytest.fixture
def python_client(org: Org, foreign_python: Path) -> Answered:
    """Runs a case of one of the Python files in `clients` and gives what it printed."""

    def run(file: str, case: str) -> Any:
        command = [str(foreign_python), str(HERE / "clients" / file), case]
        return _printed(command, org.credentials, {})

    return run


def _node_client(org: Org, file: str) -> Answered:
    script = HERE / "clients" / file

    def run(case: str, **given: Any) -> Any:
        known = {**org.credentials, **given}
        trusting = {"NODE_EXTRA_CA_CERTS": org.credentials["ca_file"]}
        return _printed(["node", str(script), case], known, trusting)

    return run


def _printed(command: list[str], given: dict[str, Any], more: dict[str, str]) -> Any:
    done = subprocess.run(
        command,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **more},
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout)
