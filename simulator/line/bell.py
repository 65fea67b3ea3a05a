"""The bell: tells open pages that something changed."""

import asyncio
import contextlib


class Bell:
    """A version number that waiters sleep on; rung from the event loop's thread only."""

    def __init__(self) -> None:
        self.version = 0
        self._rung: asyncio.Event | None = None

    def ring(self) -> None:
        """Something changed."""
        self.version += 1
        if self._rung is not None:
            self._rung.set()
            self._rung = None

    async def after(self, version: int, seconds: float) -> int:
        """The version once it is beyond `version`, or as it is when `seconds` have passed."""
        if self.version > version:
            return self.version
        if self._rung is None:
            self._rung = asyncio.Event()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), seconds)
        return self.version
