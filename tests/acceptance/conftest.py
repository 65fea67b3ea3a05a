"""A stack by module, started as `connector up` starts it, and ended for sure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.stack import Up, free_base
from tests.acceptance.world import World


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # noqa: ANN201
    """Put the last lines of the stack's logs beside a failure, while they can still be read."""
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            up = value.up if isinstance(value, World) else value
            if isinstance(up, Up):
                report.sections.append(("logs of the stack", up.logs()))
    return report


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """More settings for the stack of a module."""
    return {}


@pytest.fixture(scope="module")
def base() -> int:
    """The port base of a module's stack."""
    return free_base()


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, base: int, settings: dict[str, str]
) -> Iterator[World]:
    """A running stack; at its end nothing of it may be left."""
    up = Up(tmp_path_factory.mktemp("stack") / "data", base, settings)
    try:
        made = World(up.ready())
        made.org.keeps_alive_every(0.2)  # each wait for rest is a wait for such a beat
        yield made
        code = up.end()
        left = up.sweep()
        assert not left, left
        assert code == 0, up.said
    except BaseException:
        print(up.logs())
        raise
    finally:
        if up.process.poll() is None:
            up.process.kill()
            up.process.wait(10)
        up.sweep()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    """Start a stack on this test's folder, again and again; whatever is left at the end is ended."""
    base = free_base()
    started: list[Up] = []

    def begin(*flags: str) -> Up:
        started.append(Up(tmp_path / "data", base, None, *flags))
        return started[-1]

    yield begin
    for up in started:
        if up.process.poll() is None:
            up.end()
    left = [name for up in started for name in up.sweep()]
    assert not left, left
