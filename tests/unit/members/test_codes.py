"""Unit codes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.members import codes

bodies = st.text(codes.ALPHABET, min_size=11, max_size=11)


def test_a_new_code_is_twelve_characters_that_agree() -> None:
    code = codes.new_code()
    assert len(code) == 12
    assert codes.is_whole(code)


def test_new_codes_differ() -> None:
    assert len({codes.new_code() for _ in range(1000)}) == 1000


@given(bodies, st.integers(0, 11), st.sampled_from(codes.ALPHABET))
def test_one_wrong_character_always_shows(body: str, place: int, letter: str) -> None:
    code = body + codes.check_character(body)
    changed = code[:place] + letter + code[place + 1 :]
    assert codes.is_whole(changed) is (changed == code)


@given(bodies, st.integers(0, 10))
def test_two_swapped_neighbours_always_show(body: str, place: int) -> None:
    code = body + codes.check_character(body)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert codes.is_whole(swapped) is (swapped == code)


@given(bodies)
def test_a_shown_code_reads_as_itself(body: str) -> None:
    code = body + codes.check_character(body)
    assert codes.normalise(codes.shown(code)) == code


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("7KQ2-M9XR-4TBD", "7KQ2M9XR4TBD"),
        (" 7kq2 m9xr 4tbd ", "7KQ2M9XR4TBD"),
        ("OoIiLl000000", "001111000000"),
        ("７ＫＱ２Ｍ９ＸＲ４ＴＢＤ", "7KQ2M9XR4TBD"),
        ("7KQ2–M9XR–4TBD", "7KQ2M9XR4TBD"),
        ("7KQ2M9XR4TB", None),
        ("7KQ2M9XR4TBDD", None),
        ("7KQ2M9XR4TBU", None),
        ("7KQ2/M9XR/4TBD", None),
        ("", None),
    ],
)
def test_a_code_is_read_as_it_may_be_typed(typed: str, code: str | None) -> None:
    assert codes.normalise(typed) == code
