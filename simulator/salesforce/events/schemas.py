"""The Avro schema of an object's change event, and the bitmaps that name its fields."""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.salesforce.events.avro import writer_of
from simulator.salesforce.events.channels import event_of
from simulator.salesforce.metadata.identity import component_id
from simulator.salesforce.rules import BORROWED
from simulator.salesforce.schema import Field, ObjectType

NAMESPACE = "com.sforce.eventbus"
HEADER = "ChangeEventHeader"
CHANGE_TYPES = (
    *("CREATE", "UPDATE", "DELETE", "UNDELETE"),
    *("GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE", "GAP_OVERFLOW", "SNAPSHOT"),
)
TEXTS = {"type": "array", "items": "string"}
HEADER_TYPE = {
    "type": "record",
    "name": HEADER,
    "fields": [
        {"name": "entityName", "type": "string"},
        {"name": "recordIds", "type": TEXTS},
        {
            "name": "changeType",
            "type": {"type": "enum", "name": "ChangeType", "symbols": [*CHANGE_TYPES]},
        },
        {"name": "changeOrigin", "type": "string"},
        {"name": "transactionKey", "type": "string"},
        {"name": "sequenceNumber", "type": "int"},
        {"name": "commitTimestamp", "type": "long"},
        {"name": "commitNumber", "type": "long"},
        {"name": "commitUser", "type": "string"},
        {"name": "nulledFields", "type": TEXTS},
        {"name": "diffFields", "type": TEXTS},
        {"name": "changedFields", "type": TEXTS},
    ],
}
# What events never tell, beside calculated fields.
UNTOLD = frozenset(
    {
        *("Id", "IsDeleted", "SystemModstamp", "MasterRecordId", "PhotoUrl"),
        *("LastActivityDate", "LastViewedDate", "LastReferencedDate"),
    }
)
# Type in Avro and the word that `doc` has for it, by field type; others are texts.
TYPES: Mapping[str, tuple[str, str]] = {
    "boolean": ("boolean", "Boolean"),
    "int": ("int", "Integer"),
    "double": ("double", "Double"),
    "currency": ("double", "Currency"),
    "percent": ("double", "Percent"),
    "date": ("long", "DateOnly"),
    "datetime": ("long", "DateTime"),
    "reference": ("string", "EntityId"),
    "picklist": ("string", "DynamicEnum"),
    "combobox": ("string", "DynamicEnum"),
    "email": ("string", "Email"),
    "phone": ("string", "Phone"),
    "url": ("string", "Url"),
    "textarea": ("string", "TextArea"),
}
SYSTEM_DOCS = {
    "CreatedDate": "CreatedDate:DateTime",
    "CreatedById": "CreatedBy:EntityId",
    "LastModifiedDate": "LastModifiedDate:DateTime",
    "LastModifiedById": "LastModifiedBy:EntityId",
}
NAME_PARTS = ("Salutation", "FirstName", "LastName")
Avro = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a field stands: its place in the event, or in a nested record of it."""

    at: int
    inner: int | None = None
    # The names of the nested record and of the field in it.
    record: str = ""
    part: str = ""


class EventSchema:
    """The schema of one event."""

    def __init__(self, name: str, fields: list[Avro], told: Mapping[str, Field]) -> None:
        document = {"type": "record", "name": name, "namespace": NAMESPACE, "fields": fields}
        self.name = name
        self.json = json.dumps(document, separators=(",", ":"))
        self.id = _hash(self.json)
        self.write = writer_of(document)
        self.told = told
        # What new rows tell of fields that they do not hold.
        self.empty = {name: each.empty for name, each in told.items() if each.empty is not None}
        self.spots = _spots(fields, told)

    def bitmaps(self, names: Iterable[str]) -> list[str]:
        """Fields as the header names them: one bitmap, and one for each nested record."""
        maps: dict[int, int] = {}
        for name in names:
            spot = self.spots[name]
            where, bit = (0, spot.at) if spot.inner is None else (spot.at, spot.inner)
            maps[where] = maps.get(where, 0) | 1 << bit
        return [
            f"{f'{at}-' if at else ''}0x{_hex(maps[at])}"
            for at in sorted(maps)  # the header is field 0, so that 0 can stand for the whole
        ]


class SchemaBook:
    """The event schemas of an org, found again by their ids as long as the process lives."""

    def __init__(self) -> None:
        self._by_id: dict[str, str] = {}
        self._of: dict[int, tuple[ObjectType, EventSchema]] = {}

    def of(self, shape: ObjectType) -> EventSchema:
        """The schema of an object's change event."""
        known = self._of.get(id(shape))
        if known is None:
            made = _schema(shape)
            # The object is held, so that no other can take over its address.
            known = self._of[id(shape)] = (shape, made)
            self._by_id[made.id] = made.json
        return known[1]

    def find(self, schema_id: str) -> str | None:
        """A schema as JSON."""
        return self._by_id.get(schema_id)


