"""Weighing a pair line by line, without a database."""

import pytest

from connector.mapping.schema import FieldSchema
from connector.sync.pairs import weighing
from tests.unit.mapping.building import compiled, thing

ROW = {"Name__c": "Ann", "State__c": "New", "Sum__c": "Ann!"}
FIELDS = [FieldSchema(name, length=40) for name in ("Name__c", "State__c", "Sum__c", "Other__c")]
BOTH = "{line: symptom, salesforce: Name__c, direction: both}"
NAMED = "{line: status, salesforce: State__c, direction: both, values: {received: New}}"
IN_NAMED = NAMED.replace("direction: both", "direction: from_salesforce")
SUM = "{salesforce: Sum__c, expression: 'text(line.symptom) + \"!\"'}"


def mapping(*lines):
    listed = "".join(f"  - {line}\n" for line in lines)
    text = f"from: repair_request\nto: Thing__c\nfields:\n{listed}"
    return compiled(text, thing(*FIELDS), "repair_request-thing")


def agreed(made, seen, row):
    """The base after both sides agreed on what they hold."""
    return weighing.weigh(made, seen, {}, row).agreed


def seen(**values):
    blank = dict.fromkeys(("symptom", "status", "address"))
    return {**blank, **values}


def test_an_inbound_value_without_a_name_asks_each_time_until_it_has_one():
    made = mapping(IN_NAMED)
    for _ in range(2):
        outcome = weighing.weigh(made, seen(), {}, {"State__c": "Strange"})
        assert [each.line for each in outcome.questions] == ["State__c"]
        assert outcome.answered == []
    outcome = weighing.weigh(made, seen(), {}, {"State__c": "New"})
    assert (outcome.questions, outcome.answered) == ([], ["State__c"])
    assert outcome.takes == {"status": "received"}


def test_an_outbound_value_without_a_name_stops_its_line_alone():
    made = mapping(BOTH, NAMED)
    outcome = weighing.weigh(made, seen(symptom="Ann", status="odd"), {}, None, creating=True)
    assert outcome.sends == {"Name__c": "Ann"}
    (question,) = outcome.questions
    assert (question.kind, question.line, question.computed) == ("value", "State__c", False)


def test_a_failing_expression_is_told_apart():
    made = mapping("{salesforce: Sum__c, expression: 'line.slots[3]'}")
    outcome = weighing.weigh(made, seen(slots=["a"]), {}, None, creating=True)
    assert [each.computed for each in outcome.questions] == [True]


def test_what_was_sent_is_the_base_where_something_else_was_read_back():
    made = mapping(BOTH)
    base = agreed(made, seen(symptom="Ann"), ROW)
    outcome = weighing.weigh(made, seen(symptom="Bea"), base, ROW)
    read_back = {"Name__c": "Bea of the flow"}
    settled = {**base, **weighing.settled_base(made, outcome, read_back)}
    later = weighing.weigh(made, seen(symptom="Bea"), settled, read_back)
    assert (later.takes, later.sends) == ({"symptom": "Bea of the flow"}, {})


def test_a_computed_value_that_salesforce_improved_on_is_kept():
    made = mapping(SUM)
    created = weighing.weigh(made, seen(symptom="Ann"), {}, None, creating=True)
    base = weighing.settled_base(made, created, None)
    improved = {"Sum__c": "Ann, dear"}
    assert weighing.weigh(made, seen(symptom="Bea"), base, improved).sends == {}
    assert weighing.weigh(made, seen(symptom="Bea"), base, ROW).sends == {"Sum__c": "Bea!"}


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        (BOTH, True),
        (BOTH.replace("both", "both, conflict: line_wins"), False),
        (BOTH.replace("both", "to_salesforce"), False),
        (SUM, True),
    ],
)
def test_what_both_sides_may_edit_is_read_before_it_is_written(line, needed):
    made = mapping(line)
    created = weighing.weigh(made, seen(symptom="Ann"), {}, None, creating=True)
    base = weighing.settled_base(made, created, None)
    assert weighing.must_read(made, seen(symptom="Ann"), base) is False
    assert weighing.must_read(made, seen(symptom="Bea"), base) is needed


def test_a_line_that_never_met_its_field_needs_the_row():
    assert weighing.must_read(mapping(BOTH), seen(symptom="Ann"), {})


def test_a_row_that_holds_the_base_says_nothing_new():
    made = mapping(BOTH)
    base = agreed(made, seen(symptom="Ann"), ROW)
    assert weighing.equals_base(made, base, {"Name__c": " Ann "})
    assert weighing.equals_base(made, base, {"Other__c": "x"})
    assert not weighing.equals_base(made, base, {"Name__c": "Bea"})
    assert not weighing.equals_base(made, {}, ROW)


def test_a_field_shared_by_two_lines_has_a_base_for_each_way():
    made = mapping(SUM, "{line: address, salesforce: Sum__c, direction: from_salesforce}")
    created = weighing.weigh(made, seen(symptom="Ann"), {}, None, creating=True)
    base = weighing.settled_base(made, created, None)
    outcome = weighing.weigh(made, seen(symptom="Ann"), base, ROW)
    assert outcome.takes == {"address": "Ann!"}
    assert set(outcome.agreed) == {"Sum__c:in"}
