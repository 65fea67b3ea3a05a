"""What an expression looks like once it is checked: a reader of the runtime's own serialised form.

`Any.value` (field 2) holds a CheckedExpr: field 2 maps expression ids to references, each with its name
in field 1; field 4 is the tree (google/api/expr/v1alpha1/checked.proto and syntax.proto).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

_LENGTH_DELIMITED = 2
_CONSTANT, _CALL, _LIST = 3, 6, 7


@dataclass(frozen=True)
class Name:
    """A declared name, whole: `line.consents.service`."""

    name: str


@dataclass(frozen=True)
class Constant:
    """A value written in the expression."""

    value: bool | int | str | None


@dataclass(frozen=True)
class Call:
    """A function with its arguments."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Listed:
    """A list of elements."""

    elements: tuple[Node, ...]


@dataclass(frozen=True)
class Other:
    """Anything else: what an expression does with it is for the runtime to say."""


Node: TypeAlias = "Name | Constant | Call | Listed | Other"


def references(serialised: bytes) -> Iterator[str]:
    """The names that a checked expression refers to."""
    for checked in _parts(serialised, 2):
        yield from _references(checked).values()


def tree(serialised: bytes) -> Node:
    """The tree of a checked expression."""
    for checked in _parts(serialised, 2):
        names = _references(checked)
        for expression in _parts(checked, 4):
            return _node(expression, names)
    return Other()


def _references(checked: bytes) -> dict[int, str]:
    found = {}
    for entry in _parts(checked, 2):
        for reference in _parts(entry, 2):
            for name in _parts(reference, 1):
                found[_number(entry, 1)] = name.decode()
    return found


def _node(expression: bytes, names: Mapping[int, str]) -> Node:
    for constant in _parts(expression, _CONSTANT):
        return _constant(constant)
    for call in _parts(expression, _CALL):
        arguments = tuple(_node(each, names) for each in _parts(call, 3))
        has_target = any(True for _ in _parts(call, 1))
        function = next((name.decode() for name in _parts(call, 2)), "")
        return Other() if has_target else Call(function, arguments)
    for listed in _parts(expression, _LIST):
        if any(number == 2 for number, _ in _fields(listed)):
            return Other()  # optional elements
        return Listed(tuple(_node(each, names) for each in _parts(listed, 1)))
    known = names.get(_number(expression, 2))
    return Other() if known is None else Name(known)


def _constant(constant: bytes) -> Node:
    for number, value in _fields(constant):
        if number == 1:
            return Constant(None)
        if number == 2:
            return Constant(bool(value))
        if number == 3 and isinstance(value, int):
            return Constant(value - (1 << 64) if value >> 63 else value)
        if number == 6 and isinstance(value, bytes):
            return Constant(value.decode())
    return Other()


def _number(message: bytes, wanted: int) -> int:
    found = (value for number, value in _fields(message) if number == wanted)
    return next((value for value in found if isinstance(value, int)), 0)


def _parts(message: bytes, wanted: int) -> Iterator[bytes]:
    for number, value in _fields(message):
        if number == wanted and isinstance(value, bytes):
            yield value


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Every field of a protobuf message: numbers as they are, the rest as bytes."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        if tag & 7 == _LENGTH_DELIMITED:
            length, at = _varint(message, at)
            yield tag >> 3, message[at : at + length]
            at += length
        elif tag & 7 == 0:
            value, at = _varint(message, at)
            yield tag >> 3, value
        else:
            at += 8 if tag & 7 == 1 else 4


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while message[at] & 0x80:
        value |= (message[at] & 0x7F) << shift
        shift += 7
        at += 1
    return value | message[at] << shift, at + 1
