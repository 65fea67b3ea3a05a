"""Create, update, upsert and delete of single rows, inside a transaction."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from simulator.salesforce import recycling
from simulator.salesforce.errors import (
    Refusal,
    no_such_column,
    not_found,
    not_writable,
    row_deleted,
)
from simulator.salesforce.ids import SHORT, is_id, long_form
from simulator.salesforce.references import by_external_id, check_reference, matches
from simulator.salesforce.rules import ASSIGNMENTS, before_save, prepare
from simulator.salesforce.schema import Field, ObjectType
from simulator.salesforce.store import Row, Transaction
from simulator.salesforce.values import coerce

Body = Mapping[str, Any]


class Interference(Protocol):
    """What may get in the way of a write: faults set on the simulator."""

    def before(self, kind: str, row_id: str | None) -> None:
        """Refuse the write of a row, perhaps."""

    def lock(self, row: Row, old: Row | None) -> None:
        """Take what the write of a row locks, or refuse it."""

    def after(self, kind: str) -> Body | None:
        """The values that automation sets after the write of a row, perhaps."""


class Book(Protocol):
    """The rules of the org, as far as writes ask them."""

    def check_unlocked(self, kind: str, old: Row, user_id: str) -> None:
        """Refuse to change or delete a row that an approval holds."""

    def check(self, kind: str, row: Row, old: Row | None, *, allow_save: bool) -> None:
        """Refuse a row that breaks a rule."""

    def saved(self, kind: str, row: Row, old: Row | None) -> Iterator[Body]:
        """Take note of a written row; the values that automations set in it."""


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
    book: Book
    assigns: bool = True
    # Whether the caller saves rows although a duplicate rule warns of them.
    allow_save: bool = False

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
        # Numbers and defaults are also those of fields that this user does not see.
        for field in table.kind.auto_numbers:
            row[field.name] = table.next_number(field)
        defaults = table.kind.defaults.items()
        row |= {name: default for name, default in defaults if name not in values}
        if "OwnerId" in table.kind.fields and "OwnerId" not in row:
            row["OwnerId"] = self.transaction.user_id
        self._save(kind, row, None, values)
        return str(row["Id"])

    def update(self, kind: ObjectType, row_id: str, body: Body) -> str:
        """Change a row and give its id in the long form."""
        old = self.existing(kind, row_id)
        values = self._values(kind, body, creating=False)
        self.interference.before(kind.name, old["Id"])
        self.book.check_unlocked(kind.name, old, self.transaction.user_id)
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
        self.book.check_unlocked(kind.name, row, self.transaction.user_id)
        self.interference.lock(row, row)
        recycling.delete(self.transaction, kind, row)
        return str(row["Id"])

    def undelete(self, row_id: str) -> str:
        """Take a row, and what its deletion took along, out of the recycle bin."""
        kind = self.transaction.store.schema.of_id(row_id) if is_id(row_id) else None
        if kind is None:
            raise Refusal("MALFORMED_ID", f"malformed id {row_id}", [])
        row = self.transaction.store.tables[kind.name].rows.get(long_form(row_id))
        if row is None:
            raise Refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
        if "IsDeleted" not in row or recycling.ERASED in row:
            raise Refusal("UNDELETE_FAILED", "Entity is not in the recycle bin", [])
        recycling.undelete(self.transaction, kind, row["Id"])
        return str(row["Id"])

    def existing(self, kind: ObjectType, row_id: str) -> Row:
        """A row to write to, or the refusal that a write without one meets."""
        row = self.transaction.row(kind.name, long_form(row_id)) if is_id(row_id) else None
        if row is None:
            raise self._no_row(kind, row_id)
        return row

    def matches(self, kind: ObjectType, field: Field, value: Any) -> list[str]:
        """The ids of the rows that hold a key."""
        return matches(self.transaction, kind, field, value)

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
                check_reference(self.transaction, field, known)
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
        return field, by_external_id(self.transaction, field, given)

    def _save(self, kind: ObjectType, row: Row, old: Row | None, values: Row) -> None:
        prepare(self.transaction, kind.name, row, old, values)
        missing = [each.name for each in kind.required if each.name not in row]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise Refusal("REQUIRED_FIELD_MISSING", message, missing)
        self._check_unique(kind, row, values)
        self._assign(kind, row)
        before_save(self.transaction, kind.name, row, old)
        self.interference.lock(row, old)
        self.book.check(kind.name, row, old, allow_save=self.allow_save)
        recycling.stamped(self.transaction, row)
        self.transaction.put(kind.name, row)
        extra = self.interference.after(kind.name)
        automatic = [*self.book.saved(kind.name, row, old), *([extra] if extra else ())]
        for each in automatic:
            row = self._altered(kind, row, each)

    def _altered(self, kind: ObjectType, row: Row, automatic: Body) -> Row:
        """The row after an automation set values in it, whoever may see those fields."""
        whole = self.transaction.store.full_schema.objects[kind.name]
        values = {**row, **self._values(whole, automatic, creating=False)}
        changed = {name: value for name, value in values.items() if value is not None}
        before_save(self.transaction, kind.name, changed, row)
        self.transaction.put(kind.name, changed)
        return changed

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


def _may_not(what: str, kind: ObjectType) -> Refusal:
    return Refusal(
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type {kind.name} cannot {what} rows", []
    )
