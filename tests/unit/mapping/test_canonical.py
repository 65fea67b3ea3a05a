"""The shape values are compared in: idempotent, and equal to what an org gives back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping.canonical import canonical, long_id, payload, refusal
from connector.mapping.schema import FieldSchema

TYPES = (
    "string textarea phone email picklist multipicklist boolean int double currency percent date "
    "datetime reference url address"
).split()
FIELDS = st.builds(
    FieldSchema,
    name=st.just("F__c"),
    type=st.sampled_from(TYPES),
    precision=st.sampled_from([0, 3, 18]),
    scale=st.integers(0, 3),
)
ODD_TEXTS = st.sampled_from(
    [
        "",
        "  ",
        "3.0",
        "true",
        "a;b ;a",
        "2026-01-31",
        "2026-01-31T08:00:00.000+0000",
        "0015g00000AbCdE",
    ]
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=12),
    ODD_TEXTS,
    st.lists(st.text(max_size=3), max_size=3),
)


@given(FIELDS, VALUES)
def test_a_canonical_value_is_its_own_canonical_form(field, value):
    once = canonical(field, value)
    assert canonical(field, once) == once


@pytest.mark.parametrize(
    ("kind", "given_value", "held"),
    [
        ("string", "  a \r\n b ", "a \n b"),
        ("string", "   ", None),
        ("string", 3.0, "3"),
        ("boolean", None, False),
        ("boolean", "true", True),
        ("int", 3.0, 3),
        ("int", "7", 7),
        ("date", "2026-01-31T08:00:00Z", "2026-01-31"),
        ("datetime", "2026-01-02T03:04:05.000+0000", "2026-01-02T03:04:05.000Z"),
        ("datetime", "2026-01-02T11:04:05.678+08:00", "2026-01-02T03:04:05.000Z"),
        ("multipicklist", "b;a;b", ["a", "b"]),
        ("reference", "0015g00000AbCdE", "0015g00000AbCdEAAV"),
    ],
)
def test_values_take_the_shape_an_org_gives_back(kind, given_value, held):
    assert canonical(FieldSchema("F__c", type=kind), given_value) == held


def test_numbers_are_rounded_to_the_scale_of_their_field():
    field = FieldSchema("F__c", type="currency", precision=18, scale=2)
    assert canonical(field, 2.345) == 2.35
    assert canonical(field, 3.0) == 3
    assert canonical(field, "3.10") == 3.1


def test_the_checksum_of_an_id_is_the_one_salesforce_gives():
    assert long_id("001D000000IqhSL") == "001D000000IqhSLIAZ"
    assert long_id("001D000000IqhSLIAZ") == "001D000000IqhSLIAZ"
    assert long_id("not an id") == "not an id"


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        (FieldSchema("F", length=3), "abcd", "4 characters"),
        (FieldSchema("F", nillable=False), None, "required"),
        (FieldSchema("F", type="int"), "many", "not a number"),
        (FieldSchema("F", type="double", precision=3, scale=1), 100, "2 digits"),
        (FieldSchema("F", type="date"), "soon", "not a date"),
        (FieldSchema("F", type="datetime"), "soon", "not a date and time"),
        (FieldSchema("F", type="boolean"), "maybe", "neither true nor false"),
        (FieldSchema("F", type="email"), "ann at home", "not an e-mail"),
        (FieldSchema("F", type="reference"), "001", "not a Salesforce id"),
        (FieldSchema("F", type="picklist", picklist=("A",), restricted=True), "B", "B is not"),
        (
            FieldSchema("F", type="multipicklist", picklist=("A",), restricted=True),
            ["A", "C"],
            "C is",
        ),
    ],
)
def test_what_a_field_never_takes_is_named_before_it_is_sent(field, value, reason):
    assert reason in refusal(field, value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (FieldSchema("F", length=4), "abcd"),
        (FieldSchema("F", nillable=False, defaulted_on_create=True), None),
        (FieldSchema("F", type="email"), "ann@example.com"),
        (FieldSchema("F", type="picklist", picklist=("A",)), "B"),
        (FieldSchema("F", type="double", precision=3, scale=1), 99.9),
    ],
)
def test_what_a_field_takes_is_let_through(field, value):
    assert refusal(field, value) is None


def test_the_api_takes_choices_joined():
    assert payload({"A": ["x", "y"], "B": 1}) == {"A": "x;y", "B": 1}
