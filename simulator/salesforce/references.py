"""References in write bodies: by id, or by an external id of the row they lead to (facts 4)."""

from collections.abc import Mapping
from typing import Any

from simulator.salesforce.errors import Refusal, no_such_column
from simulator.salesforce.ids import is_id, long_form
from simulator.salesforce.schema import Field, ObjectType
from simulator.salesforce.store import Transaction
from simulator.salesforce.values import coerce


def matches(transaction: Transaction, kind: ObjectType, field: Field, value: Any) -> list[str]:
    """The ids of the rows that hold a key."""
    if field.type == "id":
        known = is_id(value) and transaction.row(kind.name, long_form(value))
        return [long_form(value)] if known else []
    wanted = coerce(field, value)
    if wanted is None:
        return []
    return list(transaction.store.tables[kind.name].indexes[field.name].ids(wanted))


def by_external_id(transaction: Transaction, field: Field, given: Any) -> str | None:
    """The id behind a reference such as `{"LINE_Key__c": "…"}`."""
    if given is None:
        return None
    if not isinstance(given, dict):
        raise Refusal("INVALID_FIELD", f"{field.relationship} must name a row by external id")
    keys = {name: value for name, value in given.items() if name != "attributes"}
    target = _target(transaction, field, given, next(iter(keys), ""))
    if len(keys) != 1 or target is None:
        raise no_such_column(", ".join(keys), "/".join(field.to))
    kind, key_field = target
    (value,) = keys.values()
    ids = matches(transaction, kind, key_field, value)
    if len(ids) != 1:
        raise Refusal(
            "INVALID_FIELD",
            f"Foreign key external ID: {value} not found for field {key_field.name} "
            f"in entity {kind.name}",
            [],
        )
    return ids[0]


def check_reference(transaction: Transaction, field: Field, row_id: str) -> None:
    """Refuse an id of a row that is not there, or of an object the field does not lead to."""
    kind = transaction.store.full_schema.of_id(row_id)
    if kind is None or kind.name not in field.to:
        raise Refusal(
            "MALFORMED_ID", f"{field.label}: id value of incorrect type: {row_id}", [field.name]
        )
    row = transaction.store.tables[kind.name].rows.get(row_id)
    if row is None:
        raise Refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [field.name])
    if "IsDeleted" in row:
        raise Refusal("ENTITY_IS_DELETED", "entity is deleted", [field.name])


def _target(
    transaction: Transaction, field: Field, given: Mapping[str, Any], key: str
) -> tuple[ObjectType, Field] | None:
    wanted = given.get("attributes", {}).get("type")
    for name in field.to:
        kind = transaction.store.schema.find(name)
        key_field = kind.find(key) if kind else None
        if kind and key_field and key_field.is_key and wanted in (None, kind.name):
            return kind, key_field
    return None
