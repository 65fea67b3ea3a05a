"""A running stack, a phone, a desk beside it, and an eye on both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.acceptance.stack import Up, free_base
from tests.acceptance.world import World
from tests.browser.conftest import BrowserPage
from tests.browser.story.desk import Desk
from tests.browser.story.eye import Eye
from tests.browser.story.phone import Phone

STILL = {"reduced_motion": "reduce", "timezone_id": "Asia/Taipei"}


@pytest.fixture(scope="module")
def world(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A stack as `connector up` starts it; without a Chromium none is started."""
    up = Up(tmp_path_factory.mktemp("story") / "data", free_base())
    try:
        yield World(up.ready())
    except BaseException:
        print(up.logs())
        raise
    finally:
        if up.process.poll() is None:
            up.end()
        up.sweep()


@pytest.fixture
def eye(axe: Callable[[Any], list[str]], sideways: Callable[[Any], int]) -> Eye:
    """Watches the pages of a test."""
    return Eye(axe, sideways)


@pytest.fixture
def phone(world: World, browser_page: BrowserPage, eye: Eye) -> Phone:
    """A phone, 360 CSS pixels wide."""
    return Phone(eye.watch(browser_page(360, 740, **STILL)), world)


@pytest.fixture
def desk(world: World, browser_page: BrowserPage, eye: Eye) -> Desk:
    """A desk's screen, 1280 CSS pixels wide."""
    return Desk(eye.watch(browser_page(1280, 900, **STILL)), world.up.org_url)
