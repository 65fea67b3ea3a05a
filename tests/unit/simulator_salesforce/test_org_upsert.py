"""Upsert by external id, and references by external id."""

from __future__ import annotations

from .stage import Client

KEY = "/sobjects/Contact/LINE_Key__c/k-1"


def test_an_unknown_key_creates_and_a_known_one_updates(agent: Client) -> None:
    first = agent.call("PATCH", KEY, {"LastName": "王"})
    second = agent.call("PATCH", KEY.replace("k-1", "K-1"), {"FirstName": "小明"})
    row_id = first.json()["id"]
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == {"id": row_id, "success": True, "errors": [], "created": True}
    assert second.json() == {"id": row_id, "success": True, "errors": [], "created": False}
    assert agent.row("Contact", row_id)["Name"] == "小明 王"


def test_before_version_46_an_update_answers_204_and_nothing_says_created(agent: Client) -> None:
    first = agent.call("PATCH", KEY, {"LastName": "王"}, version="v45.0")
    second = agent.call("PATCH", KEY, {"FirstName": "小明"}, version="v45.0")
    assert "created" not in first.json()
    assert (second.status_code, second.content) == (204, b"")


def test_several_matches_answer_300_with_their_addresses(agent: Client) -> None:
    ids = [agent.create("Contact", LastName=name, Email="a@example.com") for name in "王李"]
    answer = agent.call("PATCH", "/sobjects/Contact/Email/A@example.com", {"Title": "x"})
    assert answer.status_code == 300
    assert answer.json() == [f"/services/data/v62.0/sobjects/Contact/{each}" for each in ids]
    assert agent.row("Contact", ids[0])["Title"] is None


def test_update_only_never_creates(agent: Client) -> None:
    answer = agent.call("PATCH", f"{KEY}?updateOnly=true", {"LastName": "王"})
    assert answer.status_code == 404
    assert agent.query("SELECT Id FROM Contact") == []


def test_a_field_that_is_no_key_is_not_found(agent: Client) -> None:
    answer = agent.call("PATCH", "/sobjects/Contact/Namez/x", {"LastName": "王"})
    assert answer.status_code == 404
    assert answer.json() == [
        {
            "message": "Provided external ID field does not exist or is not accessible: Namez",
            "errorCode": "NOT_FOUND",
        }
    ]


def test_the_body_names_neither_id_nor_key(agent: Client) -> None:
    for name in ("Id", "LINE_Key__c"):
        answer = agent.call("PATCH", KEY, {"LastName": "王", name: "x"})
        assert answer.json()[0]["errorCode"] == "INVALID_FIELD"


def test_a_key_is_unique_whatever_its_case(agent: Client) -> None:
    row_id = agent.create("Contact", LastName="王", LINE_Key__c="k-1")
    error = agent.refused("Contact", LastName="李", LINE_Key__c="K-1")
    assert error["errorCode"] == "DUPLICATE_VALUE"
    assert row_id[:15] in error["message"]


def test_a_deleted_row_frees_its_key(agent: Client) -> None:
    row_id = agent.create("Contact", LastName="王", LINE_Key__c="k-1")
    agent.call("DELETE", f"/sobjects/Contact/{row_id}")
    assert agent.create("Contact", LastName="李", LINE_Key__c="k-1") != row_id


def test_a_parent_can_be_named_by_its_key(agent: Client) -> None:
    account = agent.create("Account", Name="王家", LINE_Key__c="a-1")
    contact = agent.create("Contact", LastName="王", account={"line_key__c": "a-1"})
    assert agent.row("Contact", contact)["AccountId"] == account


def test_an_unknown_parent_key_is_an_invalid_field(agent: Client) -> None:
    error = agent.refused("Contact", LastName="王", Account={"LINE_Key__c": "0116"})
    assert error == {
        "errorCode": "INVALID_FIELD",
        "message": "Foreign key external ID: 0116 not found for field LINE_Key__c in entity Account",
        "fields": [],
    }


def test_a_row_is_read_and_deleted_by_its_key(agent: Client) -> None:
    agent.call("PATCH", KEY, {"LastName": "王"})
    assert agent.call("GET", KEY).json()["LastName"] == "王"
    assert agent.call("DELETE", KEY).status_code == 204
    assert agent.call("GET", KEY).status_code == 404
