"""Sending through the simulated Messaging API, with LINE's own client and by hand."""

import uuid
from typing import Any

import pytest
from linebot.v3.messaging import (
    ApiClient,
    ApiException,
    Configuration,
    MessagingApi,
    MessagingApiBlob,
    PushMessageRequest,
    ReplyMessageRequest,
    TextMessage,
)
from linebot.v3.oauth import ApiClient as OauthClient
from linebot.v3.oauth import ChannelAccessToken
from linebot.v3.oauth import Configuration as OauthConfiguration

from .stage import Line, Receiver

TIMEOUT = 5


@pytest.fixture
def api(line: Line) -> MessagingApi:
    return MessagingApi(ApiClient(Configuration(host=line.url, access_token=line.token())))


def push(to: str, text: str = "案件已受理") -> PushMessageRequest:
    return PushMessageRequest(to=to, messages=[TextMessage(text=text)])


def test_the_sdk_gets_a_stateless_token(line: Line) -> None:
    client = ChannelAccessToken(OauthClient(OauthConfiguration(host=line.url)))
    answer = client.issue_stateless_channel_token_by_client_secret(
        client_id=line.account["channel_id"],
        client_secret=line.account["channel_secret"],
        _request_timeout=TIMEOUT,
    )
    assert (answer.token_type, answer.expires_in) == ("Bearer", 900)
    assert line.get("/v2/bot/info", headers={"Authorization": f"Bearer {answer.access_token}"}).ok


def test_the_sdk_reads_a_profile(line: Line, api: MessagingApi) -> None:
    profile = api.get_profile(line.user("王小明"), _request_timeout=TIMEOUT)
    assert (profile.display_name, profile.language) == ("王小明", "zh-TW")


def test_a_stranger_has_no_profile(line: Line, api: MessagingApi) -> None:
    with pytest.raises(ApiException) as caught:
        api.get_profile(line.user(friend=False), _request_timeout=TIMEOUT)
    assert caught.value.status == 404


def test_the_sdk_replies_once(line: Line, receiver: Receiver, api: MessagingApi) -> None:
    user = line.user()
    wanted = ReplyMessageRequest(
        replyToken=receiver.events[0]["replyToken"], messages=[TextMessage(text="歡迎")]
    )
    assert api.reply_message(wanted, _request_timeout=TIMEOUT).sent_messages[0].id.isdecimal()
    with pytest.raises(ApiException) as caught:
        api.reply_message(wanted, _request_timeout=TIMEOUT)
    assert caught.value.status == 400
    assert "Invalid reply token" in caught.value.body
    (item,) = line.chat(user)
    assert (item["direction"], item["via"], item["text"]) == ("out", "reply", "歡迎")


def test_the_sdk_pushes_once_under_one_retry_key(line: Line, api: MessagingApi) -> None:
    user, key = line.user(), str(uuid.uuid4())
    first = api.push_message_with_http_info(push(user), key, _request_timeout=TIMEOUT)
    with pytest.raises(ApiException) as caught:
        api.push_message(push(user, "another body"), key, _request_timeout=TIMEOUT)
    assert caught.value.status == 409
    assert first.data.sent_messages[0].id in caught.value.body
    accepted = caught.value.headers["x-line-accepted-request-id"]
    assert accepted == first.headers["x-line-request-id"]
    assert caught.value.headers["x-line-request-id"] != accepted
    assert [item["text"] for item in line.chat(user)] == ["案件已受理"]


def test_the_sdk_reads_a_picture(line: Line, receiver: Receiver) -> None:
    line.happens(line.user(), type="message", message={"type": "image"})
    blob = MessagingApiBlob(ApiClient(Configuration(host=line.url, access_token=line.token())))
    image = receiver.events[1]["message"]["id"]
    content = blob.get_message_content(image, _request_timeout=TIMEOUT)
    assert bytes(content).startswith(b"\x89PNG")


def test_a_reply_token_of_a_minute_ago_is_too_old(line: Line, receiver: Receiver) -> None:
    line.user()
    token = receiver.events[0]["replyToken"]
    line.platform.world.state.reply_tokens[token].given -= 61_000
    answer = line.reply(token)
    assert (answer.status_code, answer.json()) == (400, {"message": "Invalid reply token"})


