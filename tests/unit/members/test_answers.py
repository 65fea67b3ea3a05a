"""Reading a form's answers."""

from __future__ import annotations

import pytest

from connector.members.answers import Answers
from connector.members.limits import is_public


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("0912345678", "+886912345678"),
        ("0912-345-678", "+886912345678"),
        ("+886 912 345 678", "+886912345678"),
        ("0991234567", "+886991234567"),
        ("02-2345-6789", None),
        ("09123456789", None),
        ("+1 650 253 0000", None),
        ("phone", None),
    ],
)
def test_a_mobile_is_one_of_the_regions_that_codes_are_sent_to(
    typed: str, stored: str | None
) -> None:
    assert Answers({"phone": typed}).mobile("phone", ("TW",)) == stored


def test_more_regions_may_be_allowed() -> None:
    answers = Answers({"phone": "090-1234-5678", "other": "0912345678"})
    assert answers.mobile("phone", ("TW", "JP")) == "+819012345678"
    assert answers.mobile("other", ("TW", "JP")) == "+886912345678"


def test_a_contact_phone_may_be_of_any_country_and_kind() -> None:
    answers = Answers({"a": "02-2345-6789", "b": "+81 3 1234 5678"})
    assert answers.phone("a", ("TW",)) == "+886223456789"
    assert answers.phone("b", ("TW",)) == "+81312345678"


@pytest.mark.parametrize("text", ["a\x00b", "\x07", 5, ["a"], {"a": 1}])
def test_what_is_not_plain_text_is_refused(text: object) -> None:
    answers = Answers({"name": text})
    assert answers.text("name", 80) is None
    assert [problem.code for problem in answers.problems] == ["text"]


def test_line_breaks_are_text() -> None:
    assert Answers({"description": "a\r\nb"}).text("description", 80) == "a\r\nb"


@pytest.mark.parametrize("email", ["a@b.tw", "王@例子.台灣", "first.last+tag@mail.example.com"])
def test_an_email_is_taken_as_it_is(email: str) -> None:
    assert Answers({"email": email}).email("email") == email


@pytest.mark.parametrize("email", ["a@b", "a b@c.tw", "@c.tw", "a@.tw", f"{'a' * 75}@bc.tw"])
def test_what_is_no_email_is_refused(email: str) -> None:
    answers = Answers({"email": email})
    assert answers.email("email") is None
    assert answers.problems


@pytest.mark.parametrize(
    ("address", "public"),
    [("8.8.8.8", True), ("127.0.0.1", False), ("10.1.2.3", False), ("::1", False), ("", False)],
)
def test_only_public_addresses_tell_people_apart(address: str, public: bool) -> None:
    assert is_public(address) is public
