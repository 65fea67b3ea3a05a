"""API requests counted over a rolling day, as `Sforce-Limit-Info` and `/limits` show them."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

DAY_SECONDS = 24 * 3600
SLOT_SECONDS = 60
# The allocation of an org of about two hundred users; small ones get 15,000.
DAILY_REQUESTS = 1_000_000


class Usage:
    """Requests of the last 24 hours against the allocation of the org."""

    def __init__(
        self, allowed: int = DAILY_REQUESTS, clock: Callable[[], float] = time.time
    ) -> None:
        self.allowed = allowed
        self._clock = clock
        self._slots: deque[list[int]] = deque()
        self._used = 0

    @property
    def used(self) -> int:
        """Requests of the last 24 hours."""
        oldest = int(self._clock() - DAY_SECONDS) // SLOT_SECONDS
        while self._slots and self._slots[0][0] < oldest:
            self._used -= self._slots.popleft()[1]
        return self._used

    @property
    def is_spent(self) -> bool:
        """Whether the allocation is used up."""
        return self.used >= self.allowed

    def count(self, requests: int = 1) -> None:
        """Count requests that were answered."""
        slot = int(self._clock()) // SLOT_SECONDS
        if not self._slots or self._slots[-1][0] != slot:
            self._slots.append([slot, 0])
        self._slots[-1][1] += requests
        self._used += requests

    def clear(self) -> None:
        """Start counting anew."""
        self._slots.clear()
        self._used = 0

    def header(self) -> str:
        """The value of `Sforce-Limit-Info`."""
        return f"api-usage={self.used}/{self.allowed}"

    def limits(self) -> dict[str, Any]:
        """The answer of `GET /limits`, for the allocations that exist here."""
        return {
            "DailyApiRequests": {"Max": self.allowed, "Remaining": self.allowed - self.used},
            "DailyBulkApiBatches": {"Max": 15000, "Remaining": 15000},
            "DailyBulkV2QueryJobs": {"Max": 10000, "Remaining": 10000},
            "DailyDurableStreamingApiEvents": {"Max": 10000, "Remaining": 10000},
            "DailyDeliveredPlatformEvents": {"Max": 25000, "Remaining": 25000},
            "DataStorageMB": {"Max": 10240, "Remaining": 10240},
        }
