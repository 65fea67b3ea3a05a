"""Sending and asking, against a host that answers, refuses, breaks off and stays silent."""

import json
import subprocess
import sys
from uuid import UUID

import pytest

from connector.domain.faults import FaultKind
from connector.line.accounts import LineHosts
from connector.line.exchange import Timeout
from connector.line.faults import LineRefused, SendFailed
from connector.line.sender import BotInfo, LineClient, Profile, Sent, WebhookEndpoint

REPLY, PUSH, TOKEN = "/v2/bot/message/reply", "/v2/bot/message/push", "/oauth2/v3/token"
KEY = UUID("0198c0de-0000-7000-8000-000000000001")
FLEX = {"type": "flex", "altText": "維修", "contents": {"type": "bubble", "novelty": [1, None]}}
BODY = {"to": "Uann", "messages": [FLEX]}


def failure(send, *arguments):
    with pytest.raises(SendFailed) as failed:
        send(*arguments)
    return failed.value.fault


def test_a_push_carries_the_stored_body_and_the_key(host, client, account, answers):
    host.on(PUSH, answers(200, {"sentMessages": [{"id": "46"}]}, x_line_request_id="R1"))
    assert client.push(account, BODY, KEY) == Sent("R1", None, ("46",))
    ((headers, body),) = host.asked(PUSH)
    assert json.loads(body) == BODY
    assert headers["x-line-retry-key"] == str(KEY)
    assert headers["authorization"] == "Bearer T1"


def test_a_key_accepted_before_is_success(host, client, account, answers):
    said = {"message": "The retry key is already accepted", "sentMessages": [{"id": "46"}]}
    ids = {"x_line_request_id": "R2", "x_line_accepted_request_id": "R1"}
    host.on(PUSH, answers(409, said, **ids))
    assert client.push(account, BODY, KEY) == Sent("R2", "R1", ("46",))


def test_a_reply_carries_the_token_and_no_recipient(host, client, account, answers):
    host.on(REPLY, answers(200, {"sentMessages": []}, x_line_request_id="R1"))
    assert client.reply(account, "token", BODY) == Sent("R1")
    ((headers, body),) = host.asked(REPLY)
    assert json.loads(body) == {"replyToken": "token", "messages": [FLEX]}
    assert "x-line-retry-key" not in headers


def test_an_invalid_reply_token_is_named_so_that_a_push_follows(host, client, account, answers):
    host.on(REPLY, answers(400, {"message": "Invalid reply token"}))
    assert failure(client.reply, account, "token", BODY).code == "invalid_reply_token"


def test_a_reset_or_silence_after_sending_is_of_unknown_outcome(host, client, account, reset):
    for act in (reset, host.silent):
        host.on(PUSH, act)
        host.on(REPLY, act)
        assert failure(client.push, account, BODY, KEY).code == "push_unknown"
        assert failure(client.reply, account, "token", BODY).code == "reply_unknown"
    assert len(host.asked(PUSH)) == len(host.asked(REPLY)) == 2  # nothing is sent twice by itself


def test_a_host_that_is_not_there_was_sent_nothing(account, nowhere):
    client = LineClient([account], LineHosts(nowhere), Timeout(1.0, 0.3))
    fault = failure(client.reply, account, "token", BODY)
    assert (fault.kind, fault.code) == (FaultKind.RETRY, "unreachable")


def test_a_send_without_a_channel_token_was_not_made(host, client, account, reset):
    host.on(TOKEN, reset)
    assert failure(client.reply, account, "token", BODY).kind is FaultKind.RETRY
    assert host.asked(REPLY) == []


def test_a_stale_channel_token_is_renewed_once(host, client, account, answers):
    tokens = [answers(200, {"access_token": f"T{n}", "expires_in": 900}) for n in (1, 2)]
    host.on(TOKEN, *tokens)
    host.on(PUSH, answers(401, {"message": "Authentication failed"}), answers(200))
    client.push(account, BODY, KEY)
    assert [headers["authorization"] for headers, _ in host.asked(PUSH)] == [
        "Bearer T1",
        "Bearer T2",
    ]


