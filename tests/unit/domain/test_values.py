"""Values, identifiers, phones, names, records: plain facts."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.changes import Change
from connector.domain.faults import Fault, FaultKind
from connector.domain.identifiers import uuid7
from connector.domain.lines import Cause
from connector.domain.names import join_person_name, normalised_person_name, split_person_name
from connector.domain.phones import masked, spellings, to_e164
from connector.domain.records import SCHEMAS
from connector.domain.values import moment, read_moment, storable

TAIPEI = timezone(timedelta(hours=8))


def test_a_moment_is_utc_with_milliseconds():
    assert moment(datetime(2026, 1, 2, 3, 4, 5, 678912, TAIPEI)) == "2026-01-01T19:04:05.678Z"


@pytest.mark.parametrize("text", ["2026-01-31T08:00:00.000+0000", "2026-01-31T08:00:00.000Z"])
def test_salesforces_offset_is_understood(text):
    assert read_moment(text) == datetime(2026, 1, 31, 8, tzinfo=UTC)


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 1)))
def test_a_moment_is_read_back_to_the_millisecond(at):
    assert abs(read_moment(moment(at)) - at) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("a\x00b", "a\ufffdb"),
        ("\ud800", "?"),
        (["\x00"], ["\ufffd"]),
        ({"k\x00": {"x": "\x00"}}, {"k\ufffd": {"x": "\ufffd"}}),
        (3, 3),
        (None, None),
    ],
)
def test_what_the_database_refuses_is_replaced(value, kept):
    assert storable(value) == kept


def test_identifiers_sort_by_their_moment():
    made = [uuid7(at) for at in (1, 1_000, 1_700_000_000_000, 2**47)]
    assert sorted(reversed(made)) == made


def test_an_identifier_says_its_version_and_moment():
    made = uuid7(1_700_000_000_123)
    assert (made.version, made.variant) == (7, UUID(int=0x8 << 60).variant)
    assert made.int >> 80 == 1_700_000_000_123


def test_an_identifier_of_now_is_of_now():
    before = datetime.now(UTC).timestamp()
    assert abs((uuid7().int >> 80) / 1000 - before) < 60


def test_no_two_identifiers_of_one_moment_are_equal():
    assert len({uuid7(5) for _ in range(1000)}) == 1000


MOBILE = ["+886912345678", "886912345678", "0912345678", "0912-345-678", "0912 345 678"]


@pytest.mark.parametrize("text", [*MOBILE, "+886 912 345 678", "(0912)345678"])
def test_every_spelling_of_a_mobile_is_one_number(text):
    assert to_e164(text) == "+886912345678"


def test_a_mobile_is_sought_by_every_spelling_in_use():
    assert set(MOBILE) <= set(spellings("+886912345678"))


def test_a_landline_is_sought_with_and_without_brackets():
    found = set(spellings("+886223456789"))
    assert {"02-2345-6789", "(02) 2345-6789", "(02)23456789", "02 23456789"} <= found


def test_a_foreign_number_has_spellings_of_its_own():
    assert {"+819012345678", "090-1234-5678", "09012345678"} <= set(spellings("+819012345678"))


@pytest.mark.parametrize("text", ["", "abc", "12", "0912345678 ext. 5"])
def test_what_can_be_no_number_is_none(text):
    assert to_e164(text) is None


@pytest.mark.parametrize(
    ("number", "shown"),
    [("+886912345678", "+886 912 *** 678"), ("+4512345", "+45 *** 45"), ("nothing", "***")],
)
def test_a_number_is_shown_to_its_owner_only(number, shown):
    assert masked(number) == shown


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("王小明", ("王", "小明")),
        ("歐陽明", ("歐陽", "明")),
        ("歐陽", ("歐", "陽")),
        ("王 小 明", ("王", "小明")),
        ("Ming Wang", ("Wang", "Ming")),
        ("Prince", ("Prince", None)),
        ("王", ("王", None)),
        ("  ", ("", None)),
    ],
)
def test_a_name_has_a_last_and_a_first_part(name, parts):
    assert split_person_name(name) == parts


@pytest.mark.parametrize(
    ("last", "first", "name"),
    [("王", "小 明", "王小明"), ("Wang", "Ming", "Ming Wang"), ("王", "Ming", "Ming 王")],
)
def test_parts_are_joined_as_people_write_them(last, first, name):
    assert join_person_name(last, first) == name


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_a_name_survives_its_parts(name):
    assert join_person_name(*split_person_name(name)) == normalised_person_name(name)


def test_relations_lead_to_kinds_there_are():
    led_to = {kind for schema in SCHEMAS.values() for kind in schema.relations.values()}
    assert led_to <= set(SCHEMAS)


def test_a_change_is_live_and_tells_unless_it_says_otherwise():
    change = Change(uuid7(), "member")
    assert (change.cause, change.notify, change.releases) == (Cause.LIVE, True, False)


def test_a_fault_is_a_value():
    fault = Fault(FaultKind.RETRY, "UNABLE_TO_LOCK_ROW", "locked")
    assert fault == Fault(FaultKind.RETRY, "UNABLE_TO_LOCK_ROW", "locked")
    assert (fault.org_wide, fault.fields, fault.retry_after) == (False, (), None)
