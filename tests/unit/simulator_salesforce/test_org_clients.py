"""The simulator as simple-salesforce meets it, over TLS and over plain HTTP."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)

from tests.doors import free_ports

from .stage import Process


class Plain(HTTPAdapter):
    """Speaks HTTP where the library insists on writing HTTPS."""

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        request.url = (request.url or "").replace("https://", "http://", 1)
        return super().send(request, *args, **more)


@pytest.fixture
def sf(url: str, credentials: dict[str, Any]) -> Iterator[Any]:
    """The library, which knows objects and methods only while it runs."""
    session = requests.Session()
    session.trust_env = False
    session.mount(url.replace("http://", "https://"), Plain())
    yield Salesforce(
        session_id=credentials["access_token"], instance_url=url, session=session, version="62.0"
    )
    session.close()


def test_rows_come_and_go(sf: Any) -> None:
    made = sf.Contact.create({"LastName": "王", "FirstName": "小明"})
    assert sf.Contact.get(made["id"])["Name"] == "小明 王"
    assert sf.Contact.update(made["id"], {"Title": "x"}) == 204
    assert sf.Contact.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        sf.Contact.get(made["id"])


def test_upserts_and_their_many_matches(sf: Any) -> None:
    assert sf.Contact.upsert("LINE_Key__c/k1", {"LastName": "王"}) == 201
    assert sf.Contact.upsert("LINE_Key__c/k1", {"LastName": "王"}) == 200
    for name in "李陳":
        sf.Contact.create({"LastName": name, "Email": "a@example.com"})
    with pytest.raises(SalesforceMoreThanOneRecord):
        sf.Contact.upsert("Email/a@example.com", {"Title": "x"})


def test_queries_page_by_themselves(sf: Any) -> None:
    records = [
        {"attributes": {"type": "Lead"}, "LastName": str(n), "Company": "-"} for n in range(200)
    ]
    for _ in range(11):
        sf.restful("composite/sobjects", method="POST", json={"records": records})
    assert sf.query_all("SELECT Id FROM Lead")["totalSize"] == 2200
    assert len(list(sf.query_all_iter("SELECT Id FROM Lead"))) == 2200


def test_errors_become_the_exceptions_of_the_library(sf: Any) -> None:
    with pytest.raises(SalesforceMalformedRequest) as caught:
        sf.Contact.create({})
    content: Any = caught.value.content
    assert content[0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    broken: Any = Salesforce(
        session_id="x", instance_url=f"https://{sf.sf_instance}", session=sf.session, version="62.0"
    )
    with pytest.raises(SalesforceExpiredSession):
        broken.query("SELECT Id FROM Lead")


def test_describe_and_limits(sf: Any) -> None:
    assert len(sf.describe()["sobjects"]) > 7
    assert sf.Case.describe()["keyPrefix"] == "500"
    assert sf.limits()["DailyApiRequests"]["Max"] > 0


def test_the_tls_port_is_trusted_by_its_own_authority(tmp_path: Path) -> None:
    process = Process(tmp_path, *free_ports(2))
    known = process.credentials()
    with requests.Session() as session:
        session.trust_env = False
        session.verify = known["ca_file"]
        sf: Any = Salesforce(
            session_id=known["access_token"],
            instance_url=known["tls_url"],
            session=session,
            version="62.0",
        )
        assert sf.query("SELECT Id FROM Product2")["totalSize"] == 3
        keys = {key: known["integration"][key] for key in ("client_id", "client_secret")}
        form = {"grant_type": "client_credentials", **keys}
        answer = session.post(f"{known['tls_url']}/services/oauth2/token", data=form, timeout=10)
        assert answer.json()["instance_url"] == known["tls_url"]
    process.end(signal.SIGTERM)
