"""What an org lacks of the table in `content`: looked up, never changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from connector.domain.faults import FaultKind
from connector.mapping.schema import FieldSchema, ObjectSchema
from connector.salesforce import capture
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway
from connector.salesforce.installation.capturing import Capturing, share
from connector.salesforce.installation.content import (
    ACCESS,
    MOST_CAPTURED,
    PERMISSION_SET,
    USER_PERMISSIONS,
    Access,
    CustomField,
    fields_of,
)
from connector.salesforce.installation.org import InstallingOrg
from connector.salesforce.soql import literal

LackKind: TypeAlias = Literal["field", "access", "permission_set", "capture", "assignment"]

_TYPES = {"Text": "string", "Checkbox": "boolean", "DateTime": "datetime", "Number": "double"}
# The parts of this compound field stand for it in describe.
_ADDRESS_PART = "Street"


@dataclass(frozen=True)
class Lack:
    """One thing that the installation brings; `text` says it in words."""

    kind: LackKind
    name: str
    text: str


@dataclass(frozen=True)
class Obstacle:
    """One thing that the installation cannot mend, and what a person can do."""

    name: str
    message: str
    fix: str


@dataclass(frozen=True)
class Plan:
    """What will be changed, what stands in the way, and the objects that are there."""

    objects: tuple[str, ...]
    lacks: tuple[Lack, ...]
    obstacles: tuple[Obstacle, ...]
    capturing: Capturing

    @property
    def deploys(self) -> bool:
        """Whether metadata must be deployed; an assignment alone is a row."""
        return any(lack.kind != "assignment" for lack in self.lacks)


def look(gateway: Gateway, org: InstallingOrg, most_captured: int = MOST_CAPTURED) -> Plan:
    """Compare the org with the table, as the integration user sees it."""
    hidden = org.custom_fields()
    objects: list[str] = []
    lacks: list[Lack] = []
    obstacles: list[Obstacle] = []
    for access in ACCESS:
        schema = _described(gateway, access.object)
        if schema is None:
            obstacles.append(_unseen(access.object))
            continue
        objects.append(access.object)
        for found in _of_object(schema, access, hidden):
            if isinstance(found, Lack):
                lacks.append(found)
            else:
                obstacles.append(found)
    lacks += _permission_set(gateway, org.user_id())
    capturing = _capturing(gateway, objects, most_captured)
    if not capturing.known and not lacks:
        obstacles.append(_UNTOLD)
    lacks += [_captured(name) for name in capturing.wanted]
    return Plan(tuple(objects), tuple(lacks), tuple(obstacles), capturing)


_UNTOLD = Obstacle(
    capture.CHANNEL,
    "the org does not tell the integration user which objects it captures",
    "Give the user View Setup and Configuration, then install again; until then all is polled.",
)


def _capturing(gateway: Gateway, objects: list[str], most: int) -> Capturing:
    """What is captured; unknown where the user may not see it yet."""
    try:
        return share(capture.members(gateway), objects, most)
    except CallFailed as failed:
        if failed.fault.kind is not FaultKind.CONFIG or failed.fault.org_wide:
            raise
    return Capturing(most, known=False)


def _captured(name: str) -> Lack:
    return Lack("capture", name, f"tell of changes of {name} as events ({capture.CHANNEL})")


def _of_object(
    schema: ObjectSchema, access: Access, hidden: frozenset[str]
) -> Iterator[Lack | Obstacle]:
    for field in fields_of(access.object):
        yield from _custom(field, schema.field(field.name), hidden)
    for name in (*access.read, *access.written):
        shown = schema.field(_ADDRESS_PART if name == "Address" else name)
        if shown is None:
            yield _access(f"{access.object}.{name}", "read")
        elif name in access.written and not (shown.updateable or shown.createable):
            yield _access(f"{access.object}.{name}", "write")


def _custom(
    field: CustomField, shown: FieldSchema | None, hidden: frozenset[str]
) -> Iterator[Lack | Obstacle]:
    name = field.full_name
    if shown is None:
        if name.lower() in hidden:
            yield _access(name, "read")
        else:
            yield Lack("field", name, f"make the field {name} ({_words(field)})")
        return
    if shown.type != _TYPES[field.type]:
        yield Obstacle(
            name,
            f"{name} is a field of type {shown.type}, not {field.type}",
            f"Rename or delete that field in Setup > Object Manager > {field.object}.",
        )
        return
    differs = list(_differences(field, shown))
    if differs:
        yield Lack("field", name, f"change the field {name}: {', '.join(differs)}")
    elif field.editable and not shown.updateable:
        yield _access(name, "write")


def _differences(field: CustomField, shown: FieldSchema) -> Iterator[str]:
    if field.is_key and not shown.external_id:
        yield "make it an external id"
    if field.is_key and not shown.unique:
        yield "make it unique"
    if shown.length < field.length:
        yield f"length {shown.length} to {field.length}"
    if shown.precision - shown.scale < field.precision:
        yield f"digits {shown.precision - shown.scale} to {field.precision}"


def _permission_set(gateway: Gateway, user_id: str) -> Iterator[Lack]:
    name = literal(PERMISSION_SET)
    rights = {f"Permissions{right}": right for right in USER_PERMISSIONS}
    found = gateway.query(f"SELECT {', '.join(rights)} FROM PermissionSet WHERE Name = {name}")
    if not found:
        yield Lack("permission_set", PERMISSION_SET, f"make the permission set {PERMISSION_SET}")
    for right in [rights[each] for row in found for each in rights if not row[each]]:
        text = f"let the permission set {PERMISSION_SET} give the user permission {right}"
        yield Lack("permission_set", right, text)
    assigned = gateway.query(
        "SELECT Id FROM PermissionSetAssignment "
        f"WHERE PermissionSet.Name = {name} AND AssigneeId = {literal(user_id)}"
    )
    if not assigned:
        text = f"give the permission set {PERMISSION_SET} to the integration user"
        yield Lack("assignment", PERMISSION_SET, text)


def _described(gateway: Gateway, name: str) -> ObjectSchema | None:
    try:
        return gateway.describe(name)
    except CallFailed as failed:
        if failed.fault.code != "INVALID_TYPE":
            raise
        return None


def _unseen(name: str) -> Obstacle:
    what = {"WorkOrder": "Switch it on in Setup > Field Service Settings or Work Order Settings"}
    start = what.get(name, "See that the integration user's licence has it")
    return Obstacle(
        name,
        f"the org shows no object {name}",
        f"{start}, then install again; mappings to {name} stay unused until then.",
    )


def _access(name: str, what: str) -> Lack:
    return Lack("access", name, f"let the permission set {PERMISSION_SET} {what} {name}")


def _words(field: CustomField) -> str:
    size = f" {field.length}" if field.length else f" {field.precision}.0" * bool(field.precision)
    return f"{field.type}{size}{', unique external id' * field.is_key}"
