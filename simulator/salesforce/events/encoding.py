"""Change events as subscribers get them: Avro binary without a container."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from simulator.salesforce.events.kept import CREATE, GAP_PREFIX, UNDELETE, UPDATE, ChangeEvent
from simulator.salesforce.events.schemas import HEADER, EventSchema
from simulator.salesforce.schema import Field

LARGEST_EVENT = 1 << 20
Values = Mapping[str, Any]


def encoded(event: ChangeEvent, schema: EventSchema, ids: Sequence[str], enriched: Values) -> bytes:
    """The payload of an event about some rows; one that is too large has its header only."""
    told = _told(event, schema)
    payload = _written(event, schema, ids, event.type, {**enriched, **told})
    if len(payload) > LARGEST_EVENT:
        return _written(event, schema, ids, GAP_PREFIX + event.type, None)
    return payload


def _told(event: ChangeEvent, schema: EventSchema) -> dict[str, Any]:
    """The values that the event itself tells, by field."""
    if event.values is None:
        return {}
    if event.type in {CREATE, UNDELETE}:
        values = {name: value for name, value in event.values.items() if name in schema.told}
        return {**schema.empty, **values}
    return {name: value for name, value in event.values.items() if name in schema.told}


def _written(
    event: ChangeEvent, schema: EventSchema, ids: Sequence[str], type_: str, values: Values | None
) -> bytes:
    commit = event.commit
    changed = _changed(event, schema) if type_ == UPDATE else []
    nulled = [name for name in changed if (event.values or {}).get(name) is None]
    datum: dict[str, Any] = {
        HEADER: {
            "entityName": event.entity,
            "recordIds": ids,
            "changeType": type_,
            "changeOrigin": commit.origin,
            "transactionKey": commit.key,
            "sequenceNumber": event.sequence,
            "commitTimestamp": commit.at,
            "commitNumber": commit.number,
            "commitUser": commit.user_id,
            "nulledFields": schema.bitmaps(nulled),
            "diffFields": schema.bitmaps(event.diffs) if changed else [],
            "changedFields": schema.bitmaps(changed),
        },
    }
    for name, value in (values or {}).items():
        if value is not None:
            _put(datum, schema, name, value)
    return schema.write(datum)


def _changed(event: ChangeEvent, schema: EventSchema) -> list[str]:
    changed = [name for name in event.values or () if name in schema.told]
    # A person's name changes by its parts.
    if any(schema.spots[name].record == "Name" for name in changed):
        return [name for name in changed if name != "Name"]
    return changed


def _put(datum: dict[str, Any], schema: EventSchema, name: str, value: Any) -> None:
    spot, told = schema.spots[name], converted(schema.told[name], value)
    if not spot.record:
        datum.setdefault(name, told)
        return
    record = datum.get(spot.record)
    if not isinstance(record, dict):
        record = datum[spot.record] = {}
    record[spot.part] = told


def converted(field: Field, value: Any) -> Any:
    """A value as Avro writes it."""
    convert: Callable[[Any], Any] = CONVERSIONS.get(field.type, _text)
    return convert(value)


def _text(value: Any) -> str:
    return str(value)


def _day(text: str) -> int:
    return _milliseconds(f"{text}T00:00:00.000+0000")


@lru_cache(maxsize=1 << 14)
def _milliseconds(text: str) -> int:
    return int(datetime.fromisoformat(text[:19]).replace(tzinfo=UTC).timestamp() * 1000)


CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "boolean": bool,
    "int": int,
    "double": float,
    "currency": float,
    "percent": float,
    "date": _day,
    "datetime": _milliseconds,
}
