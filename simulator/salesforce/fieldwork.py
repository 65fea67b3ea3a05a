"""What the platform derives in work orders, their line items and service appointments."""

from collections.abc import Mapping

from simulator.salesforce.store import Row, Transaction

WORK_CATEGORIES: Mapping[str, str] = {
    "New": "New",
    "In Progress": "InProgress",
    "On Hold": "OnHold",
    "Completed": "Completed",
    "Closed": "Closed",
    "Cannot Complete": "CannotComplete",
    "Canceled": "Canceled",
}
VISIT_CATEGORIES: Mapping[str, str] = {
    "Scheduled": "Scheduled",
    "Dispatched": "Dispatched",
    "In Progress": "InProgress",
    "Completed": "Completed",
    "Cannot Complete": "CannotComplete",
    "Canceled": "Canceled",
}
ENDS = frozenset({"Closed", "Canceled", "CannotComplete", "Completed"})
MINUTES = {"Hours": 60, "Minutes": 1}
PERCENT = 100


def work_order(transaction: Transaction, row: Row, _: Row | None) -> None:
    """Status category, root and duration of a work order."""
    _categorize(row)
    _root(transaction, "WorkOrder", row)
    _minutes(row)


def line_item(transaction: Transaction, row: Row, _: Row | None) -> None:
    """Status category, root, duration and prices of a line item."""
    _categorize(row)
    _root(transaction, "WorkOrderLineItem", row)
    _minutes(row)
    if "UnitPrice" in row and "Quantity" in row:
        row["Subtotal"] = row["UnitPrice"] * row["Quantity"]
        row["TotalPrice"] = row["Subtotal"] * (1 - row.get("Discount", 0) / PERCENT)


def service_appointment(transaction: Transaction, row: Row, old: Row | None) -> None:
    """Status category, duration, and what an appointment takes over from its parent."""
    row["StatusCategory"] = VISIT_CATEGORIES.get(row.get("Status", ""), "None")
    _minutes(row)
    kind = transaction.store.full_schema.of_id(row["ParentRecordId"])
    parent = None if kind is None else transaction.row(kind.name, row["ParentRecordId"])
    if kind is None or parent is None:
        return
    row["ParentRecordType"] = kind.name
    if kind.name == "WorkOrderLineItem":
        parent = transaction.row("WorkOrder", parent["WorkOrderId"]) or parent
    account = parent["Id"] if kind.name == "Account" else parent.get("AccountId")
    if account is not None:
        row["AccountId"] = account
    if old is None and "ContactId" in parent:
        row.setdefault("ContactId", parent["ContactId"])


def _categorize(row: Row) -> None:
    row["StatusCategory"] = WORK_CATEGORIES.get(row.get("Status", ""), "None")
    row["IsClosed"] = row["StatusCategory"] in ENDS


def _root(transaction: Transaction, kind: str, row: Row) -> None:
    parent = transaction.row(kind, row.get(f"Parent{kind}Id"))
    root = f"Root{kind}Id"
    row[root] = row["Id"] if parent is None else parent.get(root, parent["Id"])


def _minutes(row: Row) -> None:
    row.pop("DurationInMinutes", None)
    if "Duration" in row:
        row["DurationInMinutes"] = row["Duration"] * MINUTES.get(row.get("DurationType", ""), 60)
