"""What the simulated platform sends to a webhook."""

import base64
import hmac
import re
import time

import pytest

from .stage import Line, Receiver

ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
USER_ID = re.compile(r"U[0-9a-f]{32}")


def test_a_follow_is_signed_and_delivered(line: Line, receiver: Receiver) -> None:
    user = line.user(friend=False)
    answer = line.happens(user, type="follow")
    headers, body = receiver.requests[0]
    expected = hmac.digest(line.account["channel_secret"].encode(), body, "sha256")
    assert headers["x-line-signature"] == base64.b64encode(expected).decode()
    assert answer["deliveries"][0]["status"] == 200
    assert answer["webhook_event_id"] == receiver.events[0]["webhookEventId"]


def test_an_event_has_the_common_properties(line: Line, receiver: Receiver) -> None:
    user = line.user()
    (event,) = receiver.events
    assert ULID.fullmatch(event["webhookEventId"])
    assert event["source"] == {"type": "user", "userId": user}
    assert USER_ID.fullmatch(user)
    assert event["deliveryContext"] == {"isRedelivery": False}
    assert event["mode"] == "active"
    assert event["follow"] == {"isUnblocked": False}
    assert abs(event["timestamp"] / 1000 - time.time()) < 5
    assert event["replyToken"]


def test_a_follow_after_a_block_is_an_unblocking(line: Line, receiver: Receiver) -> None:
    user = line.user()
    line.happens(user, type="unfollow")
    line.happens(user, type="follow")
    assert receiver.events[2]["follow"] == {"isUnblocked": True}
    assert "replyToken" not in receiver.events[1]


def test_a_text_carries_the_tokens_line_gives(line: Line, receiver: Receiver) -> None:
    line.happens(line.user(), type="message", text="你好")
    message = receiver.events[1]["message"]
    assert message["text"] == "你好"
    assert message["id"].isdecimal()
    assert message["quoteToken"]
    assert message["markAsReadToken"]


def test_a_postback_carries_data_and_params(line: Line, receiver: Receiver) -> None:
    params = {"date": "2026-01-31"}
    line.happens(line.user(), type="postback", data="pick", params=params)
    assert receiver.events[1]["postback"] == {"data": "pick", "params": params}


def test_standby_gives_no_reply_token(line: Line, receiver: Receiver) -> None:
    line.happens(line.user(), type="message", text="x", mode="standby")
    assert receiver.events[1]["mode"] == "standby"
    assert "replyToken" not in receiver.events[1]


def test_a_duplicate_is_the_same_event_twice(line: Line, receiver: Receiver) -> None:
    answer = line.happens(line.user(), type="message", text="x", duplicate=True)
    assert len(answer["deliveries"]) == 2
    assert receiver.events[1] == receiver.events[2]


def test_a_redelivery_is_marked(line: Line, receiver: Receiver) -> None:
    line.happens(line.user(), type="message", text="x", is_redelivery=True)
    assert receiver.events[1]["deliveryContext"] == {"isRedelivery": True}


def test_a_delayed_event_is_accepted_first(line: Line, receiver: Receiver) -> None:
    user = line.user()
    body = {"type": "message", "text": "late", "delay_ms": 100}
    answer = line.post(f"/_simulator/users/{user}/events", body)
    assert (answer.status_code, answer.json()["deliveries"]) == (202, [])
    assert receiver.heard(2)[1]["message"]["text"] == "late"


def test_a_missing_answer_shows_as_null(line: Line) -> None:
    line.platform.world.set_webhook_url(line.account["bot_user_id"], "http://127.0.0.1:9/x")
    answer = line.happens(line.user(friend=False), type="follow")
    assert answer["deliveries"][0]["status"] is None


def test_an_error_status_is_reported(line: Line, receiver: Receiver) -> None:
    receiver.status = 503
    answer = line.happens(line.user(friend=False), type="follow")
    assert answer["deliveries"][0]["status"] == 503


def test_the_redeliver_fault_sends_once_more_with_the_same_id(
    line: Line, receiver: Receiver
) -> None:
    user = line.user()
    line.fault("redeliver", times=1)
    answer = line.happens(user, type="message", text="x")
    assert len(answer["deliveries"]) == 2
    first, second = receiver.events[1:]
    assert second == {**first, "deliveryContext": {"isRedelivery": True}}


def test_the_reorder_fault_lets_the_next_event_overtake(line: Line, receiver: Receiver) -> None:
    user = line.user()
    line.fault("reorder", times=1)
    assert line.happens(user, type="message", text="first")["deliveries"] == []
    started = time.monotonic()
    line.happens(user, type="message", text="second")
    receiver.heard(3)
    assert time.monotonic() - started < 1
    texts = [event["message"]["text"] for event in receiver.events[1:]]
    assert texts == ["second", "first"]
    assert receiver.events[1]["timestamp"] >= receiver.events[2]["timestamp"]


def test_a_failed_account_link_has_neither_source_nor_token(line: Line, receiver: Receiver) -> None:
    line.happens(line.user(), type="accountLink", link={"result": "failed", "nonce": "n"})
    assert not {"source", "replyToken"} & receiver.events[1].keys()


def test_an_unknown_type_passes_with_its_properties(line: Line, receiver: Receiver) -> None:
    line.happens(line.user(), type="things", things={"type": "link"})
    assert receiver.events[1]["things"] == {"type": "link"}


def test_a_group_source_may_be_given(line: Line, receiver: Receiver) -> None:
    source = {"type": "group", "groupId": "C" + "0" * 32}
    line.happens(line.user(), type="join", source=source)
    assert receiver.events[1]["source"] == source


def test_an_unsent_message_leaves_chat_and_content(line: Line, receiver: Receiver) -> None:
    user = line.user()
    line.happens(user, type="message", message={"type": "image"})
    image = receiver.events[1]["message"]["id"]
    line.happens(user, type="unsend", message_id=image)
    assert receiver.events[2]["unsend"] == {"messageId": image}
    assert line.chat(user) == []
    assert line.bot("GET", f"/v2/bot/message/{image}/content").status_code == 410


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"type": "message"},
        {"type": "message", "message": {}},
        {"type": "postback"},
        {"type": "unsend"},
        {"type": "follow", "mode": "asleep"},
        {"type": "follow", "delay_ms": -1},
        {"type": "follow", "oa": "U0"},
    ],
)
def test_a_malformed_event_is_refused(line: Line, event: dict[str, object]) -> None:
    user = line.user(friend=False)
    assert line.post(f"/_simulator/users/{user}/events", event).status_code == 422


def test_an_unknown_user_is_not_found(line: Line) -> None:
    answer = line.post("/_simulator/users/U0/events", {"type": "follow"})
    assert answer.status_code == 404
