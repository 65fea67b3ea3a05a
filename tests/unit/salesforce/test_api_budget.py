"""The API budget: the reserve is kept, bulk yields first."""

import pytest

from connector.domain.lines import Lane
from connector.salesforce.budget import allow


@pytest.mark.parametrize(
    ("used", "lanes"),
    [
        (0, {"urgent", "normal", "bulk"}),
        (600, {"urgent", "normal", "bulk"}),
        (601, {"urgent", "normal"}),
        (760, {"urgent", "normal"}),
        (761, {"urgent"}),
        (799, {"urgent"}),
        (800, set()),
        (1000, set()),
    ],
)
def test_lanes_close_one_after_another_before_the_reserve(used, lanes):
    assert {lane.value for lane in Lane if allow(lane, used, 1000, 200)} == lanes


def test_an_unknown_limit_stops_nothing():
    assert all(allow(lane, 5, 0, 100) for lane in Lane)
