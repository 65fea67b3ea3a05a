"""Rules of the org as data: validation, duplicates, automation, locks, field access."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from simulator.salesforce.org import Addresses, SalesforceOrg

from .stage import Client


@pytest.fixture
def integration(url: str, credentials: dict[str, Any]) -> Client:
    """The org as the integration user."""
    app = credentials["integration"]
    form = {
        "grant_type": "client_credentials",
        **{k: app[k] for k in ("client_id", "client_secret")},
    }
    answer = requests.post(f"{url}/services/oauth2/token", data=form, timeout=10).json()
    with Client(url, answer["access_token"]) as client:
        return client


def test_a_validation_rule_speaks_its_own_words(agent: Client) -> None:
    agent.rule(
        "validation",
        object="Case",
        when="Status = 'Closed' AND Reason = null",
        message="結案要填原因",
        field="Reason",
    )
    case = agent.create("Case")
    answer = agent.call("PATCH", f"/sobjects/Case/{case}", {"Status": "Closed"})
    assert answer.status_code == 400
    assert answer.json() == [
        {
            "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "message": "結案要填原因",
            "fields": ["Reason"],
        }
    ]
    both = {"Status": "Closed", "Reason": "Breakdown"}
    assert agent.call("PATCH", f"/sobjects/Case/{case}", both).status_code == 204


def test_a_validation_rule_looks_at_parents_and_at_changes(agent: Client) -> None:
    account = agent.create("Account", Name="黑名單")
    contact = agent.create("Contact", LastName="王", AccountId=account)
    agent.rule(
        "validation",
        object="Contact",
        when="Account.Name = '黑名單'",
        message="no",
        changed=["MobilePhone"],
    )
    assert agent.call("PATCH", f"/sobjects/Contact/{contact}", {"Title": "x"}).status_code == 204
    answer = agent.call("PATCH", f"/sobjects/Contact/{contact}", {"MobilePhone": "1"})
    assert answer.json()[0]["message"] == "no"


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "validation", "object": "Case", "when": "Nope = 1", "message": "x"},
        {"kind": "validation", "object": "Nope", "when": "Id != null", "message": "x"},
        {"kind": "validation", "object": "Case", "message": "x"},
        {"kind": "automation", "object": "Case", "values": {"Nope": 1}},
        {"kind": "magic", "object": "Case"},
    ],
)
def test_a_rule_that_cannot_be_is_refused(agent: Client, rule: dict[str, Any]) -> None:
    answer = agent.http.post(f"{agent.url}/_simulator/rules", json=rule, timeout=10)
    assert answer.status_code == 422
    assert answer.json()["message"]
    assert agent.http.get(f"{agent.url}/_simulator/rules", timeout=10).json() == []


def test_rules_go_out_of_force_one_by_one_or_all(agent: Client) -> None:
    refuse = {"object": "Case", "when": "Id != null", "message": "no"}
    first, second = (agent.rule("validation", **refuse) for _ in range(2))
    agent.http.delete(f"{agent.url}/_simulator/rules/{first}", timeout=10)
    listed = agent.http.get(f"{agent.url}/_simulator/rules", timeout=10).json()
    assert [each["id"] for each in listed] == [second]
    agent.http.delete(f"{agent.url}/_simulator/rules", timeout=10)
    assert agent.create("Case")


def test_automation_edits_after_the_write_in_its_transaction(agent: Client) -> None:
    agent.rule(
        "automation",
        object="Case",
        values={"Priority": "High"},
        when="Origin = 'Phone'",
        on="create",
    )
    case = agent.create("Case", Origin="Phone", Priority="Low")
    assert agent.row("Case", case)["Priority"] == "High"
    agent.call("PATCH", f"/sobjects/Case/{case}", {"Priority": "Low"})
    assert agent.row("Case", case)["Priority"] == "Low"


def test_an_alert_about_duplicates_stops_the_api_unless_it_says_save(agent: Client) -> None:
    agent.rule("duplicate", object="Lead", match=[["Email"], ["MobilePhone"]])
    first = agent.create("Lead", LastName="陳", Company="-", MobilePhone="+886912345678")
    values = {"LastName": "陳", "Company": "-", "MobilePhone": "0912-345-678"}
    answer = agent.call("POST", "/sobjects/Lead", values)
    assert answer.status_code == 400
    (error,) = answer.json()
    assert error["errorCode"] == "DUPLICATES_DETECTED"
    (result,) = error["duplicateResut"]["matchResults"]
    assert result["matchRecords"][0]["record"]["Id"] == first
    assert error["duplicateResut"]["allowSave"] is True
    save = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    assert agent.call("POST", "/sobjects/Lead", values, headers=save).status_code == 201


def test_a_blocking_duplicate_rule_stops_everybody(agent: Client) -> None:
    agent.rule("duplicate", object="Contact", match=[["Email"]], action="block")
    agent.create("Contact", LastName="王", Email="a@example.com")
    save = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    values = {"LastName": "李", "Email": "A@example.com"}
    answer = agent.call("POST", "/sobjects/Contact", values, headers=save)
    assert answer.json()[0]["duplicateResut"]["allowSave"] is False


def test_duplicate_rules_look_across_objects(agent: Client) -> None:
    agent.rule("duplicate", object="Lead", match=[["Email"]], against=["Contact"])
    contact = agent.create("Contact", LastName="王", Email="a@example.com")
    answer = agent.call(
        "POST", "/sobjects/Lead", {"LastName": "王", "Company": "-", "Email": "a@example.com"}
    )
    (result,) = answer.json()[0]["duplicateResut"]["matchResults"]
    assert (result["entityType"], result["size"]) == ("Contact", 1)
    assert result["matchRecords"][0]["record"]["Id"] == contact


def test_duplicates_in_a_collection_are_a_code_without_matches(agent: Client) -> None:
    agent.rule("duplicate", object="Contact", match=[["LastName", "FirstName"]])
    record = {"attributes": {"type": "Contact"}, "LastName": "王", "FirstName": "小明"}
    results = agent.call("POST", "/composite/sobjects", {"records": [record, record]}).json()
    assert [each["success"] for each in results] == [True, False]
    assert results[1]["errors"][0].keys() == {"statusCode", "message", "fields"}


def test_what_was_rolled_back_or_deleted_is_no_duplicate(agent: Client) -> None:
    agent.rule("duplicate", object="Contact", match=[["Email"]])
    record = {"attributes": {"type": "Contact"}, "LastName": "王", "Email": "a@example.com"}
    bad = {"attributes": {"type": "Contact"}}
    agent.call("POST", "/composite/sobjects", {"allOrNone": True, "records": [record, bad]})
    contact = agent.create("Contact", LastName="王", Email="a@example.com")
    agent.call("DELETE", f"/sobjects/Contact/{contact}")
    assert agent.create("Contact", LastName="王", Email="a@example.com")


def test_an_edit_beside_the_matched_fields_meets_no_duplicate_rule(agent: Client) -> None:
    for _ in range(2):
        contact = agent.create("Contact", LastName="王", Email="a@example.com")
    agent.rule("duplicate", object="Contact", match=[["Email"]], action="block")
    assert agent.call("PATCH", f"/sobjects/Contact/{contact}", {"Title": "x"}).status_code == 204


def test_a_row_in_approval_is_locked(agent: Client) -> None:
    case = agent.create("Case", Status="Escalated")
    agent.rule("approval_lock", object="Case", when="Status = 'Escalated'")
    for method, body in (("PATCH", {"Subject": "x"}), ("DELETE", None)):
        answer = agent.call(method, f"/sobjects/Case/{case}", body)
        assert answer.json()[0]["errorCode"] == "ENTITY_IS_LOCKED"


def test_a_hidden_field_does_not_exist_for_that_user_alone(
    agent: Client, integration: Client
) -> None:
    user = integration.call("GET", "/services/oauth2/userinfo").json()["preferred_username"]
    agent.rule("field_access", object="Contact", field="Birthdate", user=user)
    fields = integration.call("GET", "/sobjects/Contact/describe").json()["fields"]
    assert "Birthdate" not in {each["name"] for each in fields}
    error = integration.refused("Contact", LastName="王", Birthdate="2000-01-01")
    assert error["message"] == "No such column 'Birthdate' on sobject of type Contact"
    assert integration.query_error("SELECT Birthdate FROM Contact")["errorCode"] == "INVALID_FIELD"
    row = agent.row("Contact", agent.create("Contact", LastName="王", Birthdate="2000-01-01"))
    assert row["Birthdate"] == "2000-01-01"


def test_a_read_only_field_says_so(agent: Client) -> None:
    agent.rule("field_access", object="Contact", field="Title", access="read")
    fields = agent.call("GET", "/sobjects/Contact/describe").json()["fields"]
    (field,) = [each for each in fields if each["name"] == "Title"]
    assert (field["createable"], field["updateable"]) == (False, False)
    error = agent.refused("Contact", LastName="王", Title="x")
    assert error["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_a_custom_field_is_seen_by_those_whose_permission_set_grants_it(
    agent: Client, integration: Client
) -> None:
    (assigned,) = agent.query(
        "SELECT Id FROM PermissionSetAssignment WHERE Assignee.Alias = 'line'"
    )
    assert integration.create("Contact", LastName="王", LINE_Key__c="k1")
    agent.call("DELETE", f"/sobjects/PermissionSetAssignment/{assigned['Id']}")
    assert integration.refused("Contact", LastName="王", LINE_Key__c="k2")["errorCode"] == (
        "INVALID_FIELD"
    )
    path = "/sobjects/Contact/LINE_Key__c/k1"
    answer = integration.call("PATCH", path, {"LastName": "王"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")
    assert agent.call("GET", path).status_code == 200


def test_assets_may_stand_alone_where_the_org_shares_them_so(agent: Client) -> None:
    agent.switch(asset_needs_owner=False)
    assert agent.create("Asset", Name="AC-100")


@pytest.mark.parametrize("wanted", [{"nope": True}, {"row_locks": 1}, {"session_seconds": -1}, []])
def test_a_switch_that_is_none_is_refused(agent: Client, wanted: Any) -> None:
    known = agent.http.get(f"{agent.url}/_simulator/switches", timeout=10).json()
    answer = agent.http.patch(f"{agent.url}/_simulator/switches", json=wanted, timeout=10)
    assert answer.status_code == 422
    assert agent.http.get(f"{agent.url}/_simulator/switches", timeout=10).json() == known


def test_rules_and_switches_of_a_folder_survive_restart_and_reset(tmp_path: Path) -> None:
    (tmp_path / "org.yaml").write_text(
        "switches: {asset_needs_owner: false}\n"
        "rules:\n- {kind: validation, object: Case, when: 'Id != null', message: 'no'}\n"
    )
    org = SalesforceOrg(tmp_path, Addresses(port=1))
    assert org.switches.asset_needs_owner is False
    org.add_rule({"kind": "approval_lock", "object": "Case", "when": "Id != null"})
    org.close()
    again = SalesforceOrg(tmp_path, Addresses(port=1))
    assert [each["kind"] for each in again.rulebook.listed()] == ["validation", "approval_lock"]
    again.reset()
    assert [each["kind"] for each in again.rulebook.listed()] == ["validation"]
    again.close()
