"""The values records and Salesforce rows are made of: plain JSON, so that they store and compare as they are.

Dates are ISO text (`2026-01-31`), moments UTC text with milliseconds and `Z`
(`2026-01-31T08:00:00.000Z`), sets sorted lists. None is a blank value; a name that is
missing from a mapping was not read or not said, which is something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeAlias

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Values: TypeAlias = Mapping[str, Value]
Fields: TypeAlias = Mapping[str, Value]


def moment(at: datetime) -> str:
    """An aware datetime as the text that records hold: UTC, milliseconds, `Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_moment(text: str) -> datetime:
    """The aware datetime behind ISO text; Salesforce's `+0000` is understood too."""
    return datetime.fromisoformat(text).astimezone(UTC)


def storable(value: Value) -> Value:
    """The same value without what PostgreSQL's jsonb refuses: NUL and lone surrogates."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {str(storable(name)): storable(item) for name, item in value.items()}
    return value
