"""The clock of the event bus, which control calls move forward."""

import time

HOUR_MS = 3_600_000


class BusClock:
    """Milliseconds since 1970, and the hours that were added to them."""

    def __init__(self) -> None:
        self.hours = 0.0

    def now(self) -> int:
        """The time by which events grow old."""
        return time.time_ns() // 1_000_000 + int(self.hours * HOUR_MS)

    def forward(self, hours: float) -> None:
        """Let time pass."""
        self.hours += hours

    def clear(self) -> None:
        """Go back to the real time."""
        self.hours = 0.0
