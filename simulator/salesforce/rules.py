"""What the platform does to a row before it is saved, object by object (facts section 16)."""

from collections.abc import Callable, Mapping

from simulator.salesforce import fieldwork, files, persons, selling
from simulator.salesforce.errors import Refusal
from simulator.salesforce.metadata.permissions import (
    check_assignment,
    check_field_permission,
    check_object_permission,
)
from simulator.salesforce.store import Row, Transaction

BeforeSave = Callable[[Transaction, Row, Row | None], None]
CONVERTED_STATUSES = frozenset({"Closed - Converted"})
CASE_ENDS = frozenset({"Closed"})


def before_save(transaction: Transaction, kind: str, row: Row, old: Row | None) -> None:
    """Fill what the platform derives and refuse what it forbids."""
    rule = RULES.get(kind)
    if rule is not None:
        rule(transaction, row, old)


def prepare(transaction: Transaction, kind: str, row: Row, old: Row | None, values: Row) -> None:
    """Fill what the platform derives before it looks whether anything is missing."""
    rule = PREPARATIONS.get(kind)
    if rule is not None:
        rule(transaction, row, old, values)


def _person(_: Transaction, row: Row, __: Row | None) -> None:
    row["Name"] = " ".join(row[part] for part in ("FirstName", "LastName") if part in row)


def _lead(transaction: Transaction, row: Row, old: Row | None) -> None:
    if old is not None and old.get("IsConverted"):
        raise Refusal("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", [])
    _person(transaction, row, old)


def _case(transaction: Transaction, row: Row, old: Row | None) -> None:
    _follow_contact(transaction, row, old)
    closed = row.get("Status") in CASE_ENDS
    was_closed = old is not None and bool(old.get("IsClosed"))
    if closed and not was_closed:
        row["ClosedDate"] = transaction.moment
    if not closed:
        row.pop("ClosedDate", None)
    row["IsClosed"] = closed


def _follow_contact(transaction: Transaction, row: Row, old: Row | None) -> None:
    """Take the account of a newly named contact where none is given with it."""
    contact_id = row.get("ContactId")
    is_new = old is None or old.get("ContactId") != contact_id
    account_given = old is not None and old.get("AccountId") != row.get("AccountId")
    if contact_id and is_new and (old is not None or "AccountId" not in row) and not account_given:
        contact = transaction.row("Contact", contact_id)
        if contact is not None and "AccountId" in contact:
            row["AccountId"] = contact["AccountId"]


def _asset(transaction: Transaction, row: Row, old: Row | None) -> None:
    contact_id = row.get("ContactId")
    needs_owner = transaction.store.switches.asset_needs_owner
    if needs_owner and contact_id is None and row.get("AccountId") is None:
        raise Refusal(
            "FIELD_INTEGRITY_EXCEPTION", "Every asset needs an account, a contact, or both.", []
        )
    if contact_id is not None:
        contact = transaction.row("Contact", contact_id)
        if contact is not None and "AccountId" not in contact:
            raise Refusal(
                "FIELD_INTEGRITY_EXCEPTION",
                "The contact of an asset must be associated with an account.",
                ["ContactId"],
            )
    _follow_contact(transaction, row, old)
    parent = transaction.row("Asset", row.get("ParentId"))
    row["RootAssetId"] = row["Id"] if parent is None else parent.get("RootAssetId", parent["Id"])
    row["AssetLevel"] = 1 if parent is None else parent.get("AssetLevel", 1) + 1


RULES: Mapping[str, BeforeSave] = {
    "Contact": _person,
    "User": _person,
    "Lead": _lead,
    "Case": _case,
    "Asset": _asset,
    "CampaignMember": selling.campaign_member,
    "ContentDocumentLink": files.content_document_link,
    "ContentVersion": files.content_version,
    "Opportunity": selling.opportunity,
    "ServiceAppointment": fieldwork.service_appointment,
    "Task": selling.task,
    "WorkOrder": fieldwork.work_order,
    "WorkOrderLineItem": fieldwork.line_item,
    "FieldPermissions": check_field_permission,
    "ObjectPermissions": check_object_permission,
    "PermissionSetAssignment": check_assignment,
}
PREPARATIONS: Mapping[str, Callable[[Transaction, Row, Row | None, Row], None]] = {
    "Account": persons.account_name,
    "Contact": persons.refuse_shadow,
}
# Fields that show a value of the row a reference leads to; never stored.
BORROWED: Mapping[str, Mapping[str, tuple[str, str, str]]] = {
    "Case": {
        "ContactPhone": ("ContactId", "Contact", "Phone"),
        "ContactMobile": ("ContactId", "Contact", "MobilePhone"),
        "ContactEmail": ("ContactId", "Contact", "Email"),
        "ContactFax": ("ContactId", "Contact", "Fax"),
    },
    "Asset": {
        "ProductCode": ("Product2Id", "Product2", "ProductCode"),
        "StockKeepingUnit": ("Product2Id", "Product2", "StockKeepingUnit"),
    },
}
# Objects whose active assignment rule gives rows of a source to a queue (DeveloperName).
ASSIGNMENTS: Mapping[str, tuple[str, str, str]] = {
    "Case": ("Origin", "LINE", "LINE_Repair"),
    "Lead": ("LeadSource", "LINE", "LINE_Leads"),
}
