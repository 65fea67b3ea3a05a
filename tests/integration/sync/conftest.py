"""A world per test: both simulators once per process, a fresh database each time."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from connector.ground.postgres import Postgres
from connector.sync.catalog import Catalog
from tests.world import Simulators, World, make_world, open_world, simulators

# What is live in each prepared database: its clones begin with it, and compile what they publish.
_live: dict[str, Catalog] = {}


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulators]:
    with simulators(tmp_path_factory.mktemp("simulators")) as made:
        yield made


@pytest.fixture(scope="session")
def prepared(outside: Simulators, postgres: Postgres, template: str) -> str:
    """A sealed database in which the starter set is published."""
    outside.reset()
    name = f"prepared_{uuid4().hex}"  # each folder that takes this over makes its own
    made = make_world(outside, postgres.clone(template, name))
    with made.system.store.reading() as session:
        _live[name] = made.system.catalogs.live(session)
    close(made)
    postgres.seal(name)
    return name


@pytest.fixture
def world(outside: Simulators, postgres: Postgres, prepared: str) -> Iterator[World]:
    outside.reset()
    name = f"test_{uuid4().hex}"
    made = open_world(outside, postgres.clone(prepared, name))
    made.system.catalogs._last = _live[prepared]
    assert made.system.guard.holds()  # whoever works has signed in
    yield made
    close(made)
    postgres.drop(name)


def close(world: World) -> None:
    world.system.gateway.close()
    world.system.store.engine.dispose()