def test_a_channel_refused_twice_is_for_an_admin(host, client, account, answers):
    host.on(PUSH, answers(401, {"message": "Authentication failed"}))
    fault = failure(client.push, account, BODY, KEY)
    assert (fault.kind, fault.org_wide) == (FaultKind.CONFIG, True)
    assert len(host.asked(PUSH)) == 2


def test_a_redirect_is_not_followed(host, client, account, answers):
    host.on(PUSH, answers(307, {}, Location=f"{host.url}/elsewhere"))
    assert failure(client.push, account, BODY, KEY).code == "unexpected_answer"
    assert host.asked("/elsewhere") == []


def test_an_answer_that_is_no_text_is_of_unknown_outcome(host, client, account):
    broken = b"HTTP/1.1 502 Bad\r\nContent-Length: 1\r\nConnection: close\r\n\r\n\xff"
    host.on(PUSH, lambda connection: connection.sendall(broken))
    assert failure(client.push, account, BODY, KEY).kind is FaultKind.UNKNOWN


def test_errors_name_neither_tokens_nor_people(host, client, account, reset):
    host.on("/v2/bot/profile/Uann", reset)
    with pytest.raises(LineRefused) as refused:
        client.profile(account, "Uann")
    said = f"{refused.value} {refused.value.fault} {refused.value.__cause__}"
    assert "Uann" not in said and "T1" not in said
    assert refused.value.fault.kind is FaultKind.RETRY


def test_a_profile_may_lack_all_but_the_name(host, client, account, answers):
    host.on("/v2/bot/profile/Uann", answers(200, {"userId": "Uann", "displayName": "安"}))
    assert client.profile(account, "Uann") == Profile("安", None, None)


def test_nobody_has_no_profile(host, client, account, answers):
    host.on("/v2/bot/profile/Uann", answers(404, {"message": "Not found"}))
    assert client.profile(account, "Uann") is None


def test_a_user_id_is_quoted_into_the_path(host, client, account, answers):
    host.on("/v2/bot/profile/a%2F..%3Fb", answers(404))
    assert client.profile(account, "a/..?b") is None


@pytest.mark.parametrize(
    ("said", "limit"), [({"type": "none"}, None), ({"type": "limited", "value": 200}, 200)]
)
def test_the_quota_is_a_limit_and_a_use(host, client, account, answers, said, limit):
    host.on("/v2/bot/message/quota", answers(200, said))
    host.on("/v2/bot/message/quota/consumption", answers(200, {"totalUsage": 5}))
    assert client.quota(account) == (limit, 5)


def test_loading_is_shown_for_twenty_seconds(host, client, account, answers):
    host.on("/v2/bot/chat/loading/start", answers(202))
    client.loading(account, "Uann")
    ((_, body),) = host.asked("/v2/bot/chat/loading/start")
    assert json.loads(body) == {"chatId": "Uann", "loadingSeconds": 20}


def test_bot_info_and_webhook_are_read(host, client, account, answers):
    said = {"userId": "U1", "basicId": "@a", "displayName": "A", "chatMode": "bot"}
    host.on("/v2/bot/info", answers(200, said))
    url = "https://a.example/webhooks/line"
    endpoint = answers(200, {"endpoint": url, "active": True})
    host.on("/v2/bot/channel/webhook/endpoint", endpoint, answers(404))
    assert client.bot_info(account) == BotInfo("U1", "@a", "A", "bot")
    assert client.webhook_endpoint(account) == WebhookEndpoint(url, active=True)
    assert client.webhook_endpoint(account) is None


def test_the_sdk_is_loaded_by_the_first_call_only():
    probe = (
        "import sys, connector.line.doctor, connector.line.identity, connector.line.sms\n"
        "print([name for name in ('linebot', 'urllib3', 'tenacity') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=True)  # noqa: S603
    assert done.stdout.strip() == b"[]"
