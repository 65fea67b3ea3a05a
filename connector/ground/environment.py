"""The settings that `connector up` hands to its processes; what the user has set always wins."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector.ground.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PREFIX = "CONNECTOR_"
SECRETS_FOLDER = "CONNECTOR_SECRETS_DIR"
SALESFORCE_VERSION = "62.0"
ACCOUNT_FIELDS = (
    "bot_user_id",
    "basic_id",
    "channel_id",
    "channel_secret",
    "login_channel_id",
    "liff_id",
)


@dataclass(frozen=True)
class Addresses:
    """The fixed ports of the stack, counted from its port base."""

    base: int

    @property
    def connector(self) -> str:
        """Our own HTTP."""
        return f"http://{HOST}:{self.base}"

    @property
    def line(self) -> str:
        """The LINE simulator."""
        return f"http://{HOST}:{self.base + 2}"

    @property
    def salesforce(self) -> str:
        """The Salesforce simulator's plain REST."""
        return f"http://{HOST}:{self.base + 3}"

    @property
    def pubsub_port(self) -> int:
        """The Salesforce simulator's Pub/Sub."""
        return self.base + 4

    @property
    def tls_port(self) -> int:
        """The Salesforce simulator's REST over TLS."""
        return self.base + 5


@dataclass(frozen=True)
class Choice:
    """What this stack brings itself, as the user's settings leave it."""

    postgres: bool
    redis: bool
    line: bool
    salesforce: bool


def given(user: Mapping[str, str]) -> frozenset[str]:
    """The names of the settings that the user made: in the environment, or as files of secrets."""
    names = {name for name, value in user.items() if name.startswith(PREFIX) and value}
    if folder := user.get(SECRETS_FOLDER):
        with suppress(OSError):  # a wrong folder is the settings' own error, told by them
            names |= {place.name.upper() for place in Path(folder).expanduser().iterdir()}
    return frozenset(names)


def choice(known: Collection[str]) -> Choice:
    """An embedded server or a simulator is started unless a given setting names the real one."""
    return Choice(
        postgres="CONNECTOR_DATABASE_URL" not in known,
        redis="CONNECTOR_REDIS_URL" not in known,
        line="CONNECTOR_LINE_API_URL" not in known,
        salesforce="CONNECTOR_SALESFORCE_LOGIN_URL" not in known,
    )


def stack_environment(
    known: Collection[str],
    addresses: Addresses,
    kept: Mapping[str, str],
    line: Mapping[str, Any] | None,
    salesforce: Mapping[str, Any] | None,
) -> dict[str, str]:
    """The settings to add to the `known` ones, from what is `kept` and the simulators tell."""
    ours = {
        "CONNECTOR_PUBLIC_URL": addresses.connector,
        "CONNECTOR_SALESFORCE_API_VERSION": SALESFORCE_VERSION,
        **kept,
        **(line_settings(addresses, line) if line else {}),
        **(salesforce_settings(salesforce) if salesforce else {}),
    }
    return {name: value for name, value in ours.items() if name not in known}


def line_settings(addresses: Addresses, credentials: Mapping[str, Any]) -> dict[str, str]:
    """Settings for the LINE simulator: platform, accounts, pages and the text-message gateway."""
    accounts = [
        {
            "provider_id": credentials["provider_id"],
            **{name: account[name] for name in ACCOUNT_FIELDS},
        }
        for account in credentials["official_accounts"]
    ]
    return {
        "CONNECTOR_LINE_API_URL": addresses.line,
        "CONNECTOR_LINE_DATA_URL": addresses.line,
        "CONNECTOR_LINE_ACCOUNTS": json.dumps(accounts),
        "CONNECTOR_LIFF_BASE": f"{addresses.line}/liff",
        "CONNECTOR_LIFF_SDK_URL": f"{addresses.line}/liff/sdk.js",
        "CONNECTOR_SMS_URL": f"{addresses.line}/sms/v1/messages",
        "CONNECTOR_SMS_TOKEN": credentials["sms_token"],
    }


def salesforce_settings(credentials: Mapping[str, Any]) -> dict[str, str]:
    """Settings for the simulated org, with the JWT bearer sign-in of the integration user."""
    integration = credentials["integration"]
    return {
        "CONNECTOR_SALESFORCE_LOGIN_URL": credentials["login_url"],
        "CONNECTOR_SALESFORCE_CLIENT_ID": integration["client_id"],
        "CONNECTOR_SALESFORCE_USERNAME": integration["username"],
        "CONNECTOR_SALESFORCE_PRIVATE_KEY": integration["private_key"],
        "CONNECTOR_SALESFORCE_PUBSUB_ENDPOINT": credentials["pubsub_endpoint"],
        "CONNECTOR_SALESFORCE_PUBSUB_TLS": str(credentials["pubsub_tls"]).lower(),
        "CONNECTOR_SALESFORCE_CA_FILE": credentials["ca_file"],
        # an org of our own has no call limit to spare
        "CONNECTOR_POLL_SECONDS": "2",
    }


def around_proxies(user: Mapping[str, str]) -> dict[str, str]:
    """Keep calls to this machine away from a proxy that the user has set."""
    known = user.get("no_proxy") or user.get("NO_PROXY") or ""
    hosts = ",".join(filter(None, [known, HOST, "localhost"]))
    return {"no_proxy": hosts, "NO_PROXY": hosts}


def without_settings(user: Mapping[str, str]) -> dict[str, str]:
    """The environment for programs that our settings, secrets among them, do not concern."""
    return {name: value for name, value in user.items() if not name.startswith(PREFIX)}
