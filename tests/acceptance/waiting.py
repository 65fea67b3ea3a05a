"""Waiting for something to become true, never for time to pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

T = TypeVar("T")


class TooLong(AssertionError):
    """What was waited for did not happen in time."""


def until(look: Callable[[], T], what: str, seconds: float = 30, pause: float = 0.05) -> T:
    """The first truthy value of `look`; `TooLong` names what was waited for and what was seen."""
    deadline = time.monotonic() + seconds
    while True:
        if seen := look():
            return seen
        if time.monotonic() > deadline:
            raise TooLong(f"{what}: not within {seconds:g} s; last seen: {seen!r}")
        time.sleep(pause)


def now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)
