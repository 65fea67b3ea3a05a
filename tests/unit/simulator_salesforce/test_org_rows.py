"""Single rows: create, read, update, delete, and what the platform refuses or derives."""

from __future__ import annotations

import re

import pytest

from .stage import Client

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000")


def test_a_new_row_answers_201_with_its_address(agent: Client) -> None:
    answer = agent.call("POST", "/sobjects/Lead", {"LastName": "陳", "Company": "-"})
    assert answer.status_code == 201
    assert answer.json()["success"] is True
    address = f"/services/data/v62.0/sobjects/Lead/{answer.json()['id']}"
    assert answer.headers["Location"] == address


def test_names_are_case_insensitive_and_come_back_as_spelt_in_the_schema(agent: Client) -> None:
    row_id = agent.call("POST", "/sobjects/CONTACT", {"lastname": "王"}).json()["id"]
    assert agent.row("contact", row_id)["LastName"] == "王"


def test_a_read_shows_every_field_and_explicit_nulls(agent: Client) -> None:
    row = agent.row("Contact", agent.create("Contact", LastName="王", FirstName="小明"))
    assert row["Email"] is None
    assert row["Name"] == "小明 王"
    assert row["LINE_Following__c"] is False
    assert STAMP.fullmatch(row["SystemModstamp"])


def test_short_and_long_ids_name_the_same_row(agent: Client) -> None:
    row_id = agent.create("Contact", LastName="王")
    assert agent.row("Contact", row_id[:15])["Id"] == row_id


def test_text_is_trimmed_and_blank_text_is_null(agent: Client) -> None:
    row = agent.row("Contact", agent.create("Contact", LastName=" 王 ", Email="", Title="  "))
    assert (row["LastName"], row["Email"], row["Title"]) == ("王", None, None)


def test_null_clears_a_field(agent: Client) -> None:
    row_id = agent.create("Contact", LastName="王", Title="x")
    assert agent.call("PATCH", f"/sobjects/Contact/{row_id}", {"Title": None}).status_code == 204
    assert agent.row("Contact", row_id)["Title"] is None


