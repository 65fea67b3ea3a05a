"""The objects of the org and their fields, read from `objects/*.yaml`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from simulator.salesforce.errors import not_found

FOLDER = Path(__file__).parent / "objects"
DEFAULT_LENGTHS = {
    "id": 18,
    "reference": 18,
    "phone": 40,
    "url": 255,
    "email": 80,
    "picklist": 255,
    "multipicklist": 4099,
}
TEXTS = frozenset(
    {"string", "textarea", "phone", "email", "url", "picklist", "multipicklist", "combobox"}
)
NUMBERS = frozenset({"double", "currency", "percent", "int"})
CREATE, UPDATE = "create", "update"
# A text area longer than this is a "long text area", which SOQL can neither filter nor sort.
LONG_TEXT = 255


@dataclass(frozen=True, slots=True)
class RollUp:
    """A value that a parent keeps of its children: of which, by which reference, and what."""

    of: str
    by: str
    function: str = "count"
    field: str = "Id"
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object; the words are those of a describe where it has one."""

    name: str
    type: str
    label: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    access: str = "create update"
    required: bool = False
    filled: bool = False
    default: Any = None
    defaulted: bool = False
    unique: bool = False
    external_id: bool = False
    id_lookup: bool = False
    auto_number: bool = False
    name_field: bool = False
    restricted: bool = False
    values: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    relationship: str | None = None
    children: str | None = None
    cascade: bool = False
    restrict: bool = False
    part_of: str | None = None
    extra: str | None = None
    # What the org must have switched on, or be set up with, for the field to exist.
    feature: str | None = None
    # The spelling of an auto-number; the zeros say how many digits it has at least.
    number_format: str = "{00000000}"
    rollup: RollUp | None = None
    # A text with paths such as `{Account.Name}`; of a checkbox, a condition as SOQL writes it.
    formula: str | None = None

    @property
    def createable(self) -> bool:
        """Whether a create may name it."""
        return CREATE in self.access

    @property
    def updateable(self) -> bool:
        """Whether an update may name it."""
        return UPDATE in self.access

    @property
    def nillable(self) -> bool:
        """Whether null is a value of it."""
        return not (self.required or self.filled or self.defaulted or self.type == "boolean")

    @property
    def empty(self) -> Any:
        """What a row without a value for it shows."""
        if self.rollup is not None and self.rollup.function in {"count", "sum"}:
            return 0
        return False if self.type == "boolean" else None

    @property
    def is_key(self) -> bool:
        """Whether an upsert may use it as its key."""
        return self.external_id or self.id_lookup

    @property
    def is_custom(self) -> bool:
        """Whether an administrator made it."""
        return self.name.endswith("__c")

    @property
    def is_calculated(self) -> bool:
        """Whether the platform works its value out."""
        return self.formula is not None or self.rollup is not None

    @property
    def is_long_text(self) -> bool:
        """Whether SOQL refuses to filter by it."""
        return self.type == "textarea" and self.length > LONG_TEXT


@dataclass(frozen=True)
class ObjectType:
    """One object of the org."""

    name: str
    label: str
    plural: str
    prefix: str
    fields: Mapping[str, Field]
    mergeable: bool = False
    createable: bool = True
    deletable: bool = True
    own_fields: tuple[str, ...] = field(default=(), repr=False)

    @cached_property
    def by_lower_name(self) -> dict[str, Field]:
        """Fields by lower-cased name, as names are case-insensitive."""
        return {name.lower(): each for name, each in self.fields.items()}

    @cached_property
    def by_relationship(self) -> dict[str, Field]:
        """Reference fields by lower-cased relationship name."""
        return {
            each.relationship.lower(): each
            for each in self.fields.values()
            if each.relationship and each.type == "reference"
        }

    @cached_property
    def auto_numbers(self) -> tuple[Field, ...]:
        """Fields that count the rows of the object."""
        return tuple(each for each in self.fields.values() if each.auto_number)

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """What a create fills in where it names no value."""
        return {n: each.default for n, each in self.fields.items() if each.default is not None}

    @cached_property
    def required(self) -> tuple[Field, ...]:
        """Fields that a create must fill and an update may not empty."""
        return tuple(each for each in self.fields.values() if each.required)

    @cached_property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """The part fields of each compound address field."""
        return {
            name: tuple(part.name for part in self.fields.values() if part.part_of == name)
            for name, each in self.fields.items()
            if each.type == "address"
        }

    @cached_property
    def name_field(self) -> Field:
        """The field that names a row for people."""
        return next((each for each in self.fields.values() if each.name_field), self.fields["Id"])

    def find(self, name: str) -> Field | None:
        """A field by its name in any case."""
        return self.fields.get(name) or self.by_lower_name.get(name.lower())


