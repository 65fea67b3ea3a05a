"""Both simulators, once for all stories."""

from collections.abc import Iterator

import pytest

from tests.world import Simulators, simulators


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulators]:
    with simulators(tmp_path_factory.mktemp("simulators")) as made:
        yield made
