"""Laws of the merge that hold whatever both sides did: over the starter set, and over every policy."""

from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connector.domain.lines import Direction
from connector.domain.phones import spellings
from connector.mapping.parts.compiled import Line
from connector.sync.pairs import weighing
from tests.properties.two_sides import TwoSides, contact, policies

texts = st.sampled_from([None, "", "a", "b ", "甲", "A"])
sets = st.sets(st.sampled_from("abcdef"), max_size=4).map(lambda found: sorted(found) or None)
phones = st.sampled_from([None, *spellings("+886912345678"), "+886922333444"])
REQUESTS = st.fixed_dictionaries(
    {
        "symptom": texts,
        "description": texts,
        "address": texts,
        "slots": sets,
        "contact_phone": phones,
        "urgency": texts,
        "product_text": texts,
        "status": texts,
    }
)
THINGS = st.fixed_dictionaries(
    {
        "Wins__c": texts,
        "Line__c": texts,
        "Ask__c": texts,
        "Set__c": sets,
        "Phone__c": phones,
        "Out__c": texts,
        "Fill__c": texts,
        "In__c": texts,
        "Sum__c": texts,
    }
)
names = st.sampled_from(["王小明", "王 大明", "Ming Wang", "歐陽明"])
emails = st.sampled_from([None, "a@example.com", "A@Example.com", "b@example.com"])
MEMBERS = st.fixed_dictionaries(
    {
        "name": names,
        "phone": phones,
        "email": emails,
        "bound_at": st.just("2026-01-02T03:04:05.678Z"),
        "consents.marketing": st.sampled_from([None, True, False]),
        "person": st.fixed_dictionaries(
            {"user_id": st.just("U1"), "display_name": texts, "following": st.booleans()}
        ),
    }
)
CONTACTS = st.fixed_dictionaries(
    {
        "LastName": st.sampled_from(["王", "李", "Wang"]),
        "FirstName": st.sampled_from([None, "小明", "大 明", "Ming"]),
        "MobilePhone": phones,
        "Email": emails,
        "LINE_User_Id__c": st.sampled_from([None, "U1"]),
        "LINE_Display_Name__c": texts,
        "LINE_Following__c": st.booleans(),
        "LINE_Bound_At__c": st.just("2026-01-02T03:04:05.000+0000"),
        "LINE_Marketing_Consent__c": st.booleans(),
    }
)
requests = cache(policies)
CASES = [(policies, REQUESTS, THINGS), (contact, MEMBERS, CONTACTS)]


@st.composite
def edited(draw: Any) -> tuple[TwoSides, dict[str, Any], dict[str, Any]]:
    """Two sides that agreed once, and have since been edited on either or both; with what they held."""
    made, ours, theirs = draw(st.sampled_from(CASES))
    both = TwoSides(made(), draw(ours))
    both.create()
    seen, row = dict(both.seen), dict(both.row)
    if draw(st.booleans()):
        both.seen |= draw(_some(ours))
    if draw(st.booleans()):
        both.row |= draw(_some(theirs))
    return both, seen, row


@st.composite
def met(draw: Any) -> TwoSides:
    """Two sides that meet for the first time."""
    made, ours, theirs = draw(st.sampled_from(CASES))
    return TwoSides(made(), draw(ours), draw(theirs))


