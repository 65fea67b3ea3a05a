"""Subscriptions over gRPC: topics, places in them, flow control, and how they end."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest
from grpc import StatusCode

from simulator.salesforce.eventbus import pubsub_api_pb2 as api
from simulator.salesforce.ids import mint
from simulator.salesforce.org import SalesforceOrg

from .stage import writing
from .subscriber import LEADS, Subscriber, code_of, refused

NOBODY = mint("00D", 1)


def leads(org: SalesforceOrg, count: int = 1) -> None:
    """Commit so many new Leads in one transaction."""
    with writing(org) as writer:
        for number in range(count):
            kind = org.schema.objects["Lead"]
            writer.create(kind, {"LastName": f"L{number}", "Company": "-"})


def test_a_topic_names_the_schema_of_its_events(subscriber: Subscriber) -> None:
    topic = subscriber.topic()
    assert (topic.topic_name, topic.can_subscribe, topic.can_publish) == (LEADS, True, False)
    request = api.SchemaRequest(schema_id=topic.schema_id)
    schema = subscriber.stub.GetSchema(request, metadata=subscriber.given)
    assert orjson.loads(schema.schema_json)["name"] == "LeadChangeEvent"


def test_unknown_topics_and_schemas_are_not_found(subscriber: Subscriber) -> None:
    with refused() as told:
        subscriber.topic("/data/NothingChangeEvent")
    assert told == [StatusCode.NOT_FOUND, "topic.not.found"]
    with refused() as told:
        subscriber.stub.GetSchema(api.SchemaRequest(schema_id="x"), metadata=subscriber.given)
    assert told == [StatusCode.NOT_FOUND, "schema.not.found"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"accesstoken": "00D!AQwrong"},
        {"accesstoken": ""},
        {"tenantid": NOBODY},
        {"tenantid": "core/eu1"},
        {"instanceurl": "https://example.com"},
    ],
)
def test_metadata_that_prove_nothing_are_refused(
    subscriber: Subscriber, wrong: dict[str, str]
) -> None:
    with refused() as told:
        subscriber.topic(**wrong)
    assert told == [StatusCode.UNAUTHENTICATED, "service.auth.error"]


def test_the_org_may_be_named_in_three_ways(subscriber: Subscriber, org: SalesforceOrg) -> None:
    known = org.organization_id
    for spelling in (known, known[:15], f"core/eu1/{known}"):
        assert subscriber.topic(tenantid=spelling).can_subscribe


def test_an_event_carries_what_was_committed(subscriber: Subscriber, org: SalesforceOrg) -> None:
    stream = subscriber.subscribe()
    assert not stream.next().events
    leads(org)
    (event,) = stream.events(1)
    content = subscriber.decoded(event)
    assert content["ChangeEventHeader"]["changeType"] == "CREATE"
    assert content["Company"] == "-"


def test_no_more_comes_than_was_asked_for(subscriber: Subscriber, org: SalesforceOrg) -> None:
    leads(org, 250)
    stream = subscriber.subscribe(3, replay_preset=api.EARLIEST)
    first = stream.next()
    assert (len(first.events), first.pending_num_requested) == (3, 0)
    stream.say(api.FetchRequest(num_requested=100))
    stream.say(api.FetchRequest(topic_name=LEADS, num_requested=50))
    assert len(stream.events(150)) == 150
    stream.say(api.FetchRequest(num_requested=100))
    rest = stream.next()
    assert (len(rest.events), rest.pending_num_requested) == (97, 3)


def test_a_subscription_goes_on_behind_a_stored_event(
    subscriber: Subscriber, org: SalesforceOrg
) -> None:
    leads(org, 5)
    events = subscriber.subscribe(5, replay_preset=api.EARLIEST).events(5)
    again = subscriber.subscribe(5, replay_preset=api.CUSTOM, replay_id=events[2].replay_id).events(
        2
    )
    assert [each.event.id for each in again] == [each.event.id for each in events[3:]]


def test_a_quiet_stream_gives_signs_of_life_that_can_be_stored(
    subscriber: Subscriber, org: SalesforceOrg
) -> None:
    leads(org)
    stream = subscriber.subscribe()
    signs = [stream.next(), stream.next()]
    assert [len(each.events) for each in signs] == [0, 0]
    leads(org, 2)
    stored = signs[-1].latest_replay_id
    stream = subscriber.subscribe(replay_preset=api.CUSTOM, replay_id=stored)
    assert len(stream.next().events) == 2


def test_siblings_that_share_a_replay_id_are_cut_apart_and_not_lost(
    subscriber: Subscriber, org: SalesforceOrg
) -> None:
    kind = org.schema.objects["Lead"]
    leads(org, 5)
    with writing(org) as writer:
        for row_id in list(org.store.tables["Lead"].rows):
            writer.update(kind, row_id, {"Title": "x"})
    channel = "/data/LINE_Connector__chn"
    stream = subscriber.subscribe(8, topic_name=channel, replay_preset=api.EARLIEST)
    told = stream.events(8)
    stream.say(api.FetchRequest(num_requested=2))
    told += stream.events(2)
    ids = [subscriber.decoded(each)["ChangeEventHeader"]["recordIds"] for each in told[5:]]
    assert len({each.replay_id for each in told[5:]}) == 1
    assert sorted(ids) == sorted([row_id] for row_id in org.store.tables["Lead"].rows)


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ({"num_requested": 0}, "subscription.fetch.requested.events.invalid"),
        ({"num_requested": 101}, "subscription.fetch.requested.events.invalid"),
        ({"replay_preset": api.CUSTOM}, "subscription.fetch.replayid.validation.failed"),
        (
            {"replay_preset": api.CUSTOM, "replay_id": b"\0" * 8},
            "subscription.fetch.replayid.corrupted",
        ),
    ],
)
def test_a_first_request_that_makes_no_sense_ends_the_stream(
    subscriber: Subscriber, org: SalesforceOrg, first: dict[str, Any], code: str
) -> None:
    leads(org)
    error = subscriber.subscribe(**first).ending()
    assert (error.code(), code_of(error)) == (StatusCode.INVALID_ARGUMENT, code)


def test_replay_ids_are_corrupted_once_their_events_are_gone(
    subscriber: Subscriber, org: SalesforceOrg
) -> None:
    leads(org, 2)
    (event, _) = subscriber.subscribe(2, replay_preset=api.EARLIEST).events(2)
    org.events.forward(73)
    error = subscriber.subscribe(replay_preset=api.CUSTOM, replay_id=event.replay_id).ending()
    assert code_of(error) == "subscription.fetch.replayid.corrupted"
    assert "The Replay ID validation failed. Ensure that the Replay ID is valid. rpcId: " in (
        error.details() or ""
    )


def test_a_stream_keeps_its_topic(subscriber: Subscriber) -> None:
    stream = subscriber.subscribe()
    stream.say(api.FetchRequest(topic_name="/data/CaseChangeEvent", num_requested=1))
    assert stream.ending().code() == StatusCode.INVALID_ARGUMENT


def test_an_object_that_the_user_may_not_see_has_no_events_for_him(
    subscriber: Subscriber, org: SalesforceOrg
) -> None:
    visit = {"label": "Visit", "plural": "Visits", "prefix": "a0V", "fields": {}}
    org.store.customize([{"object": "Visit__c", "definition": visit}])
    member = {"name": "m", "channel": "ChangeEvents", "event": "Visit__ChangeEvent"}
    org.store.change_channels([{"member": "m", "definition": member}])
    topic = "/data/Visit__ChangeEvent"
    assert org.events.topic(topic).can_subscribe
    with refused() as told:
        subscriber.topic(topic)
    assert told[0] == StatusCode.PERMISSION_DENIED


def test_a_stream_that_asks_for_nothing_is_closed(
    subscriber: Subscriber, org: SalesforceOrg
) -> None:
    org.switch({"stream_idle_seconds": 0.1})
    leads(org)
    stream = subscriber.subscribe(1, replay_preset=api.EARLIEST)
    assert [len(each.events) for each in stream.call] == [1]


def test_the_rest_still_comes_after_the_client_has_hung_up(
    subscriber: Subscriber, org: SalesforceOrg
) -> None:
    stream = subscriber.subscribe(2)
    assert not stream.next().events
    stream.hang_up()
    leads(org, 2)
    assert sum(len(each.events) for each in stream.call) == 2


def test_deliveries_end_with_the_allowance(subscriber: Subscriber, org: SalesforceOrg) -> None:
    org.switch({"event_allowance": 3})
    leads(org, 3)
    subscriber.subscribe(2, replay_preset=api.EARLIEST).events(2)
    error = subscriber.subscribe(2, replay_preset=api.EARLIEST).ending()
    assert error.code() == StatusCode.RESOURCE_EXHAUSTED
    assert code_of(error) == "subscription.limit.exceeded"


def test_only_so_many_streams_may_be_open(subscriber: Subscriber, org: SalesforceOrg) -> None:
    org.switch({"concurrent_streams": 1})
    subscriber.subscribe().next()
    error = subscriber.subscribe().ending()
    assert code_of(error) == "concurrent.client.limit.exceeded"


def test_a_stream_ends_with_the_session_behind_it(
    subscriber: Subscriber, org: SalesforceOrg
) -> None:
    stream = subscriber.subscribe()
    stream.next()
    org.accounts.end_session(subscriber.metadata["accesstoken"])
    error = stream.ending()
    assert (error.code(), code_of(error)) == (StatusCode.UNAUTHENTICATED, "service.auth.error")


def test_streams_stand_in_the_call_log_while_they_are_open(
    subscriber: Subscriber, org: SalesforceOrg
) -> None:
    leads(org, 3)
    stream = subscriber.subscribe(3, replay_preset=api.EARLIEST)
    stream.events(3)
    (call,) = org.calls.since(0)
    assert (call["method"], call["path"]) == ("GRPC", "/eventbus.v1.PubSub/Subscribe")
    assert (call["records"], call["status"]) == (3, 200)
    assert call["user_agent"].startswith("grpc-python")
    stream.say(api.FetchRequest(num_requested=101))
    stream.ending()
    assert [each["status"] for each in org.calls.since(0)] == [400]


def test_a_burst_reaches_a_waiting_stream_at_once(
    subscriber: Subscriber, org: SalesforceOrg
) -> None:
    stream = subscriber.subscribe()
    stream.next()
    org.switch({"keepalive_seconds": 5})
    # The wait for the last sign of life was a short one.
    time.sleep(0.1)
    begun = time.monotonic()
    leads(org)
    stream.events(1)
    assert time.monotonic() - begun < 0.5