def told_fields(shape: ObjectType) -> dict[str, Field]:
    """The fields of an object that its events tell, in order; not those made of others."""
    borrowed = BORROWED.get(shape.name, {})
    return {
        name: each
        for name, each in shape.fields.items()
        if not (name in UNTOLD or name in borrowed or each.is_calculated)
        and each.type not in {"base64", "address"}
        and not (name == "Name" and _is_derived_name(shape))
    }


def _schema(shape: ObjectType) -> EventSchema:
    return _platform_schema(shape) if shape.name.endswith("__e") else _change_schema(shape)


def _platform_schema(shape: ObjectType) -> EventSchema:
    """The schema of a platform event: who published it and when, and its own fields."""
    told = {name: each for name, each in shape.fields.items() if each.is_custom}
    always = {name: shape.fields[name] for name in ("CreatedDate", "CreatedById")}
    fields = [
        {"name": name, "type": TYPES[each.type][0], "doc": SYSTEM_DOCS[name]}
        for name, each in always.items()
    ]
    fields += [_plain(shape, each, name) for name, each in told.items()]
    return EventSchema(shape.name, fields, {**always, **told})


def _change_schema(shape: ObjectType) -> EventSchema:
    told = told_fields(shape)
    header = {"name": HEADER, "type": HEADER_TYPE}
    compounds = dict(shape.parts)
    names = tuple(each for each in NAME_PARTS if each in told and told[each].part_of == "Name")
    if names:
        compounds["Name"] = names
    inside = {part for parts in compounds.values() for part in parts}
    fields: list[Avro] = [header]
    described: set[str] = set()
    for name, each in shape.fields.items():
        if name in compounds:
            parts = {part: told[part] for part in compounds[name] if part in told}
            fields.append(_compound(shape, each, parts, described))
        elif name in told and name not in inside:
            fields.append(_plain(shape, each, name))
    return EventSchema(event_of(shape.name), fields, told)


def _plain(shape: ObjectType, field: Field, name: str) -> Avro:
    type_, word = TYPES.get(field.type, ("string", "Text"))
    if field.is_long_text:
        word = "MultiLineText"
    doc = SYSTEM_DOCS.get(name, f"Data:{word}")
    if field.is_custom:
        doc += ":" + component_id("CustomField", f"{shape.name}.{field.name}")[:15]
    return {"name": name, "type": ["null", type_], "doc": doc, "default": None}


def _compound(
    shape: ObjectType, field: Field, parts: Mapping[str, Field], described: set[str]
) -> Avro:
    """A nested record: described where it comes first, named after that."""
    is_name = field.type != "address"
    record = "Address"
    if is_name:
        record = "PersonName" if _is_derived_name(shape) else "Switchable_PersonName"
    inner: Any = record
    if record not in described:
        described.add(record)
        inner = {
            "type": "record",
            "name": record,
            "fields": [_plain(shape, each, part_name(field, n)) for n, each in parts.items()],
        }
    type_ = ["null", "string", inner] if record.startswith("Switchable") else ["null", inner]
    doc = f"Data:{record.replace('_', '')}"
    return {"name": field.name, "type": type_, "doc": doc, "default": None}


def part_name(compound: Field, part: str) -> str:
    """What a nested record calls a part of it: `Street` of `MailingStreet`."""
    return part.removeprefix(compound.name.removesuffix("Address"))


def _is_derived_name(shape: ObjectType) -> bool:
    """Whether the name is put together of its parts and cannot be written itself."""
    field = shape.fields.get("Name")
    return field is not None and field.extra == "personname" and "LastName" in shape.fields


def _spots(fields: list[Avro], told: Mapping[str, Field]) -> dict[str, Spot]:
    places = {each["name"]: at for at, each in enumerate(fields)}
    inner: dict[str, int] = {}
    for each in fields:
        # A union ends with the record, where it holds one.
        record = each["type"][-1] if isinstance(each["type"], list) else None
        if isinstance(record, dict):
            inner |= {
                f"{record['name']}.{part['name']}": at for at, part in enumerate(record["fields"])
            }
    spots = {}
    for name, field in told.items():
        if name in places:
            spots[name] = Spot(places[name])
            continue
        at = places[str(field.part_of)]
        record = fields[at]["type"][-1]
        kind = record["name"] if isinstance(record, dict) else record
        part = name.removeprefix(str(field.part_of).removesuffix("Address"))
        spots[name] = Spot(at, inner[f"{kind}.{part}"], str(field.part_of), part)
    return spots


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).decode()[:22]


def _hex(bits: int) -> str:
    """Whole bytes, as the header writes them."""
    return bits.to_bytes((bits.bit_length() + 7) // 8 or 1, "big").hex().upper()
