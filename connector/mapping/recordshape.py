"""The shape a record keeps a value in, whatever a Salesforce field gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connector.domain.phones import to_e164
from connector.domain.records import ValueType
from connector.domain.values import Value, moment
from connector.mapping.canonical import (
    plain_number,
    plain_text,
    read_date,
    read_instant,
    read_number,
)


def record_shape(kind: ValueType, value: Value) -> Value:
    """The value as records hold it; what cannot be of that kind comes back as it is."""
    if isinstance(value, str):
        value = value.strip() or None
    if value is None:
        return _BLANK.get(kind)
    return _SHAPES.get(kind, plain_text)(value)


def _integer(value: Value) -> Value:
    read = read_number(value)
    return value if read is None else plain_number(read)


def _boolean(value: Value) -> Value:
    return {"true": True, "false": False}.get(plain_text(value).lower(), value)


def _date(value: Value) -> Value:
    read = read_date(value)
    return value if read is None else read.isoformat()


def _moment(value: Value) -> Value:
    read = read_instant(value)
    return value if read is None else moment(read)


def _set(value: Value) -> Value:
    items = value if isinstance(value, list) else plain_text(value).split(";")
    return [*sorted({plain_text(item).strip() for item in items} - {""})]


def _phone(value: Value) -> Value:
    text = plain_text(value)
    return to_e164(text) or text


_BLANK: Mapping[ValueType, Value] = {ValueType.BOOLEAN: False}

_SHAPES: Mapping[ValueType, Callable[[Value], Value]] = {
    ValueType.INTEGER: _integer,
    ValueType.BOOLEAN: _boolean,
    ValueType.DATE: _date,
    ValueType.MOMENT: _moment,
    ValueType.SET: _set,
    ValueType.PHONE: _phone,
}
