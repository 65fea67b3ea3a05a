"""A world per test: both simulators once per module, a fresh database each time."""

from collections.abc import Callable, Iterator

import pytest

from tests.world import Simulators, World, make_world, simulators


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulators]:
    with simulators(tmp_path_factory.mktemp("simulators")) as made:
        yield made


@pytest.fixture
def world(outside: Simulators, fresh_database: Callable[[], str]) -> Iterator[World]:
    outside.reset()
    made = make_world(outside, fresh_database())
    yield made
    made.system.gateway.close()
    made.system.store.engine.dispose()
