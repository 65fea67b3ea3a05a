"""What the bus keeps: events by stream, for 72 hours and up to a number."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge

from simulator.salesforce.events.clock import HOUR_MS
from simulator.salesforce.events.kept import Commit, Kept

KEPT_HOURS = 72
# A real bus has no such bound: it lets a million rows with their changes fit into 2 GiB.
MOST_KEPT = 1_000_000
# Trimming moves what is left, so that it waits until it is worth it.
TRIMMED_AT = MOST_KEPT * 11 // 10
LOOK_EVERY_MS = 60_000


class EventLog:
    """Events in the order of their commits. A stream is an object, or a platform event."""

    def __init__(self) -> None:
        self._streams: dict[str, list[Kept]] = {}
        self._commits: deque[Commit] = deque()
        self._kept = 0
        self._looked_at = 0
        # Numbers of the newest event, and of the newest that is not kept any more.
        self.last = 0
        self.lost = 0

    def add(self, commit: Commit, stream: str, events: Iterable[Kept]) -> None:
        """Keep events of one stream; commits come in order, each with all its streams."""
        if not self._commits or self._commits[-1] is not commit:
            self._commits.append(commit)
            self._kept += commit.count
            self.last = max(self.last, commit.last)
        self._streams.setdefault(stream, []).extend(events)

    def since(self, streams: Sequence[str], number: int) -> Iterator[Kept]:
        """The events of some streams from a number on, in order."""
        kept = [self._streams[each] for each in streams if each in self._streams]
        found = (_behind(events, bisect_left(events, number, key=_number)) for events in kept)
        return merge(*found, key=_number)

    def is_due(self, now: int) -> bool:
        """Whether it is time to look for events that are too old."""
        return self._kept > TRIMMED_AT or now - self._looked_at >= LOOK_EVERY_MS

    def purge(self, now: int) -> bool:
        """Let go of events that are too old or too many; whether there were any."""
        self._looked_at = now
        before, oldest = self.lost, now - KEPT_HOURS * HOUR_MS
        while self._commits and (self._commits[0].kept_at < oldest or self._kept > MOST_KEPT):
            gone = self._commits.popleft()
            self._kept -= gone.count
            self.lost = gone.last
        if self.lost == before:
            return False
        for name, events in list(self._streams.items()):
            del events[: bisect_right(events, self.lost, key=_number)]
            if not events:
                del self._streams[name]
        return True


def _behind(events: Sequence[Kept], place: int) -> Iterator[Kept]:
    """The events from a place on; `islice` would walk through all before it."""
    for at in range(place, len(events)):
        yield events[at]


def _number(event: Kept) -> int:
    return event.number
