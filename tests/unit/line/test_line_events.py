"""Webhook bodies are read tolerantly."""

import hashlib
import json
from datetime import UTC, datetime

import pytest

from connector.line.events import NotADelivery, read_delivery, read_event

FOLLOW = {
    "type": "follow",
    "mode": "active",
    "timestamp": 1767225600123,
    "source": {"type": "user", "userId": "U" + "0a" * 16},
    "webhookEventId": "01FZ74A0TDDPYRVKNK77XKC3ZR",
    "deliveryContext": {"isRedelivery": True},
    "replyToken": "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA",
    "follow": {"isUnblocked": False},
}


def test_an_ordinary_event_is_understood():
    delivery = read_delivery(json.dumps({"destination": "Ubot", "events": [FOLLOW]}).encode())
    (event,) = delivery.events
    assert delivery.destination == "Ubot"
    assert event.raw == FOLLOW
    assert (event.type, event.mode, event.source_type) == ("follow", "active", "user")
    assert event.event_id == event.dedupe_key == "01FZ74A0TDDPYRVKNK77XKC3ZR"
    assert event.at == datetime(2026, 1, 1, 0, 0, 0, 123000, UTC)
    assert event.user_id == "U" + "0a" * 16
    assert event.reply_token == "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA"
    assert event.is_redelivery


def test_an_event_of_nothing_is_active_and_unknown():
    event = read_event({})
    assert (event.type, event.mode, event.at, event.user_id) == ("unknown", "active", None, None)
    assert (event.event_id, event.reply_token, event.is_redelivery) == (None, None, False)


def test_without_an_id_the_key_is_the_sum_of_the_canonical_json():
    canonical = '{"a":{"x":1,"y":2},"text":"你好"}'
    event = read_event({"text": "你好", "a": {"y": 2, "x": 1}})
    assert event.dedupe_key == hashlib.sha256(canonical.encode()).hexdigest()


@pytest.mark.parametrize("source", ["group", "room", "planet", None])
def test_only_a_user_source_names_a_person(source):
    event = read_event({"source": {"type": source, "userId": "U1"}})
    assert event.user_id is None
    assert event.source_type == source


@pytest.mark.parametrize("user_id", ["u206d25c2", "userid", "LU1-U2", "U4af4980629..."])
def test_loose_user_ids_of_samples_are_read(user_id):
    assert read_event({"source": {"type": "user", "userId": user_id}}).user_id == user_id


@pytest.mark.parametrize("user_id", ["", "a b", "U\n", "使用者", "U" * 101, 7, None, ["U"]])
def test_what_cannot_be_a_user_id_is_none(user_id):
    assert read_event({"source": {"type": "user", "userId": user_id}}).user_id is None


@pytest.mark.parametrize("timestamp", [None, True, "1", 10**30, -(10**30), [], 1e400])
def test_an_odd_timestamp_is_no_moment(timestamp):
    assert read_event({"timestamp": timestamp}).at is None


@pytest.mark.parametrize("event", [None, 1, "x", [], {"source": 1, "deliveryContext": []}])
def test_odd_events_are_accepted(event):
    body = json.dumps({"events": [event, FOLLOW]}).encode()
    assert [one.type for one in read_delivery(body).events] == ["unknown", "follow"]


def test_lone_surrogates_have_a_key():
    assert len(read_delivery(b'{"events":[{"text":"\\ud800"}]}').events[0].dedupe_key) == 64


def test_no_events_are_fine():
    assert read_delivery(b'{"events":[]}').events == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"\xff\xfe\xfd",
        b"[]",
        b"null",
        b"{}",
        b'{"events":{}}',
        b'{"events":[NaN]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_delivery_is_refused(body):
    with pytest.raises(NotADelivery) as refused:
        read_delivery(body)
    assert refused.value.code == "not_a_delivery"
