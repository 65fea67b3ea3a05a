"""`Publish` and `PublishStream`: custom platform events that come from outside."""

from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from typing import Any
from uuid import uuid4

import orjson
from fastavro import schemaless_reader
from fastavro.schema import parse_schema

from simulator.salesforce.eventbus.pubsub_api_pb2 import (
    PUBLISH,
    Error,
    ProducerEvent,
    PublishRequest,
    PublishResponse,
    PublishResult,
)
from simulator.salesforce.events.bus import Topic
from simulator.salesforce.pubsub.refusals import bad_batch, topic_changed
from simulator.salesforce.pubsub.rpc import Rpc
from simulator.salesforce.pubsub.streams import OpenStream
from simulator.salesforce.pubsub.topics import publishable

MOST_EVENTS = 200
EVENT_BYTES = 1 << 20
REQUEST_BYTES = 4 << 20


def published(rpc: Rpc, request: PublishRequest) -> PublishResponse:
    """Publish a batch; an event that cannot be published fails alone."""
    topic = publishable(rpc, request.topic_name)
    if not 1 <= len(request.events) <= MOST_EVENTS:
        raise bad_batch(f"Publish 1 to {MOST_EVENTS} events, not {len(request.events)}.")
    results = [_result(rpc, topic, event) for event in request.events]
    rpc.answer(sum(1 for result in results if result.replay_id))
    return PublishResponse(results=results, schema_id=topic.schema_id, rpc_id=rpc.id)


def publications(
    stream: OpenStream[PublishRequest], first: PublishRequest
) -> Iterator[PublishResponse]:
    """Publish batch by batch until either side ends, or the client falls silent."""
    rpc, topic = stream.rpc, first.topic_name
    request: PublishRequest | None = first
    while request is not None:
        if request.topic_name not in {"", topic}:
            raise topic_changed(topic, request.topic_name)
        yield published(rpc, PublishRequest(topic_name=topic, events=request.events))
        request = stream.next(rpc.org.switches.stream_idle_seconds)


def _result(rpc: Rpc, topic: Topic, event: ProducerEvent) -> PublishResult:
    bus = rpc.org.events
    problem = _problem(topic, event, bus.schema(topic.schema_id) or "")
    if problem is not None:
        return PublishResult(error=Error(code=PUBLISH, msg=problem), correlation_key=event.id)
    event_id = event.id or str(uuid4())
    replay_id = bus.publish(topic.name, event.schema_id, event.payload, event_id)
    return PublishResult(replay_id=replay_id, correlation_key=event_id)


def _problem(topic: Topic, event: ProducerEvent, schema: str) -> str | None:
    if len(event.payload) > EVENT_BYTES:
        return f"The event is larger than {EVENT_BYTES} bytes."
    if event.schema_id != topic.schema_id:
        return f"The schema {event.schema_id!r} is not that of the topic: {topic.schema_id}."
    content = BytesIO(event.payload)
    try:
        schemaless_reader(content, _parsed(schema), None)
    except Exception as problem:
        # What the library raises over bytes that are no Avro differs from one byte to the next.
        return f"The payload cannot be read by the schema of the topic: {problem!r}."
    return "The payload goes on behind its last field." if content.read(1) else None


@lru_cache
def _parsed(schema: str) -> Any:
    return parse_schema(orjson.loads(schema))
