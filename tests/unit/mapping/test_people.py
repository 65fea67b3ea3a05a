"""Names and phones: the laws, and the cases that people meet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.names import join_person_name, normalised_person_name, split_person_name
from connector.domain.phones import masked, spellings, to_e164

CJK = st.text(alphabet="王林陳歐陽司馬諸葛小明大華美あい김철", min_size=1, max_size=5)
LATIN = st.text(alphabet="abcdeÉöß-'.", min_size=1, max_size=6)
WORDS = st.lists(st.one_of(CJK, LATIN), max_size=4)
MOBILES = st.integers(900_000_000, 999_999_999).map(lambda number: f"+886{number}")
LANDLINES = st.integers(20_000_000, 89_999_999).map(lambda number: f"+8862{number}")


@given(WORDS.map("  ".join))
def test_a_name_split_and_joined_is_the_name_with_its_spaces_in_order(name):
    assert join_person_name(*split_person_name(name)) == normalised_person_name(name)


@given(WORDS.map(" ".join))
def test_a_normalised_name_stays_as_it_is(name):
    once = normalised_person_name(name)
    assert normalised_person_name(once) == once


@pytest.mark.parametrize(
    ("full", "last", "first"),
    [
        ("王小明", "王", "小明"),
        ("歐陽小明", "歐陽", "小明"),
        ("张伟", "张", "伟"),
        ("司馬", "司", "馬"),
        ("山田 太郎", "山田", "太郎"),
        ("王　小明", "王", "小明"),
        ("王", "王", None),
        ("Ming Wang", "Wang", "Ming"),
        ("Mary Ann  Smith", "Smith", "Mary Ann"),
        ("Madonna", "Madonna", None),
        ("", "", None),
    ],
)
def test_names_are_split_as_people_expect(full, last, first):
    assert split_person_name(full) == (last, first)


@pytest.mark.parametrize(
    "typed",
    ["0912345678", "0912-345-678", "+886 912 345 678", "886912345678", "０９１２３４５６７８"],
)
def test_a_mobile_number_has_one_stored_form(typed):
    assert to_e164(typed) == "+886912345678"


@pytest.mark.parametrize("typed", ["", "abc", "12", "王小明", "02-2345-6789 ext. 5"])
def test_what_is_no_plain_number_has_no_stored_form(typed):
    assert to_e164(typed) is None


def test_the_spellings_of_the_design_are_all_sought():
    wanted = {"+886912345678", "886912345678", "0912345678", "0912-345-678", "0912 345 678"}
    assert wanted <= set(spellings("+886912345678"))


def test_landlines_are_sought_with_and_without_brackets():
    wanted = {"02-2345-6789", "(02) 2345-6789", "(02)2345-6789", "0223456789", "02-23456789"}
    assert wanted <= set(spellings("+886223456789"))


@given(st.one_of(MOBILES, LANDLINES))
def test_every_spelling_is_the_same_number(number):
    assert {to_e164(spelling) for spelling in spellings(number)} == {number}


def test_a_masked_number_keeps_its_ends_only():
    assert masked("+886912345678") == "+886 912 *** 678"
    assert masked("nonsense") == "***"


@given(MOBILES)
def test_a_masked_number_never_shows_the_middle(number):
    assert masked(number) == f"+886 {number[4:7]} *** {number[-3:]}"


def test_numbers_of_other_countries_have_spellings_and_masks_too():
    assert {"+819012345678", "090-1234-5678"} <= set(spellings("+819012345678"))
    assert masked("+6591234567") == "+65 912 *** 567"
    assert masked("+37212345") == "+372 *** 45"
