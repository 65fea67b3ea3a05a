"""Composite calls: references, order, and what a failure takes with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .stage import Client

ROLLED_BACK = (
    "The transaction was rolled back since another operation in the same transaction failed."
)


def sub(reference: str, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
    """One subrequest."""
    url = f"/services/data/v62.0{path}"
    wanted = {"method": method, "url": url, "referenceId": reference, **more}
    return wanted if body is None else {**wanted, "body": body}


def run(agent: Client, *subrequests: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    """The results of a composite call."""
    answer = agent.call("POST", "/composite", {**options, "compositeRequest": list(subrequests)})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["compositeResponse"])


def test_later_subrequests_use_the_ids_of_earlier_ones(agent: Client) -> None:
    results = run(
        agent,
        sub("account", "POST", "/sobjects/Account", {"Name": "王家"}),
        sub(
            "contact", "POST", "/sobjects/Contact", {"LastName": "王", "AccountId": "@{account.id}"}
        ),
        sub("q", "GET", "/query?q=SELECT+Id+FROM+Contact+WHERE+AccountId='@{account.id}'"),
        sub("read", "GET", "/sobjects/Contact/@{q.records[0].Id}?fields=AccountId"),
    )
    assert [each["httpStatusCode"] for each in results] == [201, 201, 200, 200]
    assert results[3]["body"]["AccountId"] == results[0]["body"]["id"]
    assert results[0]["httpHeaders"]["Location"].endswith(results[0]["body"]["id"])


def test_a_collection_can_be_referred_to_by_position(agent: Client) -> None:
    records = [{"attributes": {"type": "Account"}, "Name": "王家", "LINE_Key__c": "a1"}]
    results = run(
        agent,
        sub("a", "PATCH", "/composite/sobjects/Account/LINE_Key__c", {"records": records}),
        sub("c", "POST", "/sobjects/Contact", {"LastName": "王", "AccountId": "@{a[0].id}"}),
        collateSubrequests=False,
    )
    contact = agent.row("Contact", results[1]["body"]["id"])
    assert contact["AccountId"] == results[0]["body"][0]["id"]


def test_without_all_or_none_only_the_dependents_of_a_failure_are_halted(agent: Client) -> None:
    good, bad, dependent = run(
        agent,
        sub("good", "POST", "/sobjects/Account", {"Name": "王家"}),
        sub("bad", "POST", "/sobjects/Account", {}),
        sub("dependent", "POST", "/sobjects/Contact", {"LastName": "王", "AccountId": "@{bad.id}"}),
    )
    assert (good["httpStatusCode"], bad["httpStatusCode"]) == (201, 400)
    assert dependent["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert dependent["body"][0]["message"].startswith(
        "Invalid reference specified. No value for bad.id found in bad."
    )
    assert len(agent.query("SELECT Id FROM Account")) == 1


def test_with_all_or_none_a_failure_takes_everything_back(agent: Client) -> None:
    results = run(
        agent,
        sub("a", "POST", "/sobjects/Account", {"Name": "王家"}),
        sub("b", "POST", "/sobjects/Contact", {}),
        sub("c", "POST", "/sobjects/Account", {"Name": "李家"}),
        allOrNone=True,
    )
    halted = [{"errorCode": "PROCESSING_HALTED", "message": ROLLED_BACK}]
    assert [each["body"] == halted for each in results] == [True, False, True]
    assert results[1]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert agent.query("SELECT Id FROM Account") == []


def test_all_or_none_also_binds_the_collections_inside(agent: Client) -> None:
    records = [
        {"attributes": {"type": "Account"}, "Name": "王家"},
        {"attributes": {"type": "Account"}},
    ]
    collection = sub("a", "POST", "/composite/sobjects", {"records": records})
    (result,) = run(agent, collection, allOrNone=True)
    codes = [each["errors"][0]["statusCode"] for each in result["body"]]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert agent.query("SELECT Id FROM Account") == []


def test_a_poll_sees_what_the_same_call_wrote_before(agent: Client) -> None:
    _, polled = run(
        agent,
        sub("a", "POST", "/sobjects/Account", {"Name": "王家"}),
        sub(
            "q",
            "GET",
            "/query?q=SELECT Name FROM Account WHERE SystemModstamp >= 2026-01-01T00:00:00Z",
        ),
    )
    assert [each["Name"] for each in polled["body"]["records"]] == ["王家"]


def test_a_graph_that_fails_leaves_the_other_graph_alone(agent: Client) -> None:
    good = [sub("a", "POST", "/sobjects/Account", {"Name": "王家"})]
    bad = [
        sub("a", "POST", "/sobjects/Account", {"Name": "李家"}),
        sub("b", "POST", "/sobjects/Lead", {}),
    ]
    graphs = [{"graphId": "1", "compositeRequest": good}, {"graphId": "2", "compositeRequest": bad}]
    answer = agent.call("POST", "/composite/graph", {"graphs": graphs}).json()
    assert [each["isSuccessful"] for each in answer["graphs"]] == [True, False]
    assert [each["Name"] for each in agent.query("SELECT Name FROM Account")] == ["王家"]


def test_a_recorded_halted_graph_has_our_shape(agent: Client, contracts: Path) -> None:
    recorded = json.loads((contracts / "composite/graph-response-error.revoman.json").read_text())
    bad = [
        sub("a", "POST", "/sobjects/Account", {"Name": "x"}),
        sub("b", "POST", "/sobjects/Lead", {}),
    ]
    graphs = {"graphs": [{"graphId": "1", "compositeRequest": bad}]}
    ours = agent.call("POST", "/composite/graph", graphs).json()
    theirs = recorded["graphs"][0]["graphResponse"]["compositeResponse"][0]
    halted = ours["graphs"][0]["graphResponse"]["compositeResponse"][0]
    assert {**halted, "referenceId": "account"} == theirs


def test_too_many_subrequests_are_refused(agent: Client) -> None:
    many = [sub(f"r{n}", "GET", "/limits") for n in range(26)]
    assert agent.call("POST", "/composite", {"compositeRequest": many}).status_code == 400
    queries = [sub(f"q{n}", "GET", "/query?q=SELECT+Id+FROM+Lead") for n in range(6)]
    assert agent.call("POST", "/composite", {"compositeRequest": queries}).status_code == 400


def test_a_composite_call_counts_as_one_request(agent: Client) -> None:
    def used() -> int:
        usage = agent.call("GET", "/limits").headers["Sforce-Limit-Info"]
        return int(usage.removeprefix("api-usage=").split("/")[0])

    before = used()
    run(agent, *[sub(f"r{n}", "GET", "/sobjects/Lead") for n in range(5)])
    assert used() == before + 2


def test_a_batch_answers_each_call_by_itself(agent: Client) -> None:
    requests = [
        {"method": "POST", "url": "v62.0/sobjects/Account", "richInput": {"Name": "王家"}},
        {"method": "GET", "url": "v62.0/sobjects/Nothing"},
    ]
    answer = agent.call("POST", "/composite/batch", {"batchRequests": requests}).json()
    assert answer["hasErrors"] is True
    assert [each["statusCode"] for each in answer["results"]] == [201, 404]


def test_a_subrequest_with_a_wrong_address_fails_alone(agent: Client) -> None:
    good = sub("good", "GET", "/limits")
    answers = run(agent, {"method": "GET", "url": "/elsewhere", "referenceId": "bad"}, good)
    assert [each["httpStatusCode"] for each in answers] == [404, 200]
