"""The size of steps follows what the org can bear."""

import pytest

from connector.salesforce.pace import next_size


@pytest.mark.parametrize(
    ("size", "seconds", "codes", "following"),
    [
        (200, 1, [], 200),
        (200, 11, [], 100),
        (200, 1, ["UNABLE_TO_LOCK_ROW"], 100),
        (100, 1, ["STRING_TOO_LONG"], 200),
        (100, 7, [], 100),
        (1, 30, [], 1),
    ],
)
def test_a_step_is_halved_when_it_was_too_much_and_grows_again(size, seconds, codes, following):
    assert next_size(size, seconds, codes) == following
