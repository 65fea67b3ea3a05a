"""Room for request bodies: while there is none, a request waits unread, at the cost of a connection.

When PostgreSQL is slow, what has come waits for it. Bodies that waited in memory would grow with
the delay; bodies that are not read yet wait in the sender's socket and ours.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Room:
    """So many bytes, given in the order in which they are asked for."""

    def __init__(self, most: int) -> None:
        self._left = self._most = most
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def taken(self) -> int:
        """Bytes that are in use."""
        return self._most - self._left

    @asynccontextmanager
    async def of(self, size: int) -> AsyncIterator[None]:
        """Room for a body of at most `size` bytes, for the length of a block."""
        size = min(size, self._most)
        if self._waiting or size > self._left:
            await self._turn(size)
        else:
            self._left -= size
        try:
            yield
        finally:
            self._left += size
            self._admit()

    async def _turn(self, size: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # given and not used
                self._left += size
            self._admit()
            raise

    def _admit(self) -> None:
        while self._waiting and (
            self._waiting[0][1].cancelled() or self._waiting[0][0] <= self._left
        ):
            size, turn = self._waiting.popleft()
            if not turn.cancelled():
                self._left -= size
                turn.set_result(None)
