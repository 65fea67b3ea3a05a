"""How many rows of an object go into one step: as many as the org does in good time (rule 13)."""

from __future__ import annotations

from collections.abc import Iterable

MOST = 200
GOOD_SECONDS = 10.0

# Codes that say a step was too much at once, not that a row was wrong.
TOO_MUCH = frozenset(
    {
        "UNABLE_TO_LOCK_ROW",
        "QUERY_TIMEOUT",
        "REQUEST_RUNNING_TOO_LONG",
        "CANNOT_EXECUTE_FLOW_TRIGGER",
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "APEX_ERROR",
        "ANSWER_LOST",
    }
)


def next_size(size: int, seconds: float, codes: Iterable[str]) -> int:
    """Rows of the next step after one of `size` rows took `seconds` and met these codes."""
    if seconds > GOOD_SECONDS or not TOO_MUCH.isdisjoint(codes):
        return max(1, size // 2)
    if seconds < GOOD_SECONDS / 2:
        return min(MOST, size * 2)
    return size
