"""What a user sees of the schema: field-level security, and what the org has switched on.

Custom fields and objects are invisible until a permission set of the user grants them (facts
section 18); required fields need no grant. Standard fields are granted by every profile.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from simulator.salesforce.metadata.permissions import may_be_granted
from simulator.salesforce.schema import Field, ObjectType, Schema
from simulator.salesforce.store import Row, Store
from simulator.salesforce.switches import Switches

WATCHED = frozenset(
    {
        "FieldPermissions",
        "ObjectPermissions",
        "PermissionSet",
        "PermissionSetAssignment",
        "RecordType",
    }
)
READ, EDIT = "PermissionsRead", "PermissionsEdit"
NONE, READ_ONLY = "none", "read"
CUSTOM, EVENT = ("__c", "__mdt"), "__e"


class Visibility:
    """The schema as each user sees it."""

    def __init__(self, store: Store, switches: Switches) -> None:
        self._store = store
        self._switches = switches
        self._known: dict[str, tuple[Schema, datetime]] = {}
        self._shapes: dict[str, ObjectType] = {}
        self._of: Mapping[str, ObjectType] = {}
        # (user id or None for all, object, field) to `none` or `read`, set by rules.
        self.narrowed: dict[tuple[str | None, str, str], str] = {}
        store.on_commit(self._committed)
        store.seen_by = self.schema_for

    def schema_for(self, user_id: str) -> Schema:
        """The objects and fields that a user may see; fields he may only read say so."""
        self._follow()
        known = self._known.get(user_id)
        if known is None:
            # To the second, and the past one: a describe read now is never older than it says.
            now = datetime.now(UTC).replace(microsecond=0)
            known = self._known[user_id] = (self._seen_by(user_id), now)
        return known[0]

    def changed_at(self, user_id: str) -> datetime:
        """When the schema that a user sees changed last, as far as this process knows."""
        self.schema_for(user_id)
        return self._known[user_id][1]

    def shape(self, name: str) -> ObjectType:
        """An object with the fields that the org has, whoever may see them."""
        self._follow()
        known = self._shapes.get(name)
        if known is None:
            kind, typed = self._of[name], self._typed()
            fields = {n: each for n, each in kind.fields.items() if self._is_on(name, each, typed)}
            known = kind if fields == kind.fields else replace(kind, fields=fields)
            self._shapes[name] = known
        return known

    def forget(self) -> None:
        """Look at permissions and switches anew."""
        self._known.clear()
        self._shapes.clear()

    def _follow(self) -> None:
        """Forget what was seen of another schema."""
        if self._of is not self._store.full_schema.objects:
            self._of = self._store.full_schema.objects
            self.forget()

    def _committed(self, touched: Mapping[str, Any]) -> None:
        if not WATCHED.isdisjoint(touched):
            self.forget()

    def _seen_by(self, user_id: str) -> Schema:
        grants = _Grants(self._store, user_id)
        typed = self._typed()
        objects = {}
        for name, kind in self._of.items():
            if name.endswith(CUSTOM) and not grants.objects.get(name):
                continue
            fields = {
                each.name: seen
                for each in kind.fields.values()
                if self._is_on(name, each, typed)
                and (seen := self._seen(grants, user_id, name, each)) is not None
            }
            objects[name] = kind if fields == kind.fields else replace(kind, fields=fields)
        return self._store.full_schema if objects == self._of else Schema(objects)

    def _typed(self) -> set[str]:
        """The objects that have record types."""
        return {row["SobjectType"] for row in _live(self._store, "RecordType")}

    def _is_on(self, name: str, field: Field, typed: set[str]) -> bool:
        """Whether the org has the feature that a field belongs to."""
        if field.feature == "person_accounts":
            return self._switches.person_accounts
        if field.feature == "record_types":
            return name in typed
        return True

    def _seen(self, grants: "_Grants", user_id: str, name: str, field: Field) -> Field | None:
        access = None
        # Whoever may publish an event sees all of it.
        if field.is_custom and may_be_granted(field) and not name.endswith(EVENT):
            granted = grants.fields.get((name, field.name))
            access = NONE if granted is None else granted
        for whose in (None, user_id):
            access = self.narrowed.get((whose, name, field.name), access)
        if access == NONE:
            return None
        return replace(field, access="read") if access == READ_ONLY else field


class _Grants:
    """What the permission sets of a user grant."""

    def __init__(self, store: Store, user_id: str) -> None:
        sets = {
            row["PermissionSetId"]
            for row in _live(store, "PermissionSetAssignment")
            if row["AssigneeId"] == user_id
        }
        self.fields: dict[tuple[str, str], str | None] = {}
        self.objects: dict[str, bool] = {}
        for row in _live(store, "FieldPermissions"):
            if row["ParentId"] in sets and row.get(READ):
                kind, _, name = row["Field"].partition(".")
                if row.get(EDIT):
                    self.fields[kind, name] = ""
                else:
                    self.fields.setdefault((kind, name), READ_ONLY)
        for row in _live(store, "ObjectPermissions"):
            if row["ParentId"] in sets and row.get(READ):
                self.objects[row["SobjectType"]] = True


def _live(store: Store, name: str) -> Iterator[Row]:
    for row in store.tables[name].rows.values():
        if "IsDeleted" not in row:
            yield row
