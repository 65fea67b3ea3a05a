"""References given by another field of the row they name: by lookup lines, or for every new row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from connector.domain.values import Fields, Value
from connector.mapping.compiled import CompiledMapping, Line, LineProblem
from connector.mapping.document import Missing
from connector.mapping.given import Given


class Key(NamedTuple):
    """What a row is sought by, without regard to case.

    `serves` is the object whose new rows it is given to, which queues and record types must take.
    """

    object: str
    by: str
    value: str
    serves: str = ""


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
    waits = line.lookup.missing is Missing.WAIT
    problem, then = (
        (NotThereYet, "it is looked for again by itself")
        if waits
        else (LineProblem, "then redrive")
    )
    raise problem(
        name,
        value,
        f"no {line.lookup.object} has {line.lookup.by} {value!r}",
        f"Make that {line.lookup.object} in Salesforce, or correct the value; {then}.",
    )


def key_of(line: Line, value: Value) -> Key:
    """What a lookup line seeks, without regard to case."""
    assert line.lookup is not None  # noqa: S101 - asked of lookup lines only
    return Key(line.lookup.object, line.lookup.by, str(value).casefold())


def give(mapping: CompiledMapping, found: Mapping[Key, str]) -> Fields:
    """Owner and record type of a new row; raises `LineProblem` where the org has none of that name."""
    fields: dict[str, Value] = {}
    for each in mapping.given:
        row = found.get(given_key(mapping, each))
        if row is None:
            reason, step = _lacking(mapping.object, each)
            raise LineProblem(each.field, each.name, reason, step)
        fields[each.field] = row
    return fields


def given_key(mapping: CompiledMapping, each: Given) -> Key:
    """What is sought for every new row of a mapping."""
    return Key(each.object, each.by, each.name.casefold(), mapping.object)


def _lacking(object_name: str, each: Given) -> tuple[str, str]:
    then = "or name another in the mapping; then redrive."
    if each.object == "Group":
        return (
            f"no queue {each.name} takes {object_name} rows",
            f"Make it in Setup > Queues, with {object_name} among its supported objects, {then}",
        )
    if each.object == "User":
        return (
            f"no active user has the user name {each.name}",
            f"Make or activate the user in Setup > Users, {then}",
        )
    return (
        f"{object_name} has no active record type {each.name}",
        f"Make it in Setup > Object Manager > {object_name} > Record Types, {then}",
    )
