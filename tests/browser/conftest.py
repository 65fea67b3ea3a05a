"""A Chromium that every browser test shares: the LIFF pages, the simulators' pages, the story."""

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn, Protocol

import pytest

USUAL_CHROMIUM = "/usr/bin/chromium"
SERIOUS = ("serious", "critical")
# What passes is of no interest, and to describe each of its elements takes longer than to find out.
ONLY_FINDINGS = {"resultTypes": ["violations"]}


class BrowserPage(Protocol):
    """Opens a page so many CSS pixels wide; its `oddities` gather errors of console and script."""

    def __call__(
        self, width: int = 360, height: int = 740, locale: str = "zh-TW", **context: Any
    ) -> Any:
        """A new page, not yet anywhere."""


def chromium_path() -> str | None:
    """Where Chromium is: `CHROMIUM`, the usual place, then PATH."""
    told = os.environ.get("CHROMIUM")
    usual = USUAL_CHROMIUM if Path(USUAL_CHROMIUM).exists() else None
    return told or usual or shutil.which("chromium")


def absent(what: str) -> NoReturn:
    """Skip, or fail where CI must have installed it."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A running Chromium, by module: Playwright's event loop must not stay while others test."""
    path = chromium_path()
    if path is None:
        absent("no Chromium found: install it or set CHROMIUM to its path")
    if importlib.util.find_spec("playwright") is None:
        absent("playwright is not installed")
    sync_api = importlib.import_module("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def browser_page(chromium: Any) -> Iterator[BrowserPage]:
    """A factory of fresh pages, each in its own context, closed after the test."""
    contexts = []

    def open_page(
        width: int = 360, height: int = 740, locale: str = "zh-TW", **context: Any
    ) -> Any:
        opened = chromium.new_context(
            viewport={"width": width, "height": height}, locale=locale, **context
        )
        contexts.append(opened)
        page = opened.new_page()
        page.set_default_timeout(10_000)
        page.oddities = []
        page.on("pageerror", lambda error: page.oddities.append(str(error)))
        page.on(
            "console",
            lambda line: page.oddities.append(line.text) if line.type == "error" else None,
        )
        return page

    yield open_page
    for opened in contexts:
        opened.close()


@pytest.fixture
def axe() -> Callable[[Any], list[str]]:
    """The serious and critical findings of axe-core on a page, one readable line each."""
    axe_core = pytest.importorskip("axe_core_python.sync_playwright")

    def findings(page: Any) -> list[str]:
        violations = axe_core.Axe().run(page, options=ONLY_FINDINGS)["violations"]
        return [
            f"{found['id']}: {node['html'][:160]}"
            for found in violations
            if found["impact"] in SERIOUS
            for node in found["nodes"]
        ]

    return findings


@pytest.fixture
def sideways() -> Callable[[Any], int]:
    """By how many CSS pixels a page scrolls sideways; 0 is right."""

    def overflow(page: Any) -> int:
        return int(
            page.evaluate(
                "document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
            )
        )

    return overflow
