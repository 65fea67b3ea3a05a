"""A compiled line carries values both ways, and says plainly when it cannot."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.lines import Direction, Policy, Write
from connector.mapping.parts.compiled import LineProblem
from connector.mapping.schema import FieldSchema
from tests.unit.mapping.building import compiled, line_of, thing

PHONE = thing(FieldSchema("Mobile", type="phone", length=40))
NAME = thing(
    FieldSchema("LastName", length=80, nillable=False), FieldSchema("FirstName", length=40)
)
URGENCY = "{line: urgency, salesforce: Level, values: {low: Low, normal: Medium}, default: normal}"
STATUS = (
    "{line: status, salesforce: Status, direction: from_salesforce, "
    "values: {received: New, working: [Working, Escalated]}%s}"
)


def phone_line():
    return line_of(
        "{line: phone, salesforce: Mobile, direction: both, transform: phone}", schema=PHONE
    )


def name_line():
    spec = (
        "{line: name, salesforce: [LastName, FirstName], direction: both, transform: person_name}"
    )
    return line_of(spec, schema=NAME)


def test_defaults_are_those_of_the_design():
    line = line_of("{line: name, salesforce: Name}")
    assert (line.direction, line.policy, line.write) == (
        Direction.TO_SALESFORCE,
        Policy.SALESFORCE_WINS,
        Write.CHANGE,
    )
    assert line_of("{constant: LINE, salesforce: Origin}").write is Write.CREATE


def test_a_list_of_fields_is_filled_and_read_as_one():
    line = name_line()
    assert line.id == "LastName,FirstName"
    assert line.forward({"name": " 王小明 "}) == {"LastName": "王", "FirstName": "小明"}
    assert line.inverse({"LastName": "王", "FirstName": "大明"}) == "王大明"
    assert line.inverse({"LastName": None, "FirstName": None}) is None


def test_another_spelling_is_the_same_and_another_number_is_not():
    line = phone_line()
    assert line.same({"Mobile": "0912-345-678"}, {"Mobile": "+886912345678"})
    assert not line.same({"Mobile": "0912-345-679"}, {"Mobile": "+886912345678"})
    assert not line.same({"Mobile": None}, {"Mobile": "+886912345678"})


def test_a_name_in_one_field_is_the_same_name_as_in_two():
    one = {"LastName": "王小明", "FirstName": None}
    assert name_line().same(one, {"LastName": "王", "FirstName": "小明"})
    assert not name_line().same(one, {"LastName": "王", "FirstName": "大明"})


def test_a_phone_is_kept_in_its_stored_form_whatever_was_typed():
    assert phone_line().inverse({"Mobile": "0912 345 678"}) == "+886912345678"
    assert phone_line().inverse({"Mobile": "ask my wife"}) == "ask my wife"


def test_fields_that_were_not_read_stay_absent():
    assert name_line().canonical({"LastName": " 王 ", "Id": "x"}) == {"LastName": "王"}


def test_values_go_out_by_name_and_blanks_by_default():
    line = line_of(URGENCY, "repair_request")
    assert line.forward({"urgency": "low"}) == {"Level": "Low"}
    assert line.forward({"urgency": None}) == {"Level": "Medium"}


def test_a_value_without_a_name_parks_its_line_with_a_next_step():
    with pytest.raises(LineProblem) as problem:
        line_of(URGENCY, "repair_request").forward({"urgency": "extreme"})
    assert (problem.value.field, problem.value.value) == ("Level", "extreme")
    assert "do not name" in problem.value.reason
    assert "otherwise" in problem.value.next_step


def test_many_values_come_in_as_one():
    line = line_of(STATUS % "", "repair_request")
    assert line.inverse({"Status": "Escalated"}) == "working"
    with pytest.raises(LineProblem, match="Salesforce holds 'On Hold'"):
        line.inverse({"Status": "On Hold"})


def test_otherwise_takes_what_is_not_named():
    line = line_of(STATUS % ", otherwise: working", "repair_request")
    assert line.inverse({"Status": "On Hold"}) == "working"


def test_an_inbound_default_fills_a_blank():
    line = line_of(
        "{line: status, salesforce: Status, direction: from_salesforce, default: received}",
        "repair_request",
    )
    assert line.inverse({"Status": None}) == "received"


@pytest.mark.parametrize(
    ("name", "value", "held"),
    [
        ("warranty_months", 36.0, 36),
        ("active", None, False),
        ("active", True, True),
        ("name", " 冷氣 ", "冷氣"),
        ("sku", None, None),
    ],
)
def test_inbound_values_take_the_record_s_own_shape(name, value, held):
    line = line_of(f"{{line: {name}, salesforce: F__c, direction: from_salesforce}}", "product")
    got = line.inverse({"F__c": value})
    assert (got, type(got)) == (held, type(held))


def test_inbound_moments_and_sets_take_the_record_s_own_shape():
    visit = line_of("{line: visit_at, salesforce: S, direction: from_salesforce}", "repair_request")
    slots = line_of("{line: slots, salesforce: S, direction: from_salesforce}", "repair_request")
    assert visit.inverse({"S": "2026-11-25T06:00:00.000+0000"}) == "2026-11-25T06:00:00.000Z"
    assert slots.inverse({"S": "b;a"}) == ["a", "b"]


def test_a_computed_value_knows_its_inputs():
    line = line_of(
        "{salesforce: Name, expression: 'text(line.product.name) + text(line.code)'}",
        "registration",
    )
    assert line.is_expression
    assert line.inputs == {"product.name", "code"}
    assert line.forward({"code": "A", "product": {"name": "冷氣 "}}) == {"Name": "冷氣 A"}


def test_a_failing_expression_is_a_problem_of_its_line():
    line = line_of("{salesforce: D, expression: 'add_days(line.code, 1)'}", "registration")
    with pytest.raises(LineProblem) as problem:
        line.forward({"code": "A"})
    assert "add_days(line.code, 1)" in problem.value.reason


def test_what_does_not_fit_its_field_is_said_before_it_is_sent():
    line = line_of("{line: name, salesforce: Name}", schema=thing(FieldSchema("Name", length=3)))
    with pytest.raises(LineProblem, match="4 characters, the field holds 3"):
        line.forward({"name": "abcd"})


def test_a_required_field_is_not_sent_blank():
    with pytest.raises(LineProblem, match="required"):
        name_line().forward({"name": None})


def test_a_value_a_relation_away_is_blank_where_there_is_no_relation():
    line = line_of("{line: person.user_id, salesforce: U}")
    assert line.forward({"person": {"user_id": "U1"}}) == {"U": "U1"}
    assert line.forward({"person": None}) == {"U": None}


def test_a_computed_field_may_be_read_back_by_a_line_of_its_own():
    mapping = compiled(
        "from: registration\nto: Thing__c\nfields:\n"
        "  - {salesforce: End, expression: 'add_days(line.purchased_on, 1)'}\n"
        "  - {line: warranty_until, salesforce: End, direction: from_salesforce}\n",
        name="registration-thing",
    )
    assert [line.id for line in mapping.lines] == ["End", "End:in"]
    assert mapping.read_fields == ("End",)
    assert mapping.held_fields == ("End",)


def test_a_lookup_gives_the_value_to_look_for():
    org = thing(FieldSchema("Shop__c", type="reference", reference_to=("Account",)))
    spec = "{line: shop, salesforce: Shop__c, lookup: {object: Account, by: Name, missing: wait}}"
    line = line_of(spec, "registration", org)
    assert (line.lookup.object, line.lookup.by, line.lookup.missing) == ("Account", "Name", "wait")
    assert line.forward({"shop": "信義店"}) == {"Shop__c": "信義店"}


def test_field_names_take_the_org_s_own_spelling():
    line = line_of("{line: name, salesforce: name}", schema=thing(FieldSchema("Name")))
    assert line.fields == ("Name",)


@given(st.text(min_size=1, max_size=30))
def test_what_comes_back_from_salesforce_is_not_taken_for_an_edit(name):
    line = line_of(
        "{line: name, salesforce: Name, direction: both, transform: trim}",
        schema=thing(FieldSchema("Name")),
    )
    sent = line.forward({"name": name})
    assert line.same(line.forward({"name": line.inverse(sent)}), sent)


@pytest.mark.parametrize(("flag", "word"), [(True, "Ja"), (False, "Nein")])
def test_flags_may_have_words(flag, word):
    spec = (
        "{line: consents.service, salesforce: F, direction: both, values: {true: Ja, false: Nein}}"
    )
    line = line_of(spec)
    assert line.forward({"consents.service": flag}) == {"F": word}
    assert line.inverse({"F": word}) is flag


def test_what_cannot_be_of_a_kind_comes_back_as_it_is():
    months = line_of(
        "{line: warranty_months, salesforce: F, direction: from_salesforce}", "product"
    )
    until = line_of(
        "{line: warranty_until, salesforce: F, direction: from_salesforce}", "registration"
    )
    assert months.inverse({"F": "many"}) == "many"
    assert until.inverse({"F": "2027-02-28"}) == "2027-02-28"
    assert until.inverse({"F": "soon"}) == "soon"


def test_a_phone_without_a_transform_is_compared_as_a_phone():
    line = line_of("{line: phone, salesforce: F, direction: from_salesforce}")
    assert line.same({"F": "0912-345-678"}, {"F": "+886912345678"})


def test_an_expression_that_gives_what_no_field_holds_is_a_problem():
    line = line_of("{salesforce: F, expression: \"coalesce({'a': 1})\"}")
    with pytest.raises(LineProblem, match="which no field holds"):
        line.forward({})


def test_only_lines_that_go_out_after_creation_are_written_then():
    assert line_of("{line: name, salesforce: F}").writes_after_creation
    assert not line_of("{line: name, salesforce: F, write: create}").writes_after_creation
    assert not line_of(
        "{line: name, salesforce: F, direction: from_salesforce}"
    ).writes_after_creation
    assert line_of("{constant: a, salesforce: F}").is_constant
