"""A deployment over a simulated org that was filled before it began, for measuring commands as processes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from connector.bootstrap import STARTER, System
from connector.ground import ports
from connector.ground.postgres import Postgres
from connector.settings import Settings
from connector.store import migrate
from connector.sync.live import preparing
from tests.bench.org import SimulatedOrg, simulated_org


@dataclass(frozen=True)
class Deployment:
    """The org, the system over it, and the environment in which a command finds both."""

    org: SimulatedOrg
    system: System
    environment: dict[str, str]
    home: Path


@contextmanager
def deployed(fill: Callable[..., None], *args: Any) -> Iterator[Deployment]:
    """`fill(folder, *args)` makes the org's rows; the starter set is published then."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        postgres = Postgres(home / "postgres", ports.choose(), fast=True)
        # In a process of its own: a child's peak begins with the memory of the process that made it.
        maker = get_context("spawn").Process(target=fill, args=(home / "org", *args))
        maker.start()
        maker.join()
        with postgres.running(), simulated_org(home / "org", 600.0) as org:
            url = postgres.create("bench")
            migrate.upgrade(url)
            environment = _environment(org, url)
            named = {
                name.removeprefix("CONNECTOR_").lower(): environment[name] for name in environment
            }
            system = System(Settings.model_validate(named), lambda _: None)
            preparing.prepare(system.store, system.gateway, (), STARTER)
            yield Deployment(org, system, environment, home)
            system.gateway.close()
            system.store.engine.dispose()


def _environment(org: SimulatedOrg, database_url: str) -> dict[str, str]:
    integration = org.told["integration"]
    return {
        "CONNECTOR_DATABASE_URL": database_url,
        "CONNECTOR_REDIS_URL": "redis://127.0.0.1:1/0",
        "CONNECTOR_SECRET_KEY": "a key of the benchmark",
        "CONNECTOR_SALESFORCE_LOGIN_URL": org.told["login_url"],
        "CONNECTOR_SALESFORCE_CLIENT_ID": integration["client_id"],
        "CONNECTOR_SALESFORCE_USERNAME": integration["username"],
        "CONNECTOR_SALESFORCE_PRIVATE_KEY": integration["private_key"],
    }
