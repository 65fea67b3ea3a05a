"""What is worked out once for a field or a table of values says the same as what it stands for."""

import phonenumbers
from hypothesis import example, given
from hypothesis import strategies as st

from connector.domain.phones import to_e164
from connector.mapping.canonical import canonical, refusal, refusal_of, shape_of
from connector.mapping.parts.compiled import Choices
from connector.mapping.schema import FieldSchema

TYPES = [
    *("string", "textarea", "picklist", "multipicklist", "phone", "email", "boolean", "int"),
    *("double", "date", "datetime", "reference", "url", "time", "encryptedstring"),
]
texts = st.text(alphabet="aB\r\n ;1", max_size=6) | st.sampled_from(["High", "2026-01-31", "true"])
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-99, 99),
    st.floats(-9, 9),
    texts,
    st.lists(texts, max_size=3),
)
FIELDS = st.builds(
    FieldSchema,
    name=st.just("F"),
    type=st.sampled_from(TYPES),
    length=st.sampled_from([0, 3, 18]),
    restricted=st.booleans(),
    picklist=st.sampled_from([(), ("High", "a")]),
    nillable=st.booleans(),
)
NAMES = [True, False, 1, "1", "true", "a", "b", None]


@given(FIELDS, values)
def test_a_field_shapes_and_refuses_values_alike_either_way(field, value):
    shaped = canonical(field, value)
    assert shape_of(field)(value) == shaped
    assert refusal_of(field)(shaped) == refusal(field, shaped)


@example(names=[True, "true"], value="true")
@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4), st.sampled_from(NAMES[:-1]))
def test_the_first_pair_that_names_a_value_counts(names, value):
    pairs = tuple((name, (f"{at}",)) for at, name in enumerate(names))
    slow = Choices(tuple((name, held) for name, held in pairs), otherwise="none")
    slow.__dict__["_by_text"] = {}
    assert Choices(pairs, otherwise="none").forward(value) == slow.forward(value)


@given(st.from_regex(r"\+8869[0-9]{8}", fullmatch=True), st.sampled_from(["TW", "JP"]))
def test_a_stored_mobile_number_is_what_reading_it_would_give(number, region):
    parsed = phonenumbers.parse(number, region)
    assert phonenumbers.is_possible_number(parsed)
    assert to_e164(number, region) == phonenumbers.format_number(
        parsed, phonenumbers.PhoneNumberFormat.E164
    )
