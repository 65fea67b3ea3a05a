"""The law of lines that go both ways: whatever the checker accepts gives back what it was given."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from connector.domain.phones import spellings
from connector.domain.records import SCHEMAS, ValueType
from connector.mapping.canonical import payload
from connector.mapping.checking.roundtrip import loss_of
from connector.mapping.compiler import try_compile
from connector.mapping.documents.reading import read_mapping
from connector.mapping.parts.compiled import Line, LineProblem
from connector.mapping.schema import FieldSchema
from tests.unit.mapping.building import thing

SOURCES = {
    ValueType.TEXT: ("repair_request", "symptom"),
    ValueType.PHONE: ("repair_request", "contact_phone"),
    ValueType.SET: ("repair_request", "slots"),
    ValueType.MOMENT: ("repair_request", "visit_at"),
    ValueType.EMAIL: ("member", "email"),
    ValueType.BOOLEAN: ("member", "consents.marketing"),
    ValueType.DATE: ("registration", "purchased_on"),
    ValueType.INTEGER: ("product", "warranty_months"),
}
TRANSFORMS = [
    *("trim", "upper", "lower", "phone", "email", "person_name", "date", "datetime", "local_date"),
    *("number", "boolean", "{truncate: 5}", "{phone: JP}", "{prefix: LINE-}", '{prefix: " a"}'),
    *('{prefix: "1"}', '{join: "; "}', '{join: ","}', '{join: "a"}'),
]
TYPES = [
    *("string", "textarea", "picklist", "multipicklist", "phone", "email", "url", "boolean"),
    *("int", "double", "currency", "percent", "date", "datetime", "time", "combobox"),
]
VALUES = [
    "{low: Low, normal: Medium, high: High}",
    '{a: "x", b: "x "}',
    "{true: Yes, false: No}",
    "{a: true, b: false}",
    '{1: one, 2: "2"}',
    '{"1": 1, "2": 2.0}',
    '{a: "2026-01-31", b: "2026-02-28"}',
    '{a: "b;c", b: "c;b"}',
]
letters = st.text(alphabet="aB ;,\n1.王小明-é", max_size=12)
numbers = st.decimals(-1000, 1000, places=3).map(str) | st.integers(-999, 9999).map(str)
dates = st.dates().map(lambda day: day.isoformat())
moments = st.datetimes().map(lambda at: f"{at.isoformat(timespec='milliseconds')}Z")
phones = st.sampled_from([*spellings("+886912345678"), "+81312345678", "no phone", "02-2345-6789"])
emails = st.sampled_from(["a@example.com", "A@Example.com", "b @c", "王@example.com"])
GENERATED: dict[ValueType, st.SearchStrategy[Any]] = {
    ValueType.TEXT: st.one_of(
        letters, numbers, dates, moments, phones, emails, st.sampled_from(["low", "b", "1", "yes"])
    ),
    ValueType.PHONE: phones,
    ValueType.SET: st.lists(letters, max_size=4),
    ValueType.MOMENT: moments,
    ValueType.EMAIL: emails,
    ValueType.BOOLEAN: st.booleans(),
    ValueType.DATE: dates,
    ValueType.INTEGER: st.integers(-(10**6), 10**6),
}


@st.composite
def fields(draw: Any, count: int) -> list[FieldSchema]:
    """Fields of one type, as orgs have them."""
    kind = draw(st.sampled_from(TYPES))
    choices = draw(st.sampled_from([(), ("Low", "Medium", "High"), ("Yes", "No")]))
    chosen = kind in ("picklist", "multipicklist")
    made = FieldSchema(
        "F0",
        type=kind,
        length=draw(st.sampled_from([0, 5, 80])),
        precision=18,
        scale=draw(st.sampled_from([0, 2])),
        picklist=choices if chosen else (),
        restricted=chosen and bool(choices) and draw(st.booleans()),
        nillable=draw(st.booleans()),
    )
    return [made, FieldSchema("F1", length=40)][:count]


@st.composite
def accepted(draw: Any) -> Line:
    """A line that the checker lets go both ways."""
    kind, name = SOURCES[draw(st.sampled_from(list(SOURCES)))]
    steps = draw(st.lists(st.sampled_from(TRANSFORMS), max_size=2))
    org = draw(fields(2 if "person_name" in steps else 1))
    names = ", ".join(field.name for field in org)
    table = draw(st.sampled_from(["", *VALUES]))
    values = f", values: {table}" if table else ""
    line = f"{{line: {name}, salesforce: [{names}], direction: both, transform: [{', '.join(steps)}]{values}}}"
    text = f"from: {kind}\nto: Thing__c\nfields:\n  - {line}\n"
    mapping, problems = try_compile(read_mapping(text, f"{kind}-thing"), SCHEMAS, thing(*org))
    assume(mapping is not None and not problems)
    assert mapping is not None
    return mapping.lines[0]


def value_of(line: Line) -> st.SearchStrategy[Any]:
    """Values that a record may hold for a line, the named ones among them."""
    assert line.value_type is not None
    named = [ours for ours, _ in line.choices.pairs] if line.choices else []
    generated = GENERATED[line.value_type].map(line.shaped)
    return st.one_of(generated, st.none(), *([st.sampled_from(named)] if named else [])).map(
        line.shaped
    )


@settings(
    max_examples=100, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
@given(accepted(), st.data())
def test_what_goes_both_ways_comes_back_as_it_was_sent(line: Line, data: Any) -> None:
    for value in data.draw(st.lists(value_of(line), min_size=3, max_size=6)):
        assert loss_of(line, value) is None, (line, value)
        try:
            sent = line.to_fields(value)
        except LineProblem:
            continue
        again = line.to_fields(line.inverse(payload(sent)))
        assert line.same(again, sent), (line, value)
