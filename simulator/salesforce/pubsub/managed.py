"""`ManagedSubscribe`: a topic from a place that the org keeps, as the client commits it."""

import time
from collections.abc import Iterator

from simulator.salesforce.eventbus.pubsub_api_pb2 import (
    COMMIT,
    CommitReplayRequest,
    CommitReplayResponse,
    ConsumerEvent,
    Error,
    ManagedFetchRequest,
    ManagedFetchResponse,
)
from simulator.salesforce.events.bus import CorruptedReplayId, EventBus
from simulator.salesforce.pubsub.cursor import Cursor
from simulator.salesforce.pubsub.delivery import Delivery
from simulator.salesforce.pubsub.managed_subscriptions import EARLIEST, ManagedSubscription
from simulator.salesforce.pubsub.refusals import subscription_changed, subscription_not_found
from simulator.salesforce.pubsub.rpc import Rpc
from simulator.salesforce.pubsub.streams import OpenStream
from simulator.salesforce.pubsub.topics import subscribable


def managed_subscription(
    stream: OpenStream[ManagedFetchRequest], first: ManagedFetchRequest
) -> Iterator[ManagedFetchResponse]:
    """Serve the subscription that the first request of a stream names."""
    named = _found(stream.rpc, first)
    subscribable(stream.rpc, named.topic)
    return ManagedDelivery(stream, named).responses(first)


class ManagedDelivery(Delivery[ManagedFetchRequest, ManagedFetchResponse]):
    """One stream of `ManagedSubscribe`."""

    def __init__(
        self, stream: OpenStream[ManagedFetchRequest], subscription: ManagedSubscription
    ) -> None:
        bus = stream.rpc.org.events
        cursor = Cursor(bus, subscription.topic, _place(bus, subscription))
        super().__init__(stream, subscription.topic, cursor)
        self._subscription = subscription

    def hear(self, request: ManagedFetchRequest) -> Iterator[ManagedFetchResponse]:
        """Take note of what the client asks for, and commit the place it names."""
        is_named = request.subscription_id or request.developer_name
        if is_named and _found(self._rpc, request) is not self._subscription:
            raise subscription_changed(self._subscription.developer_name)
        commits = request.HasField("commit_replay_id_request")
        if request.num_requested or not commits:
            self.ask(request.num_requested)
        if commits:
            committed = self._commit(request.commit_replay_id_request)
            self._rpc.answer(0)
            answer = self.response([])
            answer.commit_response.CopyFrom(committed)
            yield answer

    def response(self, events: list[ConsumerEvent]) -> ManagedFetchResponse:
        """The message of `ManagedSubscribe`."""
        return ManagedFetchResponse(
            events=events,
            latest_replay_id=self.cursor.latest,
            rpc_id=self._rpc.id,
            pending_num_requested=self.pending,
        )

    def _commit(self, request: CommitReplayRequest) -> CommitReplayResponse:
        told = CommitReplayResponse(
            commit_request_id=request.commit_request_id,
            replay_id=request.replay_id,
            process_time=time.time_ns() // 1_000_000,
        )
        try:
            self._bus.after(self.topic, request.replay_id, 1)
        except CorruptedReplayId as problem:
            told.error.CopyFrom(Error(code=COMMIT, msg=str(problem)))
        else:
            self._subscription.committed = request.replay_id
        return told


def _found(rpc: Rpc, request: ManagedFetchRequest) -> ManagedSubscription:
    known = rpc.org.managed_subscriptions
    found = known.find(request.subscription_id, request.developer_name)
    if found is None:
        raise subscription_not_found(request.subscription_id or request.developer_name)
    return found


def _place(bus: EventBus, subscription: ManagedSubscription) -> bytes | None:
    """Where a subscription goes on; when its place is gone, where it is set to recover."""
    replay = subscription.default_replay
    if subscription.committed is not None:
        try:
            bus.after(subscription.topic, subscription.committed, 1)
        except CorruptedReplayId:
            replay = subscription.error_recovery_replay
        else:
            return subscription.committed
    return None if replay == EARLIEST else bus.latest(subscription.topic)
