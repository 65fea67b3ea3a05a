"""Whose message is read next: everybody's first before anybody's hundredth.

Each sender has a clock that runs ahead by one step with every message (start-time fair queueing), so a
flood queues behind itself. The clocks are kept in memory: a process that starts anew forgets who
was far ahead, which costs the others a moment and nobody a message (decision 16).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

STEP = timedelta(milliseconds=50)
_MOST = 100_000


class Turns:
    """The turns of what one process takes in."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._ahead: OrderedDict[str, datetime] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, sender: str | None) -> datetime:
        """The turn of a message that has just come; without a sender it is now."""
        now = self._clock()
        if sender is None:
            return now
        with self._lock:
            turn = max(now, self._ahead.pop(sender, now))
            self._ahead[sender] = turn + STEP
            if len(self._ahead) > _MOST:
                self._ahead.popitem(last=False)
            return turn