def _some(values: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    keep = st.sets(st.integers(0, 9))
    return st.tuples(values, keep).map(
        lambda drawn: {k: v for n, (k, v) in enumerate(drawn[0].items()) if n in drawn[1]}
    )


def lines(both: TwoSides, direction: Direction) -> list[Line]:
    return [line for line in both.mapping.lines if line.direction is direction]


def asked(outcome: weighing.Outcome) -> set[str]:
    return {question.line for question in outcome.questions}


@given(edited())
def test_merging_twice_is_merging_once(drawn: Any) -> None:
    both, *_ = drawn
    both.merge()
    again = both.merge()
    assert (again.sends, again.takes) == ({}, {})


@given(met())
def test_a_first_meeting_is_over_after_one_merge(both: TwoSides) -> None:
    both.merge()
    again = both.merge()
    assert (again.sends, again.takes) == ({}, {})


@given(edited())
def test_both_sides_say_the_same_unless_a_person_is_asked(drawn: Any) -> None:
    both, *_ = drawn
    outcome = both.merge()
    for line in lines(both, Direction.BOTH):
        if line.id not in asked(outcome):
            assert both.ours(line) == both.theirs(line), line.id


@given(edited())
def test_one_sides_edit_always_carries(drawn: Any) -> None:
    both, seen, row = drawn
    for line in lines(both, Direction.BOTH):
        was, ours, theirs = (
            line.meaning(line.forward(seen)),
            both.ours(line),
            both.theirs(line),
        )
        assume(line.same(line.canonical(row), line.forward(seen)))
        copy = TwoSides(both.mapping, dict(both.seen), dict(both.row), dict(both.base))
        copy.merge()
        if ours == was:
            assert copy.ours(line) == theirs, line.id
        elif theirs == was:
            assert copy.theirs(line) == ours, line.id


@given(edited())
def test_an_open_question_leaves_both_sides_and_the_base(drawn: Any) -> None:
    both, *_ = drawn
    seen, row, base = dict(both.seen), dict(both.row), dict(both.base)
    for question in both.merge().questions:
        line = both.mapping.line(question.line)
        assert line is not None
        assert {name: both.row[name] for name in line.fields} == {
            name: row[name] for name in line.fields
        }
        assert both.seen[line.source or ""] == seen[line.source or ""]
        assert weighing.entries_of(line, both.base) == weighing.entries_of(line, base)


@given(st.one_of(edited().map(lambda drawn: drawn[0]), met()))
def test_a_one_way_line_never_goes_the_other_way(both: TwoSides) -> None:
    seen, row = dict(both.seen), dict(both.row)
    both.merge()
    for line in lines(both, Direction.TO_SALESFORCE):
        if line.source in seen:
            assert both.seen[line.source] == seen[line.source]
    for line in lines(both, Direction.FROM_SALESFORCE):
        assert all(both.row[name] == row[name] for name in line.fields)


@given(edited())
def test_no_value_disappears_but_by_an_edit_or_a_policy(drawn: Any) -> None:
    both, *_ = drawn
    before = {line.id: (both.ours(line), both.theirs(line)) for line in lines(both, Direction.BOTH)}
    both.merge()
    for line in lines(both, Direction.BOTH):
        if line.id.startswith("Set__c"):
            continue  # elements have a law of their own
        assert both.ours(line) in before[line.id]
        assert both.theirs(line) in before[line.id]


@given(sets, sets, sets)
def test_sets_keep_what_either_added_and_lose_what_either_removed(
    base: Any, ours: Any, theirs: Any
) -> None:
    assume(ours != theirs)
    both = TwoSides(requests(), {"slots": base})
    for name in ("symptom", "description", "address", "contact_phone", "urgency", "product_text"):
        both.seen[name] = None
    both.create()
    both.seen["slots"], both.row["Set__c"] = ours, theirs
    both.merge()
    was, mine, yours = (set(each or ()) for each in (base, ours, theirs))
    wanted = (was & mine & yours) | (mine - was) | (yours - was)
    assert set(both.seen["slots"] or ()) == set(both.row["Set__c"] or ()) == wanted


@pytest.mark.parametrize("spelling", spellings("+886912345678"))
def test_another_spelling_of_a_phone_is_no_edit(spelling: str) -> None:
    seen = {"name": "王小明", "phone": "+886912345678", "email": None, "bound_at": None}
    person = {"user_id": "U1", "display_name": "小明", "following": True}
    both = TwoSides(contact(), {**seen, "consents.marketing": None, "person": person})
    both.create()
    both.row["MobilePhone"] = spelling
    outcome = both.merge()
    assert (outcome.sends, outcome.takes, outcome.questions) == ({}, {}, [])


@given(edited(), st.sampled_from(["Email", "Out__c", "In__c", "MobilePhone", "Wins__c"]))
def test_a_field_that_was_not_read_is_left_alone(drawn: Any, name: str) -> None:
    both, *_ = drawn
    row = {field: value for field, value in both.row.items() if field != name}
    outcome = weighing.weigh(both.mapping, both.seen, both.base, row)
    line = next((line for line in both.mapping.lines if name in line.fields), None)
    if line is not None and line.direction is not Direction.TO_SALESFORCE:
        assert name not in outcome.sends
        assert line.source not in outcome.takes


@given(met())
def test_a_blank_side_takes_the_others_value(both: TwoSides) -> None:
    before = {line.id: (both.ours(line), both.theirs(line)) for line in lines(both, Direction.BOTH)}
    both.merge()
    for line in lines(both, Direction.BOTH):
        ours, theirs = before[line.id]
        if not ours or not theirs:
            assert (
                (both.ours(line) or None) == (both.theirs(line) or None) == (ours or theirs or None)
            )


@given(met(), texts)
def test_our_edit_after_a_first_meeting_is_sent(both: TwoSides, text: Any) -> None:
    out = next(
        line
        for line in lines(both, Direction.TO_SALESFORCE)
        if line.source in ("urgency", "person.display_name")
    )
    both.merge()
    before = both.ours(out)
    if "person" in both.seen:
        both.seen["person"] = {**both.seen["person"], "display_name": text}
    else:
        both.seen["urgency"] = text
    assume(both.ours(out) != before)
    both.merge()
    assert both.theirs(out) == both.ours(out)
