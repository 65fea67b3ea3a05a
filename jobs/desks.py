"""How many threads of a worker one queue may hold, so that the others find a free one.

Wakes come faster than work is done. Were each given a thread, sending would hold them all for a whole
turn, and whoever waits for Salesforce would wait for messages that nobody is in a hurry for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Desk:
    """The places at one queue. Who finds them taken only says so, and one who has a place looks again."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken = 0
        self._asked = False
        self._lock = threading.Lock()

    def work(self, step: Callable[[], int], in_time: Callable[[], bool]) -> bool:
        """Repeat a step while it finds work; says whether there may be more, the time being over."""
        if not self._sit_down():
            return False
        seated = True
        try:
            while seated := self._goes_on(step()):
                if not in_time():
                    return True
        finally:
            if seated:
                self._stand_up()
        return False

    def _sit_down(self) -> bool:
        with self._lock:
            if self._taken == self._places:
                self._asked = True
                return False
            self._taken += 1
            return True

    def _goes_on(self, found: int) -> bool:
        """Look again for what came after a step had looked, or give up the place, in one move."""
        with self._lock:
            goes_on = bool(found) or self._asked
            self._asked = False
            self._taken -= not goes_on
            return goes_on

    def _stand_up(self) -> None:
        with self._lock:
            self._taken -= 1
