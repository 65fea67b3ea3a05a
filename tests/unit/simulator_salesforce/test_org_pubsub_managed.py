"""Subscriptions whose place the org keeps."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from grpc import StatusCode

from simulator.salesforce.eventbus import pubsub_api_pb2 as api
from simulator.salesforce.org import SalesforceOrg

from .subscriber import LEADS, Stream, Subscriber
from .test_org_pubsub import leads

NAME = "Leads_of_ours"


@pytest.fixture
def subscription_id(url: str) -> str:
    """A managed subscription to Leads that begins with the oldest."""
    return str(made(url, default_replay="EARLIEST").json()["id"])


def made(url: str, **more: Any) -> requests.Response:
    wanted = {"developer_name": NAME, "topic": LEADS, **more}
    return requests.post(f"{url}/_simulator/managed-subscriptions", json=wanted, timeout=5)


def commit(stream: Stream, replay_id: bytes) -> Any:
    """Commit a place and give what the org answers to it."""
    request = api.CommitReplayRequest(commit_request_id="c1", replay_id=replay_id)
    stream.say(api.ManagedFetchRequest(commit_replay_id_request=request))
    while not (response := stream.next()).HasField("commit_response"):
        assert not response.events
    return response.commit_response


def ids(stream: Stream, count: int) -> list[str]:
    return [each.event.id for each in stream.events(count)]


def test_a_subscription_goes_on_behind_what_was_committed(
    subscriber: Subscriber, org: SalesforceOrg, subscription_id: str
) -> None:
    leads(org, 3)
    stream = subscriber.subscribe_managed(subscription_id=subscription_id)
    events = stream.events(3)
    answer = commit(stream, events[0].replay_id)
    assert (answer.commit_request_id, answer.HasField("error")) == ("c1", False)
    again = subscriber.subscribe_managed(developer_name=NAME)
    assert ids(again, 2) == [each.event.id for each in events[1:]]


def test_a_place_that_nobody_gave_is_not_committed(
    subscriber: Subscriber, org: SalesforceOrg, subscription_id: str
) -> None:
    leads(org)
    stream = subscriber.subscribe_managed(subscription_id=subscription_id)
    stream.events(1)
    assert commit(stream, b"nonsense").error.code == api.COMMIT
    again = subscriber.subscribe_managed(subscription_id=subscription_id[:15])
    assert len(again.events(1)) == 1


@pytest.mark.parametrize(("recovery", "count"), [("EARLIEST", 1), ("LATEST", 0)])
def test_a_place_that_is_gone_recovers_as_it_is_set_up(
    subscriber: Subscriber, org: SalesforceOrg, url: str, recovery: str, count: int
) -> None:
    made(url, default_replay="EARLIEST", error_recovery_replay=recovery)
    leads(org, 2)
    stream = subscriber.subscribe_managed(developer_name=NAME)
    (first, _) = stream.events(2)
    commit(stream, first.replay_id)
    org.events.forward(73)
    leads(org)
    again = subscriber.subscribe_managed(developer_name=NAME)
    assert len(again.next().events) == count


def test_an_unknown_subscription_is_not_found(subscriber: Subscriber) -> None:
    error = subscriber.subscribe_managed(developer_name="Nothing").ending()
    assert error.code() == StatusCode.NOT_FOUND


def test_a_stream_keeps_its_subscription(subscriber: Subscriber, url: str) -> None:
    made(url)
    made(url, developer_name="Other")
    stream = subscriber.subscribe_managed(developer_name=NAME)
    stream.say(api.ManagedFetchRequest(developer_name="Other", num_requested=1))
    assert stream.ending().code() == StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ({"topic": 5}, "topic must be a text"),
        ({"default_replay": "NOW"}, "default_replay must be LATEST or EARLIEST"),
        ({"label": "x"}, "unknown field 'label'"),
    ],
)
def test_a_subscription_that_cannot_be_is_told(
    url: str, wanted: dict[str, Any], problem: str
) -> None:
    answer = made(url, **wanted)
    assert answer.status_code == 422
    assert problem in answer.json()["message"]


def test_subscriptions_are_listed_and_end_with_a_reset(
    url: str, org: SalesforceOrg, subscription_id: str
) -> None:
    listed = requests.get(f"{url}/_simulator/managed-subscriptions", timeout=5).json()
    assert [each["id"] for each in listed] == [subscription_id]
    org.reset()
    assert org.managed_subscriptions.listed() == []
