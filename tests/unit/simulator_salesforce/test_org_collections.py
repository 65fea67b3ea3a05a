"""Collections: many rows a call, each with its own outcome."""

from __future__ import annotations

from typing import Any

from .stage import Client


def lead(**values: Any) -> dict[str, Any]:
    """One record of a collection."""
    return {"attributes": {"type": "Lead"}, "Company": "-", **values}


def post(agent: Client, *records: dict[str, Any], all_or_none: bool = False) -> list[Any]:
    body = {"allOrNone": all_or_none, "records": list(records)}
    answer = agent.call("POST", "/composite/sobjects", body)
    assert answer.status_code == 200
    return list(answer.json())


def test_one_bad_record_fails_alone_and_in_its_place(agent: Client) -> None:
    good, bad = post(agent, lead(LastName="王"), lead(LastName="李", Email="badone"))
    assert (good["success"], good["errors"]) == (True, [])
    assert bad == {
        "success": False,
        "errors": [
            {
                "statusCode": "INVALID_EMAIL_ADDRESS",
                "message": "Email: invalid email address: badone",
                "fields": ["Email"],
            }
        ],
    }
    assert len(agent.query("SELECT Id FROM Lead")) == 1


def test_all_or_none_rolls_the_good_ones_back(agent: Client) -> None:
    good, bad = post(agent, lead(LastName="王"), lead(), all_or_none=True)
    assert good["errors"][0]["statusCode"] == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert bad["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert agent.query("SELECT Id FROM Lead") == []


def test_more_than_200_records_are_refused_as_a_whole(agent: Client) -> None:
    body = {"records": [lead(LastName=str(n)) for n in range(201)]}
    answer = agent.call("POST", "/composite/sobjects", body)
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == "EXCEEDED_ID_LIMIT"


def test_updates_name_their_row_in_the_record(agent: Client) -> None:
    (made,) = post(agent, lead(LastName="王"))
    records = [{"attributes": {"type": "Lead"}, "id": made["id"], "Title": "x"}]
    (result,) = agent.call("PATCH", "/composite/sobjects", {"records": records}).json()
    assert result == {"id": made["id"], "success": True, "errors": []}
    assert agent.row("Lead", made["id"])["Title"] == "x"


def test_upserts_say_which_rows_are_new(agent: Client) -> None:
    path = "/composite/sobjects/Lead/LINE_Key__c"
    first = agent.call("PATCH", path, {"records": [lead(LastName="王", LINE_Key__c="k1")]}).json()
    both = [lead(LastName="王", LINE_Key__c="K1"), lead(LastName="李", LINE_Key__c="k2")]
    second = agent.call("PATCH", path, {"records": both}).json()
    assert [each["created"] for each in first + second] == [True, False, True]
    assert second[0]["id"] == first[0]["id"]


def test_one_key_twice_in_a_call_fails_both(agent: Client) -> None:
    records = [lead(LastName="王", LINE_Key__c="k"), lead(LastName="李", LINE_Key__c="K")]
    path = "/composite/sobjects/Lead/LINE_Key__c"
    results = agent.call("PATCH", path, {"records": records}).json()
    assert {each["errors"][0]["statusCode"] for each in results} == {"DUPLICATE_VALUE"}


def test_deletes_tell_of_each_id(agent: Client) -> None:
    (made,) = post(agent, lead(LastName="王"))
    path = f"/composite/sobjects?ids={made['id']}&allOrNone=false"
    (first,), (second,) = (agent.call("DELETE", path).json() for _ in range(2))
    assert first["success"] is True
    assert second["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"


def test_reads_answer_in_order_with_null_for_what_is_missing(agent: Client) -> None:
    (made,) = post(agent, lead(LastName="王"))
    body = {"ids": ["00Q5g0000000ZZZEAA", made["id"]], "fields": ["LastName", "company"]}
    missing, found = agent.call("POST", "/composite/sobjects/Lead", body).json()
    assert missing is None
    assert (found["LastName"], found["Company"]) == ("王", "-")
    by_get = f"/composite/sobjects/Lead?ids={made['id']}&fields=LastName"
    assert agent.call("GET", by_get).json()[0]["LastName"] == "王"
