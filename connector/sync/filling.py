"""Lookup lines: a reference given by another field of the row it names."""

from __future__ import annotations

from collections.abc import Mapping

from connector.domain.values import Fields, Value
from connector.mapping.compiled import Line, LineProblem
from connector.mapping.document import Missing

Key = tuple[str, str, str]  # object, field, value without regard to case


class NotThereYet(LineProblem):
    """The row that a lookup names is awaited."""


def fill(line: Line, fields: Fields, found: Mapping[Key, str]) -> Fields:
    """A lookup line's fields with the Id in place of what it was sought by; raises `LineProblem`."""
    if line.lookup is None:
        return fields
    name = line.fields[0]
    value = fields.get(name)
    if value in (None, ""):
        return {name: None}
    row = found.get(key_of(line, value))
    if row is not None:
        return {name: row}
    if line.lookup.missing is Missing.BLANK:
        return {name: None}
    problem = NotThereYet if line.lookup.missing is Missing.WAIT else LineProblem
    raise problem(
        name,
        value,
        f"no {line.lookup.object} has {line.lookup.by} {value!r}",
        f"Make that {line.lookup.object} in Salesforce, or correct the value; then redrive.",
    )


def key_of(line: Line, value: Value) -> Key:
    """What a lookup line seeks, without regard to case."""
    assert line.lookup is not None  # noqa: S101 - asked of lookup lines only
    return (line.lookup.object, line.lookup.by, str(value).casefold())
