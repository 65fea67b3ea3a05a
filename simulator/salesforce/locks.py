"""Row locks between calls: writes to the children of one account wait for each other.

One call is worked off at a time here, so that nothing ever truly waits. Instead every writing call
is said to last for a while after its work: its answer is held back so long, and another call that
needs one of its rows waits on top of that, or is refused where it would wait too long.
"""

import time
from collections.abc import Callable, Iterable

from simulator.salesforce.errors import Refusal
from simulator.salesforce.ids import SHORT
from simulator.salesforce.store import Row
from simulator.salesforce.switches import Switches

# Ended locks are swept out when so many have gathered.
MANY = 10_000


class RowLocks:
    """The rows that calls hold, with the time (monotonic) until which they do."""

    def __init__(self, switches: Switches, clock: Callable[[], float] = time.monotonic) -> None:
        self.switches = switches
        self.clock = clock
        self.until: dict[str, float] = {}

    def begin(self) -> "CallLocks | None":
        """The locks of a new call; None where the org is set up without them."""
        return CallLocks(self) if self.switches.row_locks else None

    def clear(self) -> None:
        """Let go of all rows."""
        self.until.clear()


class CallLocks:
    """The rows that one call takes."""

    def __init__(self, locks: RowLocks) -> None:
        self._locks = locks
        self._taken: set[str] = set()
        self._wait = 0.0

    def take(self, row: Row, old: Row | None) -> None:
        """Take what a write of a row needs, or refuse the write."""
        for row_id in _needed(row, old):
            if row_id in self._taken:
                continue
            wait = self._locks.until.get(row_id, 0.0) - self._locks.clock()
            if wait * 1000 > self._locks.switches.lock_wait_ms:
                raise Refusal(
                    "UNABLE_TO_LOCK_ROW",
                    "unable to obtain exclusive access to this record or 1 records: "
                    f"{row_id[:SHORT]}",
                    [],
                )
            self._taken.add(row_id)
            self._wait = max(self._wait, wait)

    def settle(self) -> float:
        """Hold what was taken for as long as the call lasts; gives those seconds."""
        if not self._taken:
            return 0.0
        now, until = self._locks.clock(), self._locks.until
        lasts = self._wait + self._locks.switches.lock_hold_ms / 1000
        if len(until) > MANY:
            self._locks.until = until = {k: end for k, end in until.items() if end > now}
        until.update(dict.fromkeys(self._taken, now + lasts))
        return lasts


def _needed(row: Row, old: Row | None) -> Iterable[str]:
    """The row itself where it exists, and the accounts that it belongs to now and before."""
    needed = {row.get("AccountId"), None if old is None else old.get("AccountId")}
    if old is not None:
        needed.add(row["Id"])
    return sorted(filter(None, needed))
