"""The loop of a subscription: events as far as the client asks, and signs of life between."""

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Generic, TypeVar

from simulator.salesforce.eventbus.pubsub_api_pb2 import ConsumerEvent, ProducerEvent
from simulator.salesforce.events.bus import AllowanceSpent, BusEvent
from simulator.salesforce.pubsub.cursor import Cursor
from simulator.salesforce.pubsub.refusals import allowance_spent, bad_demand
from simulator.salesforce.pubsub.streams import OpenStream

MOST_REQUESTED = 100
REORDER, DUPLICATE = "reorder_events", "duplicate_events"

Request = TypeVar("Request")
Response = TypeVar("Response")


class Delivery(ABC, Generic[Request, Response]):
    """Serves one subscription; the kinds of subscription differ in their messages."""

    def __init__(self, stream: OpenStream[Request], topic: str, cursor: Cursor) -> None:
        self.topic = topic
        self.cursor = cursor
        # Events that the client asked for and did not get yet.
        self.pending = 0
        self._stream = stream
        self._rpc = stream.rpc
        self._bus = stream.rpc.org.events
        self._switches = stream.rpc.org.switches
        self._last_sign = time.monotonic()

    @abstractmethod
    def hear(self, request: Request) -> Iterator[Response]:
        """Do what a request asks, and give what answers it at once."""

    @abstractmethod
    def response(self, events: list[ConsumerEvent]) -> Response:
        """The message that carries these events; without any it is a sign of life."""

    def ask(self, requested: int) -> None:
        """The client is ready for so many more events."""
        if not 1 <= requested <= MOST_REQUESTED:
            raise bad_demand(requested)
        self.pending += requested
        self._last_sign = time.monotonic()

    def responses(self, first: Request) -> Iterator[Response]:
        """Everything the client is sent until either side ends."""
        yield from self.hear(first)
        while True:
            known = self._stream.rung
            while (request := self._stream.take()) is not None:
                yield from self.hear(request)
            events = self._next_events()
            if events or (self.pending and self._patience() <= 0):
                self._last_sign = time.monotonic()
                self._rpc.answer(len(events))
                yield self.response([_message(event) for event in events])
            elif not self.pending and (self._stream.is_half_closed or self._patience() <= 0):
                return
            else:
                self._stream.wait(known, self._patience())

    def _next_events(self) -> list[BusEvent]:
        if not self.pending:
            return []
        is_repeat = self.cursor.is_repeating
        events = self.cursor.take(min(self.pending, MOST_REQUESTED))
        if not events:
            return []
        if self._rpc.take({REORDER}, lambda _: len(events) > 1):
            events = _reordered(events)
        if self._rpc.take({DUPLICATE}, lambda _: not is_repeat):
            self.cursor.repeat(events)
        try:
            self._bus.deliver(self.topic, events)
        except AllowanceSpent:
            raise allowance_spent() from None
        self.pending -= len(events)
        return events

    def _patience(self) -> float:
        """Seconds until a sign of life is due, or an idle stream is closed."""
        switches = self._switches
        quiet = switches.keepalive_seconds if self.pending else switches.stream_idle_seconds
        return self._last_sign + quiet - time.monotonic()


def _message(event: BusEvent) -> ConsumerEvent:
    inside = ProducerEvent(id=event.id, schema_id=event.schema_id, payload=event.payload)
    return ConsumerEvent(event=inside, replay_id=event.replay_id)


def _reordered(events: list[BusEvent]) -> list[BusEvent]:
    """The events in an order that is not theirs."""
    mixed = random.sample(events, len(events))
    return mixed if mixed != events else [*events[1:], events[0]]
