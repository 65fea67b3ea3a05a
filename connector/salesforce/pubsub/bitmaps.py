"""The bitmaps of a change event's header: which fields changed, by their place in the Avro schema.

`0x400800` is big-endian hex in which bit *i*, counted from the least significant, stands for the
*i*-th field of the event; `4-0x01` is a bitmap inside the record that is field 4 (Pub/Sub API
Developer Guide, "Event Deserialization Considerations").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_HEX = "0x"


def names(bitmaps: Iterable[str], shape: Shape) -> frozenset[str]:
    """The fields a header speaks of, those of a nested record dotted: `Name.FirstName`."""
    return frozenset(_names(bitmaps, shape))


@dataclass(frozen=True)
class Shape:
    """The fields of an event in the order of its schema, and of each nested record its own."""

    fields: tuple[str, ...]
    nested: Mapping[str, tuple[str, ...]]


def shape_of(schema: Mapping[str, Any]) -> Shape:
    """Read an event's Avro schema. A record is written out where it first stands, then only named."""
    known: dict[str, Mapping[str, Any]] = {}
    nested = {}
    for field in schema["fields"]:
        record = _record(field["type"], schema.get("namespace"), known)
        if record is not None:
            nested[field["name"]] = tuple(inner["name"] for inner in record["fields"])
    return Shape(tuple(field["name"] for field in schema["fields"]), nested)


def _record(
    kind: Any, space: str | None, known: dict[str, Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """The record that a type is, optional or not, here or by name."""
    for each in kind if isinstance(kind, list) else [kind]:
        if isinstance(each, dict) and each.get("type") == "record":
            name, within = each["name"], each.get("namespace", space)
            known[name] = known[f"{within}.{name}"] = each
            for field in each["fields"]:
                _record(field["type"], within, known)
            return each
        if isinstance(each, str) and each in known:
            return known[each]
    return None


def _names(bitmaps: Iterable[str], shape: Shape) -> Iterator[str]:
    for bitmap in bitmaps:
        place, separator, inner = bitmap.partition("-")
        if not separator:
            yield from _marked(bitmap, shape.fields)
        elif int(place) < len(shape.fields):
            outer = shape.fields[int(place)]
            yield from (f"{outer}.{name}" for name in _marked(inner, shape.nested.get(outer, ())))


def _marked(bitmap: str, fields: Sequence[str]) -> Iterator[str]:
    bits = int(bitmap.removeprefix(_HEX) or "0", 16)
    return (name for at, name in enumerate(fields) if bits >> at & 1)
