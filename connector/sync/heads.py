"""Where a queue's live rows begin, as one process knows it.

What was claimed leaves dead entries at the head of the queue's index. They go by themselves, unless some
transaction that is older keeps them visible: then every claim would step over all of them. So a claim begins
where the last one of this process ended, a little before it, and now and then at the very beginning.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

_BEFORE = timedelta(seconds=1)  # a transaction that commits later may have begun earlier
_WHOLE_EVERY = 5.0

T = TypeVar("T")


class Heads:
    """The heads of some queues."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[Hashable, datetime] = {}
        self._whole_at: dict[Hashable, float] = {}

    def claim(
        self,
        queue: Hashable,
        take: Callable[[datetime | None], Sequence[T]],
        place: Callable[[T], datetime],
    ) -> Sequence[T]:
        """Take rows from the head on; where there is nothing behind it, from the beginning.

        `take` is given the moment to begin at, `place` tells a row's own.
        """
        since = self._since(queue)
        rows = take(since)
        if not rows and since is not None:
            rows, since = take(None), None
        self._note(queue, max(map(place, rows), default=None), whole=since is None)
        return rows

    def _since(self, queue: Hashable) -> datetime | None:
        with self._lock:
            known = self._known.get(queue)
            if known is None or self._clock() - self._whole_at[queue] > _WHOLE_EVERY:
                return None
            return known - _BEFORE

    def _note(self, queue: Hashable, place: datetime | None, *, whole: bool) -> None:
        with self._lock:
            if whole:
                self._whole_at[queue] = self._clock()
            if place is not None:
                self._known[queue] = place
            else:
                self._known.pop(queue, None)
