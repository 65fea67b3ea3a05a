"""Create, update, upsert and delete of single rows, inside a transaction."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from simulator.salesforce.errors import (
    Refusal,
    no_such_column,
    not_found,
    not_writable,
    row_deleted,
)
from simulator.salesforce.ids import SHORT, is_id, long_form
from simulator.salesforce.rules import ASSIGNMENTS, before_save
from simulator.salesforce.schema import Field, ObjectType
from simulator.salesforce.store import Row, Transaction
from simulator.salesforce.values import coerce

Body = Mapping[str, Any]


class Interference(Protocol):
    """What may get in the way of a write: faults set on the simulator."""

    def before(self, kind: str, row_id: str | None) -> None:
        """Refuse the write of a row, perhaps."""

    def after(self, kind: str) -> Body | None:
        """The values that automation sets after the write of a row, perhaps."""


class ManyMatches(Exception):
    """An upsert key that several rows hold; the answer is 300 with their addresses."""

    def __init__(self, kind: str, ids: list[str]) -> None:
        super().__init__(f"{len(ids)} rows of {kind} match")
        self.kind = kind
        self.ids = ids


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes rows as one user."""

    transaction: Transaction
    interference: Interference
    assigns: bool = True

    def create(self, kind: ObjectType, body: Body) -> str:
        """Create a row and give its id."""
        if not kind.createable:
            raise _may_not("create", kind)
        values = self._values(kind, body, creating=True)
        self.interference.before(kind.name, None)
        table = self.transaction.store.tables[kind.name]
        row = {name: value for name, value in values.items() if value is not None}
        row["Id"] = table.next_id()
        row["CreatedDate"], row["CreatedById"] = self.transaction.moment, self.transaction.user_id
        for field in kind.fields.values():
            if field.auto_number:
                row[field.name] = table.next_number()
            elif field.default is not None and field.name not in values:
                row[field.name] = field.default
            elif field.name == "OwnerId" and "OwnerId" not in row:
                row["OwnerId"] = self.transaction.user_id
        self._save(kind, row, None, values)
        return str(row["Id"])

    def update(self, kind: ObjectType, row_id: str, body: Body) -> str:
        """Change a row and give its id in the long form."""
        old = self.existing(kind, row_id)
        values = self._values(kind, body, creating=False)
        self.interference.before(kind.name, old["Id"])
        row = {**old, **values}
        for name, value in values.items():
            if value is None:
                del row[name]
        self._save(kind, row, old, values)
        return str(row["Id"])

    def upsert(
        self, kind: ObjectType, field: Field, value: Any, body: Body, *, update_only: bool = False
    ) -> tuple[str, bool]:
        """Create or change the row that holds a key; gives its id and whether it is new."""
        ids = self.matches(kind, field, value)
        if len(ids) > 1:
            raise ManyMatches(kind.name, ids)
        if ids:
            return self.update(kind, ids[0], body), False
        if update_only:
            raise not_found()
        if field.type == "id":
            if value not in (None, ""):
                raise self._no_row(kind, str(value))
            return self.create(kind, body), True
        return self.create(kind, {**body, field.name: value}), True

    def delete(self, kind: ObjectType, row_id: str) -> str:
        """Put a row and its dependents into the recycle bin."""
        row = self.existing(kind, row_id)
        if not kind.deletable:
            raise _may_not("delete", kind)
        self.interference.before(kind.name, row["Id"])
        self._refuse_if_held(kind, row)
        for child, child_row in self._dependents(kind, row, cascade=True):
            self.delete(child, child_row["Id"])
        self._stamp(row := {**row, "IsDeleted": True})
        self.transaction.put(kind.name, row)
        return str(row["Id"])

    def existing(self, kind: ObjectType, row_id: str) -> Row:
        """A row to write to, or the refusal that a write without one meets."""
        row = self.transaction.row(kind.name, long_form(row_id)) if is_id(row_id) else None
        if row is None:
            raise self._no_row(kind, row_id)
        return row

    def matches(self, kind: ObjectType, field: Field, value: Any) -> list[str]:
        """The ids of the rows that hold a key."""
        if field.type == "id":
            known = is_id(value) and self.transaction.row(kind.name, long_form(value))
            return [long_form(value)] if known else []
        wanted = coerce(field, value)
        if wanted is None:
            return []
        return list(self.transaction.store.tables[kind.name].indexes[field.name].ids(str(wanted)))

    def _no_row(self, kind: ObjectType, row_id: str) -> Refusal:
        if not is_id(row_id):
            return Refusal(
                "MALFORMED_ID", f"{kind.label} ID: id value of incorrect type: {row_id}", ["Id"]
            )
        held = self.transaction.store.tables[kind.name].rows.get(long_form(row_id))
        return not_found() if held is None else row_deleted()

    def _values(self, kind: ObjectType, body: Body, *, creating: bool) -> dict[str, Any]:
        values: dict[str, Any] = {}
        refused = []
        for key, given in body.items():
            if key == "attributes":
                continue
            field, value = self._named(kind, key, given)
            if not (field.createable if creating else field.updateable):
                refused.append(field.name)
                continue
            known = coerce(field, value)
            if known is not None and field.type == "reference":
                self._check_reference(field, known)
            values[field.name] = known
        if refused:
            raise not_writable(refused)
        return values

    def _named(self, kind: ObjectType, key: str, given: Any) -> tuple[Field, Any]:
        field = kind.find(key)
        if field is not None:
            return field, given
        field = kind.by_relationship.get(key.lower())
        if field is None:
            raise no_such_column(key, kind.name)
        return field, self._by_external_id(field, given)

    def _by_external_id(self, field: Field, given: Any) -> str | None:
        """The id behind a reference such as `{"LINE_Key__c": "…"}`."""
        if given is None:
            return None
        if not isinstance(given, dict):
            raise Refusal("INVALID_FIELD", f"{field.relationship} must name a row by external id")
        keys = {name: value for name, value in given.items() if name != "attributes"}
        target = self._target(field, given, next(iter(keys), ""))
        if len(keys) != 1 or target is None:
            raise no_such_column(", ".join(keys), "/".join(field.to))
        kind, key_field = target
        (value,) = keys.values()
        ids = self.matches(kind, key_field, value)
        if len(ids) != 1:
            raise Refusal(
                "INVALID_FIELD",
                f"Foreign key external ID: {value} not found for field {key_field.name} "
                f"in entity {kind.name}",
                [],
            )
        return ids[0]

    def _target(self, field: Field, given: Body, key: str) -> tuple[ObjectType, Field] | None:
        wanted = given.get("attributes", {}).get("type")
        for name in field.to:
            kind = self.transaction.store.schema.find(name)
            key_field = kind.find(key) if kind else None
            if kind and key_field and key_field.is_key and wanted in (None, kind.name):
                return kind, key_field
        return None

    def _check_reference(self, field: Field, row_id: str) -> None:
        kind = self.transaction.store.schema.of_id(row_id)
        if kind is None or kind.name not in field.to:
            raise Refusal(
                "MALFORMED_ID",
                f"{field.label}: id value of incorrect type: {row_id}",
                [field.name],
            )
        row = self.transaction.store.tables[kind.name].rows.get(row_id)
        if row is None:
            raise Refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [field.name])
        if "IsDeleted" in row:
            raise Refusal("ENTITY_IS_DELETED", "entity is deleted", [field.name])

    def _save(self, kind: ObjectType, row: Row, old: Row | None, values: Body) -> None:
        missing = [each.name for each in kind.required if each.name not in row]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise Refusal("REQUIRED_FIELD_MISSING", message, missing)
        self._check_unique(kind, row, values)
        self._assign(kind, row)
        before_save(self.transaction, kind.name, row, old)
        self._stamp(row)
        self.transaction.put(kind.name, row)
        extra = self.interference.after(kind.name)
        if extra:
            automatic = self._values(kind, extra, creating=False)
            changed = {
                name: value for name, value in {**row, **automatic}.items() if value is not None
            }
            before_save(self.transaction, kind.name, changed, row)
            self.transaction.put(kind.name, changed)

    def _stamp(self, row: Row) -> None:
        row["LastModifiedDate"] = row["SystemModstamp"] = self.transaction.moment
        row["LastModifiedById"] = self.transaction.user_id

    def _check_unique(self, kind: ObjectType, row: Row, values: Body) -> None:
        for name, value in values.items():
            if value is None or not kind.fields[name].unique:
                continue
            indexed = self.transaction.store.tables[kind.name].indexes[name]
            for other in indexed.ids(value):
                if other != row["Id"]:
                    raise Refusal(
                        "DUPLICATE_VALUE",
                        f"duplicate value found: {name} duplicates value on record with id: "
                        f"{other[:SHORT]}",
                        [],
                    )

    def _assign(self, kind: ObjectType, row: Row) -> None:
        rule = ASSIGNMENTS.get(kind.name)
        if not self.assigns or rule is None or row.get(rule[0]) != rule[1]:
            return
        for queue in self.transaction.store.tables["Group"].rows.values():
            if queue.get("DeveloperName") == rule[2] and "IsDeleted" not in queue:
                row["OwnerId"] = queue["Id"]

    def _dependents(
        self, kind: ObjectType, row: Row, *, cascade: bool
    ) -> Iterator[tuple[ObjectType, Row]]:
        store = self.transaction.store
        for link in store.schema.children(kind.name):
            if not (link.field.cascade if cascade else link.field.restrict):
                continue
            table = store.tables[link.child]
            for row_id in list(table.indexes[link.field.name].ids(row["Id"])):
                if "IsDeleted" not in table.rows[row_id]:
                    yield table.kind, table.rows[row_id]

    def _refuse_if_held(self, kind: ObjectType, row: Row) -> None:
        holders = list(self._dependents(kind, row, cascade=False))
        if holders:
            names = ", ".join(each[1].get(each[0].name_field.name, "") for each in holders)
            raise Refusal(
                "DELETE_FAILED",
                f"Your attempt to delete {row.get(kind.name_field.name)} could not be completed "
                f"because it is associated with the following {holders[0][0].plural.lower()}.: "
                f"{names}\n",
                [],
            )


def _may_not(what: str, kind: ObjectType) -> Refusal:
    return Refusal(
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type {kind.name} cannot {what} rows", []
    )
