"""The settings handed to the processes: ours, unless the user has theirs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from connector.ground.environment import (
    Addresses,
    around_proxies,
    choice,
    given,
    stack_environment,
    without_settings,
)

if TYPE_CHECKING:
    from pathlib import Path

LINE: dict[str, Any] = {
    "provider_id": "1",
    "sms_token": "sms",
    "official_accounts": [
        {
            "bot_user_id": "U0",
            "basic_id": "@sim",
            "channel_id": "1",
            "channel_secret": "s",
            "login_channel_id": "2",
            "login_channel_secret": "t",
            "liff_id": "2-a",
            "webhook_url": "http://127.0.0.1:8400/webhooks/line",
        }
    ],
}
ORG: dict[str, Any] = {
    "login_url": "http://127.0.0.1:8403",
    "client_id": "agent's",
    "username": "agent",
    "pubsub_endpoint": "127.0.0.1:8404",
    "pubsub_tls": True,
    "ca_file": "/ca.pem",
    "integration": {"username": "i", "client_id": "c", "client_secret": "x", "private_key": "PEM"},
}


def settings(user: dict[str, str]) -> dict[str, str]:
    have = choice(given(user))
    line, org = LINE if have.line else None, ORG if have.salesforce else None
    return stack_environment(given(user), Addresses(8400), {"CONNECTOR_SECRET_KEY": "k"}, line, org)


def test_the_simulators_are_the_two_platforms() -> None:
    ours = settings({})
    assert ours["CONNECTOR_PUBLIC_URL"] == "http://127.0.0.1:8400"
    assert ours["CONNECTOR_LINE_API_URL"] == "http://127.0.0.1:8402"
    assert ours["CONNECTOR_LIFF_BASE"] == "http://127.0.0.1:8402/liff"
    assert ours["CONNECTOR_SALESFORCE_LOGIN_URL"] == "http://127.0.0.1:8403"
    assert ours["CONNECTOR_POLL_SECONDS"] == "2"


def test_the_connector_signs_in_as_the_integration_user() -> None:
    ours = settings({})
    assert ours["CONNECTOR_SALESFORCE_USERNAME"] == "i"
    assert ours["CONNECTOR_SALESFORCE_CLIENT_ID"] == "c"
    assert ours["CONNECTOR_SALESFORCE_PRIVATE_KEY"] == "PEM"


def test_the_connector_follows_the_simulated_orgs_events_over_tls() -> None:
    ours = settings({})
    assert ours["CONNECTOR_SALESFORCE_PUBSUB_ENDPOINT"] == "127.0.0.1:8404"
    assert ours["CONNECTOR_SALESFORCE_PUBSUB_TLS"] == "true"
    assert ours["CONNECTOR_SALESFORCE_CA_FILE"] == "/ca.pem"


def test_an_account_carries_what_the_connector_needs_and_no_more() -> None:
    (account,) = json.loads(settings({})["CONNECTOR_LINE_ACCOUNTS"])
    assert account["provider_id"] == "1"
    assert set(account) == {
        *("provider_id", "bot_user_id", "basic_id", "channel_id"),
        *("channel_secret", "login_channel_id", "liff_id"),
    }


def test_a_setting_of_the_user_wins() -> None:
    assert "CONNECTOR_PUBLIC_URL" not in settings({"CONNECTOR_PUBLIC_URL": "https://shop.example"})


def test_a_real_org_keeps_the_simulated_one_and_its_pace_away() -> None:
    ours = settings({"CONNECTOR_SALESFORCE_LOGIN_URL": "https://login.salesforce.com"})
    assert "CONNECTOR_POLL_SECONDS" not in ours
    assert "CONNECTOR_SALESFORCE_PRIVATE_KEY" not in ours
    assert ours["CONNECTOR_LINE_API_URL"]


def test_real_line_keeps_the_simulated_platform_away() -> None:
    ours = settings({"CONNECTOR_LINE_API_URL": "https://api.line.me"})
    assert not [name for name in ours if "LINE" in name or "SMS" in name or "LIFF" in name]


def test_an_empty_setting_is_none() -> None:
    assert choice(given({"CONNECTOR_DATABASE_URL": ""})).postgres
    assert not choice(given({"CONNECTOR_DATABASE_URL": "postgresql://db/x"})).postgres
    assert not choice(given({"CONNECTOR_REDIS_URL": "redis://r"})).redis


def test_a_file_of_secrets_is_a_setting_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "connector_database_url").write_text("postgresql://db/x")
    assert not choice(given({"CONNECTOR_SECRETS_DIR": str(tmp_path)})).postgres
    assert choice(given({"CONNECTOR_SECRETS_DIR": str(tmp_path / "absent")})).postgres


def test_calls_to_this_machine_pass_the_proxy() -> None:
    assert around_proxies({"NO_PROXY": "intra"})["no_proxy"] == "intra,127.0.0.1,localhost"


def test_our_settings_stay_with_our_processes() -> None:
    assert without_settings({"CONNECTOR_SECRET_KEY": "k", "HOME": "/h"}) == {"HOME": "/h"}
