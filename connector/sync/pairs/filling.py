"""References given by another field of the row they name: by lookup lines, or for every new row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from connector.domain.values import Fields, Value, Values
from connector.mapping.canonical import plain_text
from connector.mapping.documents.document import Missing
from connector.mapping.parts.compiled import CompiledMapping, Line, LineProblem
from connector.mapping.parts.given import Given


class Key(NamedTuple):
    """What a row is sought by, without regard to case.

    `serves` is the object whose new rows it is given to, which queues and record types must take.
    """

    object: str
    by: str
    value: str
    serves: str = ""
    is_number: bool = False


SEVERAL = ""  # in place of an Id: none of the rows that hold the value is it


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
    if row == SEVERAL:
        raise LineProblem(
            name,
            value,
            f"several {line.lookup.object} rows have {line.lookup.by} {plain_text(value)!r}",
            "Let one of them keep it, or correct the value; then redrive.",
        )
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
    sought = plain_text(value).casefold()
    return Key(line.lookup.object, line.lookup.by, sought, is_number=line.lookup.by_number)


def give(mapping: CompiledMapping, found: Mapping[Key, str], seen: Values) -> Fields:
    """Owner and record type of a new row; raises `LineProblem` where the org has none of that name."""
    fields: dict[str, Value] = {}
    for each in mapping.given:
        key = given_key(mapping, each, seen)
        row = None if key is None else found.get(key)
        if not row:
            name = each.named(seen)
            reason, step = (
                _unnamed(each, seen) if name is None else _lacking(mapping.object, each, name)
            )
            raise LineProblem(each.field, name, reason, step)
        fields[each.field] = row
    return fields


def given_key(mapping: CompiledMapping, each: Given, seen: Values) -> Key | None:
    """What is sought for a new row of a mapping; None where the record chooses nothing."""
    name = each.named(seen)
    return None if name is None else Key(each.object, each.by, name.casefold(), mapping.object)


def _unnamed(each: Given, seen: Values) -> tuple[str, str]:
    line = each.choice.line if each.choice is not None else ""
    return (
        f"no queue is named for {line} {seen.get(line)!r}",
        "Name one under the owner's values, or give it an otherwise, publish, then redrive.",
    )


def _lacking(object_name: str, each: Given, name: str) -> tuple[str, str]:
    then = "or name another in the mapping; then redrive."
    if each.object == "Group":
        return (
            f"no queue {name} takes {object_name} rows",
            f"Make it in Setup > Queues, with {object_name} among its supported objects, {then}",
        )
    if each.object == "User":
        return (
            f"no active user has the user name {name}",
            f"Make or activate the user in Setup > Users, {then}",
        )
    return (
        f"{object_name} has no active record type {name}",
        f"Make it in Setup > Object Manager > {object_name} > Record Types, {then}",
    )
