"""Group commit: while one insert is under way the next deliveries gather, and go in together.

A delivery's future is done once its events are committed, so an answer of 200 means stored.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

import sqlalchemy as sa
import structlog

from connector.line.accounts import OfficialAccount
from connector.line.events import Delivery

MOST_EVENTS = 500
Signed: TypeAlias = tuple[OfficialAccount, Delivery]
Save: TypeAlias = Callable[[Sequence[Signed]], int]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Waiting:
    delivery: Signed
    stored: asyncio.Future[None]


class GroupCommit:
    """Stores deliveries together, in one thread, in the order they came."""

    def __init__(self, save: Save) -> None:
        self._save = save
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()

    async def store(self, account: OfficialAccount, delivery: Delivery) -> None:
        """Return once every event of the delivery is committed."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting((account, delivery), stored))
        self._arrived.set()
        await stored

    async def run(self) -> None:
        """Store what arrives until cancelled."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "intake") as thread:
            while True:
                await self._arrived.wait()
                batch = self._take()
                outcomes = await loop.run_in_executor(thread, self._save_all, batch)
                for one, trouble in zip(batch, outcomes, strict=True):
                    _settle(one.stored, trouble)

    def _take(self) -> list[_Waiting]:
        batch, events = [], 0
        while self._waiting and events < MOST_EVENTS:
            one = self._waiting.popleft()
            batch.append(one)
            events += len(one.delivery[1].events)
        if not self._waiting:
            self._arrived.clear()
        return batch

    def _save_all(self, batch: Sequence[_Waiting]) -> list[Exception | None]:
        """What went wrong for each: nothing, most of the time."""
        deliveries = [one.delivery for one in batch]
        trouble = self._tried(deliveries)
        if trouble is None or len(batch) == 1 or _is_down(trouble):
            return [trouble] * len(batch)
        # One delivery that the database refuses must not take the others with it.
        return [self._tried([delivery]) for delivery in deliveries]

    def _tried(self, deliveries: Sequence[Signed]) -> Exception | None:
        trouble = self._once(deliveries)
        # A restarted server or a deadlock: storing again stores nothing twice.
        return self._once(deliveries) if trouble and _is_down(trouble) else trouble

    def _once(self, deliveries: Sequence[Signed]) -> Exception | None:
        try:
            self._save(deliveries)
        except Exception as trouble:  # noqa: BLE001 - becomes the answer of each request
            _log.warning(
                "deliveries_not_stored", count=len(deliveries), error=type(trouble).__name__
            )
            return trouble
        return None


def _is_down(trouble: Exception) -> bool:
    return isinstance(
        trouble, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.TimeoutError
    )


def _settle(stored: asyncio.Future[None], trouble: Exception | None) -> None:
    with suppress(asyncio.InvalidStateError):  # who asked may have left
        if trouble is None:
            stored.set_result(None)
        else:
            stored.set_exception(trouble)
