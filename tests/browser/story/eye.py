"""Looks at every screen of the story: pictures to look at, and what no screen may have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.acceptance.stack import ROOT

PICTURES = ROOT / "screenshots" / "story"
LEFT_BEHIND = "net::ERR_ABORTED"  # a page that is left drops its open streams


@dataclass
class Eye:
    """What went wrong in the pages it watches; each screen's name is a picture's name."""

    axe: Callable[[Any], list[str]]
    sideways: Callable[[Any], int]
    folder: Path = PICTURES
    oddities: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def watch(self, page: Any) -> Any:
        """Note from now on what goes wrong in this page, its frames and the pages it opens."""
        context = page.context
        context.on("weberror", lambda fault: self.oddities.append(str(fault.error)))
        context.on("console", self._said)
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)
        return page

    def sees(self, page: Any, name: str, frame: Any = None) -> None:
        """Judge one screen; with `frame`, the page shown inside it."""
        seen = frame or page
        self.folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=self.folder / f"{name}.png", full_page=frame is None)
        self.oddities += [f"{name}: {finding}" for finding in self.axe(seen)]
        for part in {page, seen}:
            if beyond := self.sideways(part):
                self.oddities.append(f"{name}: {beyond} px too wide")

    def _said(self, line: Any) -> None:
        # A refused call is noted by its answer, with its address.
        if line.type == "error" and "Failed to load resource" not in line.text:
            self.oddities.append(line.text)

    def _failed(self, request: Any) -> None:
        if request.failure != LEFT_BEHIND:
            self.oddities.append(f"{request.method} {request.url}: {request.failure}")

    def _answered(self, answer: Any) -> None:
        if answer.status >= 400:
            path = answer.url.split("://", 1)[1].partition("/")[2].partition("?")[0]
            self.refusals.append(f"{answer.status} {answer.request.method} /{path}")
