"""What goes wrong with gRPC calls when it is asked for."""

from __future__ import annotations

import time
from typing import Any

import pytest
from grpc import StatusCode

from simulator.salesforce.eventbus import pubsub_api_pb2 as api
from simulator.salesforce.org import SalesforceOrg

from .subscriber import Stream, Subscriber, code_of, refused
from .test_org_pubsub import leads

GRPC = {"method": "GRPC"}


def fault(org: SalesforceOrg, name: str, **more: Any) -> None:
    """Set a fault for one gRPC call, unless told otherwise."""
    org.board.add({"fault": name, "times": 1, "match": GRPC, **more})


def ids(stream: Stream, count: int) -> list[bytes]:
    return [each.replay_id for each in stream.events(count)]


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, StatusCode.UNAUTHENTICATED),
        (403, StatusCode.PERMISSION_DENIED),
        (404, StatusCode.NOT_FOUND),
        (429, StatusCode.RESOURCE_EXHAUSTED),
        (503, StatusCode.UNAVAILABLE),
        (418, StatusCode.INTERNAL),
    ],
)
def test_a_status_of_http_is_told_as_one_of_grpc(
    subscriber: Subscriber, org: SalesforceOrg, status: int, told: StatusCode
) -> None:
    fault(org, "status", params={"status": status})
    with refused() as met:
        subscriber.topic()
    assert met[0] == told
    assert org.calls.since(0)[0]["fault"] == "status"


def test_a_slow_call_is_answered_late(subscriber: Subscriber, org: SalesforceOrg) -> None:
    fault(org, "latency", params={"ms": 150})
    begun = time.monotonic()
    assert subscriber.topic().can_subscribe
    assert time.monotonic() - begun >= 0.15


@pytest.mark.parametrize("name", ["reset_before", "reset_after_commit"])
def test_a_broken_connection_tells_nothing(
    subscriber: Subscriber, org: SalesforceOrg, name: str
) -> None:
    leads(org)
    fault(org, name)
    error = subscriber.subscribe(1, replay_preset=api.EARLIEST).ending()
    assert (error.code(), code_of(error)) == (StatusCode.UNAVAILABLE, "")
    delivered = org.calls.since(0)[0]["records"]
    assert delivered == (1 if name == "reset_after_commit" else None)


def test_open_streams_are_dropped_within_a_second(
    subscriber: Subscriber, org: SalesforceOrg
) -> None:
    streams = [subscriber.subscribe(), subscriber.subscribe()]
    for stream in streams:
        stream.next()
    begun = time.monotonic()
    org.board.add({"fault": "drop_stream", "seconds": 30})
    streams.append(subscriber.subscribe())
    assert {stream.ending().code() for stream in streams} == {StatusCode.UNAVAILABLE}
    assert time.monotonic() - begun < 1
    org.board.clear()
    assert not subscriber.subscribe().next().events


def test_one_drop_ends_one_stream(subscriber: Subscriber, org: SalesforceOrg) -> None:
    first, second = subscriber.subscribe(), subscriber.subscribe()
    first.next(), second.next()
    fault(org, "drop_stream")
    time.sleep(0.6)
    assert sorted(call["status"] for call in org.calls.since(0)) == [200, 503]


def test_the_next_stored_place_is_refused_once(subscriber: Subscriber, org: SalesforceOrg) -> None:
    leads(org, 2)
    (stored, _) = ids(subscriber.subscribe(2, replay_preset=api.EARLIEST), 2)
    fault(org, "expire_replay")
    wanted = {"replay_preset": api.CUSTOM, "replay_id": stored}
    assert code_of(subscriber.subscribe(**wanted).ending()).endswith("replayid.corrupted")
    assert len(subscriber.subscribe(1, **wanted).events(1)) == 1


def test_events_come_twice(subscriber: Subscriber, org: SalesforceOrg) -> None:
    leads(org, 3)
    org.board.add({"fault": "duplicate_events"})
    stream = subscriber.subscribe(10, replay_preset=api.EARLIEST)
    told = ids(stream, 6)
    assert told[:3] == told[3:]
    leads(org)
    told = ids(stream, 2)
    assert told[0] == told[1]


def test_events_come_in_another_order_with_their_own_ids(
    subscriber: Subscriber, org: SalesforceOrg
) -> None:
    leads(org, 10)
    plain = ids(subscriber.subscribe(10, replay_preset=api.EARLIEST), 10)
    fault(org, "reorder_events")
    mixed = subscriber.subscribe(10, replay_preset=api.EARLIEST).next()
    told = [each.replay_id for each in mixed.events]
    assert told != plain and sorted(told) == sorted(plain)
    assert mixed.latest_replay_id == plain[-1]


def test_a_session_expires_under_an_open_stream(subscriber: Subscriber, org: SalesforceOrg) -> None:
    stream = subscriber.subscribe()
    stream.next()
    fault(org, "expire_session")
    assert stream.ending().code() == StatusCode.UNAUTHENTICATED
    with refused() as told:
        subscriber.topic()
    assert told[0] == StatusCode.UNAUTHENTICATED


def test_an_expiry_meant_for_any_call_leaves_open_streams_alone(
    subscriber: Subscriber, org: SalesforceOrg
) -> None:
    stream = subscriber.subscribe()
    stream.next()
    org.board.add({"fault": "expire_session", "times": 1})
    time.sleep(0.4)
    assert [call["status"] for call in org.calls.since(0)] == [200]
