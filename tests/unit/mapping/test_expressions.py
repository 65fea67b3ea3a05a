"""Expressions: checked before they run, and plain about why they fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.records import SCHEMAS, Kind, ValueType
from connector.mapping.expressions.cel import (
    ExpressionFailed,
    ExpressionRefused,
    Scope,
    compile_expression,
    record_names,
)
from connector.mapping.expressions.functions import add_months, local_date, local_time

REGISTRATION = Scope(tuple(record_names("line", SCHEMAS[Kind.REGISTRATION], SCHEMAS)))
REPAIR = Scope(tuple(record_names("line", SCHEMAS[Kind.REPAIR_REQUEST], SCHEMAS)))
SEEN = {
    "line.code": "ABC",
    "line.purchased_on": "2026-01-31",
    "line.product.warranty_months": 13,
    "line.slots": ["am", "pm"],
    "line.visit_at": "2026-11-25T06:00:00.000Z",
    "line.member.consents.service": True,
}


@pytest.mark.parametrize(
    ("text", "scope", "result", "kind"),
    [
        ("line.code", REGISTRATION, "ABC", ValueType.TEXT),
        ("text(line.shop) + '/'", REGISTRATION, "/", ValueType.TEXT),
        ("text(line.product.warranty_months)", REGISTRATION, "13", ValueType.TEXT),
        ("coalesce(line.serial, line.code)", REGISTRATION, "ABC", None),
        ("coalesce(line.serial, line.shop)", REGISTRATION, None, None),
        ("add_days(line.purchased_on, 1)", REGISTRATION, "2026-02-01", ValueType.TEXT),
        (
            "add_months(line.purchased_on, line.product.warranty_months)",
            REGISTRATION,
            "2027-02-28",
            ValueType.TEXT,
        ),
        ("add_months(line.warranty_until, 3)", REGISTRATION, None, ValueType.TEXT),
        ("line.member.consents.service", REGISTRATION, True, ValueType.BOOLEAN),
        ("line.member.consents.marketing", REGISTRATION, False, ValueType.BOOLEAN),
        ("line.shop == null", REGISTRATION, True, ValueType.BOOLEAN),
        ("size('故障')", REGISTRATION, 2, ValueType.INTEGER),
        ("join(line.slots, '; ')", REPAIR, "am; pm", ValueType.TEXT),
        ("join([line.symptom, line.address, 'x'], ' ')", REPAIR, "x", ValueType.TEXT),
        (
            "local_time(line.visit_at, 'Asia/Taipei', 'zh-TW')",
            REPAIR,
            "11/25（三）14:00",
            ValueType.TEXT,
        ),
        ("line.slots", REPAIR, ["am", "pm"], ValueType.SET),
        ("timestamp(line.visit_at)", REPAIR, "2026-11-25T06:00:00.000Z", ValueType.MOMENT),
    ],
)
def test_expressions_give_values_that_records_can_hold(text, scope, result, kind):
    compiled = compile_expression(text, scope)
    assert compiled.evaluate(SEEN.get) == result
    assert compiled.returns is kind


def test_an_expression_knows_what_it_looks_at():
    compiled = compile_expression(
        "text(line.code) + text(line.product.name) + 'line.shop'", REGISTRATION
    )
    assert compiled.inputs == {"line.code", "line.product.name"}


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("line.titel", 1, 1, "unknown name 'line.titel'"),
        ("text(line.code) +\n  line.foo", 2, 3, "unknown name 'line.foo'"),
        ("shout(line.code)", 1, 1, "unknown name 'shout'"),
        ("line.code +", 1, 12, "Syntax error"),
        ("line.code + 1", 1, 11, "no matching overload"),
        ("{'a': 1}", 1, 1, "which no field holds"),
        ("line", 1, 1, "unknown name 'line'"),
    ],
)
def test_what_does_not_compile_is_refused_with_its_place(text, line, column, message):
    with pytest.raises(ExpressionRefused) as refused:
        compile_expression(text, REGISTRATION)
    first = refused.value.problems[0]
    assert (first.line, first.column) == (line, column)
    assert message in first.message


def test_every_unknown_name_is_reported_at_once():
    with pytest.raises(ExpressionRefused) as refused:
        compile_expression("line.codee + line.shopp", REGISTRATION)
    assert [problem.unknown for problem in refused.value.problems] == ["line.codee", "line.shopp"]


def test_a_failing_expression_shows_itself_and_what_it_saw():
    compiled = compile_expression("add_months(line.code, 3)", REGISTRATION)
    with pytest.raises(ExpressionFailed) as failed:
        compiled.evaluate(SEEN.get)
    assert failed.value.expression == "add_months(line.code, 3)"
    assert failed.value.values == {"line.code": "ABC"}
    assert "'ABC' is not a date" in failed.value.message


def test_adding_texts_that_are_blank_fails_rather_than_guesses():
    compiled = compile_expression("line.serial + line.code", REGISTRATION)
    with pytest.raises(ExpressionFailed, match=r"line\.serial = None"):
        compiled.evaluate(SEEN.get)


def test_a_runaway_expression_ends_by_itself():
    nested = "[1,2,3,4,5,6,7,8,9,10]"
    text = "true"
    for name in "abcdefg":
        text = f"{nested}.all({name}, {text})"
    with pytest.raises((ExpressionFailed, ExpressionRefused)):
        compile_expression(text, REGISTRATION).evaluate(SEEN.get)


@given(st.dates(), st.integers(0, 600))
def test_months_later_never_leaves_the_wanted_month(day, months):
    if day.year > 9900:
        return
    later = add_months(day.isoformat(), months)
    year, month = int(later[:4]), int(later[5:7])
    assert year * 12 + month == day.year * 12 + day.month + months
    assert int(later[8:]) <= day.day


@pytest.mark.parametrize(
    ("locale", "time", "date"),
    [
        ("zh-TW", "1/3（六）00:30", "2026/1/3"),
        ("ja", "1月3日（土）00:30", "2026年1月3日"),
        ("en", "Sat, Jan 3, 00:30", "Jan 3, 2026"),
        ("th", "Sat, Jan 3, 00:30", "Jan 3, 2026"),
    ],
)
def test_times_are_shown_where_and_how_people_read_them(locale, time, date):
    assert local_time("2026-01-02T16:30:00.000Z", "Asia/Taipei", locale) == time
    assert local_date("2026-01-03", locale) == date


def test_a_blank_time_is_shown_as_nothing():
    assert local_time(None, "Asia/Taipei", "en") == ""
    assert local_date(None, "en") == ""


def test_a_time_that_is_none_is_refused():
    with pytest.raises(ValueError, match="not a date and time"):
        local_time("noon", "Asia/Taipei", "en")
