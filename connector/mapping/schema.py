"""What `describe` says of an object, cut down to what a mapping has to know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class FieldSchema:
    """One field of an object. `length` 0 means without a limit; `picklist` holds the active values."""

    name: str
    label: str = ""
    type: str = "string"
    length: int = 0
    precision: int = 0
    scale: int = 0
    picklist: tuple[str, ...] = ()
    restricted: bool = False
    createable: bool = True
    updateable: bool = True
    nillable: bool = True
    defaulted_on_create: bool = False
    external_id: bool = False
    unique: bool = False
    reference_to: tuple[str, ...] = ()
    relationship_name: str | None = None
    calculated: bool = False
    id_lookup: bool = False

    @property
    def required(self) -> bool:
        """Whether a create without this field is refused."""
        return self.createable and not self.nillable and not self.defaulted_on_create


@dataclass(frozen=True)
class ObjectSchema:
    """One object of the org; names are compared as Salesforce does, without regard to case."""

    name: str
    fields: Mapping[str, FieldSchema]
    record_types: tuple[str, ...] = ()
    """Developer names of the record types that the user may give to rows."""

    @cached_property
    def _by_lower(self) -> dict[str, FieldSchema]:
        return {name.lower(): field for name, field in self.fields.items()}

    def field(self, name: str) -> FieldSchema | None:
        """The field of that name, whatever its case; None where the user cannot see one."""
        return self._by_lower.get(name.lower())


def from_describe(described: Mapping[str, Any]) -> ObjectSchema:
    """Read the answer of `GET /sobjects/{object}/describe`."""
    fields = (_from_describe(field) for field in described["fields"])
    types = described.get("recordTypeInfos") or ()
    usable = (each for each in types if each.get("available") and not each.get("master"))
    return _object(described["name"], fields, (str(each["developerName"]) for each in usable))


def to_json(schema: ObjectSchema) -> dict[str, Any]:
    """A compact form for the cache: only what differs from a field's defaults."""
    fields = [
        {key: value for key, value in asdict(field).items() if value != _DEFAULTS[key]}
        for field in schema.fields.values()
    ]
    types = {"record_types": list(schema.record_types)} if schema.record_types else {}
    return {"name": schema.name, "fields": fields, **types}


def from_json(stored: Mapping[str, Any]) -> ObjectSchema:
    """The inverse of `to_json`."""
    fields = (_field(**field) for field in stored["fields"])
    return _object(stored["name"], fields, stored.get("record_types", ()))


_DEFAULTS: dict[str, Any] = asdict(FieldSchema(name=""))


def _object(name: str, fields: Iterable[FieldSchema], record_types: Iterable[str]) -> ObjectSchema:
    return ObjectSchema(name, {field.name: field for field in fields}, tuple(record_types))


def _field(**stored: Any) -> FieldSchema:
    for key in ("picklist", "reference_to"):
        if key in stored:
            stored[key] = tuple(stored[key])
    return FieldSchema(**stored)


def _from_describe(field: Mapping[str, Any]) -> FieldSchema:
    choices = field.get("picklistValues") or ()
    return FieldSchema(
        name=field["name"],
        label=field.get("label") or "",
        type=field.get("type") or "string",
        length=field.get("length") or 0,
        precision=field.get("precision") or field.get("digits") or 0,
        scale=field.get("scale") or 0,
        picklist=tuple(choice["value"] for choice in choices if choice.get("active", True)),
        restricted=bool(field.get("restrictedPicklist")),
        createable=bool(field.get("createable")),
        updateable=bool(field.get("updateable")),
        nillable=bool(field.get("nillable")),
        defaulted_on_create=bool(field.get("defaultedOnCreate")),
        external_id=bool(field.get("externalId")),
        unique=bool(field.get("unique")),
        reference_to=tuple(field.get("referenceTo") or ()),
        relationship_name=field.get("relationshipName"),
        calculated=bool(field.get("calculated")),
        id_lookup=bool(field.get("idLookup")),
    )
