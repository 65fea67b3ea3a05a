"""A line shown step by step takes the steps that sync takes, and stops where sync would."""

import pytest

from connector.mapping.parts.tracing import homeward, outward, trace
from connector.mapping.schema import FieldSchema
from tests.unit.mapping.building import compiled, line_of, starter, thing

URGENCY = (
    "{line: urgency, salesforce: Level, values: {low: Low, normal: Medium}, default: normal, "
    "transform: {truncate: 3}}"
)
STATUS = "{line: status, salesforce: Status, direction: from_salesforce, default: received}"
SHORT = thing(FieldSchema("Name", length=3))


def steps(way):
    return [(step.name, step.value) for step in way.steps]


@pytest.mark.parametrize(
    ("urgency", "wanted"),
    [
        ("low", [("values", "Low"), ("truncate 3", "Low")]),
        (None, [("default", "normal"), ("values", "Medium"), ("truncate 3", "Med")]),
    ],
)
def test_each_conversion_is_noted_with_what_came_of_it(urgency, wanted):
    line = line_of(URGENCY, "repair_request")
    way = outward(line, {"urgency": urgency})
    assert (steps(way), way.fields) == (wanted, line.forward({"urgency": urgency}))


def test_a_value_that_is_not_named_stops_before_the_field():
    way = outward(line_of(URGENCY, "repair_request"), {"urgency": "extreme"})
    assert (way.steps, way.fields, way.refused) == ((), None, False)
    assert "do not name" in way.problem.reason


def test_a_value_that_the_field_does_not_take_is_refused_by_salesforce():
    way = outward(line_of("{line: name, salesforce: Name}", schema=SHORT), {"name": "abcd"})
    assert (way.source, way.refused) == ("abcd", True)
    assert "the field holds 3" in way.problem.reason


def test_an_expression_that_fails_has_no_source():
    line = line_of("{salesforce: D, expression: 'add_days(line.code, 1)'}", "registration")
    assert "add_days" in outward(line, {"code": "A"}).problem.reason


def test_a_blank_field_is_filled_on_the_way_back():
    way = homeward(line_of(STATUS, "repair_request"), {"Status": None})
    assert (steps(way), way.value) == ([("default", "received")], "received")


def test_a_choice_that_is_not_named_does_not_come_back():
    line = line_of(
        "{line: status, salesforce: S, direction: from_salesforce, values: {new: New}}",
        "repair_request",
    )
    way = homeward(line, {"S": "Old"})
    assert (way.value, "Salesforce holds 'Old'" in way.problem.reason) == (None, True)


def test_what_no_row_holds_comes_back_as_it_would_be_sent():
    mapping = compiled(
        "from: member\nto: Thing__c\nfields:\n"
        "  - {line: name, salesforce: Name, direction: both}\n"
        "  - {line: phone, salesforce: Phone, direction: from_salesforce}\n"
    )
    name, phone = trace(mapping, {"name": "王"}, {"Phone": "0912345678"})
    assert (name.homeward.assumed, name.homeward.value, name.differs) == (True, "王", False)
    assert (phone.outward, phone.homeward.value) == (None, "+886912345678")


def test_two_sides_that_mean_different_things_differ():
    mapping = starter().mappings["member-contact"]
    traces = trace(mapping, {"phone": "+886912345678"}, {"MobilePhone": "0912 345 679"})
    assert [each.line.id for each in traces if each.differs] == ["MobilePhone"]
