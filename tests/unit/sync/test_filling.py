"""What a new row is given: owner and record type, or where in the org to make what is missing."""

from dataclasses import replace

import pytest

from connector.mapping.parts.compiled import LineProblem
from connector.mapping.parts.given import Choice, Given
from connector.sync.pairs.filling import give, given_key
from tests.unit.mapping.building import starter

QUEUE = Given("OwnerId", "Group", "DeveloperName", "LINE_Repair")
USER = Given("OwnerId", "User", "Username", "Lin@example.com")
TYPE = Given("RecordTypeId", "RecordType", "DeveloperName", "Repair")
CASE = starter().mappings["repair_request-case"]


def test_what_was_found_fills_its_field_whatever_the_case_of_its_name():
    mapping = replace(CASE, given=(USER, TYPE))
    found = {
        given_key(CASE, USER, {}): "005A",
        given_key(CASE, replace(TYPE, name="REPAIR"), {}): "012A",
    }
    assert give(mapping, found, {}) == {"OwnerId": "005A", "RecordTypeId": "012A"}


def test_a_record_that_chooses_no_queue_says_which_value_named_none():
    chosen = Given("OwnerId", "Group", "DeveloperName", choice=Choice("urgency", (("high", "Q"),)))
    mapping = replace(CASE, given=(chosen,))
    found = {given_key(CASE, chosen, {"urgency": "high"}): "00GA"}
    assert give(mapping, found, {"urgency": "high"}) == {"OwnerId": "00GA"}
    with pytest.raises(LineProblem) as caught:
        give(mapping, found, {"urgency": "low"})
    assert caught.value.reason == "no queue is named for urgency 'low'"


def test_a_queue_that_takes_other_rows_is_not_it():
    lead = replace(CASE, object="Lead")
    with pytest.raises(LineProblem):
        give(replace(CASE, given=(QUEUE,)), {given_key(lead, QUEUE, {}): "00GA"}, {})


@pytest.mark.parametrize(
    ("given", "reason", "place"),
    [
        (QUEUE, "no queue LINE_Repair takes Case rows", "Setup > Queues"),
        (USER, "no active user has the user name Lin@example.com", "Setup > Users"),
        (TYPE, "Case has no active record type Repair", "Object Manager > Case > Record Types"),
    ],
)
def test_what_is_missing_is_named_with_the_place_to_make_it(given, reason, place):
    with pytest.raises(LineProblem) as caught:
        give(replace(CASE, given=(given,)), {}, {})
    assert caught.value.reason == reason and place in caught.value.next_step
