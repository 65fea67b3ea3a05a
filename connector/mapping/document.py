"""What an admin may write: the models of a mapping document, every key with its default.

Short spellings (`ContactId: member`, `transform: trim`, `salesforce: Name`) are brought into one
long form while reading, so that the rest of the language knows only that one.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)

from connector.domain.lines import Direction, Lane, Policy, Write

Scalar: TypeAlias = StrictBool | StrictInt | StrictFloat | StrictStr


class Create(StrEnum):
    """Which side may make a new one."""

    LINE = "line"
    SALESFORCE = "salesforce"
    BOTH = "both"


class OnDelete(StrEnum):
    """What happens when the Salesforce row is deleted."""

    UNPAIR = "unpair"
    RECREATE = "recreate"
    ERASE = "erase"


class Missing(StrEnum):
    """What happens when a lookup finds nothing."""

    PARK = "park"
    WAIT = "wait"
    BLANK = "blank"


class Normalise(StrEnum):
    """How two values are brought to one spelling before they are compared."""

    PHONE = "phone"
    EMAIL = "email"
    TEXT = "text"
    EXACT = "exact"


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_transforms(value: Any) -> Any:
    listed = value if isinstance(value, list) else [value]
    return [_as_transform(item) for item in listed]


def _as_transform(item: Any) -> Any:
    if isinstance(item, str):
        return {"name": item}
    if isinstance(item, dict) and len(item) == 1:
        name, argument = next(iter(item.items()))
        return {"name": name, "argument": argument}
    return item


def _as_parents(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        field: {"via": parent} if isinstance(parent, str) else parent
        for field, parent in value.items()
    }


def _as_owner(value: Any) -> Any:
    """User names have the form of an e-mail address, developer names of queues never do."""
    if not isinstance(value, str):
        return value
    return {"user" if "@" in value else "queue": value}


def _as_pairs(value: Any) -> Any:
    """`values` as pairs, since JSON keys would turn `true` and `3` into text."""
    if not isinstance(value, dict):
        return value
    return [{"line": line, "salesforce": theirs} for line, theirs in value.items()]


def _as_choices(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _normal(shape: Callable[[Any], Any], written: Any) -> BeforeValidator:
    return BeforeValidator(shape, json_schema_input_type=written)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


FieldNames: TypeAlias = Annotated[tuple[str, ...], _normal(_as_list, str | list[str])]


class TransformCall(_Model):
    """One step: a transform and its argument."""

    name: str
    argument: Any = None


class ValuePair(_Model):
    """One record value and the Salesforce values that stand for it."""

    line: Scalar
    salesforce: Annotated[tuple[Scalar, ...], _normal(_as_choices, Scalar | list[Scalar])]


Transforms: TypeAlias = Annotated[
    tuple[TransformCall, ...],
    _normal(_as_transforms, str | dict[str, Any] | list[str | dict[str, Any]]),
]
Pairs: TypeAlias = Annotated[
    tuple[ValuePair, ...], _normal(_as_pairs, dict[str, Scalar | list[Scalar]])
]


class LookupSpec(_Model):
    """Fills a reference with the Id of the row whose `by` field holds the value."""

    object: str
    """The object to look in."""
    by: str
    """The field that is compared."""
    value: str | None = None
    """The record value to look for; the line's own value when left out."""
    missing: Missing = Missing.PARK
    """What happens when no row is found."""


class FieldLine(_Model):
    """One field mapping. Exactly one of `line`, `constant` and `expression` says where values come from."""

    line: str | None = None
    """A value of the record, or one a relation away (`product.name`, to Salesforce only)."""
    salesforce: FieldNames
    """The field, or the list of fields that the transform fills."""
    direction: Direction = Direction.TO_SALESFORCE
    """Which way values go."""
    transform: Transforms = ()
    """Named conversions, in order."""
    values: Pairs = ()
    """Record values to Salesforce values; inbound, several may stand for one."""
    otherwise: Scalar | None = None
    """What a value stands for that `values` does not name."""
    default: Scalar | None = None
    """Fills a blank value."""
    constant: Scalar | None = None
    """Always this value."""
    expression: str | None = None
    """CEL over `line.*`."""
    conflict: Policy = Policy.SALESFORCE_WINS
    """Who wins when both sides changed."""
    first_meeting: Policy = Policy.SALESFORCE_WINS
    """Who wins when a record first meets its row and both hold something."""
    write: Write | None = None
    """When it is written: on every change, at creation only, or only into a blank field."""
    lookup: LookupSpec | None = None
    """Fills a reference by another field."""
    personal: bool | None = None
    """Whether an erased person's rows lose it; when left out, if it is made from personal values."""
    description: str | None = None
    """For people."""


class ParentSpec(_Model):
    """A reference to another row that the service keeps."""

    via: str
    """A relation of the record, or `self` for the same record's row under another mapping."""
    mapping: str | None = None
    """Which mapping's row, where several fit."""
    optional: bool = False
    """Whether a record without it may go ahead."""
    write: Write = Write.CREATE
    """When it is written."""


class MatchSpec(_Model):
    """How an existing row is found before one is made."""

    line: str
    """The record value to look for."""
    salesforce: FieldNames
    """The field or fields to look in."""
    normalise: Normalise = Normalise.EXACT
    """How both sides are brought to one spelling."""
    agree: tuple[str, ...] = ()
    """Record values that have to agree too, else a person decides."""


class AdoptSpec(_Model):
    """The record's row is the one that another mapping's matched row names."""

    from_: str = Field(alias="from")
    """The other mapping."""
    field: str
    """The field of its row that names ours."""


class OwnerSpec(_Model):
    """Who owns new rows. Exactly one of `queue` and `user` says it."""

    queue: str | None = None
    """A queue that takes rows of the object, by its developer name."""
    user: str | None = None
    """An active user, by user name."""


class MappingDocument(_Model):
    """One record kind to one Salesforce object."""

    from_: str = Field(alias="from")
    """The record kind."""
    to: str
    """The Salesforce object."""
    description: str | None = None
    """For people."""
    enabled: bool = True
    """Whether it runs."""
    create: Create = Create.LINE
    """Which side may make new ones."""
    lane: Lane = Lane.NORMAL
    """How soon: urgent where a LINE user is waiting."""
    when: str | None = None
    """CEL over `line.*`; while false, nothing is written."""
    on_delete: OnDelete = OnDelete.UNPAIR
    """What a deleted row means."""
    assignment_rule: bool = False
    """Whether the org's assignment rule runs, on creates only."""
    atomic: bool = False
    """Whether a new row and the rows of its `self` parents are made together or not at all."""
    owner: Annotated[OwnerSpec | None, _normal(_as_owner, str | OwnerSpec | None)] = None
    """The owner of new rows: a queue or a user."""
    record_type: str | None = None
    """The record type of new rows, by its DeveloperName."""
    match: tuple[MatchSpec, ...] = ()
    """How an existing row is found, in order."""
    adopt: AdoptSpec | None = None
    """Take over the row that another mapping's matched row names."""
    parents: Annotated[dict[str, ParentSpec], _normal(_as_parents, dict[str, str | ParentSpec])] = (
        Field(default_factory=dict)
    )
    """References to other rows the service keeps."""
    fields: tuple[FieldLine, ...] = ()
    """The field lines."""
