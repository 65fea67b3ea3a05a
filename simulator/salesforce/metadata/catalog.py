"""The org's objects, fields and channels as rows, which the Tooling API queries."""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from simulator.control.journal import Journal
from simulator.salesforce.events.channels import Channels
from simulator.salesforce.ids import mint
from simulator.salesforce.metadata.channels import channel_rows
from simulator.salesforce.metadata.definitions import OBJECT_SUFFIX
from simulator.salesforce.metadata.fields import metadata_of
from simulator.salesforce.metadata.identity import component_id
from simulator.salesforce.schema import Field, ObjectType, Schema, load_schema
from simulator.salesforce.store import Store

FOLDER = Path(__file__).parent / "objects"
CUSTOM_FIELD, CUSTOM_OBJECT = "CustomField", "CustomObject"
UNMANAGED = "unmanaged"
BEGINNING = "2026-01-01T00:00:00.000+0000"
Entry = tuple[str, dict[str, Any]]


class Catalog:
    """Rows about a schema, made anew when it has changed."""

    def __init__(self, full: Schema, channels: Channels) -> None:
        self._full = full
        self._channels = channels
        self._of: Mapping[str, ObjectType] = {}
        self._version = -1
        self._store: Store | None = None
        self._kinds = load_schema(FOLDER)

    @property
    def schema(self) -> Schema:
        """The objects that only the Tooling API knows."""
        return self._kinds

    def store(self, user_id: str) -> Store:
        """The rows, changed last by this user where nobody knows who did."""
        is_same = self._of is self._full.objects and self._version == self._channels.version
        if self._store is None or not is_same:
            self._of, self._version = self._full.objects, self._channels.version
            self._store = self._filled(user_id)
        return self._store

    def _filled(self, user_id: str) -> Store:
        store = Store(self._kinds, Journal(None))
        by = {"CreatedById": user_id, "LastModifiedById": user_id}
        at = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), BEGINNING)
        with store.transaction(user_id) as transaction:
            for kind, row in chain(_entries(self._full), channel_rows(self._channels)):
                filled = {key: value for key, value in row.items() if value is not None}
                transaction.put(kind, {**filled, **by, **at})
        return store


def _entries(full: Schema) -> Iterator[Entry]:
    for number, kind in enumerate(full.objects.values(), 1):
        entity = mint("4ie", number)
        yield "EntityDefinition", _entity(entity, kind)
        if kind.name.endswith(OBJECT_SUFFIX):
            name = kind.name.removesuffix(OBJECT_SUFFIX)
            known = {"DeveloperName": name, "ManageableState": UNMANAGED}
            yield CUSTOM_OBJECT, {"Id": component_id(CUSTOM_OBJECT, kind.name), **known}
        for place, field in enumerate(kind.fields.values(), 1):
            yield "FieldDefinition", _definition(mint("0Mz", number * 1000 + place), entity, field)
            if field.is_custom:
                yield CUSTOM_FIELD, _custom(kind, field, entity)


def _entity(entity: str, kind: ObjectType) -> dict[str, Any]:
    is_custom = kind.name.endswith(OBJECT_SUFFIX)
    return {
        "Id": entity,
        "DurableId": component_id(CUSTOM_OBJECT, kind.name)[:15] if is_custom else kind.name,
        "QualifiedApiName": kind.name,
        "DeveloperName": kind.name.removesuffix(OBJECT_SUFFIX),
        "Label": kind.label,
        "PluralLabel": kind.plural,
        "KeyPrefix": kind.prefix,
        "IsCustomizable": True,
        "IsQueryable": True,
    }


def _definition(row_id: str, entity: str, field: Field) -> dict[str, Any]:
    return {
        "Id": row_id,
        "DurableId": f"{entity[:15]}.{field.name}",
        "QualifiedApiName": field.name,
        "EntityDefinitionId": entity,
        "DeveloperName": field.name.removesuffix(OBJECT_SUFFIX),
        "Label": field.label,
        "DataType": _data_type(field),
        "Length": field.length,
        "Precision": field.precision,
        "Scale": field.scale,
        "IsNillable": field.nillable,
        "IsIndexed": field.is_key,
    }


def _custom(kind: ObjectType, field: Field, entity: str) -> dict[str, Any]:
    is_custom = kind.name.endswith(OBJECT_SUFFIX)
    return {
        "Id": component_id(CUSTOM_FIELD, f"{kind.name}.{field.name}"),
        "TableEnumOrId": component_id(CUSTOM_OBJECT, kind.name) if is_custom else kind.name,
        "DeveloperName": field.name.removesuffix(OBJECT_SUFFIX),
        "FullName": f"{kind.name}.{field.name}",
        "EntityDefinitionId": entity,
        "Length": field.length,
        "ManageableState": UNMANAGED,
    }


def _data_type(field: Field) -> str:
    if not field.is_custom:
        return field.type.capitalize()
    told = metadata_of(field)
    return f"{told['type']}({told['length']})" if "length" in told else str(told["type"])
