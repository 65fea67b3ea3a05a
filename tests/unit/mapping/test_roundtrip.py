"""A line that would give back something else is found by trying, and the value is shown."""

import pytest

from connector.mapping.rules import Rule
from connector.mapping.schema import FieldSchema
from tests.unit.mapping.building import problems, thing

ORG = thing(
    FieldSchema("Name", length=80),
    FieldSchema("Tags", type="multipicklist"),
    FieldSchema("Amount", type="double", precision=18, scale=2),
    FieldSchema("Flag", type="boolean"),
    FieldSchema("At", type="datetime"),
    FieldSchema("Note", type="textarea", length=32000),
)
LOST = {
    "a text in a set of choices": ("line: symptom, salesforce: Tags", "'b;a'"),
    "digits that the field drops": (
        "line: symptom, salesforce: Amount, transform: number",
        "'0.123456789'",
    ),
    "a prefix whose blank the field drops": (
        'line: symptom, salesforce: Name, transform: {prefix: " a"}',
        "come back as 'aa'",
    ),
    "two choices that the field cannot tell apart": (
        'line: urgency, salesforce: Name, values: {low: "x", high: "x "}',
        "'high' would go out as Name 'x' and come back as 'low'",
    ),
    "a blank that a checkbox cannot hold": (
        "line: urgency, salesforce: Flag, values: {high: true, low: false}",
        "blank would go out as Flag False and come back as 'low'",
    ),
    "a blank that becomes a choice nobody named": (
        "line: urgency, salesforce: Name, values: {high: High}, transform: boolean",
        "blank would go out as Name 'false' and not come back",
    ),
}
KEPT = [
    "line: symptom, salesforce: Name, transform: trim",
    "line: symptom, salesforce: Note",
    "line: contact_phone, salesforce: Name, transform: phone",
    "line: contact_phone, salesforce: Name",
    "line: visit_at, salesforce: At",
    "line: slots, salesforce: Tags",
    'line: slots, salesforce: Note, transform: {join: "; "}',
    "line: urgency, salesforce: Name, values: {low: Low, normal: Medium, high: High}",
    "line: symptom, salesforce: Name, transform: {prefix: LINE-}",
]


def found(spec):
    line = f"  - {{{spec}, direction: both}}\n"
    return problems(f"from: repair_request\nto: Thing__c\nfields:\n{line}", ORG)


@pytest.mark.parametrize("case", LOST)
def test_what_does_not_come_back_is_shown(case):
    spec, shown = LOST[case]
    (problem,) = found(spec)
    assert (problem.rule, shown in problem.message) == (Rule.ROUND_TRIP, True), problem


@pytest.mark.parametrize("spec", KEPT)
def test_what_comes_back_as_it_went_is_let_through(spec):
    assert found(spec) == []
