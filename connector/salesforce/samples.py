"""Made-up records to try a mapping with: every declared value filled, none of a real person's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from connector.domain.records import SCHEMAS, RecordSchema, ValueType
from connector.domain.values import Value, Values, moment
from connector.mapping.parts.compiled import CompiledMapping, Line

_TEXT = "LINE connector probe"
_NAMED: Mapping[str, Value] = {
    "user_id": "U" + "0" * 32,
    "language": "zh-TW",
    "urgency": "normal",
    "status": "received",
    "sku": "PROBE",
    "code": "0000000000000",
}


def sample(mapping: CompiledMapping, now: datetime) -> Values:
    """A record as a mapping sees it: relations filled, choices among those the mapping names."""
    values = _values(mapping.schema, now)
    for name, kind in mapping.schema.relations.items():
        values[name] = _values(SCHEMAS[kind], now)
    for line in mapping.outbound:
        if line.source is not None and line.source in mapping.schema.values:
            values[line.source] = _fitting(line, values[line.source])
    return values


def _values(schema: RecordSchema, now: datetime) -> dict[str, Value]:
    of_type = _of_type(now.astimezone(UTC))
    values = {name: _NAMED.get(name, of_type[type_]) for name, type_ in schema.values.items()}
    for name, options in schema.options.items():
        is_set = schema.values[name] is ValueType.SET
        values[name] = [options[0]] if is_set else options[0]
    return values


def _of_type(now: datetime) -> Mapping[ValueType, Value]:
    """Dates lie in the past and appointments ahead, as validation rules like to ask."""
    before, after = now - timedelta(days=1), now + timedelta(days=2)
    return {
        ValueType.TEXT: _TEXT,
        ValueType.BOOLEAN: True,
        ValueType.INTEGER: 12,
        ValueType.DATE: before.date().isoformat(),
        ValueType.MOMENT: moment(before),
        ValueType.SET: [f"{after.date().isoformat()} AM"],
        ValueType.PHONE: "+886900000000",
        ValueType.EMAIL: "probe@line-connector.invalid",
    }


def _fitting(line: Line, value: Value) -> Value:
    """The value, or one in its place that the line and its field are known to take."""
    field = line.schemas[0]
    if line.choices is not None and line.choices.pairs:
        return line.choices.pairs[0][0]
    if not isinstance(value, str) or value != _TEXT:
        return value
    if field.restricted and field.choices and not line.transforms:
        return field.choices[0]
    return value[: field.length] if field.length else value