@pytest.mark.parametrize(
    ("values", "code", "message", "fields"),
    [
        ({}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ["LastName"]),
        (
            {"LastName": "x" * 81},
            "STRING_TOO_LONG",
            f"Last Name: data value too large: {'x' * 81} (max length=80)",
            ["LastName"],
        ),
        (
            {"LastName": "x", "Email": "badone"},
            "INVALID_EMAIL_ADDRESS",
            "Email: invalid email address: badone",
            ["Email"],
        ),
        (
            {"LastName": "x", "CleanStatus": "Not Compared"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Clean Status: bad value for restricted picklist field: Not Compared",
            ["CleanStatus"],
        ),
        (
            {"LastName": "x", "AccountId": "abc"},
            "MALFORMED_ID",
            "Account ID: id value of incorrect type: abc",
            ["AccountId"],
        ),
        (
            {"LastName": "x", "AccountId": "0015g0000000ZZZAAA"},
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
            ["AccountId"],
        ),
    ],
)
def test_a_bad_value_is_refused_in_the_recorded_words(
    agent: Client, values: dict[str, str], code: str, message: str, fields: list[str]
) -> None:
    assert agent.refused("Contact", **values) == {
        "errorCode": code,
        "message": message,
        "fields": fields,
    }


@pytest.mark.parametrize(
    ("kind", "values", "code"),
    [
        ("Contact", {"LastName": "x", "Foo": 1}, "INVALID_FIELD"),
        ("Contact", {"LastName": "x", "Name": "y"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ("Contact", {"LastName": "x", "Id": "y"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ("Contact", {"LastName": "x", "Birthdate": "1/2/2026"}, "JSON_PARSER_ERROR"),
        ("Contact", {"LastName": "x", "Birthdate": "2026-02-30"}, "JSON_PARSER_ERROR"),
        ("WorkOrder", {"StartDate": "2017-10-17 00:00:00"}, "JSON_PARSER_ERROR"),
        ("WorkOrder", {"StartDate": "2017-10-17T00:00:00"}, "JSON_PARSER_ERROR"),
        ("Product2", {"Name": "x", "Warranty_Months__c": 1000}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("Product2", {"Name": "x", "IsActive": "perhaps"}, "JSON_PARSER_ERROR"),
    ],
)
def test_a_write_the_org_cannot_take_names_its_code(
    agent: Client, kind: str, values: dict[str, object], code: str
) -> None:
    assert agent.refused(kind, **values)["errorCode"] == code


def test_a_required_field_cannot_be_emptied(agent: Client) -> None:
    row_id = agent.create("Contact", LastName="王")
    answer = agent.call("PATCH", f"/sobjects/Contact/{row_id}", {"LastName": None})
    assert answer.json()[0]["errorCode"] == "REQUIRED_FIELD_MISSING"


def test_a_refused_update_leaves_the_row_as_it_was(agent: Client) -> None:
    row_id = agent.create("Contact", LastName="王", Title="before")
    agent.call("PATCH", f"/sobjects/Contact/{row_id}", {"Title": "after", "Email": "bad"})
    assert agent.row("Contact", row_id)["Title"] == "before"


def test_datetimes_are_shown_in_utc_and_cut_to_seconds(agent: Client) -> None:
    row_id = agent.create("WorkOrder", StartDate="2026-01-02T03:04:05.678+08:00")
    assert agent.row("WorkOrder", row_id)["StartDate"] == "2026-01-01T19:04:05.000+0000"


def test_a_deleted_row_is_gone_for_readers_and_deleted_for_writers(agent: Client) -> None:
    path = f"/sobjects/Contact/{agent.create('Contact', LastName='王')}"
    assert agent.call("DELETE", path).status_code == 204
    assert agent.call("GET", path).json()[0]["errorCode"] == "NOT_FOUND"
    for method, body in (("DELETE", None), ("PATCH", {"Title": "x"})):
        answer = agent.call(method, path, body)
        assert answer.status_code == 404
        assert answer.json() == [
            {"errorCode": "ENTITY_IS_DELETED", "message": "entity is deleted", "fields": []}
        ]


def test_deleting_an_account_takes_its_contacts_along(agent: Client) -> None:
    account = agent.create("Account", Name="王家")
    contact = agent.create("Contact", LastName="王", AccountId=account)
    assert agent.call("DELETE", f"/sobjects/Account/{account}").status_code == 204
    assert agent.call("GET", f"/sobjects/Contact/{contact}").status_code == 404


def test_a_contact_with_cases_cannot_be_deleted(agent: Client) -> None:
    contact = agent.create("Contact", LastName="王")
    agent.create("Case", ContactId=contact)
    answer = agent.call("DELETE", f"/sobjects/Contact/{contact}")
    assert answer.json()[0]["errorCode"] == "DELETE_FAILED"
    assert agent.row("Contact", contact)["LastName"] == "王"


def test_a_case_has_a_number_the_account_of_its_contact_and_its_borrowed_fields(
    agent: Client,
) -> None:
    account = agent.create("Account", Name="王家")
    contact = agent.create("Contact", LastName="王", AccountId=account, MobilePhone="0912")
    case = agent.row("Case", agent.create("Case", ContactId=contact))
    assert case["CaseNumber"] == "00001000"
    assert (case["AccountId"], case["ContactMobile"]) == (account, "0912")
    assert (case["Status"], case["Priority"], case["IsClosed"]) == ("New", "Medium", False)


def test_closing_a_case_stamps_it_and_reopening_clears_the_stamp(agent: Client) -> None:
    path = f"/sobjects/Case/{(case := agent.create('Case'))}"
    agent.call("PATCH", path, {"Status": "Closed"})
    assert STAMP.fullmatch(agent.row("Case", case)["ClosedDate"])
    agent.call("PATCH", path, {"Status": "Working"})
    assert agent.row("Case", case)["ClosedDate"] is None


def test_an_asset_needs_an_owner_and_its_contact_an_account(agent: Client) -> None:
    error = agent.refused("Asset", Name="AC-100")
    assert error["message"] == "Every asset needs an account, a contact, or both."
    lonely = agent.create("Contact", LastName="王")
    error = agent.refused("Asset", Name="AC-100", ContactId=lonely)
    assert error["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"


def test_a_work_order_starts_new_and_knows_its_category(agent: Client) -> None:
    row = agent.row("WorkOrder", agent.create("WorkOrder", Subject="到府維修"))
    assert (row["Status"], row["StatusCategory"], row["Priority"]) == ("New", "New", "Medium")
    assert row["WorkOrderNumber"] == "00001000"


def test_an_assignment_rule_gives_line_cases_to_the_queue_unless_told_not_to(
    agent: Client,
) -> None:
    told = agent.call(
        "POST", "/sobjects/Case", {"Origin": "LINE"}, headers={"Sforce-Auto-Assign": "FALSE"}
    ).json()["id"]
    assigned = agent.create("Case", Origin="LINE")
    owners = {
        each["Id"]: each["Owner"]["Name"] for each in agent.query("SELECT Id, Owner.Name FROM Case")
    }
    assert owners[assigned] == "LINE 報修"
    assert owners[told] == "客服 林"


def test_a_converted_lead_refuses_updates(agent: Client) -> None:
    lead = agent.create("Lead", LastName="陳", Company="-", IsConverted=True)
    answer = agent.call("PATCH", f"/sobjects/Lead/{lead}", {"Title": "x"})
    assert answer.json()[0]["errorCode"] == "CANNOT_UPDATE_CONVERTED_LEAD"


def test_an_address_is_shown_whole_and_written_in_parts(agent: Client) -> None:
    row_id = agent.create("Contact", LastName="王", MailingCity="臺北", MailingStreet="一街")
    address = agent.row("Contact", row_id)["MailingAddress"]
    assert (address["city"], address["street"], address["country"]) == ("臺北", "一街", None)
