"""The LINE edge against the simulated platform: its calls, and the faults that strike them."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import requests

from connector.domain.faults import FaultKind
from connector.line.doctor import examine
from connector.line.events import read_delivery
from connector.line.exchange import Timeout
from connector.line.faults import SendFailed
from connector.line.identity import (
    IdTokenVerifier,
    TokenExpired,
    TokenInvalid,
    VerifierUnavailable,
)
from connector.line.sender import Profile
from connector.line.signature import signed_by
from connector.line.sms import HttpSms

PUSH, REPLY = "/v2/bot/message/push", "/v2/bot/message/reply"
HELLO = {"type": "text", "text": "您好 👋"}


def fault_of(send, *arguments):
    with pytest.raises(SendFailed) as failed:
        send(*arguments)
    return failed.value.fault


@pytest.fixture
def friend(simulator):
    """A person who follows the account."""
    user_id = simulator.person()
    simulator.event(user_id, type="follow")
    return user_id


@pytest.fixture
def reply_token(simulator, friend):
    body, _ = simulator.event(friend, type="message", text="你好")
    return read_delivery(body).events[0].reply_token


def test_a_webhook_is_signed_and_read(simulator, account):
    user_id = simulator.person()
    body, signature = simulator.event(user_id, type="follow")
    assert signed_by([account], body, signature) == account
    delivery = read_delivery(body)
    (event,) = delivery.events
    assert delivery.destination == account.bot_user_id
    assert (event.type, event.user_id, event.mode) == ("follow", user_id, "active")
    assert event.reply_token
    assert event.at is not None
    assert abs(datetime.now(UTC) - event.at) < timedelta(seconds=30)


def test_a_redelivery_is_the_same_event(simulator, friend):
    simulator.event(friend, type="message", text="a", duplicate=True)
    first, second = (read_delivery(body).events[0] for body, _ in simulator.inbox.arrived[-2:])
    assert first.dedupe_key == second.dedupe_key


def test_a_standby_event_has_no_reply_token(simulator, friend):
    body, _ = simulator.event(friend, type="message", text="a", mode="standby")
    (event,) = read_delivery(body).events
    assert (event.mode, event.reply_token) == ("standby", None)


def test_a_reply_arrives_and_uses_up_its_token(simulator, client, account, friend, reply_token):
    sent = client.reply(account, reply_token, {"to": friend, "messages": [HELLO]})
    assert sent.request_id and sent.message_ids
    assert [(item["via"], item["text"]) for item in simulator.chat(friend)] == [
        ("reply", "您好 👋")
    ]
    fault = fault_of(client.reply, account, reply_token, {"messages": [HELLO]})
    assert fault.code == "invalid_reply_token"


def test_an_expired_reply_token_asks_for_a_push(simulator, client, account, reply_token):
    simulator.post("/faults", fault="expire_reply_tokens")
    fault = fault_of(client.reply, account, reply_token, {"messages": [HELLO]})
    assert fault.code == "invalid_reply_token"


def test_a_push_with_the_same_key_arrives_once(simulator, client, account, friend):
    body, key = {"to": friend, "messages": [HELLO]}, uuid4()
    first = client.push(account, body, key)
    again = client.push(account, body, key)
    assert again.accepted_request_id == first.request_id
    assert again.message_ids == first.message_ids
    assert len(simulator.chat(friend)) == 1


@pytest.mark.parametrize("fault", ["reset_before", "reset_after_commit"])
def test_a_push_broken_off_is_unknown_and_arrives_once(simulator, client, account, friend, fault):
    simulator.post("/faults", fault=fault, match={"path": PUSH}, times=1)
    body, key = {"to": friend, "messages": [HELLO]}, uuid4()
    assert fault_of(client.push, account, body, key).kind is FaultKind.UNKNOWN
    client.push(account, body, key)
    assert len(simulator.chat(friend)) == 1


def test_a_reply_broken_off_is_unknown(simulator, client, account, reply_token):
    simulator.post("/faults", fault="reset_after_commit", match={"path": REPLY}, times=1)
    fault = fault_of(client.reply, account, reply_token, {"messages": [HELLO]})
    assert fault.code == "reply_unknown"


def test_a_slow_answer_is_of_unknown_outcome(simulator, client, account, friend):
    simulator.post("/faults", fault="latency", match={"path": PUSH}, params={"ms": 3000}, times=1)
    fault = fault_of(client.push, account, {"to": friend, "messages": [HELLO]}, uuid4())
    assert fault.code == "push_unknown"


@pytest.mark.parametrize(
    ("fault", "params", "kind", "code"),
    [
        ("rate_429", {}, FaultKind.RETRY, "rate_limited"),
        ("quota_429", {}, FaultKind.WAIT, "quota"),
        ("status", {"status": 500}, FaultKind.RETRY, "line_unavailable"),
        ("status", {"status": 403}, FaultKind.CONFIG, "forbidden"),
    ],
)
def test_refusals_of_a_push_are_told_apart(
    simulator, client, account, friend, fault, params, kind, code
):
    simulator.post("/faults", fault=fault, match={"path": PUSH}, params=params, times=1)
    found = fault_of(client.push, account, {"to": friend, "messages": [HELLO]}, uuid4())
    assert (found.kind, found.code) == (kind, code)
    assert simulator.chat(friend) == []


def test_a_refused_channel_token_is_renewed(simulator, client, account, friend):
    params = {"status": 401, "body": {"message": "Authentication failed"}}
    simulator.post("/faults", fault="status", match={"path": PUSH}, params=params, times=1)
    client.push(account, {"to": friend, "messages": [HELLO]}, uuid4())
    assert len(simulator.calls("/oauth2/v3/token")) == 2


def test_a_message_line_does_not_take_is_data(client, account, friend):
    body = {"to": friend, "messages": [{"type": "text", "text": ""}]}
    found = fault_of(client.push, account, body, uuid4())
    assert (found.kind, found.fields) == (FaultKind.DATA, ("messages[0].text",))


def test_a_push_to_one_who_blocked_is_accepted_and_not_shown(simulator, client, account, friend):
    simulator.event(friend, type="unfollow")
    client.push(account, {"to": friend, "messages": [HELLO]}, uuid4())
    assert simulator.chat(friend) == []


def test_profiles_quota_and_loading(simulator, client, account, friend):
    profile = client.profile(account, friend)
    assert isinstance(profile, Profile)
    assert (profile.display_name, profile.language) == ("安", "zh-TW")
    assert client.profile(account, "U" + "0" * 32) is None
    limit, used = client.quota(account)
    assert (limit is None or limit > 0) and used == 0
    client.loading(account, friend)


def test_the_doctor_finds_the_simulator_healthy(client, account):
    findings = examine(client, [account])
    assert [finding.message for finding in findings if not finding.ok] == []
    assert len(findings) == 4


@pytest.fixture
def verifier(account, hosts):
    return IdTokenVerifier([account], hosts, lambda: datetime.now(UTC), Timeout(2.0, 2.0))


def test_an_id_token_is_verified_once(simulator, verifier, account, friend):
    token = simulator.post(f"/users/{friend}/id-token")["id_token"]
    found = verifier.verify(token)
    assert (found.user_id, found.name, found.account) == (friend, "安", account)
    assert verifier.verify(token) is found
    assert len(simulator.calls("/oauth2/v2.1/verify")) == 1


def test_a_tampered_id_token_is_invalid(simulator, verifier, friend):
    head, body, seal = simulator.post(f"/users/{friend}/id-token")["id_token"].split(".")
    with pytest.raises(TokenInvalid):
        verifier.verify(f"{head}.{body}.{seal[::-1]}")


def test_an_old_id_token_is_expired(simulator, verifier, friend):
    token = simulator.post(f"/users/{friend}/id-token", expires_in=-5)["id_token"]
    with pytest.raises(TokenExpired):
        verifier.verify(token)


def test_a_platform_that_is_down_cannot_verify(simulator, verifier, friend):
    token = simulator.post(f"/users/{friend}/id-token")["id_token"]
    simulator.post("/faults", fault="status", match={"path": "/oauth2/*"}, params={"status": 503})
    with pytest.raises(VerifierUnavailable):
        verifier.verify(token)


def test_a_one_time_code_reaches_the_phone(simulator):
    sms = HttpSms(f"{simulator.url}/sms/v1/messages", simulator.credentials["sms_token"])
    sms.send("+886912345678", "驗證碼 123456")
    query = {"phone": "+886912345678"}
    (message,) = requests.get(f"{simulator.url}/_simulator/sms", params=query, timeout=5).json()
    assert message["text"] == "驗證碼 123456"
