"""Faults: what goes wrong on request, for calls and for rows."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from simulator.salesforce.org import SalesforceOrg

from .stage import Client

LOCKED = "unable to obtain exclusive access to this record or 1 records: 00"


def test_an_unknown_fault_is_refused_with_those_known(url: str) -> None:
    answer = requests.post(f"{url}/_simulator/faults", json={"fault": "gap"}, timeout=10)
    assert answer.status_code == 422
    assert "lock" in answer.json()["known"]


def test_a_locked_row_fails_once_and_alone(agent: Client) -> None:
    ids = [agent.create("Lead", LastName=name, Company="-") for name in "王李"]
    agent.fault("lock", match={"path": "/services/data/*/composite/sobjects"})
    records = [{"attributes": {"type": "Lead"}, "id": each, "Title": "x"} for each in ids]
    first, second = agent.call("PATCH", "/composite/sobjects", {"records": records}).json()
    assert first["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    assert ids[0][:15] in first["errors"][0]["message"]
    assert second["success"] is True


def test_a_fault_matches_the_subrequest_inside_a_composite_call(agent: Client) -> None:
    agent.fault("lock", match={"path": "/services/data/*/sobjects/Case*"})
    urls = {"l": "/services/data/v62.0/sobjects/Lead", "c": "/services/data/v62.0/sobjects/Case"}
    body = {"LastName": "王", "Company": "-"}
    subrequests = [
        {"method": "POST", "url": url, "referenceId": name, "body": body if name == "l" else {}}
        for name, url in urls.items()
    ]
    answer = agent.call("POST", "/composite", {"compositeRequest": subrequests}).json()
    assert [each["httpStatusCode"] for each in answer["compositeResponse"]] == [201, 400]


def test_an_expired_session_stays_expired(url: str, agent: Client) -> None:
    agent.fault("expire_session")
    for _ in range(2):
        answer = agent.call("GET", "/limits")
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")
    fresh = requests.get(f"{url}/_simulator/credentials", timeout=10).json()["access_token"]
    with Client(url, fresh) as client:
        assert client.call("GET", "/limits").status_code == 200


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("daily_limit", 403, "REQUEST_LIMIT_EXCEEDED"),
        ("concurrent_limit", 403, "REQUEST_LIMIT_EXCEEDED"),
    ],
)
def test_limits_refuse_the_whole_call(agent: Client, name: str, status: int, code: str) -> None:
    agent.fault(name)
    answer = agent.call("POST", "/sobjects/Lead", {"LastName": "王", "Company": "-"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (status, code)
    assert agent.query("SELECT Id FROM Lead") == []


def test_maintenance_answers_a_page_of_html(agent: Client) -> None:
    agent.fault("maintenance")
    answer = agent.call("GET", "/limits")
    assert answer.status_code == 503
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_status_fault_speaks_as_salesforce_does(agent: Client) -> None:
    agent.fault("status", {"status": 503})
    answer = agent.call("GET", "/limits")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (503, "SERVER_UNAVAILABLE")


@pytest.mark.parametrize(("name", "rows"), [("reset_before", 0), ("reset_after_commit", 1)])
def test_a_reset_leaves_the_caller_without_an_answer(agent: Client, name: str, rows: int) -> None:
    agent.fault(name)
    with pytest.raises(requests.ConnectionError):
        agent.call("POST", "/sobjects/Lead", {"LastName": "王", "Company": "-"})
    assert len(agent.query("SELECT Id FROM Lead")) == rows


def test_a_validation_rule_speaks_in_its_own_words(agent: Client) -> None:
    agent.fault("validation", {"object": "Lead", "message": "缺少電話"})
    assert agent.create("Case")
    error = agent.refused("Lead", LastName="王", Company="-")
    assert (error["errorCode"], error["message"]) == (
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "缺少電話",
    )


def test_duplicates_are_detected_with_the_details_of_a_single_row(agent: Client) -> None:
    agent.fault("duplicate", {"object": "Lead"})
    error = agent.refused("Lead", LastName="王", Company="-")
    assert error["errorCode"] == "DUPLICATES_DETECTED"
    assert error["duplicateResut"]["allowSave"] is True


def test_automation_edits_in_the_same_transaction(agent: Client) -> None:
    agent.fault("edit_after", {"object": "Lead", "values": {"Rating": "Hot"}})
    row_id = agent.create("Lead", LastName="王", Company="-")
    row = agent.row("Lead", row_id)
    assert (row["Rating"], row["LastName"]) == ("Hot", "王")


def test_automation_that_fails_takes_the_write_with_it(agent: Client) -> None:
    broken = {"object": "Lead", "values": {"Email": "badone"}}
    agent.fault("edit_after", broken, times=2)
    assert agent.refused("Lead", LastName="王", Company="-")["errorCode"] == "INVALID_EMAIL_ADDRESS"
    records = [{"attributes": {"type": "Lead"}, "LastName": "王", "Company": "-"}]
    (result,) = agent.call("POST", "/composite/sobjects", {"records": records}).json()
    assert result["success"] is False
    assert agent.query("SELECT Id FROM Lead") == []


def test_the_call_log_names_client_records_and_fault(url: str, agent: Client) -> None:
    agent.fault("lock")
    agent.call("POST", "/sobjects/Lead", {"LastName": "王", "Company": "-"})
    agent.call("GET", "/query", params={"q": "SELECT Id FROM Product2"})
    first, second = requests.get(f"{url}/_simulator/calls", timeout=10).json()
    assert (first["client"], first["fault"], first["status"]) == ("tester/1", "lock", 400)
    assert (second["records"], second["path"]) == (3, "/services/data/v62.0/query")


def test_a_reset_restores_the_start_state_and_keeps_the_credentials(
    url: str, agent: Client
) -> None:
    before = requests.get(f"{url}/_simulator/credentials", timeout=10).json()
    agent.create("Lead", LastName="王", Company="-")
    requests.post(f"{url}/_simulator/reset", timeout=10)
    after = requests.get(f"{url}/_simulator/credentials", timeout=10).json()
    assert after == before
    assert agent.query("SELECT Id FROM Lead") == []
    codes = [row["ProductCode"] for row in agent.query("SELECT ProductCode FROM Product2")]
    assert codes == ["AC-100", "AC-200", "WF-10"]


def test_two_calls_for_one_account_wait_for_each_other(agent: Client) -> None:
    agent.switch(row_locks=True, lock_hold_ms=200)
    account = agent.create("Account", Name="王家")
    paths = [
        f"/sobjects/Contact/{agent.create('Contact', LastName='王', AccountId=account)}"
        for _ in range(2)
    ]
    started = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda path: change(agent, path), paths))
    assert [each.status_code for each in answers] == [204, 204]
    assert time.monotonic() - started >= 0.4


def test_a_call_that_would_wait_too_long_is_refused(agent: Client) -> None:
    agent.switch(row_locks=True, lock_hold_ms=300, lock_wait_ms=0)
    account = agent.create("Account", Name="王家")
    contacts = [agent.create("Contact", LastName="王", AccountId=each) for each in (account, None)]
    time.sleep(0.35)
    paths = [f"/sobjects/Contact/{contacts[0]}"] * 2 + [f"/sobjects/Contact/{contacts[1]}"]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda path: change(agent, path), paths))
    assert sorted(each.status_code for each in answers) == [204, 204, 400]
    (refused,) = [each for each in answers if each.status_code == 400]
    assert refused.json()[0]["errorCode"] == "UNABLE_TO_LOCK_ROW"
    assert refused.json()[0]["message"].startswith(LOCKED)


def change(agent: Client, path: str) -> requests.Response:
    with Client(agent.url, agent.token) as own:
        return own.call("PATCH", path, {"Title": "x"})


def test_a_call_without_its_tag_is_still_the_clients_call(
    agent: Client, org: SalesforceOrg
) -> None:
    origins: list[str] = []
    followers = org.store.followers
    org.store.followers = {"Lead": [lambda transaction, _, __: origins.append(transaction.origin)]}
    agent.fault("drop_client_tag", match={"client": "tester*"})
    for _ in range(2):
        agent.create("Lead", LastName="陳", Company="-")
    org.store.followers = followers
    assert origins == [
        "com/salesforce/api/rest/62.0",
        "com/salesforce/api/rest/62.0;client=tester/1",
    ]
    last = agent.http.get(f"{agent.url}/_simulator/calls", timeout=10).json()[-2]
    assert (last["fault"], last["client"]) == ("drop_client_tag", "tester/1")