def test_a_redelivery_gives_the_reply_token_another_minute(line: Line, receiver: Receiver) -> None:
    line.user()
    token = receiver.events[0]["replyToken"]
    kept = line.platform.world.state.reply_tokens[token]
    kept.given -= 61_000
    line.platform.world.give_reply_token(token, kept.oa, kept.user_id, kept.event)
    assert line.reply(token).status_code == 200


def test_reply_tokens_can_be_made_to_expire(line: Line, receiver: Receiver) -> None:
    line.user()
    line.fault("expire_reply_tokens", times=1)
    assert line.reply(receiver.events[0]["replyToken"]).status_code == 400


def test_a_reply_takes_no_retry_key(line: Line, receiver: Receiver) -> None:
    line.user()
    body = {"replyToken": receiver.events[0]["replyToken"], "messages": [{"type": "text"}]}
    key = {"X-Line-Retry-Key": str(uuid.uuid4())}
    assert line.bot("POST", "/v2/bot/message/reply", body, **key).status_code == 400


def test_a_push_to_a_blocker_is_silent_and_free(line: Line) -> None:
    user = line.user()
    line.happens(user, type="unfollow")
    answer = line.push(user)
    assert (answer.status_code, len(answer.json()["sentMessages"])) == (200, 1)
    assert line.chat(user) == []
    assert line.bot("GET", "/v2/bot/message/quota/consumption").json() == {"totalUsage": 0}


def test_a_push_to_a_stranger_shows_only_after_they_wrote(line: Line) -> None:
    user = line.user(friend=False)
    line.push(user, "unseen")
    line.happens(user, type="message", text="hello")
    line.push(user, "seen")
    assert [item["text"] for item in line.chat(user)] == ["hello", "seen"]


def test_a_push_to_an_unknown_id_fails(line: Line) -> None:
    answer = line.push("U" + "0" * 32)
    assert (answer.status_code, answer.json()) == (400, {"message": "Failed to send messages"})


def test_a_user_can_be_blocked_by_a_fault(line: Line) -> None:
    blocked, other = line.user(), line.user()
    line.fault("block_user", params={"user_id": blocked})
    assert [line.push(user).status_code for user in (blocked, other)] == [200, 200]
    assert [len(line.chat(user)) for user in (blocked, other)] == [0, 1]
    assert line.bot("GET", f"/v2/bot/profile/{blocked}").status_code == 404


def test_multicast_reaches_friends_only(line: Line) -> None:
    friends = [line.user(), line.user()]
    stranger = line.user(friend=False)
    body = {"to": [*friends, stranger], "messages": [{"type": "text", "text": "hi"}]}
    answer = line.bot("POST", "/v2/bot/message/multicast", body)
    assert (answer.status_code, answer.json()) == (200, {})
    assert [len(line.chat(user)) for user in (*friends, stranger)] == [1, 1, 0]
    assert line.bot("GET", "/v2/bot/message/quota/consumption").json() == {"totalUsage": 2}


def test_the_quota_is_not_the_rate(line: Line) -> None:
    user = line.user()
    line.fault("quota_429", times=1)
    line.fault("rate_429", times=1)
    rate, quota = line.push(user), line.push(user)
    assert rate.json()["message"].startswith("The API rate limit has been exceeded")
    assert quota.json() == {"message": "You have reached your monthly limit."}
    assert (rate.status_code, quota.status_code) == (429, 429)
    assert line.push(user).status_code == 200


def test_a_used_up_quota_stops_pushes_but_not_replies(line: Line, receiver: Receiver) -> None:
    user = line.user()
    line.platform.world.spend_quota(line.account["bot_user_id"], 100)
    assert line.push(user).status_code == 429
    assert line.reply(receiver.events[0]["replyToken"]).status_code == 200
    quota = line.bot("GET", "/v2/bot/message/quota").json()
    assert quota == {"type": "limited", "value": 100}


def test_every_answer_has_a_request_id_of_its_own(line: Line) -> None:
    user = line.user()
    ids = {line.push(user).headers["x-line-request-id"] for _ in range(2)}
    assert len(ids) == 2


def test_flex_shows_its_alt_text(line: Line) -> None:
    user = line.user()
    body = {"type": "text", "text": "hi"}
    bubble = {"type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": [body]}}
    flex = {"type": "flex", "altText": "進度", "contents": bubble}
    line.bot("POST", "/v2/bot/message/push", {"to": user, "messages": [flex]})
    (item,) = line.chat(user)
    assert (item["type"], item["text"], item["message"]) == ("flex", "進度", flex)


