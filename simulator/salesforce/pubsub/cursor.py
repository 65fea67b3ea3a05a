"""A place in a topic that moves on as a client asks for events."""

from collections import deque

from simulator.salesforce.events.bus import BusEvent, CorruptedReplayId, EventBus
from simulator.salesforce.pubsub.refusals import replay_id_corrupted

# gRPC clients take messages of up to 4 MB.
MESSAGE_BYTES = 3 << 20


class Cursor:
    """One client's way through a topic; `place` None begins with the oldest event kept."""

    def __init__(self, bus: EventBus, topic: str, place: bytes | None) -> None:
        self._bus = bus
        self._topic = topic
        self._place = place
        self._again: deque[BusEvent] = deque()
        # What a client may store once it has handled all it got; nothing precedes the oldest.
        self.latest = place or b""

    @property
    def is_repeating(self) -> bool:
        """Whether the next events are some that were given before."""
        return bool(self._again)

    def take(self, most: int) -> list[BusEvent]:
        """The next events: no more than so many, and than one message carries."""
        if self._again:
            return [self._again.popleft() for _ in range(min(most, len(self._again)))]
        newest = self._bus.latest(self._topic)
        events = self._read(most)
        if events:
            # Siblings may be cut apart: the stream goes on between them, a new one behind them.
            self._place, self.latest = events[-1].place, events[-1].replay_id
        else:
            # Up to here there is nothing, and a place that moves on never becomes too old.
            self._place = self.latest = newest
        return events

    def repeat(self, events: list[BusEvent]) -> None:
        """Give these once more, before anything new."""
        self._again.extend(events)

    def _read(self, most: int) -> list[BusEvent]:
        try:
            found = self._bus.after(self._topic, self._place, most)
        except CorruptedReplayId:
            raise replay_id_corrupted() from None
        size = 0
        for count, event in enumerate(found):
            size += len(event.payload)
            if count and size > MESSAGE_BYTES:
                return found[:count]
        return found
