"""Permission sets as the Metadata API writes them, and the rows they become."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.salesforce.metadata.fields import Unfit
from simulator.salesforce.metadata.permissions import may_be_granted
from simulator.salesforce.schema import ObjectType
from simulator.salesforce.store import Row, Transaction

OBJECT_RIGHTS = {
    "allowCreate": "PermissionsCreate",
    "allowRead": "PermissionsRead",
    "allowEdit": "PermissionsEdit",
    "allowDelete": "PermissionsDelete",
    "viewAllRecords": "PermissionsViewAllRecords",
    "modifyAllRecords": "PermissionsModifyAllRecords",
}
# What each right over an object builds on.
BUILDS_ON = {
    "allowCreate": ("allowRead",),
    "allowEdit": ("allowRead",),
    "allowDelete": ("allowRead", "allowEdit"),
    "viewAllRecords": ("allowRead",),
    "modifyAllRecords": ("allowRead", "allowEdit", "allowDelete", "viewAllRecords"),
}
USER_RIGHTS = {"ApiEnabled": "PermissionsApiEnabled", "ViewSetup": "PermissionsViewSetup"}
Values = dict[str, Any]
Link = tuple[str, str]
# Objects whose rows hang on a permission set, with their reference to it.
GRANTS: tuple[Link, ...] = (("FieldPermissions", "ParentId"), ("ObjectPermissions", "ParentId"))
ASSIGNMENTS: tuple[Link, ...] = (("PermissionSetAssignment", "PermissionSetId"),)


@dataclass(frozen=True, slots=True)
class Grants:
    """A permission set: its own values, and the rows of its grants."""

    name: str
    values: Values
    objects: tuple[Values, ...]
    fields: tuple[Values, ...]


def grants_of(name: str, told: Mapping[str, Any], objects: Mapping[str, ObjectType]) -> Grants:
    """The permission set that metadata describes, checked against the objects of the org."""
    if not told.get("label"):
        raise Unfit("Required field is missing: label")
    values: Values = {"Name": name, "Label": told["label"]}
    if told.get("description"):
        values["Description"] = told["description"]
    for each in told.get("userPermissions", ()):
        if each.get("name") not in USER_RIGHTS:
            raise Unfit(f"Unknown user permission: {each.get('name')}")
        values[USER_RIGHTS[each["name"]]] = _is_true(each, "enabled")
    return Grants(
        name,
        values,
        tuple(_object(each, objects) for each in told.get("objectPermissions", ())),
        tuple(_field(each, objects) for each in told.get("fieldPermissions", ())),
    )


def write_grants(transaction: Transaction, grants: Grants) -> None:
    """Make a permission set be as described; what it granted beyond that is gone."""
    known = permission_set(transaction, grants.name)
    if known is None:
        values = {**grants.values, "IsCustom": True}
        set_id = str(transaction.plant("PermissionSet", values)["Id"])
    else:
        set_id = known["Id"]
        stamps = ("LastModifiedDate", "SystemModstamp")
        changed = {**known, **grants.values, **dict.fromkeys(stamps, transaction.moment)}
        changed["LastModifiedById"] = transaction.user_id
        transaction.put("PermissionSet", changed)
        drop_children(transaction, set_id, GRANTS)
    wanted = (("FieldPermissions", grants.fields), ("ObjectPermissions", grants.objects))
    for name, rows in wanted:
        for row in rows:
            transaction.plant(name, {**row, "ParentId": set_id})


def drop_permission_set(transaction: Transaction, name: str) -> None:
    """Remove a permission set with its grants and assignments."""
    row = permission_set(transaction, name)
    if row is not None:
        drop_children(transaction, row["Id"], (*GRANTS, *ASSIGNMENTS))
        transaction.put("PermissionSet", {**row, "IsDeleted": True})


def permission_set(transaction: Transaction, name: str) -> Row | None:
    """The row of a permission set."""
    table = transaction.store.tables["PermissionSet"]
    return next((table.rows[each] for each in table.indexes["Name"].ids(name)), None)


def drop_children(transaction: Transaction, set_id: str, links: Iterable[Link]) -> None:
    """Remove the rows that hang on a permission set."""
    for name, reference in links:
        table = transaction.store.tables[name]
        for row_id in list(table.indexes[reference].ids(set_id)):
            transaction.put(name, {**table.rows[row_id], "IsDeleted": True})


def drop_grants_of(transaction: Transaction, object_name: str, field_name: str | None) -> None:
    """Remove the grants of a field, or of an object with all its fields."""
    for name, row in list(_granting(transaction, object_name, field_name)):
        transaction.put(name, {**row, "IsDeleted": True})


def _granting(
    transaction: Transaction, object_name: str, field_name: str | None
) -> Iterator[tuple[str, Row]]:
    for name, _ in GRANTS:
        for row in transaction.store.tables[name].rows.values():
            if row["SobjectType"] != object_name or "IsDeleted" in row:
                continue
            if field_name is None or row.get("Field") == f"{object_name}.{field_name}":
                yield name, row


def _object(told: Mapping[str, Any], objects: Mapping[str, ObjectType]) -> Values:
    name = str(told.get("object"))
    if name not in objects:
        raise Unfit(f"In field: object - no CustomObject named {name} found")
    for right, needed in BUILDS_ON.items():
        lacking = [each for each in needed if not _is_true(told, each)]
        if _is_true(told, right) and lacking:
            raise Unfit(f"Permission {right} of {name} depends on permission(s): {lacking[0]}")
    rights = {row_name: _is_true(told, right) for right, row_name in OBJECT_RIGHTS.items()}
    return {"SobjectType": name, **rights}


def _field(told: Mapping[str, Any], objects: Mapping[str, ObjectType]) -> Values:
    name = str(told.get("field"))
    object_name, _, field_name = name.partition(".")
    kind = objects.get(object_name)
    field = None if kind is None else kind.fields.get(field_name)
    if field is None:
        raise Unfit(f"In field: field - no CustomField named {name} found")
    if not may_be_granted(field):
        raise Unfit(f"You cannot deploy to a required field: {name}")
    edit, read = _is_true(told, "editable"), _is_true(told, "readable")
    if edit and not read:
        raise Unfit(f"Permission Edit of {name} depends on permission(s): Read")
    rights = {"PermissionsRead": read, "PermissionsEdit": edit}
    return {"SobjectType": object_name, "Field": name, **rights}


def _is_true(told: Mapping[str, Any], name: str) -> bool:
    return told.get(name) in (True, "true")
