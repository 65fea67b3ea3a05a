"""What holds for the rows of permission sets: who grants a field names one that needs granting."""

from simulator.salesforce.errors import Refusal
from simulator.salesforce.schema import Field
from simulator.salesforce.store import Row, Transaction


def may_be_granted(field: Field) -> bool:
    """Whether permission sets may name a field; a required one everybody sees anyway."""
    if field.is_custom:
        return not field.required and not field.cascade
    return field.nillable or field.type == "boolean"


def check_field_permission(transaction: Transaction, row: Row, _: Row | None) -> None:
    """Refuse a grant of a field that does not exist or that needs none, and a second grant."""
    name, _, field_name = row["Field"].partition(".")
    kind = transaction.store.full_schema.find(name)
    field = None if kind is None else kind.find(field_name)
    if kind is None or field is None or name.lower() != row["SobjectType"].lower():
        raise _bad_value("Field", "Field Name", row["Field"])
    if not may_be_granted(field):
        message = f"You cannot set permissions of a required field: {row['Field']}"
        raise Refusal("FIELD_INTEGRITY_EXCEPTION", message, ["Field"])
    row["SobjectType"], row["Field"] = kind.name, f"{kind.name}.{field.name}"
    if row.get("PermissionsEdit"):
        row["PermissionsRead"] = True
    _refuse_second(transaction, "FieldPermissions", row, "Field")


def check_object_permission(transaction: Transaction, row: Row, _: Row | None) -> None:
    """Refuse a grant of an object that does not exist, and a second grant."""
    kind = transaction.store.full_schema.find(row["SobjectType"])
    if kind is None:
        raise _bad_value("SobjectType", "Sobject Type Name", row["SobjectType"])
    row["SobjectType"] = kind.name
    _refuse_second(transaction, "ObjectPermissions", row, "SobjectType")


def check_assignment(transaction: Transaction, row: Row, _: Row | None) -> None:
    """Refuse to give a user the same permission set twice."""
    row["IsActive"] = True
    table = transaction.store.tables["PermissionSetAssignment"]
    for row_id in table.indexes["AssigneeId"].ids(row["AssigneeId"]):
        same = table.rows[row_id]["PermissionSetId"] == row["PermissionSetId"]
        if row_id != row["Id"] and same:
            message = "Duplicate PermissionSetAssignment. Assignee: {}; Permission Set: {}"
            told = message.format(row["AssigneeId"][:15], row["PermissionSetId"][:15])
            raise Refusal("DUPLICATE_VALUE", told, [])


def _refuse_second(transaction: Transaction, kind: str, row: Row, what: str) -> None:
    table = transaction.store.tables[kind]
    for row_id in table.indexes["ParentId"].ids(row["ParentId"]):
        if row_id != row["Id"] and table.rows[row_id][what] == row[what]:
            message = f"duplicate value found: {what} duplicates value on record with id: "
            raise Refusal("DUPLICATE_VALUE", message + row_id[:15], [])


def _bad_value(name: str, label: str, value: str) -> Refusal:
    message = f"{label}: bad value for restricted picklist field: {value}"
    return Refusal("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [name])
