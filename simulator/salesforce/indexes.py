"""Indexes: which rows hold a value."""

from collections.abc import Sequence
from typing import Any


class Index:
    """The ids of the rows that hold a value, compared without case."""

    def __init__(self) -> None:
        self._ids: dict[str, str | list[str]] = {}

    def ids(self, value: str) -> Sequence[str]:
        """The ids of the rows with this value."""
        held = self._ids.get(_key(value), ())
        return (held,) if isinstance(held, str) else held

    def add(self, value: str, row_id: str) -> None:
        """Note that a row holds a value."""
        key = _key(value)
        held = self._ids.setdefault(key, row_id)
        if isinstance(held, list):
            held.append(row_id)
        elif held != row_id:
            self._ids[key] = [held, row_id]

    def remove(self, value: str, row_id: str) -> None:
        """Note that a row no longer holds a value."""
        key = _key(value)
        held = self._ids.get(key)
        if isinstance(held, list):
            held.remove(row_id)
            if len(held) == 1:
                self._ids[key] = held[0]
        else:
            self._ids.pop(key, None)


def _key(value: Any) -> str:
    if type(value) is not str:
        return str(value)
    lowered = value.lower()
    # The row's own text serves as the key where it can: a million copies would be 70 MiB.
    return value if lowered == value else lowered
