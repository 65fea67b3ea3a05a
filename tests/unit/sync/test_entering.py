"""What an operator types for an answer that a form lets people choose."""

import pytest

from connector.domain.records import RecordSchema, ValueType
from connector.errors import ConnectorError
from connector.sync.desk import entering

SURVEY = RecordSchema(
    "survey",
    {"taste": ValueType.TEXT, "tags": ValueType.SET},
    options={"taste": ("sweet", "sour"), "tags": ("a", "b")},
)


def test_an_option_is_taken():
    assert entering.read(SURVEY, "taste", "sour") == "sour"
    assert entering.read(SURVEY, "tags", "b, a") == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "text", "fix"),
    [
        ("taste", "salty", "Give one of sweet, sour."),
        ("tags", "a, c", "Give one or more of a, b, with commas between."),
    ],
)
def test_what_the_form_does_not_offer_is_refused_with_what_it_does(name, text, fix):
    with pytest.raises(ConnectorError) as caught:
        entering.read(SURVEY, name, text)
    assert caught.value.fix == fix
