"""The core of the story while servers, workers and platforms fail: the same rows, no duplicates."""

from __future__ import annotations

import contextlib

import pytest
import redis

from tests.acceptance.core import Core
from tests.acceptance.world import World

ENOUGH = 8  # whoever dies again and again is restarted after ever longer pauses
pytestmark = pytest.mark.timeout(420)


@pytest.fixture(autouse=True)
def calm(world: World):  # noqa: ANN201
    """No fault outlives its test."""
    yield
    world.line.no_faults()
    world.org.no_faults()


def test_a_flushed_redis_and_killed_workers_cost_nothing_but_time(world: World) -> None:
    deaths = 0

    def trouble() -> None:
        nonlocal deaths
        with contextlib.closing(redis.Redis.from_url(world.up.stack.redis_url)) as server:
            server.flushall()
        if deaths < ENOUGH:
            deaths += world.up.kill(*world.up.workers())

    core = Core(world, "0911000001", trouble)
    core.run()
    core.check()
    assert deaths >= ENOUGH


def test_refusals_of_the_org_and_expired_sessions_are_waited_out(world: World) -> None:
    seen = len(world.org.calls())
    expiries = 0

    def met() -> list[str]:
        return [call["fault"] for call in world.org.calls()[seen:]]

    def trouble() -> None:
        nonlocal expiries
        # two that meet one call mean that the sign-in itself is refused: then an admin is waited for
        if met().count("expire_session") == expiries:
            world.org.fault("expire_session")
            expiries += 1
        world.org.fault("status", times=2, status=503)

    core = Core(world, "0911000003", trouble)
    core.run()
    core.check()
    assert {"expire_session", "status"} <= set(met())
    assert expiries >= 3


def test_an_answer_of_line_that_is_lost_never_becomes_a_second_message(world: World) -> None:
    core = Core(world, "0911000004", lambda: world.line.fault("reset_after_commit"))
    core.run()
    core.check()
    lost = [call for call in world.line.sends() if call["fault"] == "reset_after_commit"]
    assert len(lost) >= 4


def test_a_rate_limit_of_line_is_waited_out(world: World) -> None:
    core = Core(world, "0911000005", lambda: world.line.fault("rate_429"))
    core.run()
    core.check()
    assert any(call["fault"] == "rate_429" for call in world.line.sends())
