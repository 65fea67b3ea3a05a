"""What tests of several folders need: a database of their own, a store over it, a clock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy.orm import Session

from connector.ground import ports
from connector.ground.postgres import Postgres
from connector.store import migrate
from connector.store.session import Store
from connector.store.tables import Base
from tests.engines import open_store

# How hard properties are tried: the same each time, or more with HYPOTHESIS_PROFILE=soak.
LOOSE = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}
settings.register_profile("steady", max_examples=100, derandomize=True, **LOOSE)
settings.register_profile("soak", max_examples=2000, print_blob=True, **LOOSE)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

TESTS = Path(__file__).parent
NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)  # noon in Taipei
# One table names another, so constraints would ask for an order; deleting needs none.
EMPTY = "; ".join(
    [
        "SET LOCAL session_replication_role = replica",
        *(f"DELETE FROM {table.name}" for table in Base.metadata.sorted_tables),
    ]
)
LONG = ("chaos", "acceptance", "browser", "properties", "integration", "contract")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, or one process ends with it while the others have nothing to do.

    Within a folder the order stays as shuffled.
    """
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    folder = item.path.relative_to(TESTS).parts[0]
    return LONG.index(folder) if folder in LONG else len(LONG)


@dataclass
class Clock:
    """A clock that moves only when told."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        """The moment it shows."""
        return self.now

    def move(self, **by: float) -> datetime:
        """Let some time pass; arguments as of `timedelta`."""
        self.now += timedelta(**by)
        return self.now


@dataclass
class Woken:
    """The queues that were woken, in order."""

    queues: list[str] = field(default_factory=list)

    def __call__(self, queue: str) -> None:
        """Note a wake."""
        self.queues.append(queue)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server for the tests of this process."""
    server = Postgres(tmp_path_factory.mktemp("postgres"), ports.choose(), fast=True)
    with server.running():
        yield server


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> str:
    """A sealed database with every table, for cloning."""
    url = postgres.create("template")
    migrate.upgrade(url)
    postgres.seal("template")
    return "template"


@pytest.fixture(scope="module")
def shared_store(postgres: Postgres, template: str) -> Iterator[Store]:
    """The store of a module's tests; ask for `store`, which is clean."""
    name = f"module_{uuid4().hex}"
    store = open_store(postgres.clone(template, name), Woken())
    yield store
    store.engine.dispose()
    postgres.drop(name)


@pytest.fixture
def store(shared_store: Store) -> Iterator[Store]:
    """An empty store; what a test leaves is deleted."""
    yield shared_store
    with shared_store.engine.begin() as connection:
        connection.exec_driver_sql(EMPTY)
    if isinstance(shared_store.wake, Woken):
        shared_store.wake.queues.clear()


@pytest.fixture
def woken(store: Store) -> list[str]:
    """The queues that `store` has woken."""
    assert isinstance(store.wake, Woken)
    return store.wake.queues


@pytest.fixture
def session(store: Store) -> Iterator[Session]:
    """A transaction that is rolled back."""
    with store.sessions() as session:
        yield session


@pytest.fixture
def clock() -> Clock:
    """A clock that shows noon in Taipei."""
    return Clock()
