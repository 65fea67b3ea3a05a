"""Finding the row of a member by phone, if the name agrees."""

import pytest

from connector.mapping.documents.document import Normalise
from connector.mapping.parts.matching import MatchRule
from tests.unit.mapping.building import starter

MEMBER = {"name": "王小明", "phone": "+886912345678"}


def rule():
    return starter().mappings["member-contact"].match[0]


def test_a_phone_is_sought_by_every_spelling():
    assert {"0912-345-678", "+886912345678", "0912 345 678"} <= set(rule().candidates(MEMBER))


def test_a_member_without_a_phone_is_not_sought():
    assert rule().candidates({"phone": None}) == ()


@pytest.mark.parametrize("held", ["0912-345-678", "(0912) 345 678", "+886-912-345-678"])
def test_any_spelling_in_any_of_the_fields_is_found(held):
    assert rule().matches(MEMBER, {"MobilePhone": None, "Phone": held})
    assert not rule().matches(MEMBER, {"MobilePhone": "0912-345-679", "Phone": None})


@pytest.mark.parametrize(
    ("last", "first"), [("王", "小明"), ("王小明", None), ("王 ", " 小明"), (None, "王小明")]
)
def test_the_same_name_agrees_however_it_is_split(last, first):
    assert rule().agrees(MEMBER, {"LastName": last, "FirstName": first})


@pytest.mark.parametrize(("last", "first"), [("林", "小明"), ("王", None), (None, None)])
def test_another_or_a_blank_name_does_not_agree(last, first):
    row = {"LastName": last, "FirstName": first}
    assert rule().disagreeing(MEMBER, row) == ("LastName,FirstName",)


def test_latin_names_agree_whatever_their_case():
    view = {"name": "Ming Wang", "phone": "+886912345678"}
    assert rule().agrees(view, {"LastName": "WANG", "FirstName": "ming"})


@pytest.mark.parametrize(
    ("how", "one", "other"),
    [
        (Normalise.EMAIL, "Ann@Example.com ", "ann@example.com"),
        (Normalise.TEXT, "ＡＢＣ  d", "abc D"),
        (Normalise.PHONE, "0912-345-678", "+886 912 345 678"),
    ],
)
def test_two_spellings_are_one_value(how, one, other):
    by = MatchRule("x", ("X",), how)
    assert by.normalised(one) == by.normalised(other)


def test_exact_means_exact():
    by = MatchRule("x", ("X",), Normalise.EXACT)
    assert by.normalised("a") != by.normalised("A")
