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
    """What happens when the Salesforce row is deleted.

    `erase` takes it for the wish of a person to be forgotten: whoever the record belongs to is erased.
    """

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


def _as_row_of(value: Any) -> Any:
    return {"mapping": value} if isinstance(value, str) else value


def _as_queue(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _as_pairs(value: Any) -> Any:
    """`values` as pairs, since JSON keys would turn `true` and `3` into text."""
    if not isinstance(value, dict):
        return value
    return [{"line": line, "salesforce": theirs} for line, theirs in value.items()]


def _as_conditions(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {field: _as_choices(wanted) for field, wanted in value.items()}


def _as_choices(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _normal(shape: Callable[[Any], Any], written: Any) -> BeforeValidator:
    return BeforeValidator(shape, json_schema_input_type=written)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


Choices: TypeAlias = tuple[Scalar, ...]
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
    """The field, or the list of fields that the transform fills; `name.Field` of one of the `children`."""
    direction: Direction = Direction.TO_SALESFORCE
    """Which way values go; `both` only where what was sent can be read back."""
    transform: Transforms = ()
    """One conversion or a list of them, in order."""
    values: Pairs = ()
    """Record value: Salesforce value. From Salesforce, a list may stand for one record value."""
    otherwise: Scalar | None = None
    """What a value stands for that `values` does not name; without it the line waits for a person."""
    default: Scalar | None = None
    """Fills a blank value."""
    constant: Scalar | None = None
    """Always this value; written only with a new row unless `write` says otherwise."""
    expression: str | None = None
    """CEL over `line.*`."""
    conflict: Policy = Policy.SALESFORCE_WINS
    """Who wins when both sides changed; `no_wins` is for flags: a no wins."""
    first_meeting: Policy = Policy.SALESFORCE_WINS
    """Who wins when a record first meets its row and both hold something."""
    write: Write | None = None
    """When: `change` (as left out), `create` (only with a new row), `blank` (only into a blank field)."""
    lookup: LookupSpec | None = None
    """Fills a reference with the Id of the row that holds the value."""
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


class ChildSpec(_Model):
    """Rows that name this mapping's row, one of which is read: field lines say `name.Field` for its fields.

    Exactly one of `first` and `last` says which one.
    """

    object: str
    """The object of the child rows."""
    by: str
    """Their reference to this mapping's row."""
    where: Annotated[
        dict[str, Choices], _normal(_as_conditions, dict[str, Scalar | list[Scalar]])
    ] = Field(default_factory=dict)
    """What their fields must hold; of a list, any one."""
    first: str | None = None
    """The row in which this field is lowest or earliest; a blank comes after all others."""
    last: str | None = None
    """The row in which this field is highest or latest; a blank comes after all others."""


class FilesSpec(_Model):
    """Files of the record that go to Salesforce once its row is there."""

    line: str
    """Which: the `proof` of a registration, the `photos` of a repair request."""
    title: str | None = None
    """CEL over `line.*`; the file's own name when left out. Several get a number each."""
    link: FieldNames = ("self",)
    """The rows that show them: `self`, fields of `parents`, other mappings of the same record."""


class MatchSpec(_Model):
    """How an existing row is found before one is made."""

    line: str
    """The record value to look for."""
    salesforce: FieldNames
    """The field or fields to look in."""
    normalise: Normalise = Normalise.EXACT
    """How both sides are brought to one spelling; of a `phone` every spelling in use is sought."""
    agree: tuple[str, ...] = ()
    """Record values that have to agree too, else a person decides."""


class AdoptSpec(_Model):
    """The record's row is the one that another mapping's matched row names."""

    from_: str = Field(alias="from")
    """The other mapping."""
    field: str
    """The field of its row that names ours."""


class RowOfSpec(_Model):
    """The row is the one that another mapping makes or finds; this one writes and reads more of its fields."""

    mapping: str
    """The other mapping."""
    via: str | None = None
    """The relation to its record, or `self`; needed where several lead to one."""


class QueueSpec(_Model):
    """Which queue: by its name, or the one that stands beside a value of the record."""

    name: str | None = None
    """Its developer name."""
    line: str | None = None
    """The record value that decides."""
    values: Pairs = ()
    """Record values and the developer names of their queues."""
    otherwise: str | None = None
    """The queue for a value that `values` does not name, or for none."""


class OwnerSpec(_Model):
    """Who owns new rows. Exactly one of `queue` and `user` says it."""

    queue: Annotated[QueueSpec | None, _normal(_as_queue, str | QueueSpec | None)] = None
    """A queue that takes rows of the object: its developer name, or one for each value of the record."""
    user: str | None = None
    """An active user, by user name."""


class MappingDocument(_Model):
    """One record kind to one Salesforce object."""

    from_: str = Field(alias="from")
    """The record kind, or the kind of a form."""
    to: str
    """The Salesforce object."""
    description: str | None = None
    """For people."""
    enabled: bool = True
    """`false` switches the mapping off."""
    create: Create = Create.LINE
    """Which side may make new ones."""
    lane: Lane = Lane.NORMAL
    """How soon: `urgent` (a LINE user is waiting), `normal`, `bulk`."""
    when: str | None = None
    """CEL over `line.*`; while it is false nothing is written, and the row stays paired."""
    on_delete: OnDelete = OnDelete.UNPAIR
    """What it means when the row is deleted: let go of it, make another, or erase the person."""
    assignment_rule: bool = False
    """Whether the org's assignment rule runs when a row is made."""
    atomic: bool = False
    """Whether a new row and the rows of its `self` parents are made together or not at all."""
    owner: Annotated[OwnerSpec | None, _normal(_as_owner, str | OwnerSpec | None)] = None
    """Who owns new rows: a queue or a user, `LINE_Repair` or `lin@example.com` for short; not beside `assignment_rule`."""
    record_type: str | None = None
    """The record type of new rows, by its DeveloperName."""
    match: tuple[MatchSpec, ...] = ()
    """How an existing row is found before one is made, in order."""
    adopt: AdoptSpec | None = None
    """Take over the row that another mapping's matched row names."""
    row_of: Annotated[RowOfSpec | None, _normal(_as_row_of, str | RowOfSpec | None)] = None
    """Join the row of another mapping: never made here, and each field is written by one of the two."""
    parents: Annotated[dict[str, ParentSpec], _normal(_as_parents, dict[str, str | ParentSpec])] = (
        Field(default_factory=dict)
    )
    """References to other rows the service keeps; `Field: relation` is short for one with only `via`."""
    children: dict[str, ChildSpec] = Field(default_factory=dict)
    """Rows that name this one, by a name of your own: a field line reads one of them as `name.Field`."""
    fields: tuple[FieldLine, ...] = ()
    """The field lines."""
    files: tuple[FilesSpec, ...] = ()
    """Files of the record that follow its row."""
