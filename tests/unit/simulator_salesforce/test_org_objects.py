"""What the platform derives in field work, selling and persons; record types and their picklists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.salesforce.org import SalesforceOrg

from .stage import Client

VISIT = {"EarliestStartTime": "2026-01-02T01:00:00Z", "DueDate": "2026-01-03T01:00:00Z"}
RECORDED = {
    "Opportunity": (
        "Opportunity.cumulusci.json",
        {"LastAmountChangedHistoryId", "LastCloseDateChangedHistoryId"},
    ),
    "Task": ("Task.swiftlysalesforce.json", {"RecurrenceTimeZoneSidKey"}),
}


@pytest.mark.parametrize("kind", RECORDED)
def test_fields_are_those_of_a_recorded_describe(agent: Client, contracts: Path, kind: str) -> None:
    name, left_out = RECORDED[kind]
    recorded = json.loads((contracts / "describe" / name).read_text())["fields"]
    standard = {each["name"] for each in recorded if not each["custom"]} - left_out
    shown = agent.call("GET", f"/sobjects/{kind}/describe").json()["fields"]
    assert standard == {each["name"] for each in shown}


def test_an_appointment_takes_over_the_account_and_contact_of_its_work_order(
    agent: Client,
) -> None:
    account = agent.create("Account", Name="王家")
    contact = agent.create("Contact", LastName="王", AccountId=account)
    order = agent.create("WorkOrder", AccountId=account, ContactId=contact)
    visit = agent.row(
        "ServiceAppointment", agent.create("ServiceAppointment", ParentRecordId=order, **VISIT)
    )
    assert (visit["AccountId"], visit["ContactId"]) == (account, contact)
    assert (visit["ParentRecordType"], visit["StatusCategory"]) == ("WorkOrder", "None")
    assert visit["AppointmentNumber"] == "SA-1000"


def test_an_appointment_needs_its_times(agent: Client) -> None:
    order = agent.create("WorkOrder")
    error = agent.refused("ServiceAppointment", ParentRecordId=order)
    assert error["fields"] == ["EarliestStartTime", "DueDate"]


def test_a_work_order_counts_and_sums_its_line_items(agent: Client) -> None:
    order = agent.create("WorkOrder")
    items = [
        agent.create("WorkOrderLineItem", WorkOrderId=order, Quantity=2, UnitPrice=100, Discount=10)
        for _ in range(2)
    ]
    row = agent.row("WorkOrder", order)
    assert (row["LineItemCount"], row["Subtotal"], row["TotalPrice"]) == (2, 400.0, 360.0)
    agent.call("DELETE", f"/sobjects/WorkOrderLineItem/{items[0]}")
    assert agent.row("WorkOrder", order)["LineItemCount"] == 1


def test_a_refused_child_leaves_the_sums_alone(agent: Client) -> None:
    order = agent.create("WorkOrder")
    records = [
        {"attributes": {"type": "WorkOrderLineItem"}, "WorkOrderId": order},
        {"attributes": {"type": "WorkOrderLineItem"}},
    ]
    agent.call("POST", "/composite/sobjects", {"allOrNone": True, "records": records})
    assert agent.row("WorkOrder", order)["LineItemCount"] == 0


def test_a_task_knows_the_account_of_what_it_is_about(agent: Client) -> None:
    account = agent.create("Account", Name="王家")
    case = agent.create("Case", AccountId=account)
    task = agent.row("Task", agent.create("Task", Subject="Call", WhatId=case))
    assert (task["AccountId"], task["Status"], task["Priority"]) == (
        account,
        "Not Started",
        "Normal",
    )


def test_a_task_of_a_lead_is_about_nothing_else(agent: Client) -> None:
    lead = agent.create("Lead", LastName="陳", Company="-")
    error = agent.refused("Task", WhoId=lead, WhatId=agent.create("Account", Name="王家"))
    assert error["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"


def test_a_campaign_counts_its_members(agent: Client) -> None:
    campaign = agent.create("Campaign", Name="夏季")
    lead = agent.create("Lead", LastName="陳", Company="-")
    agent.create("CampaignMember", CampaignId=campaign, LeadId=lead, Status="Responded")
    row = agent.row("Campaign", campaign)
    assert (row["NumberOfLeads"], row["NumberOfContacts"], row["NumberOfResponses"]) == (1, 0, 1)


def test_which_statuses_convert_a_lead_can_be_asked(agent: Client) -> None:
    found = agent.query("SELECT MasterLabel FROM LeadStatus WHERE IsConverted = true")
    assert found == [{"MasterLabel": "Closed - Converted"}]


def repair_type(agent: Client) -> str:
    agent.rule(
        "record_type",
        object="WorkOrder",
        developer_name="Repair",
        label="維修",
        default=True,
        picklists={"DurationType": ["Hours"]},
    )
    (row,) = agent.query("SELECT Id FROM RecordType WHERE DeveloperName = 'Repair'")
    return str(row["Id"])


def test_record_types_appear_in_describe_once_there_are_any(agent: Client, contracts: Path) -> None:
    before = agent.call("GET", "/sobjects/WorkOrder/describe").json()
    assert "RecordTypeId" not in {each["name"] for each in before["fields"]}
    assert [each["developerName"] for each in before["recordTypeInfos"]] == ["Master"]
    type_id = repair_type(agent)
    after = agent.call("GET", "/sobjects/WorkOrder/describe").json()
    assert "RecordTypeId" in {each["name"] for each in after["fields"]}
    recorded = json.loads((contracts / "describe/Account.cumulusci.json").read_text())
    first, master = after["recordTypeInfos"]
    assert first.keys() == recorded["recordTypeInfos"][0].keys()
    assert (first["recordTypeId"], first["defaultRecordTypeMapping"]) == (type_id, True)
    assert (master["master"], master["defaultRecordTypeMapping"]) == (True, False)


def test_a_row_gets_the_default_type_and_its_picklist_values(agent: Client) -> None:
    type_id = repair_type(agent)
    assert agent.row("WorkOrder", agent.create("WorkOrder"))["RecordTypeId"] == type_id
    error = agent.refused("WorkOrder", DurationType="Minutes")
    assert error["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    values = agent.call("GET", f"/ui-api/object-info/WorkOrder/picklist-values/{type_id}").json()
    shown = values["picklistFieldValues"]["DurationType"]["values"]
    assert [each["value"] for each in shown] == ["Hours"]


def test_a_type_of_the_start_offers_less_while_a_rule_says_so_and_stays(agent: Client) -> None:
    (franchise,) = agent.query("SELECT Id FROM RecordType WHERE DeveloperName = 'Franchise'")
    rule = agent.rule(
        "record_type",
        object="Lead",
        developer_name="Franchise",
        label="加盟申請",
        picklists={"CleanStatus": ["Matched"]},
    )
    lead = {"LastName": "陳", "Company": "-", "CleanStatus": "Pending"}
    assert agent.refused("Lead", RecordTypeId=franchise["Id"], **lead)["fields"] == ["CleanStatus"]
    agent.create("Lead", **lead)
    agent.http.delete(f"{agent.url}/_simulator/rules/{rule}", timeout=10).raise_for_status()
    agent.create("Lead", RecordTypeId=franchise["Id"], **lead)


def test_a_record_type_of_another_object_is_refused(agent: Client) -> None:
    type_id = repair_type(agent)
    agent.rule("record_type", object="Case", developer_name="Other", label="其他")
    error = agent.refused("Case", RecordTypeId=type_id)
    assert error["errorCode"] == "INVALID_CROSS_REFERENCE_KEY"


@pytest.fixture
def person(agent: Client) -> dict[str, Any]:
    """A person account, in an org that has them."""
    agent.switch(person_accounts=True)
    row_id = agent.create(
        "Account", LastName="王", FirstName="小明", PersonEmail="a@example.com", LINE_Key__pc="k1"
    )
    return agent.row("Account", row_id)


def test_a_person_account_has_a_contact_in_its_shadow(
    agent: Client, person: dict[str, Any]
) -> None:
    assert (person["Name"], person["IsPersonAccount"]) == ("小明 王", True)
    contact = agent.row("Contact", person["PersonContactId"])
    assert (contact["Email"], contact["AccountId"], contact["LINE_Key__c"]) == (
        "a@example.com",
        person["Id"],
        "k1",
    )
    agent.call("PATCH", f"/sobjects/Account/{person['Id']}", {"PersonEmail": None})
    assert agent.row("Contact", person["PersonContactId"])["Email"] is None


def test_the_shadow_is_written_through_the_account_alone(
    agent: Client, person: dict[str, Any]
) -> None:
    path = f"/sobjects/Contact/{person['PersonContactId']}"
    answer = agent.call("PATCH", path, {"Email": "b@example.com"})
    assert answer.json()[0]["errorCode"] == "INVALID_PERSON_ACCOUNT_OPERATION"


def test_the_name_of_a_person_account_is_not_written(agent: Client, person: dict[str, Any]) -> None:
    answer = agent.call("PATCH", f"/sobjects/Account/{person['Id']}", {"Name": "x"})
    assert answer.json()[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_person_fields_are_those_recorded_and_hidden_elsewhere(
    agent: Client, contracts: Path
) -> None:
    path = contracts / "describe/Account.personaccounts-on.cumulusci.json"
    recorded = {each["name"] for each in json.loads(path.read_text())["fields"]}
    before = agent.call("GET", "/sobjects/Account/describe").json()["fields"]
    agent.switch(person_accounts=True)
    after = agent.call("GET", "/sobjects/Account/describe").json()["fields"]
    added = {each["name"] for each in after} - {each["name"] for each in before}
    standard = {name for name in added if not name.endswith("__pc")}
    assert standard <= recorded
    assert {"IsPersonAccount", "PersonContactId", "PersonMailingCity", "LastName"} <= standard


@pytest.fixture
def formulas(agent: Client, org: SalesforceOrg) -> None:
    """Two formula fields that an administrator made and granted."""
    made = {
        "Owner_Label__c": {"type": "string", "length": 255, "formula": "{Account.Name}／{Name}"},
        "In_Warranty__c": {"type": "boolean", "formula": "UsageEndDate >= TODAY"},
    }
    (permissions,) = agent.query("SELECT Id FROM PermissionSet WHERE Name = 'LINE_Connector'")
    for name, known in made.items():
        definition = {"label": name, "access": "read", **known}
        org.store.customize([{"object": "Asset", "field": name, "definition": definition}])
        agent.create(
            "FieldPermissions",
            ParentId=permissions["Id"],
            SobjectType="Asset",
            Field=f"Asset.{name}",
            PermissionsRead=True,
        )


@pytest.mark.usefixtures("formulas")
def test_formula_fields_are_worked_out_when_they_are_read(agent: Client) -> None:
    account = agent.create("Account", Name="王家")
    for name, end in (("新", "2999-01-01"), ("舊", "2000-01-01"), ("無", None)):
        agent.create("Asset", Name=name, AccountId=account, UsageEndDate=end)
    agent.call("PATCH", f"/sobjects/Account/{account}", {"Name": "李家"})
    soql = "SELECT Owner_Label__c, In_Warranty__c FROM Asset WHERE In_Warranty__c = true"
    assert agent.query(soql) == [{"Owner_Label__c": "李家／新", "In_Warranty__c": True}]


@pytest.mark.usefixtures("formulas")
def test_formula_fields_say_so_and_cannot_be_written(agent: Client) -> None:
    fields = agent.call("GET", "/sobjects/Asset/describe").json()["fields"]
    (field,) = [each for each in fields if each["name"] == "Owner_Label__c"]
    assert (field["calculated"], field["calculatedFormula"]) == (True, "{Account.Name}／{Name}")
    error = agent.refused("Asset", Name="x", Owner_Label__c="y")
    assert error["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
