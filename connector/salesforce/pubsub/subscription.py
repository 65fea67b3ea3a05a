"""One subscription to one topic: asks for events as they are stored, never for more.

Responses are read by a thread of their own into a queue that flow control keeps short, so that
its reader can also look at the clock.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from connector.salesforce.eventbus import pubsub_api_pb2 as messages
from connector.salesforce.eventbus import pubsub_api_pb2_grpc as stubs
from connector.salesforce.pubsub.endings import ended
from connector.salesforce.pubsub.events import ChangeEvent, Decoder
from connector.salesforce.signin import Grant

MOST = 100  # events that may be asked for and not yet told
_CALL_SECONDS = 15.0
_OPTIONS = (
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
)


@dataclass(frozen=True)
class PubSubAccess:
    """Where the Pub/Sub API answers; `ca_file` a path, None for the usual certificates."""

    endpoint: str
    tls: bool = True
    ca_file: str | None = None


@dataclass(frozen=True)
class Batch:
    """One response: its events in order, the newest id of the topic, and what is still owed to us."""

    events: tuple[ChangeEvent, ...]
    latest: bytes
    pending: int


class PubSub:
    """The Pub/Sub API of one org. Schemas are kept by id: an id always means the same schema."""

    def __init__(self, access: PubSubAccess, grant: Callable[[Grant | None], Grant]) -> None:
        self._access = access
        self._grant = grant
        self._channel: grpc.Channel | None = None
        self._lock = threading.Lock()
        self._decoders: dict[str, Decoder] = {}

    def subscribe(
        self, topic: str, place: bytes | None, stale: Grant | None = None
    ) -> Subscription:
        """Begin after `place`, or at the topic's end where there is none.

        Raises `StreamEnded` and, where signing in fails, `CallFailed`. `stale` is a grant that the org
        no longer took.
        """
        grant = self._grant(stale)
        stub: Any = stubs.PubSubStub(self._connected())  # type: ignore[no-untyped-call]
        return Subscription(self, stub, grant, topic, place)

    def decoder(self, stub: Any, grant: Grant, schema_id: str) -> Decoder:
        """The decoder of a schema, asked for once."""
        known = self._decoders.get(schema_id)
        if known is None:
            request = messages.SchemaRequest(schema_id=schema_id)
            told = stub.GetSchema(request, metadata=metadata(grant), timeout=_CALL_SECONDS)
            known = self._decoders[schema_id] = Decoder(told.schema_json)
        return known

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            if self._channel is not None:
                self._channel.close()
                self._channel = None

    def _connected(self) -> grpc.Channel:
        with self._lock:
            if self._channel is None:
                self._channel = self._open()
            return self._channel

    def _open(self) -> grpc.Channel:
        if not self._access.tls:
            return grpc.insecure_channel(self._access.endpoint, _OPTIONS)
        ca = Path(self._access.ca_file).read_bytes() if self._access.ca_file else None
        return grpc.secure_channel(
            self._access.endpoint, grpc.ssl_channel_credentials(ca), _OPTIONS
        )


@dataclass
class Subscription:
    """A running Subscribe call."""

    bus: PubSub
    stub: Any
    grant: Grant
    topic: str
    place: bytes | None
    _asks: queue.SimpleQueue[messages.FetchRequest | None] = field(
        default_factory=queue.SimpleQueue
    )
    _told: queue.SimpleQueue[Batch | Exception] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        self.ask(MOST)
        self._call = self.stub.Subscribe(
            iter(self._asks.get, None), metadata=metadata(self.grant), wait_for_ready=False
        )
        threading.Thread(target=self._listen, name=f"topic {self.topic}", daemon=True).start()

    def next(self, seconds: float) -> Batch | None:
        """The next response, or None when none came in time. Raises `StreamEnded`."""
        try:
            told = self._told.get(timeout=seconds)
        except queue.Empty:
            return None
        if isinstance(told, Exception):
            raise told
        return told

    def ask(self, number: int) -> None:
        """Ask for more events; topic and place count in the first ask only."""
        request = messages.FetchRequest(topic_name=self.topic, num_requested=number)
        if self.place is not None:
            request.replay_preset = messages.CUSTOM
            request.replay_id = self.place
        self._asks.put(request)

    def end(self) -> None:
        """End the call; what was told and not taken is told again next time."""
        self._asks.put(None)
        self._call.cancel()

    def _listen(self) -> None:
        try:
            for response in self._call:
                self._told.put(self._batch(response))
            self._told.put(ended(grpc.RpcError()))  # the org closed a stream that we want open
        except grpc.RpcError as error:
            self._told.put(ended(error))
        except Exception as error:  # noqa: BLE001 - told to the reader, whose thread it concerns
            self._told.put(error)

    def _batch(self, response: messages.FetchResponse) -> Batch:
        return Batch(
            tuple(self._decoded(response)),
            response.latest_replay_id,
            response.pending_num_requested,
        )

    def _decoded(self, response: messages.FetchResponse) -> Iterator[ChangeEvent]:
        for each in response.events:
            decoder = self.bus.decoder(self.stub, self.grant, each.event.schema_id)
            yield decoder.event(each.event.payload, each.replay_id)


def metadata(grant: Grant) -> tuple[tuple[str, str], ...]:
    """What every call says of itself (Pub/Sub API, "Authentication")."""
    return (
        ("accesstoken", grant.token),
        ("instanceurl", grant.instance_url),
        ("tenantid", grant.organization_id),
    )
