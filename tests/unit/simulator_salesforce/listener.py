"""Reads an org's events as a subscriber does: by topic, schema and bitmaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import orjson
from fastavro import parse_schema, schemaless_reader

from simulator.salesforce.events.bus import BusEvent
from simulator.salesforce.org import SalesforceOrg

OURS = "/data/LINE_Connector__chn"
LEADS = "/data/LeadChangeEvent"


@dataclass
class Heard:
    """One event, decoded."""

    event: BusEvent
    header: dict[str, Any]
    values: dict[str, Any]
    changed: set[str] = field(default_factory=set)
    nulled: set[str] = field(default_factory=set)
    diffs: set[str] = field(default_factory=set)

    @property
    def type(self) -> str:
        return str(self.header["changeType"])

    @property
    def told(self) -> tuple[str, str]:
        """Object and type."""
        return self.header["entityName"], self.type


class Listener:
    """Hears what is published after it was made, or after it was last asked."""

    def __init__(self, org: SalesforceOrg, topic: str = LEADS) -> None:
        self.org = org
        self.topic = topic
        self.place = org.events.latest(topic)

    def hear(self, most: int = 100) -> list[Heard]:
        """The next events."""
        events = self.org.events.after(self.topic, self.place, most)
        if events:
            self.place = events[-1].place
        return [self.decoded(each) for each in events]

    def one(self) -> Heard:
        """The next event, which is the only one."""
        (only,) = self.hear()
        return only

    def decoded(self, event: BusEvent) -> Heard:
        schema = orjson.loads(self.org.events.schema(event.schema_id) or "")
        values: Any = schemaless_reader(BytesIO(event.payload), parse_schema(schema), None)
        header = values.pop("ChangeEventHeader")
        told = {name: value for name, value in values.items() if value is not None}
        named = [
            set(names(header[each], schema))
            for each in ("changedFields", "nulledFields", "diffFields")
        ]
        return Heard(event, header, told, *named)


def names(bitmaps: Sequence[str], schema: Any) -> list[str]:
    """The fields that bitmaps name, those of nested records as `Name.LastName`."""
    found = []
    for bitmap in bitmaps:
        nested, _, bits = bitmap.rpartition("-")
        fields, prefix = schema["fields"], ""
        if nested:
            parent = fields[int(nested)]
            prefix = parent["name"] + "."
            fields = record_of(parent["type"], schema)["fields"]
        number = int(bits, 16)
        found += [prefix + each["name"] for at, each in enumerate(fields) if number >> at & 1]
    return found


def record_of(union: Any, schema: Any) -> Any:
    """The nested record of a union, which may only be named where it came before."""
    last = union[-1]
    if isinstance(last, dict):
        return last
    records = (each["type"][-1] for each in schema["fields"] if isinstance(each["type"], list))
    return next(each for each in records if isinstance(each, dict) and each["name"] == last)
