"""A client of the Pub/Sub API: calls under one user, and streams that are asked step by step."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import grpc
import orjson
from fastavro import parse_schema, schemaless_reader

from simulator.salesforce.eventbus import pubsub_api_pb2 as api
from simulator.salesforce.eventbus.pubsub_api_pb2_grpc import PubSubStub

LEADS = "/data/LeadChangeEvent"
PATIENCE = 10


class Stream:
    """One open stream."""

    def __init__(self, method: Any, metadata: Any, first: Any) -> None:
        self._asked: queue.Queue[Any] = queue.Queue()
        self._asked.put(first)
        self.call = method(iter(self._asked.get, None), metadata=metadata, timeout=PATIENCE)

    def say(self, request: Any) -> None:
        """Send one more request."""
        self._asked.put(request)

    def hang_up(self) -> None:
        """Say nothing more, and go on listening."""
        self._asked.put(None)

    def next(self) -> Any:
        """The next response."""
        return next(self.call)

    def events(self, count: int) -> list[Any]:
        """So many events, through as many responses as they come in."""
        found: list[Any] = []
        while len(found) < count:
            found += self.next().events
        return found

    def ending(self) -> grpc.RpcError:
        """The error that the stream ends with."""
        try:
            for _ in self.call:
                pass
        except grpc.RpcError as error:
            return error
        raise AssertionError("the stream ended well")


class Subscriber:
    """The org as the agent sees it over gRPC."""

    def __init__(self, known: Mapping[str, Any], channel: grpc.Channel) -> None:
        self.stub: Any = PubSubStub(channel)  # type: ignore[no-untyped-call]
        self.metadata = {
            "accesstoken": known["access_token"],
            "instanceurl": known["instance_url"],
            "tenantid": known["organization_id"],
        }
        self._streams: list[Stream] = []

    def topic(self, name: str = LEADS, **metadata: str) -> Any:
        """What `GetTopic` answers."""
        given = tuple({**self.metadata, **metadata}.items())
        return self.stub.GetTopic(api.TopicRequest(topic_name=name), metadata=given)

    def decoded(self, event: Any) -> dict[str, Any]:
        """The content of a consumer event, by the schema that it names."""
        schema = self.stub.GetSchema(
            api.SchemaRequest(schema_id=event.event.schema_id), metadata=self.given
        )
        parsed = parse_schema(orjson.loads(schema.schema_json))
        return dict(schemaless_reader(BytesIO(event.event.payload), parsed, None))

    def publish(self, topic: str, events: list[Any]) -> Any:
        """What `Publish` answers."""
        return self.stub.Publish(
            api.PublishRequest(topic_name=topic, events=events), metadata=self.given
        )

    def subscribe(self, num_requested: int = 100, **first: Any) -> Stream:
        """A new subscription, to Leads unless told otherwise."""
        wanted = {"topic_name": LEADS, "num_requested": num_requested, **first}
        return self._open(self.stub.Subscribe, api.FetchRequest(**wanted))

    def subscribe_managed(self, num_requested: int = 100, **first: Any) -> Stream:
        """A new stream of a managed subscription."""
        request = api.ManagedFetchRequest(num_requested=num_requested, **first)
        return self._open(self.stub.ManagedSubscribe, request)

    def publish_stream(self, first: Any) -> Stream:
        """A new stream of publications."""
        return self._open(self.stub.PublishStream, first)

    def close(self) -> None:
        """End every stream."""
        for stream in self._streams:
            stream.hang_up()
            stream.call.cancel()

    @property
    def given(self) -> tuple[tuple[str, str], ...]:
        """The metadata of a call."""
        return tuple(self.metadata.items())

    def _open(self, method: Any, first: Any) -> Stream:
        self._streams.append(Stream(method, self.given, first))
        return self._streams[-1]


@contextmanager
def refused() -> Iterator[list[Any]]:
    """A call that must be refused: its status, and the end of its error code."""
    told: list[Any] = []
    try:
        yield told
    except grpc.RpcError as error:
        told += [error.code(), code_of(error)]
        return
    raise AssertionError("the call was answered")


def code_of(error: Any) -> str:
    """The error code of a trailer, without what all of them begin with."""
    trailers = dict(error.trailing_metadata() or ())
    return str(trailers.get("error-code", "")).removeprefix("sfdc.platform.eventbus.grpc.")
