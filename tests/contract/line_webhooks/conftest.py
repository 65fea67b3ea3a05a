"""The web application over a real database, and the reader behind it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import NoReturn

import pytest
import requests

from connector.bootstrap import STARTER
from connector.errors import ConnectorError
from connector.line.accounts import OfficialAccount
from connector.line.identity import Identity
from connector.line.sms import NoSms
from connector.mapping.loader import read_folder
from connector.settings import Settings
from connector.store.session import Store
from connector.store.tables import Published
from connector.sync.catalog import Catalogs
from connector.sync.incoming.inbox import Reader
from connector.sync.incoming.line_events import Profiles
from simulator.control.server import serving
from webhooks.app import make_app
from webhooks.web import Web

SECRET = "6f2b0c1de84a47a1b7d0f1a2c3b4d5e6"
ACCOUNT = OfficialAccount(
    provider_id="1",
    bot_user_id="U" + "0" * 31 + "1",
    basic_id="@test",
    channel_id="1000000001",
    channel_secret=SECRET,
    previous_channel_secret=None,
    login_channel_id="2000000001",
    liff_id="2000000001-Aaaaaaaa",
)
Deliver = Callable[[bytes], requests.Response]


class Nobody:
    """LINE when it knows nobody, and no ID token is good."""

    def profile(self, _account: OfficialAccount, _user_id: str) -> NoReturn:
        raise ConnectorError("unknown_user", "nobody has this id")

    def verify(self, _id_token: str) -> Identity:
        raise ConnectorError("token_invalid", "no token is good here")


@pytest.fixture(scope="module")
def address(shared_store: Store) -> Iterator[str]:
    """The address of the running application."""
    settings = Settings(
        database_url=shared_store.engine.url.render_as_string(hide_password=False),
        redis_url="redis://127.0.0.1:1/0",
        secret_key="a key for tests",
    )
    web = Web(shared_store, Catalogs(), (ACCOUNT,), Nobody(), NoSms(), settings)
    with serving(make_app(web)) as url:
        yield url


@pytest.fixture
def deliver(address: str) -> Deliver:
    """Post a signed body as LINE does."""

    def post(body: bytes) -> requests.Response:
        digest = hmac.digest(SECRET.encode(), body, hashlib.sha256().name)
        signature = {"x-line-signature": base64.b64encode(digest).decode()}
        headers = {"content-type": "application/json; charset=utf-8", **signature}
        return requests.post(f"{address}/webhooks/line", data=body, headers=headers, timeout=10)

    return post


@pytest.fixture
def read_all(store: Store) -> Callable[[], None]:
    """Read the inbox to its end, with the starter set published."""
    with store.transaction() as session:
        for path, text in read_folder(STARTER).items():
            row = Published(path=path, text=text, live=True, author="test", reason="test")
            session.add(row)
    profiles = Profiles(store, Nobody(), {ACCOUNT.bot_user_id: ACCOUNT})
    reader = Reader(store, Catalogs(), profiles, timedelta(seconds=30))

    def read() -> None:
        while reader.read():
            pass

    return read
