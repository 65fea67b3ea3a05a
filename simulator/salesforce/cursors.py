"""Query cursors: the rest of a result that a page did not hold."""

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simulator.salesforce.errors import Refusal
from simulator.salesforce.ids import mint

LIFE_SECONDS = 2 * 24 * 3600
OPEN_PER_USER = 10
PREFIX = "01g"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A result kept for paging."""

    user_id: str
    records: Sequence[Any]
    opened: float


class Cursors:
    """The open cursors; a user's oldest goes when there are too many."""

    def __init__(self) -> None:
        self._cursors: OrderedDict[str, Cursor] = OrderedDict()
        self._count = 0

    def open(self, user_id: str, records: Sequence[Any]) -> str:
        """Keep a result and give the cursor's id."""
        mine = [name for name, each in self._cursors.items() if each.user_id == user_id]
        for name in mine[: len(mine) - OPEN_PER_USER + 1]:
            del self._cursors[name]
        self._count += 1
        cursor_id = mint(PREFIX, self._count)
        self._cursors[cursor_id] = Cursor(user_id, records, time.monotonic())
        return cursor_id

    def get(self, cursor_id: str, user_id: str) -> Sequence[Any]:
        """The kept result, or the refusal of an unknown, expired or pushed-out cursor."""
        found = self._cursors.get(cursor_id)
        if (
            found is None
            or found.user_id != user_id
            or time.monotonic() - found.opened > LIFE_SECONDS
        ):
            raise Refusal("INVALID_QUERY_LOCATOR", "invalid query locator")
        return found.records

    def clear(self) -> None:
        """Close every cursor."""
        self._cursors.clear()
