"""`Subscribe`: a topic from a place that the client keeps."""

from collections.abc import Iterator

from simulator.salesforce.eventbus.pubsub_api_pb2 import (
    CUSTOM,
    EARLIEST,
    ConsumerEvent,
    FetchRequest,
    FetchResponse,
)
from simulator.salesforce.pubsub.cursor import Cursor
from simulator.salesforce.pubsub.delivery import Delivery
from simulator.salesforce.pubsub.refusals import (
    replay_id_corrupted,
    replay_id_missing,
    topic_changed,
)
from simulator.salesforce.pubsub.rpc import Rpc
from simulator.salesforce.pubsub.streams import OpenStream
from simulator.salesforce.pubsub.topics import subscribable

EXPIRE_REPLAY = "expire_replay"


def subscription(stream: OpenStream[FetchRequest], first: FetchRequest) -> Iterator[FetchResponse]:
    """Serve what the first request of a stream asks for."""
    topic = subscribable(stream.rpc, first.topic_name).name
    cursor = Cursor(stream.rpc.org.events, topic, _place(stream.rpc, first))
    return Subscription(stream, topic, cursor).responses(first)


class Subscription(Delivery[FetchRequest, FetchResponse]):
    """One stream of `Subscribe`."""

    def hear(self, request: FetchRequest) -> Iterator[FetchResponse]:
        """Take note of what the client asks for; of a later request only the number counts."""
        if request.topic_name not in {"", self.topic}:
            raise topic_changed(self.topic, request.topic_name)
        self.ask(request.num_requested)
        yield from ()

    def response(self, events: list[ConsumerEvent]) -> FetchResponse:
        """The message of `Subscribe`."""
        return FetchResponse(
            events=events,
            latest_replay_id=self.cursor.latest,
            rpc_id=self._rpc.id,
            pending_num_requested=self.pending,
        )


def _place(rpc: Rpc, first: FetchRequest) -> bytes | None:
    if first.replay_preset == CUSTOM:
        if not first.replay_id:
            raise replay_id_missing()
        if rpc.take({EXPIRE_REPLAY}):
            raise replay_id_corrupted()
        return first.replay_id
    if first.replay_preset == EARLIEST:
        return None
    return rpc.org.events.latest(first.topic_name)
