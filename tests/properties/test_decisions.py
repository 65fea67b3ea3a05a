"""Laws of what a person decides: what stands then stands on both sides, and nothing newer is lost."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connector.sync.pairs import weighing
from tests.properties.test_merge import edited
from tests.properties.two_sides import TwoSides, policies

ASK = "Ask__c"
mapping = cache(policies)
values = st.permutations(["a", "甲", "c d", "A", None])  # all of different meaning


def asked(drawn: list[str | None]) -> TwoSides:
    """Two sides that agreed on the first value, and hold the next two now: a person is asked."""
    both = TwoSides(mapping(), {"address": drawn[0]})
    both.seen |= dict.fromkeys(both.mapping.schema.values.keys() - {"address"})
    both.create()
    both.seen["address"], both.row[ASK] = drawn[1], drawn[2]
    assert [each.line for each in both.merge().questions] == [ASK]
    return both


def decide(both: TwoSides, drawn: list[str | None], *, line_stands: bool) -> list[str]:
    """Let the side that loses give way, as it was shown; says what is asked after the merge."""
    line: Any = both.mapping.line(ASK)
    loser = drawn[2] if line_stands else drawn[1]
    both.base |= weighing.conceded(line, {ASK: loser}, both.mapping.version)
    return [each.line for each in both.merge().questions]


@given(values, st.booleans())
def test_what_was_decided_stands_on_both_sides_and_is_asked_no_more(
    drawn: list[str | None], line_stands: bool
) -> None:
    both = asked(drawn)
    assert decide(both, drawn, line_stands=line_stands) == []
    wanted = drawn[1] if line_stands else drawn[2]
    assert both.seen["address"] == both.row[ASK] == wanted
    again = both.merge()
    assert (again.sends, again.takes, again.questions) == ({}, {}, [])


@given(values, st.booleans(), st.booleans())
def test_an_edit_between_question_and_decision_is_not_lost(
    drawn: list[str | None], line_stands: bool, by_agent: bool
) -> None:
    both, newest = asked(drawn), drawn[3]
    if by_agent:
        both.row[ASK] = newest
    else:
        both.seen["address"] = newest
    questions = decide(both, drawn, line_stands=line_stands)
    # who gave way has a newer value: it is asked about anew
    assert questions == ([ASK] if by_agent == line_stands else [])
    assert newest == (both.row[ASK] if by_agent else both.seen["address"])


@given(edited(), st.booleans())
def test_a_frozen_line_stands_still_and_the_others_go_on(drawn: Any, all_of_them: bool) -> None:
    both, seen, row = drawn
    two_way = [line for line in both.mapping.lines if line.outbound and line.inbound]
    frozen = two_way if all_of_them else two_way[:1]
    ids = [line.id for line in frozen]
    outcome = weighing.weigh(both.mapping, both.seen, both.base, both.row, frozen=ids)
    free = weighing.weigh(both.mapping, both.seen, both.base, both.row)
    for line in frozen:
        assert not set(line.fields) & outcome.sends.keys()
        assert line.source not in outcome.takes
        assert line.id not in outcome.answered
    still = {name for line in frozen for name in line.fields}
    assert outcome.sends == {name: v for name, v in free.sends.items() if name not in still}