@dataclass(frozen=True, slots=True)
class ChildLink:
    """A reference that points at an object, seen from that object."""

    child: str
    field: Field


class Schema:
    """Every object of the org."""

    def __init__(self, objects: Mapping[str, ObjectType]) -> None:
        self.replace_objects(objects)

    def replace_objects(self, objects: Mapping[str, ObjectType]) -> None:
        """Hold these objects from now on, as an administrator's change leaves them."""
        self.objects = dict(objects)
        self._by_lower_name = {name.lower(): each for name, each in self.objects.items()}
        self._by_prefix = {each.prefix: each for each in self.objects.values()}
        self._children = {name: tuple(self._links_to(name)) for name in self.objects}

    def find(self, name: str) -> ObjectType | None:
        """An object by its name in any case."""
        return self._by_lower_name.get(name.lower())

    def get(self, name: str) -> ObjectType:
        """An object by its name in any case, or the API's 404."""
        found = self.find(name)
        if found is None:
            raise not_found()
        return found

    def of_id(self, row_id: str) -> ObjectType | None:
        """The object whose key prefix an id has."""
        return self._by_prefix.get(row_id[:3])

    def children(self, name: str) -> tuple[ChildLink, ...]:
        """The references that point at an object."""
        return self._children[name]

    def _links_to(self, name: str) -> Iterator[ChildLink]:
        for each in self.objects.values():
            for reference in each.fields.values():
                if name in reference.to:
                    yield ChildLink(each.name, reference)


def load_schema(folder: Path = FOLDER) -> Schema:
    """The schema that the files of a folder describe."""
    objects = (make_object(path.stem, _document(path)) for path in sorted(folder.glob("*.yaml")))
    return Schema({each.name: each for each in objects})


def _document(path: Path) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    return document


def make_object(name: str, definition: Mapping[str, Any]) -> ObjectType:
    """An object as its definition says, with the fields that every object has."""
    document = dict(definition)
    given = {each: make_field(each, told) for each, told in document.pop("fields").items()}
    fields = {each.name: each for each in _leading_fields(document["label"])}
    fields |= {name: each for name, each in given.items() if not each.is_custom}
    fields |= {each.name: each for each in SYSTEM_FIELDS}
    fields |= {name: each for name, each in given.items() if each.is_custom}
    return ObjectType(name, fields=fields, own_fields=tuple(given), **document)


def make_field(name: str, given: Mapping[str, Any]) -> Field:
    """A field as its definition says."""
    known = dict(given)
    known["length"] = given.get("length", DEFAULT_LENGTHS.get(given["type"], 0))
    known["values"] = tuple(given.get("values", ()))
    known["to"] = tuple(given.get("to", ()))
    if "rollup" in given:
        known["rollup"] = RollUp(**given["rollup"])
    return Field(name, **known)


def _leading_fields(label: str) -> list[Field]:
    return [
        Field("Id", "id", f"{label} ID", 18, access="read", defaulted=True, id_lookup=True),
        Field("IsDeleted", "boolean", "Deleted", access="read"),
    ]


def _by(name: str, label: str) -> Field:
    return Field(
        f"{name}Id",
        "reference",
        label,
        18,
        access="read",
        defaulted=True,
        to=("User",),
        relationship=name,
    )


SYSTEM_FIELDS = (
    Field("CreatedDate", "datetime", "Created Date", access="read", defaulted=True),
    _by("CreatedBy", "Created By ID"),
    Field("LastModifiedDate", "datetime", "Last Modified Date", access="read", defaulted=True),
    _by("LastModifiedBy", "Last Modified By ID"),
    Field("SystemModstamp", "datetime", "System Modstamp", access="read", defaulted=True),
)
