"""SOQL, as the query resources answer it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .stage import Client


def names(agent: Client, where: str) -> str:
    """The last names of the contacts that a condition finds, in one word."""
    found = agent.query(f"SELECT LastName FROM Contact WHERE {where} ORDER BY LastName")
    return "".join(each["LastName"] for each in found)


@pytest.fixture
def people(agent: Client) -> list[str]:
    """Contacts A to D with different titles, phones and accounts."""
    account = agent.create("Account", Name="王家", Phone="02-1")
    return [
        agent.create("Contact", LastName="A", Title="boss", AccountId=account),
        agent.create("Contact", LastName="B", Title="Baker", LINE_Following__c=True),
        agent.create("Contact", LastName="C", MobilePhone="0912", Birthdate="2000-02-03"),
        agent.create(
            "Contact", LastName="D", Title="it's 100%", LINE_Bound_At__c="2026-01-02T03:04:05Z"
        ),
    ]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("LastName = 'a'", "A"),
        ("LastName != 'A'", "BCD"),
        ("Title != 'boss'", "BCD"),
        ("Title = null", "C"),
        ("LastName < 'C'", "AB"),
        ("LastName >= 'C'", "CD"),
        ("Title LIKE 'b%'", "AB"),
        ("Title LIKE 'b__s'", "A"),
        ("NOT Title LIKE 'b%'", "CD"),
        ("LastName IN ('A', 'd')", "AD"),
        ("LastName NOT IN ('A', 'd')", "BC"),
        ("MobilePhone IN ('0912', '+886912')", "C"),
        ("LINE_Following__c = true", "B"),
        ("Birthdate = 2000-02-03", "C"),
        ("LINE_Bound_At__c = 2026-01-02T11:04:05+08:00", "D"),
        ("LINE_Bound_At__c > 2026-01-02T03:04:05Z", ""),
        ("Title = 'it\\'s 100%'", "D"),
        ("Account.Name = '王家'", "A"),
        ("Contact.Account.Phone = '02-1'", "A"),
        ("CreatedBy.Name = '客服 林'", "ABCD"),
        ("(LastName = 'A' OR LastName = 'B') AND LINE_Following__c = false", "A"),
        ("CreatedDate = TODAY", "ABCD"),
        ("CreatedDate = LAST_N_DAYS:2 AND LastName = 'A'", "A"),
        ("CreatedDate < YESTERDAY", ""),
        ("Id IN (SELECT ContactId FROM Case)", ""),
        ("AccountId IN (SELECT Id FROM Account WHERE Phone = '02-1')", "A"),
        ("SystemModstamp > 2026-01-01T00:00:00Z", "ABCD"),
    ],
)
def test_a_condition_finds_its_rows(agent: Client, where: str, found: str) -> None:
    assert names(agent, where) == found


def test_the_keyset_of_time_and_id_walks_every_row_once(agent: Client, people: list[str]) -> None:
    seen, after = [], ("2026-01-01T00:00:00Z", "000000000000000AAA")
    for _ in people:
        moment, row_id = after
        (row,) = agent.query(
            "SELECT Id, SystemModstamp FROM Contact WHERE "
            f"(SystemModstamp > {moment} OR (SystemModstamp = {moment} AND Id > '{row_id}')) "
            "ORDER BY SystemModstamp, Id LIMIT 1"
        )
        seen.append(row["Id"])
        after = (row["SystemModstamp"].replace("+0000", "Z"), row["Id"])
    assert seen == people


def test_an_update_moves_a_row_to_the_end_of_the_changes(agent: Client, people: list[str]) -> None:
    before = agent.row("Contact", people[0])["SystemModstamp"].replace("+0000", "Z")
    agent.call("PATCH", f"/sobjects/Contact/{people[0]}", {"Title": "new"})
    assert len(names(agent, f"SystemModstamp >= {before}")) == len(people)


def test_parents_are_nested_objects_or_null(agent: Client, people: list[str]) -> None:
    first, second, *_ = agent.query("SELECT Name, Account.Name, Account.Owner.Name FROM Contact")
    assert first["Account"]["attributes"]["type"] == "Account"
    assert first["Account"]["Owner"]["Name"] == "客服 林"
    assert second["Account"] is None
    assert people


def test_children_are_nested_results_or_null(agent: Client, people: list[str]) -> None:
    agent.create("Account", Name="empty")
    found = agent.query("SELECT Name, (SELECT LastName FROM Contacts) FROM Account ORDER BY Name")
    assert found[0]["Contacts"] is None
    assert found[1]["Contacts"]["totalSize"] == 1
    assert found[1]["Contacts"]["records"][0]["LastName"] == "A"
    assert people


@pytest.mark.usefixtures("people")
def test_nulls_come_first_unless_told_otherwise(agent: Client) -> None:
    def titles(order: str) -> list[str | None]:
        return [
            each["Title"] for each in agent.query(f"SELECT Title FROM Contact ORDER BY {order}")
        ]

    assert titles("Title") == [None, "Baker", "boss", "it's 100%"]
    assert titles("Title DESC") == ["it's 100%", "boss", "Baker", None]
    assert titles("Title ASC NULLS LAST")[-1] is None


@pytest.mark.usefixtures("people")
def test_counts_and_aggregates(agent: Client) -> None:
    answer = agent.call("GET", "/query", params={"q": "SELECT COUNT() FROM Contact"}).json()
    assert (answer["totalSize"], answer["records"]) == (4, [])
    (row,) = agent.query("SELECT COUNT(Id), MAX(LastName) top, COUNT(Title) FROM Contact")
    assert row == {"expr0": 4, "top": "D", "expr1": 3}
    grouped = agent.query(
        "SELECT AccountId, COUNT(Id) n FROM Contact GROUP BY AccountId "
        "HAVING COUNT(Id) > 1 ORDER BY COUNT(Id)"
    )
    assert grouped == [{"AccountId": None, "n": 3}]


@pytest.mark.usefixtures("people")
def test_rows_can_be_counted_by_day(agent: Client) -> None:
    soql = (
        "SELECT DAY_ONLY(CreatedDate) day, COUNT(Id) n FROM Contact GROUP BY DAY_ONLY(CreatedDate)"
    )
    (row,) = agent.query(soql)
    assert row["n"] == 4


def test_fields_all_needs_a_limit(agent: Client) -> None:
    agent.create("Case")
    (row,) = agent.query("SELECT FIELDS(ALL) FROM Case LIMIT 200")
    assert row["CaseNumber"] == "00001000"
    assert agent.query_error("SELECT FIELDS(ALL) FROM Case")["errorCode"] == "MALFORMED_QUERY"


def test_query_all_also_finds_deleted_rows(agent: Client, people: list[str]) -> None:
    agent.call("DELETE", f"/sobjects/Contact/{people[1]}")
    soql = f"SELECT Id, IsDeleted, MasterRecordId FROM Contact WHERE Id = '{people[1]}'"
    assert agent.query(soql) == []
    (row,) = agent.call("GET", "/queryAll", params={"q": soql}).json()["records"]
    assert (row["IsDeleted"], row["MasterRecordId"]) == (True, None)


def test_query_all_finds_deleted_rows_by_key_too(agent: Client) -> None:
    row_id = agent.create("Contact", LastName="王", LINE_Key__c="k1")
    agent.call("DELETE", f"/sobjects/Contact/{row_id}")
    soql = "SELECT Id FROM Contact WHERE LINE_Key__c = 'k1'"
    answer = agent.call("GET", "/queryAll", params={"q": soql}).json()
    assert [each["Id"] for each in answer["records"]] == [row_id]


def test_a_large_result_comes_in_pages(agent: Client) -> None:
    for start in range(0, 600, 200):
        records = [
            {"attributes": {"type": "Lead"}, "LastName": f"{start + n}", "Company": "-"}
            for n in range(200)
        ]
        agent.call("POST", "/composite/sobjects", {"records": records})
    small = {"Sforce-Query-Options": "batchSize=250"}
    page = agent.call("GET", "/query", params={"q": "SELECT Id FROM Lead"}, headers=small).json()
    sizes = [len(page["records"])]
    while not page["done"]:
        page = agent.call("GET", page["nextRecordsUrl"], headers=small).json()
        sizes.append(len(page["records"]))
    assert sizes == [250, 250, 100]
    assert page["totalSize"] == 600


def test_an_unknown_cursor_is_an_invalid_locator(agent: Client) -> None:
    answer = agent.call("GET", "/query/01gD0000002HU6KIAW-2000")
    assert answer.json() == [
        {"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}
    ]


def test_an_unknown_object_is_told_as_recorded(agent: Client, contracts: Path) -> None:
    name = "exchanges/cumulusci.TestCountSObjects.test_count_sobjects__errors.json"
    recorded = json.loads((contracts / name).read_text())["exchanges"][0]["response"]["body"]
    (error,) = recorded["compositeResponse"][1]["body"]
    assert agent.query_error("select count() from XYZZY") == error


def test_an_unknown_field_is_told_with_its_place(agent: Client) -> None:
    error = agent.query_error("SELECT Foo FROM Contact")
    assert error["errorCode"] == "INVALID_FIELD"
    assert error["message"].startswith(
        "\nSELECT Foo FROM Contact\n       ^\nERROR at Row:1:Column:8\n"
        "No such column 'Foo' on entity 'Contact'."
    )


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id FRM Contact", "MALFORMED_QUERY"),
        (
            "SELECT Id FROM Contact WHERE LastName = 'a' AND Title = 'b' OR Title = 'c'",
            "MALFORMED_QUERY",
        ),
        ("SELECT Id FROM", "MALFORMED_QUERY"),
        ("SELECT Id, Id FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE CreatedDate > '2026-01-01'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id, Boss.Name FROM Contact", "INVALID_FIELD"),
        ("SELECT Title FROM Contact GROUP BY LastName", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR"),
    ],
)
def test_a_wrong_query_names_its_code(agent: Client, soql: str, code: str) -> None:
    assert agent.query_error(soql)["errorCode"] == code
