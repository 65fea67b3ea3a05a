"""Transforms come in pairs under one law."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping.transforms import (
    UnknownTransform,
    WrongArgument,
    transform,
    transform_names,
)

TEXTS = st.one_of(st.none(), st.text(min_size=1, max_size=20))
PHONES = st.one_of(TEXTS, st.sampled_from(["0912-345-678", "+886 2 2345 6789", "分機 5"]))
DATES = st.one_of(st.none(), st.dates().map(str))
MOMENTS = st.one_of(
    st.none(), st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat())
)
NUMBERS = st.one_of(st.none(), st.integers(-9999, 9999), st.integers(0, 99).map(str))
SETS = st.one_of(
    st.none(), st.lists(st.text(alphabet="abc 王", min_size=1, max_size=3), max_size=4)
)
RECENT = st.one_of(
    st.none(),
    st.datetimes(datetime(1900, 1, 2), datetime(2900, 1, 1)).map(lambda at: f"{at.isoformat()}Z"),
)
ADDRESSES = st.one_of(
    TEXTS,
    st.tuples(
        st.sampled_from(["", "106", "10617", "106 ", "12 "]),
        st.sampled_from(["台北市", "新竹縣 ", "Springfield, ", ""]),
        st.sampled_from(["大安區信義路三段1號", "5號", "1 Main St", " ", "\n二樓"]),
    ).map("".join),
)
INVERTIBLE = {
    ("trim", None): TEXTS,
    ("phone", None): PHONES,
    ("email", None): TEXTS,
    ("person_name", None): TEXTS,
    ("date", None): DATES,
    ("datetime", None): MOMENTS,
    ("number", None): NUMBERS,
    ("boolean", None): st.one_of(st.booleans(), st.sampled_from(["yes", "No", "1", "", "perhaps"])),
    ("prefix", "LINE-"): TEXTS,
    ("join", "; "): SETS,
    ("address", None): ADDRESSES,
    ("datetime", "America/New_York"): MOMENTS,
    ("local_datetime", None): RECENT,
    ("local_datetime", "America/New_York"): RECENT,
}
ONE_WAY = {("upper", None), ("lower", None), ("truncate", 3), ("local_date", None)}


def test_every_transform_is_under_a_law_here():
    assert {name for name, _ in (*INVERTIBLE, *ONE_WAY)} == set(transform_names())


@pytest.mark.parametrize("call", INVERTIBLE)
@given(data=st.data())
def test_what_was_converted_comes_back_meaning_the_same(call, data):
    step, value = transform(*call), data.draw(INVERTIBLE[call])
    assert step.normal(step.inverse(step.forward(value))) == step.normal(value)


@pytest.mark.parametrize("call", INVERTIBLE)
@given(data=st.data())
def test_what_came_back_is_not_rewritten(call, data):
    step, value = transform(*call), data.draw(INVERTIBLE[call])
    sent = step.forward(value)
    assert step.forward(step.inverse(sent)) == sent


@pytest.mark.parametrize("call", INVERTIBLE)
@given(data=st.data())
def test_a_normal_form_is_its_own_normal_form(call, data):
    step, value = transform(*call), data.draw(INVERTIBLE[call])
    assert step.normal(step.normal(value)) == step.normal(value)


@pytest.mark.parametrize("call", ONE_WAY)
def test_one_way_transforms_offer_no_way_back(call):
    assert transform(*call).inverse is None


@pytest.mark.parametrize(
    ("call", "value", "sent"),
    [
        (("trim", None), "  a ", "a"),
        (("upper", None), "ab", "AB"),
        (("lower", None), "AB", "ab"),
        (("phone", None), "0912-345-678", "+886912345678"),
        (("phone", None), "ask my wife", "ask my wife"),
        (("phone", "JP"), "090-1234-5678", "+819012345678"),
        (("person_name", None), "王小明", ["王", "小明"]),
        (("person_name", None), None, [None, None]),
        (("local_date", None), "2026-01-01T16:30:00.000Z", "2026-01-02"),
        (("local_datetime", None), "2026-01-01T16:30:45.000Z", "2026-01-02 00:30"),
        (("datetime", "Asia/Tokyo"), "2026-01-02T09:00", "2026-01-02T00:00:00.000Z"),
        (("datetime", "Asia/Tokyo"), "2026-01-02T09:00+08:00", "2026-01-02T01:00:00.000Z"),
        (("address", None), "106 台北市大安區1號", ["大安區1號", "台北市", "106"]),
        (("address", None), "123 Main St", ["123 Main St", None, None]),
        (("local_date", "UTC"), "2026-01-01T16:30:00.000Z", "2026-01-01"),
        (("prefix", "L-"), "7", "L-7"),
        (("join", "; "), ["b", "a"], "a; b"),
        (("boolean", None), "Yes", True),
    ],
)
def test_values_are_converted_as_the_readme_says(call, value, sent):
    assert transform(*call).forward(value) == sent


@given(st.text(max_size=30), st.integers(1, 10))
def test_a_cut_text_has_at_most_that_many_units(text, most):
    cut = transform("truncate", most).forward(text) or ""
    assert len(cut.encode("utf-16-le")) // 2 <= most


@pytest.mark.parametrize(
    ("text", "most", "cut"),
    [
        ("王小明", 2, "王小"),
        ("a👍", 2, "a"),
        ("e\u0301e\u0301", 3, "e\u0301"),
        ("👩\u200d🔧x", 4, None),
    ],
)
def test_a_cut_never_leaves_half_a_letter(text, most, cut):
    assert transform("truncate", most).forward(text) == cut


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("truncate", None),
        ("truncate", 0),
        ("truncate", True),
        ("trim", 3),
        ("phone", "Mars"),
        ("local_date", "Mars/North"),
        ("prefix", ""),
        ("join", " "),
    ],
)
def test_an_argument_a_transform_cannot_use_is_refused(name, argument):
    with pytest.raises(WrongArgument):
        transform(name, argument)


def test_an_unknown_transform_is_refused():
    with pytest.raises(UnknownTransform):
        transform("shout")