def test_a_wrong_token_is_refused(line: Line) -> None:
    answer = line.get("/v2/bot/info", headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401
    assert answer.json()["message"].startswith("Authentication failed due to the following reason")
    assert line.get("/v2/bot/info").status_code == 401


def test_an_old_token_is_refused(line: Line) -> None:
    token = line.platform.seal.token("channel", -1, oa=line.account["bot_user_id"])
    assert line.get("/v2/bot/info", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_followers_come_in_pages(line: Line) -> None:
    friends = [line.user() for _ in range(3)]
    first = line.bot("GET", "/v2/bot/followers/ids?limit=2").json()
    second = line.bot("GET", f"/v2/bot/followers/ids?limit=2&start={first['next']}").json()
    assert first["userIds"] + second["userIds"] == friends
    assert "next" not in second


def test_the_loading_animation_takes_steps_of_five_seconds(line: Line) -> None:
    user = line.user()
    path = "/v2/bot/chat/loading/start"
    assert line.bot("POST", path, {"chatId": user, "loadingSeconds": 10}).status_code == 202
    refused = line.bot("POST", path, {"chatId": user, "loadingSeconds": 61})
    assert refused.json()["details"][0]["message"] == "Must be between 5 and 60"


def test_a_message_is_marked_as_read(line: Line, receiver: Receiver) -> None:
    user = line.user()
    line.happens(user, type="message", text="hi")
    token = receiver.events[1]["message"]["markAsReadToken"]
    path = "/v2/bot/chat/markAsRead"
    assert line.bot("POST", path, {"markAsReadToken": token}).status_code == 200
    assert line.bot("POST", path, {"markAsReadToken": "x"}).status_code == 400
    assert line.get(f"/_page/state?user={user}").json()["read_to"] == line.chat(user)[0]["seq"]


def test_the_webhook_endpoint_is_set_read_and_tested(line: Line, receiver: Receiver) -> None:
    path = "/v2/bot/channel/webhook"
    elsewhere = receiver.url + "2"
    assert line.bot("PUT", f"{path}/endpoint", {"endpoint": elsewhere}).status_code == 200
    kept = line.bot("GET", f"{path}/endpoint").json()
    assert kept == {"endpoint": elsewhere, "active": True}
    good = line.bot("POST", f"{path}/test", {}).json()
    assert (good["success"], good["statusCode"], good["reason"]) == (True, 200, "OK")
    assert receiver.events == []
    gone = line.bot("POST", f"{path}/test", {"endpoint": "http://127.0.0.1:9/"}).json()
    assert (gone["success"], gone["reason"]) == (False, "COULD_NOT_CONNECT")


def test_a_body_that_is_not_json_is_refused(line: Line) -> None:
    headers = {"Authorization": f"Bearer {line.token()}", "Content-Type": "application/json"}
    answer = line.post("/v2/bot/message/push", headers=headers, data=b"{")
    assert answer.status_code == 400
    assert "could not be parsed as JSON (line: 1, column:" in answer.json()["message"]


def problems_of(line: Line, *messages: Any) -> list[tuple[str, str]]:
    answer = line.bot("POST", "/v2/bot/message/validate/push", {"messages": list(messages)})
    if answer.status_code == 200:
        return []
    body = answer.json()
    assert body["message"] == f"The request body has {len(body['details'])} error(s)"
    return [(detail["property"], detail["message"]) for detail in body["details"]]


def test_validation_sends_nothing(line: Line) -> None:
    assert problems_of(line, {"type": "text", "text": "ok"}) == []


def test_all_problems_are_reported_together(line: Line) -> None:
    found = problems_of(line, {"type": "text", "text": ""}, {"type": "text", "text": "😀" * 2501})
    assert found == [
        ("messages[0].text", "May not be empty"),
        ("messages[1].text", "Length must be between 0 and 5000"),
    ]


def test_one_to_five_messages_are_taken(line: Line) -> None:
    text = {"type": "text", "text": "x"}
    assert problems_of(line, *[text] * 6) == [("messages", "Size must be between 1 and 5")]
    assert problems_of(line) == [("messages", "Size must be between 1 and 5")]
