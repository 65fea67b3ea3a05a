"""What the doctor finds, and how it says to mend it."""

import pytest

from connector.line.doctor import examine

TOKEN, INFO = "/oauth2/v3/token", "/v2/bot/info"
WEBHOOK, QUOTA = "/v2/bot/channel/webhook/endpoint", "/v2/bot/message/quota"
URL = "https://a.example/webhooks/line"


@pytest.fixture
def healthy(host, answers):
    said = {"userId": "Ushop", "basicId": "@shop", "displayName": "Shop", "chatMode": "bot"}
    host.on(INFO, answers(200, said))
    host.on(WEBHOOK, answers(200, {"endpoint": URL, "active": True}))
    host.on(QUOTA, answers(200, {"type": "limited", "value": 200}))
    host.on(f"{QUOTA}/consumption", answers(200, {"totalUsage": 5}))
    return host


def wrong(client, account):
    findings = examine(client, [account], URL)
    assert all(finding.fix for finding in findings if not finding.ok)
    return {finding.check: finding.message for finding in findings if not finding.ok}


def test_a_healthy_account_has_four_good_findings(healthy, client, account):
    findings = examine(client, [account], URL)
    assert [finding.check for finding in findings] == [
        "line token",
        "line account",
        "line webhook",
        "line quota",
    ]
    assert all(finding.ok for finding in findings)


def test_without_a_token_nothing_else_is_asked(healthy, client, account, answers):
    healthy.on(TOKEN, answers(400, {"error": "invalid_client"}))
    assert list(wrong(client, account)) == ["line token"]
    assert healthy.asked(INFO) == []


def test_a_channel_of_another_account_is_found(healthy, client, account, answers):
    healthy.on(INFO, answers(200, {"userId": "Uother"}))
    assert "Uother, not Ushop" in wrong(client, account)["line account"]


@pytest.mark.parametrize(
    ("status", "said", "message"),
    [
        (404, {}, "no webhook address is set"),
        (200, {"endpoint": URL, "active": False}, "the webhook is off"),
        (200, {"endpoint": "https://b.example", "active": True}, "not to https://a.example"),
        (500, {}, "LINE: 500"),
    ],
)
def test_a_webhook_that_cannot_work_is_found(
    healthy, client, account, answers, status, said, message
):
    healthy.on(WEBHOOK, answers(status, said))
    assert message in wrong(client, account)["line webhook"]


def test_a_used_up_quota_is_found(healthy, client, account, answers):
    healthy.on(f"{QUOTA}/consumption", answers(200, {"totalUsage": 200}))
    assert "all 200 messages" in wrong(client, account)["line quota"]
