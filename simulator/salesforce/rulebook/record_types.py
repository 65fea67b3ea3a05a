"""Record types: rows of RecordType, and the picklist values that each of them offers."""

from collections.abc import Mapping, Sequence

from simulator.salesforce.errors import Refusal
from simulator.salesforce.rulebook.rules import RecordTypeRule
from simulator.salesforce.schema import Field
from simulator.salesforce.store import Row, Store, Transaction


class RecordTypes:
    """The record types that rules brought."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # Record type id to picklist name to the values it offers.
        self._offered: dict[str, Mapping[str, Sequence[str]]] = {}
        self.defaults: dict[str, str] = {}
        # Types that the org has without a rule only offer all their values again.
        self._made: set[str] = set()

    def become(self, rules: Sequence[RecordTypeRule]) -> None:
        """Make the rows of these rules, and retire those of others."""
        if not rules and not self._offered:
            return
        (user_id, *_) = self._store.tables["User"].rows
        with self._store.transaction(user_id) as transaction:
            self._offered, self.defaults = {}, {}
            for rule in rules:
                self._become(transaction, rule)
            gone = self._made - set(self._offered)
            self._made -= gone
            for row_id in gone:
                row = transaction.row("RecordType", row_id)
                if row is not None:
                    retired = {**row, "IsActive": False, "IsDeleted": True}
                    transaction.put("RecordType", retired)

    def check(self, kind: str, row: Row) -> None:
        """Give a new row its default record type; refuse values that its type does not offer."""
        if "RecordTypeId" in row:
            self._check_own(kind, row["RecordTypeId"])
        if not self._offered:
            return
        if "RecordTypeId" not in row and kind in self.defaults:
            row["RecordTypeId"] = self.defaults[kind]
        fields = self._store.full_schema.objects[kind].fields
        for name, values in self._offered.get(row.get("RecordTypeId", ""), {}).items():
            if name in row and fields[name].restricted and not _fits(fields[name], row, values):
                raise Refusal(
                    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                    f"{fields[name].label}: bad value for restricted picklist field: {row[name]}",
                    [name],
                )

    def offered(self, record_type_id: str, name: str) -> Sequence[str] | None:
        """The values of a picklist under a record type; None where it offers all."""
        return self._offered.get(record_type_id, {}).get(name)

    def _check_own(self, kind: str, record_type_id: str) -> None:
        known = self._store.tables["RecordType"].rows.get(record_type_id, {})
        if known.get("SobjectType") != kind:
            message = f"Record Type ID: this ID value isn't valid for the user: {record_type_id}"
            raise Refusal("INVALID_CROSS_REFERENCE_KEY", message, ["RecordTypeId"])

    def _become(self, transaction: Transaction, rule: RecordTypeRule) -> None:
        row = next(
            (
                each
                for each in self._store.tables["RecordType"].rows.values()
                if each["SobjectType"] == rule.object
                and each["DeveloperName"] == rule.developer_name
                and "IsDeleted" not in each
            ),
            None,
        )
        if row is None:
            known = {"Name": rule.label, "DeveloperName": rule.developer_name, "IsActive": True}
            row = transaction.plant("RecordType", {**known, "SobjectType": rule.object})
            self._made.add(row["Id"])
        self._offered[row["Id"]] = rule.picklists
        if rule.default:
            self.defaults[rule.object] = row["Id"]


def _fits(field: Field, row: Row, values: Sequence[str]) -> bool:
    several = field.type == "multipicklist"
    chosen = row[field.name].split(";") if several else [row[field.name]]
    return all(value in values for value in chosen)
