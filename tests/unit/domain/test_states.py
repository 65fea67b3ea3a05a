"""States and their moves are data that hangs together."""

from enum import StrEnum

import pytest

from connector.domain.states import (
    MOVES,
    EnvelopeState,
    IllegalMove,
    InboxState,
    OutboxState,
    check_move,
)


@pytest.mark.parametrize("states", [InboxState, OutboxState, EnvelopeState])
def test_every_state_has_its_moves_and_leads_only_to_its_own_kind(states: type[StrEnum]):
    for state in states:
        assert all(isinstance(to, states) for to in MOVES[states][state])


@pytest.mark.parametrize("states", [InboxState, OutboxState, EnvelopeState])
def test_what_is_claimed_can_be_put_back(states: type[StrEnum]):
    assert states("ready") in MOVES[states][states("claimed")]
    assert states("claimed") in MOVES[states][states("ready")]


@pytest.mark.parametrize("states", [InboxState, OutboxState, EnvelopeState])
def test_the_dead_can_be_brought_back(states: type[StrEnum]):
    check_move(states("dead"), states("ready"))


@pytest.mark.parametrize("states", [InboxState, OutboxState, EnvelopeState])
def test_nothing_moves_to_where_it_is(states: type[StrEnum]):
    assert all(state not in MOVES[states][state] for state in states)


def test_a_move_that_is_not_listed_is_refused_by_name():
    with pytest.raises(IllegalMove) as refused:
        check_move(InboxState.DONE, InboxState.READY)
    assert (refused.value.was, refused.value.to) == (InboxState.DONE, InboxState.READY)


def test_a_state_of_another_table_is_no_place_to_go():
    with pytest.raises(IllegalMove):
        check_move(InboxState.CLAIMED, OutboxState.READY)


def test_states_that_are_spelt_the_same_keep_apart():
    assert InboxState.DONE in MOVES[InboxState][InboxState.CLAIMED]
    assert OutboxState.PARKED in MOVES[OutboxState][OutboxState.CLAIMED]
