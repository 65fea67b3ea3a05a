"""The web application over an empty store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from connector.settings import Settings
from connector.store.session import Store
from tests.integration.webhooks.site import ACCOUNT, Phones, Site, Vouching, serving
from tests.undocumented import NoDocuments
from webhooks.app import make_app
from webhooks.web import Web


@pytest.fixture
def settings() -> Settings:
    """The settings of a deployment without Redis."""
    return Settings(
        database_url=SecretStr("postgresql+psycopg://unused"),
        redis_url=SecretStr("redis://127.0.0.1:1/0"),
        secret_key=SecretStr("a key of the tests"),
        liff_base="https://liff.example",
    )


@pytest.fixture
def web(store: Store, settings: Settings) -> Web:
    """What the application stands on."""
    catalogs = NoDocuments()
    return Web(store, catalogs, (ACCOUNT,), Vouching(), Phones(), settings)  # type: ignore[arg-type]


@pytest.fixture
def site(web: Web) -> Iterator[Site]:
    """The application, running."""
    with serving(make_app(web)) as url:
        yield Site(url, web.sms)  # type: ignore[arg-type]
