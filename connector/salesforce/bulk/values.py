"""Texts of a Bulk result as the values that the REST API would have answered; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from connector.domain.values import Value
from connector.mapping.canonical import NUMBERS, plain_number, read_number
from connector.mapping.schema import ObjectSchema
from connector.salesforce.steps import Row

Cell: TypeAlias = tuple[int, str, Callable[[str], Value]]


def cells(schema: ObjectSchema, names: Sequence[str], wanted: Iterable[str]) -> tuple[Cell, ...]:
    """Where in a row of `names` each wanted field is, and how its text is read.

    Made once for all rows of a job. Fields that the job did not ask for are left out.
    """
    places = {name.lower(): at for at, name in enumerate(names)}
    found = ((places.get(name.lower()), name) for name in wanted)
    return tuple((at, name, _reading(schema, name)) for at, name in found if at is not None)


def as_row(cells: Iterable[Cell], texts: Sequence[str]) -> Row:
    """One row of texts under the names it was asked for."""
    return {name: read(texts[at]) for at, name, read in cells}


def _reading(schema: ObjectSchema, name: str) -> Callable[[str], Value]:
    field = schema.field(name)
    return _READINGS.get(field.type, _text) if field is not None else _text


def _text(text: str) -> Value:
    return text or None


def _boolean(text: str) -> Value:
    return text.lower() == "true" if text else None


def _number(text: str) -> Value:
    number = read_number(text)
    return plain_number(number) if number is not None else (text or None)


_READINGS: Mapping[str, Callable[[str], Value]] = {
    "boolean": _boolean,
    **dict.fromkeys(NUMBERS, _number),
}
