"""What a document may say of child rows, of rows that it joins, of lookups and of many-part values."""

import pytest

from connector.mapping.loader import load
from connector.mapping.schema import FieldSchema, ObjectSchema
from tests.unit.mapping.building import line_of, org, thing

ORDER = """from: repair_request
to: WorkOrder
children:
  visit: {object: ServiceAppointment, by: ParentRecordId, where: {Status: Scheduled}, %s}
fields:
  - {line: visit_at, salesforce: visit.SchedStartTime, direction: %s}
"""
HOST = "from: member\nto: Contact\nfields: [{line: name, salesforce: LastName}]\n"
FRIEND = "from: friend\nto: Contact\nrow_of: member-contact\n"
VISIT = ObjectSchema(
    "ServiceAppointment",
    {
        "ParentRecordId": FieldSchema(
            "ParentRecordId", type="reference", reference_to=("WorkOrder",)
        ),
        "Status": FieldSchema("Status", type="picklist"),
        "SchedStartTime": FieldSchema("SchedStartTime", type="datetime"),
    },
)


def order(choice="first: SchedStartTime", direction="from_salesforce", **changed):
    text = ORDER % (choice, direction)
    for old, new in changed.items():
        text = text.replace(old, new)
    return load({"repair_request-workorder.yaml": text}, {**org(), VISIT.name: VISIT})


def messages(documents):
    return [problem.message for problem in documents.problems]


def test_a_child_is_read_under_its_name_and_never_polled_with_its_parent():
    documents = order()
    mapping = documents.mappings["repair_request-workorder"]
    (child,) = mapping.children
    assert (child.by, child.order, child.descending) == ("ParentRecordId", "SchedStartTime", False)
    assert child.where == (("Status", ("Scheduled",)),)
    assert mapping.inbound[0].fields == ("visit.SchedStartTime",)
    assert mapping.read_fields == ()
    assert "ServiceAppointment" in documents.objects
    assert order("last: SchedStartTime").mappings[mapping.name].children[0].descending


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        (lambda: order("last: Status, first: Status"), "does not say which one counts"),
        (lambda: order(direction="to_salesforce"), "is read from a child row and never written"),
        (lambda: order("first: SchedStart"), "has no field 'SchedStart'"),
        (lambda: order(**{"visit.Sched": "visits.Sched"}), "there is no child 'visits'"),
        (lambda: order(**{"visit.SchedStartTime": "visit.Start"}), "has no field 'Start'"),
        (lambda: order(ServiceAppointment="Visit__c"), "has no object 'Visit__c'"),
        (lambda: order(ParentRecordId="Status"), "Status names no rows, not WorkOrder"),
    ],
)
def test_what_is_wrong_with_a_child_is_said(documents, message):
    assert any(message in told for told in messages(documents()))


def joined(more="", fields="{line: language, salesforce: Department}", **others):
    texts = {
        "friend-contact.yaml": f"{FRIEND}{more}fields: [{fields}]\n",
        "member-contact.yaml": HOST,
        **{name.replace("_", "-", 1) + ".yaml": text for name, text in others.items()},
    }
    return load(texts, org())


def test_a_row_is_joined_by_the_one_relation_that_leads_to_it():
    row_of = joined().mappings["friend-contact"].row_of
    assert (row_of.mapping, row_of.via) == ("member-contact", "member")
    assert "member" in joined().mappings["friend-contact"].inputs
    assert messages(joined()) == []


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        (
            lambda: joined(fields="{line: display_name, salesforce: LastName}"),
            "member-contact writes LastName of the same row",
        ),
        (
            lambda: joined("match: [{line: user_id, salesforce: Email}]\n"),
            "the row is made by another mapping",
        ),
        (
            lambda: joined(fields="{salesforce: LeadSource, constant: LINE}"),
            "is written to new rows only",
        ),
        (
            lambda: joined(
                member_contact=HOST.replace("to: Contact", "to: Contact\nenabled: false")
            ),
            "member-contact is disabled",
        ),
        (
            lambda: joined(member_contact=HOST.replace("from: member", "from: product")),
            "from a friend nothing leads to a product",
        ),
    ],
)
def test_what_is_wrong_with_a_joined_row_is_said(documents, message):
    assert any(message in told for told in messages(documents()))


def test_a_lookup_seeks_the_value_that_it_names_in_place_of_the_line_s_own():
    schema = thing(FieldSchema("Shop__c", type="reference", reference_to=("Account",)))
    line = line_of(
        "{salesforce: Shop__c, lookup: {object: Account, by: Name, value: shop}}",
        "registration",
        schema,
    )
    assert (line.source, line.inputs) == ("shop", frozenset({"shop"}))
    assert line.forward({"shop": "信義店"}) == {"Shop__c": "信義店"}


@pytest.mark.parametrize(
    ("typed", "held"),
    [("2.675", 2.68), ("0.1", 0.1), (0.1 + 0.2, 0.3), ("1234567.125", 1234567.13)],
)
def test_an_amount_of_money_has_the_decimals_of_its_field_and_no_others(typed, held):
    amount = FieldSchema("Amount__c", type="currency", precision=18, scale=2)
    line = line_of("{line: name, salesforce: Amount__c, transform: number}", schema=thing(amount))
    assert line.forward({"name": typed}) == {"Amount__c": held}


def test_a_set_and_a_multi_select_picklist_mean_the_same_in_any_order():
    slots = FieldSchema("Slots__c", type="multipicklist", picklist=("A", "B", "C"), restricted=True)
    line = line_of(
        "{line: slots, salesforce: Slots__c, direction: both}", "repair_request", thing(slots)
    )
    assert line.forward({"slots": ["B", "A"]}) == {"Slots__c": ["A", "B"]}
    assert line.same({"Slots__c": "B;A"}, {"Slots__c": ["A", "B"]})
    assert line.inverse({"Slots__c": "C;A"}) == ["A", "C"]
