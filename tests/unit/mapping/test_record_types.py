"""A record type offers fewer values than its field has: mappings that name it are held to those."""

import pytest

from connector.mapping.loader import load
from connector.mapping.parts.compiled import LineProblem
from connector.mapping.rules import Rule
from connector.mapping.schema import (
    FieldSchema,
    ObjectSchema,
    from_describe,
    from_json,
    record_type_ids,
    to_json,
)
from tests.unit.mapping.building import KEY, compiled, problems, thing

STAGE = FieldSchema(
    "Stage__c", type="picklist", picklist=("New", "Working", "Closed"), restricted=True
)
FREE = FieldSchema("Free__c", type="picklist", picklist=("New", "Working"))
TYPED = FieldSchema("RecordTypeId", type="reference", reference_to=("RecordType",))
ORG = ObjectSchema(
    "Thing__c", {each.name: each for each in (KEY, STAGE, FREE, TYPED)}, ("Repair", "Sale")
).offering("Repair", {"stage__c": ["New", "Closed", "Escaped"], "Free__c": ["New"], "Gone": ["A"]})
HEAD = "from: member\nto: Thing__c\nrecord_type: repair\nfields:\n"
INBOUND = "  - {line: name, salesforce: Stage__c, direction: from_salesforce, values: "


def told(line, head=HEAD, org=ORG):
    return [(each.rule, each.message) for each in problems(f"{head}  - {line}\n", org)]


def test_what_record_types_offer_is_kept_and_what_was_kept_before_is_still_read():
    assert ORG.offered == {"Repair": {"Stage__c": ("New", "Closed"), "Free__c": ("New",)}}
    assert from_json(to_json(ORG)) == ORG
    before = to_json(thing(STAGE))
    assert "offered" not in before
    assert from_json(before).offered == {}
    narrow = ORG.under("repair")
    assert from_json(to_json(narrow)) == narrow


def test_a_list_of_which_nothing_is_known_narrows_nothing():
    every = ORG.offering("Sale", {"Stage__c": ["New", "Working", "Closed"], "Free__c": []})
    assert every.knows("sale")
    assert every.under("Sale") is every


def test_a_value_that_the_record_type_lacks_is_refused_by_its_name():
    line = "{salesforce: Stage__c, constant: Working}"
    message = (
        "Stage__c does not take it: Working is not a value of the picklist of record type Repair"
    )
    assert told(line) == [(Rule.PICKLIST_VALUE, message)]
    assert told("{salesforce: Stage__c, constant: Closed}") == []
    assert told("{salesforce: Free__c, constant: Working}") == []
    for other in (HEAD.replace("repair", "Sale"), HEAD.replace("record_type: repair\n", "")):
        assert told(line, other) == []


def test_a_record_with_such_a_value_holds_its_line_back():
    (line,) = compiled(f"{HEAD}  - {{line: name, salesforce: Stage__c}}\n", ORG).lines
    assert line.to_fields("New") == {"Stage__c": "New"}
    with pytest.raises(LineProblem, match="Working is not a value .* of record type Repair"):
        line.to_fields("Working")


def test_coming_in_the_values_of_the_type_must_be_named_and_others_of_the_field_may_be():
    assert problems(f"{HEAD}{INBOUND}{{a: New, b: Closed}}}}\n", ORG) == []
    assert problems(f"{HEAD}{INBOUND}{{a: New, b: Closed, c: Working}}}}\n", ORG) == []
    (found,) = problems(f"{HEAD}{INBOUND}{{a: New}}}}\n", ORG)
    assert found.rule is Rule.PICKLIST_UNMAPPED
    assert found.message.startswith("Stage__c of record type Repair may also hold Closed, ")


def test_a_mapping_that_joins_a_row_is_held_to_the_type_the_row_is_made_with():
    texts = {
        "member-thing.yaml": HEAD.replace("fields:\n", "fields: []\n"),
        "friend-thing.yaml": "from: friend\nto: Thing__c\nrow_of: member-thing\nfields:\n"
        "  - {salesforce: Stage__c, constant: Working, write: blank}\n",
    }
    assert load(texts).record_types == {"Thing__c": {"repair"}}
    messages = [each.message for each in load(texts, {"Thing__c": ORG}).problems]
    assert any("record type Repair" in each for each in messages), messages


def test_a_mapping_that_is_switched_off_asks_about_no_record_type():
    text = HEAD.replace("fields:\n", "enabled: false\nfields: []\n")
    assert load({"member-thing.yaml": text}).record_types == {}


def test_only_types_that_may_be_given_are_asked_about():
    infos = [
        {"developerName": "Repair", "available": True, "master": False, "recordTypeId": "012A"},
        {"developerName": "Sale", "available": False, "master": False, "recordTypeId": "012B"},
        {"developerName": "Master", "available": True, "master": True, "recordTypeId": "012C"},
    ]
    described = {"name": "Thing__c", "fields": [], "recordTypeInfos": infos}
    assert record_type_ids(described) == {"Repair": "012A"}
    assert from_describe(described).record_types == ("Repair",)
