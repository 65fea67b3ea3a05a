"""The documents we ship compile, offline, against the simulated org and against recorded orgs."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from connector.mapping.json_schema import mapping_schema
from connector.mapping.loader import check_folder, load, read_folder
from connector.mapping.schema import FieldSchema, ObjectSchema, from_describe, from_json, to_json
from tests.unit.mapping.building import KEY, OBJECTS, STARTER, org, starter

CONTRACTS = Path(__file__).parents[4] / "shared" / "contracts" / "salesforce"
OURS = {
    "LINE_User_Id__c": FieldSchema("LINE_User_Id__c", length=33),
    "LINE_Display_Name__c": FieldSchema("LINE_Display_Name__c", length=255),
    "LINE_Following__c": FieldSchema("LINE_Following__c", type="boolean"),
    "LINE_Bound_At__c": FieldSchema("LINE_Bound_At__c", type="datetime"),
    "LINE_Marketing_Consent__c": FieldSchema("LINE_Marketing_Consent__c", type="boolean"),
    KEY.name: KEY,
}
MEMBER = {
    "name": "王小明",
    "phone": "+886912345678",
    "email": None,
    "bound_at": "2026-01-02T03:04:05.678Z",
    "consents.service": True,
    "consents.marketing": None,
    "person": {"user_id": "U1", "display_name": "小明", "following": True},
}
REGISTRATION = {
    "code": "7KQ2M9XR4TBD",
    "serial": None,
    "purchased_on": "2026-01-31",
    "shop": "信義店",
    "product": {"name": "分離式冷氣", "warranty_months": 13},
}
REQUEST = {
    "symptom": "不冷",
    "description": None,
    "address": "台北市信義路1號",
    "slots": ["2026-01-05 AM", "2026-01-06 PM"],
    "contact_phone": "+886912345678",
    "urgency": None,
    "product_text": None,
}


def mapping(name):
    return starter().mappings[name]


def sent(name, view):
    return {
        key: value for line in mapping(name).outbound for key, value in line.forward(view).items()
    }


def test_the_starter_set_has_no_problem_without_an_org():
    assert check_folder(STARTER, None) == []


def test_the_starter_set_has_no_problem_with_the_simulated_org():
    assert check_folder(STARTER, org()) == []


def test_the_starter_set_is_the_one_of_the_design():
    assert sorted(starter().mappings) == [
        "franchise_application-lead",
        "friend-lead",
        "member-account",
        "member-account.person",
        "member-contact",
        "product-product2",
        "registration-asset",
        "repair_request-case",
        "repair_request-workorder",
    ]


def recorded(name):
    path = CONTRACTS / "describe" / f"{name}.cumulusci.json"
    if not path.exists():
        pytest.skip(f"no recorded describe of {name} beside the project")
    found = from_describe(json.loads(path.read_text()))
    return ObjectSchema(found.name, {**found.fields, **OURS})


@pytest.mark.parametrize("name", ["Account", "Contact", "Lead", "Case"])
def test_the_starter_set_fits_recorded_orgs_with_our_fields_installed(name):
    texts = read_folder(STARTER)
    schemas = {**org(), name: recorded(name)}
    assert load(texts, schemas).problems == ()


@pytest.mark.parametrize("name", ["Account", "Contact", "Lead", "Case"])
def test_a_recorded_describe_survives_the_cache(name):
    schema = recorded(name)
    again = from_json(json.loads(json.dumps(to_json(schema))))
    assert again == replace(schema, fields=dict(schema.fields))
    assert again.field("lastname" if name in ("Contact", "Lead") else "id") is not None


@pytest.mark.parametrize("name", ["Asset", "WorkOrder", "Product2"])
def test_fields_of_objects_without_a_recording_are_those_of_a_real_org(name):
    path = CONTRACTS / "schema" / "standard-objects.jsforce.json"
    if not path.exists():
        pytest.skip("no recorded field lists beside the project")
    real = json.loads(path.read_text())["objects"][name]["fields"]
    used = {
        field
        for each in starter().mappings.values()
        if each.object == name
        for field in each.fields
    }
    assert {field for field in used if not field.endswith("__c")} <= set(real)


@pytest.mark.parametrize("name", OBJECTS)
def test_a_simulated_describe_survives_the_cache(name):
    assert from_json(to_json(org()[name])) == org()[name]


def test_a_friend_becomes_a_lead_only_after_consent_and_before_binding():
    active = mapping("friend-lead").active
    assert not active({"consents.service": None, "bound": None})
    assert active({"consents.service": True, "bound": None})
    assert not active({"consents.service": True, "bound": True})


def test_a_friend_without_a_name_is_still_a_lead():
    fields = sent("friend-lead", {"user_id": "U1", "display_name": None, "following": True})
    assert fields["LastName"] == "LINE 好友"
    assert (fields["Company"], fields["LeadSource"]) == ("LINE", "LINE")
    assert fields["LINE_Marketing_Consent__c"] is False


def test_a_member_fills_a_contact():
    assert sent("member-contact", MEMBER) == {
        "LastName": "王",
        "FirstName": "小明",
        "MobilePhone": "+886912345678",
        "Email": None,
        "LINE_User_Id__c": "U1",
        "LINE_Display_Name__c": "小明",
        "LINE_Following__c": True,
        "LINE_Bound_At__c": "2026-01-02T03:04:05.000Z",
        "LINE_Marketing_Consent__c": False,
    }


def test_a_contact_reads_back_what_agents_edit_and_the_account_others_adopt():
    contact = mapping("member-contact")
    assert contact.read_fields == ("LastName", "FirstName", "MobilePhone", "Email", "AccountId")
    assert contact.named_for_others == ("AccountId",)
    assert mapping("member-account").adopt.mapping == "member-contact"


def test_unbinding_clears_our_fields_on_contact_and_lead_only():
    marked = {name for name, each in starter().mappings.items() if each.enabled and each.marks}
    assert marked == {"friend-lead", "member-contact"}
    assert "LINE_Key__c" in mapping("member-contact").marks
    assert "MobilePhone" not in mapping("member-contact").marks


def test_a_person_s_change_touches_the_member():
    assert mapping("member-contact").dotted_relations == {"person": "friend"}
    assert "person.following" in mapping("member-contact").inputs


def test_a_registration_becomes_an_asset_with_its_warranty():
    assert sent("registration-asset", REGISTRATION) == {
        "Name": "分離式冷氣 7KQ2M9XR4TBD",
        "SerialNumber": "7KQ2M9XR4TBD",
        "PurchaseDate": "2026-01-31",
        "UsageEndDate": "2027-02-28",
        "Description": "信義店",
        "Status": "Registered",
    }


def test_the_factory_s_serial_number_comes_before_our_code():
    fields = sent("registration-asset", {**REGISTRATION, "serial": "SN-1"})
    assert (fields["SerialNumber"], fields["Name"]) == ("SN-1", "分離式冷氣 SN-1")


def test_a_repair_request_becomes_a_case_and_a_work_order():
    case, order = sent("repair_request-case", REQUEST), sent("repair_request-workorder", REQUEST)
    assert (case["Subject"], case["Priority"], case["Origin"]) == ("不冷", "Medium", "LINE")
    assert case["Description"] == "台北市信義路1號\n2026-01-05 AM; 2026-01-06 PM"
    assert (order["Subject"], order["Street"]) == ("不冷", "台北市信義路1號")


def test_the_asset_of_a_request_is_optional_and_its_contact_is_not():
    optional = {parent.field: parent.optional for parent in mapping("repair_request-case").parents}
    assert optional == {"ContactId": False, "AccountId": True, "AssetId": True}


@pytest.mark.parametrize(
    ("status", "held"),
    [
        ("New", "received"),
        ("Working", "working"),
        ("Escalated", "working"),
        ("Closed", "closed"),
        ("On Hold", "working"),
    ],
)
def test_an_agent_s_status_is_one_that_members_know(status, held):
    assert mapping("repair_request-case").line("Status").inverse({"Status": status}) == held


def test_forms_are_urgent():
    lanes = {name: each.lane for name, each in starter().mappings.items()}
    assert {name for name, lane in lanes.items() if lane == "urgent"} == set(lanes) - {
        "friend-lead",
        "product-product2",
    }


def test_the_schema_for_editors_is_fresh():
    written = (STARTER / "schema.json").read_text(encoding="utf-8")
    assert written == mapping_schema(), "run: python -m connector.mapping.json_schema"
