"""What `describe` says of an object, cut down to what a mapping has to know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias

Lists: TypeAlias = Mapping[str, tuple[str, ...]]  # values by the picklist that offers them


@dataclass(frozen=True)
class FieldSchema:
    """One field of an object. `length` 0 means without a limit; `picklist` holds the active values.

    Rows of the `record_type` may be given the `offered` ones of them; without it, all.
    """

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
    record_type: str = ""
    offered: tuple[str, ...] = ()

    @property
    def choices(self) -> tuple[str, ...]:
        """The picklist's values for the rows that are looked at."""
        return self.offered if self.record_type else self.picklist

    @property
    def of_type(self) -> str:
        """What is said behind a picklist, for an admin to look in the right list."""
        return f" of record type {self.record_type}" if self.record_type else ""

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
    offered: Mapping[str, Lists] = field(default_factory=dict)
    """By record type, for those that were asked about: the picklists in which it offers fewer values."""

    @cached_property
    def _by_lower(self) -> dict[str, FieldSchema]:
        return {name.lower(): field for name, field in self.fields.items()}

    @cached_property
    def _offered_by_lower(self) -> dict[str, tuple[str, Lists]]:
        return {name.lower(): (name, lists) for name, lists in self.offered.items()}

    def field(self, name: str) -> FieldSchema | None:
        """The field of that name, whatever its case; None where the user cannot see one."""
        return self._by_lower.get(name.lower())

    def offering(self, record_type: str, lists: Mapping[str, Iterable[str]]) -> ObjectSchema:
        """The object with what a record type offers in its picklists.

        A list without any known value is left out: nothing could be written, and more likely it was not told.
        """
        fewer: dict[str, tuple[str, ...]] = {}
        for name, values in lists.items():
            told, known = frozenset(values), self.field(name)
            kept = tuple(value for value in known.picklist if value in told) if known else ()
            if known is not None and kept and kept != known.picklist:
                fewer[known.name] = kept
        return replace(self, offered={**self.offered, record_type: fewer})

    def knows(self, record_type: str | None) -> bool:
        """Whether it was asked what that record type offers."""
        return record_type is not None and record_type.lower() in self._offered_by_lower

    def under(self, record_type: str | None) -> ObjectSchema:
        """The object as rows of that record type have it."""
        name, lists = self._offered_by_lower.get((record_type or "").lower(), ("", {}))
        narrow = {
            each: replace(self.fields[each], record_type=name, offered=values)
            for each, values in lists.items()
            if each in self.fields
        }
        return replace(self, fields={**self.fields, **narrow}) if narrow else self


def from_describe(described: Mapping[str, Any]) -> ObjectSchema:
    """Read the answer of `GET /sobjects/{object}/describe`."""
    fields = (_from_describe(field) for field in described["fields"])
    types = (str(each["developerName"]) for each in _usable(described))
    return _object(described["name"], fields, types)


def record_type_ids(described: Mapping[str, Any]) -> dict[str, str]:
    """The ids of the record types that the user may give to rows, by their developer names."""
    return {str(each["developerName"]): str(each["recordTypeId"]) for each in _usable(described)}


def to_json(schema: ObjectSchema) -> dict[str, Any]:
    """A compact form for the cache: only what differs from a field's defaults."""
    fields = [
        {key: value for key, value in asdict(field).items() if value != _DEFAULTS[key]}
        for field in schema.fields.values()
    ]
    types = {"record_types": list(schema.record_types)} if schema.record_types else {}
    offered = {
        name: {each: list(values) for each, values in lists.items()}
        for name, lists in schema.offered.items()
    }
    return {
        "name": schema.name,
        "fields": fields,
        **types,
        **({"offered": offered} if offered else {}),
    }


def from_json(stored: Mapping[str, Any]) -> ObjectSchema:
    """The inverse of `to_json`."""
    fields = (_field(**field) for field in stored["fields"])
    offered = {
        name: {each: tuple(values) for each, values in lists.items()}
        for name, lists in stored.get("offered", {}).items()
    }
    return replace(_object(stored["name"], fields, stored.get("record_types", ())), offered=offered)


_DEFAULTS: dict[str, Any] = asdict(FieldSchema(name=""))


def _object(name: str, fields: Iterable[FieldSchema], record_types: Iterable[str]) -> ObjectSchema:
    return ObjectSchema(name, {field.name: field for field in fields}, tuple(record_types))


def _usable(described: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    types = described.get("recordTypeInfos") or ()
    return (each for each in types if each.get("available") and not each.get("master"))


def _field(**stored: Any) -> FieldSchema:
    for key in ("picklist", "reference_to", "offered"):
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
