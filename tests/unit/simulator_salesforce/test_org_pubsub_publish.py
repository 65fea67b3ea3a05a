"""Platform events that come from outside over gRPC."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import orjson
import pytest
from fastavro import parse_schema, schemaless_writer
from grpc import StatusCode

from simulator.salesforce.eventbus import pubsub_api_pb2 as api
from simulator.salesforce.org import SalesforceOrg

from .subscriber import LEADS, Subscriber, refused
from .test_org_event_bus import ORDERS, invent

NOW = 1_795_898_366_548


@pytest.fixture
def schema_id(org: SalesforceOrg) -> str:
    """The schema of the platform event `Order__e`, which is made with it."""
    invent(org)
    return org.events.topic(ORDERS).schema_id


def order(org: SalesforceOrg, schema_id: str, number: str, event_id: str = "") -> Any:
    """An order as a client writes it."""
    user = org.user(org.credentials.agent.username)["Id"]
    datum = {"CreatedDate": NOW, "CreatedById": user, "Number__c": number}
    content = BytesIO()
    schema = orjson.loads(org.events.schema(schema_id) or "")
    schemaless_writer(content, parse_schema(schema), datum)
    return api.ProducerEvent(id=event_id, schema_id=schema_id, payload=content.getvalue())


def test_a_published_event_reaches_subscribers(
    subscriber: Subscriber, org: SalesforceOrg, schema_id: str
) -> None:
    assert subscriber.topic(ORDERS).can_publish
    stream = subscriber.subscribe(topic_name=ORDERS)
    assert not stream.next().events
    answer = subscriber.publish(ORDERS, [order(org, schema_id, "A1", "mine")])
    (event,) = stream.events(1)
    assert answer.results[0].correlation_key == event.event.id == "mine"
    assert answer.results[0].replay_id == event.replay_id
    assert subscriber.decoded(event)["Number__c"] == "A1"


def test_one_bad_event_does_not_stop_the_others(
    subscriber: Subscriber, org: SalesforceOrg, schema_id: str
) -> None:
    bad = [
        api.ProducerEvent(id="schema", schema_id="other", payload=b"x"),
        api.ProducerEvent(id="avro", schema_id=schema_id, payload=b"x"),
        api.ProducerEvent(id="large", schema_id=schema_id, payload=b"x" * (1 << 20) + b"x"),
    ]
    bad[1].payload += order(org, schema_id, "A1").payload
    answer = subscriber.publish(ORDERS, [*bad, order(org, schema_id, "A1", "good")])
    told = {each.correlation_key: each.HasField("error") for each in answer.results}
    assert told == {"schema": True, "avro": True, "large": True, "good": False}
    assert [call["records"] for call in org.calls.since(0)] == [1]


def test_change_events_come_from_the_org_alone(subscriber: Subscriber) -> None:
    with refused() as told:
        subscriber.publish(LEADS, [api.ProducerEvent(id="x")])
    assert told[0] == StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("count", [0, 201])
def test_a_batch_has_1_to_200_events(subscriber: Subscriber, schema_id: str, count: int) -> None:
    with refused() as told:
        subscriber.publish(ORDERS, [api.ProducerEvent(schema_id=schema_id)] * count)
    assert told[0] == StatusCode.INVALID_ARGUMENT


def test_a_request_of_more_than_4_mb_is_refused(subscriber: Subscriber, schema_id: str) -> None:
    large = api.ProducerEvent(schema_id=schema_id, payload=b"x" * (1 << 20))
    with refused() as told:
        subscriber.publish(ORDERS, [large] * 4)
    assert told[0] == StatusCode.RESOURCE_EXHAUSTED


def test_a_stream_publishes_batch_by_batch(
    subscriber: Subscriber, org: SalesforceOrg, schema_id: str
) -> None:
    one = order(org, schema_id, "A1")
    stream = subscriber.publish_stream(api.PublishRequest(topic_name=ORDERS, events=[one]))
    assert len(stream.next().results) == 1
    stream.say(api.PublishRequest(events=[one, one]))
    assert [bool(each.replay_id) for each in stream.next().results] == [True, True]
    stream.say(api.PublishRequest(topic_name=LEADS, events=[one]))
    assert stream.ending().code() == StatusCode.INVALID_ARGUMENT
    assert [call["records"] for call in org.calls.since(0)] == [3]


def test_a_stream_of_publications_that_falls_silent_is_closed(
    subscriber: Subscriber, org: SalesforceOrg, schema_id: str
) -> None:
    org.switch({"stream_idle_seconds": 0.1})
    one = order(org, schema_id, "A1")
    stream = subscriber.publish_stream(api.PublishRequest(topic_name=ORDERS, events=[one]))
    assert [len(each.results) for each in stream.call] == [1]


def test_an_answer_lost_on_the_way_does_not_undo_the_publication(
    subscriber: Subscriber, org: SalesforceOrg, schema_id: str
) -> None:
    org.board.add({"fault": "reset_after_commit", "match": {"path": "*/Publish"}, "times": 1})
    with refused() as told:
        subscriber.publish(ORDERS, [order(org, schema_id, "A1")])
    assert told == [StatusCode.UNAVAILABLE, ""]
    stream = subscriber.subscribe(topic_name=ORDERS, replay_preset=api.EARLIEST)
    assert len(stream.events(1)) == 1
