"""How hard properties are tried: the same few stories each time, or many with HYPOTHESIS_PROFILE=soak."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.world import Simulators, simulators

LOOSE = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}

settings.register_profile("steady", max_examples=100, derandomize=True, **LOOSE)
settings.register_profile("soak", max_examples=2000, print_blob=True, **LOOSE)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulators]:
    with simulators(tmp_path_factory.mktemp("simulators")) as made:
        yield made
