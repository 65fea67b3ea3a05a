"""Turning a lead into an account, a contact and an opportunity (facts section 17)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from simulator.salesforce.errors import Refusal, row_deleted
from simulator.salesforce.ids import is_id, long_form
from simulator.salesforce.recycling import stamped
from simulator.salesforce.rules import CONVERTED_STATUSES, before_save
from simulator.salesforce.soql.dates import today
from simulator.salesforce.store import Row, Transaction

ADDRESS = ("Street", "City", "State", "PostalCode", "Country", "Latitude", "Longitude")
# Field of the new or existing row: field of the lead.
TO_ACCOUNT: Mapping[str, str] = {
    "Name": "Company",
    "Phone": "Phone",
    "Fax": "Fax",
    "Website": "Website",
    "Industry": "Industry",
    "Rating": "Rating",
    "AnnualRevenue": "AnnualRevenue",
    "NumberOfEmployees": "NumberOfEmployees",
    "AccountSource": "LeadSource",
    **{f"Billing{part}": part for part in ADDRESS},
}
TO_CONTACT: Mapping[str, str] = {
    **{
        name: name
        for name in (
            "Salutation",
            "FirstName",
            "LastName",
            "Title",
            "Phone",
            "MobilePhone",
            "Fax",
            "Email",
            "LeadSource",
            "Description",
        )
    },
    **{f"Mailing{part}": part for part in ADDRESS},
}
FIRST_STAGE = "Prospecting"
DAYS_TO_CLOSE = 90


@dataclass(frozen=True, slots=True)
class LeadConvert:
    """What a caller asks; the words are those of the SOAP API."""

    lead_id: str
    converted_status: str
    account_id: str | None = None
    contact_id: str | None = None
    opportunity_id: str | None = None
    opportunity_name: str | None = None
    creates_opportunity: bool = True
    overwrites_source: bool = False
    owner_id: str | None = None


@dataclass(frozen=True, slots=True)
class Converted:
    """The rows that a lead became."""

    lead_id: str
    account_id: str
    contact_id: str
    opportunity_id: str | None


def convert(transaction: Transaction, asked: LeadConvert) -> Converted:
    """Convert one lead."""
    lead = _lead(transaction, asked)
    owner = asked.owner_id or lead["OwnerId"]
    if owner.startswith("00G"):
        message = "Converted objects can only be owned by users.  If the lead is not owned by a "
        raise Refusal("INVALID_CROSS_REFERENCE_KEY", message + "user, you must specify a user.", [])
    account = _filled(transaction, "Account", asked.account_id, TO_ACCOUNT, lead, owner)
    found = {"AccountId": account["Id"]}
    contact = _filled(transaction, "Contact", asked.contact_id, TO_CONTACT, lead, owner, found)
    if asked.overwrites_source and "LeadSource" in lead:
        transaction.put("Contact", {**contact, "LeadSource": lead["LeadSource"]})
    opportunity_id = asked.opportunity_id
    if asked.creates_opportunity and opportunity_id is None:
        opportunity_id = _opportunity(transaction, asked, lead, account, owner)
    converted = Converted(lead["Id"], account["Id"], contact["Id"], opportunity_id)
    _close(transaction, asked, lead, converted)
    _hand_over(transaction, converted)
    return converted


def _lead(transaction: Transaction, asked: LeadConvert) -> Row:
    row_id = long_form(asked.lead_id) if is_id(asked.lead_id) else ""
    row = transaction.store.tables["Lead"].rows.get(row_id)
    if row is None:
        raise Refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
    if "IsDeleted" in row:
        raise row_deleted()
    if row.get("IsConverted"):
        message = f"Attempt to convert already converted lead: {row_id}"
        raise Refusal("CANNOT_UPDATE_CONVERTED_LEAD", message, [])
    if asked.converted_status not in CONVERTED_STATUSES:
        message = f"invalid convertedStatus: {asked.converted_status} is not a valid status value"
        raise Refusal("INVALID_STATUS", message, [])
    if asked.contact_id and not asked.account_id:
        message = "Cannot convert to an existing contact without its account"
        raise Refusal("INVALID_CROSS_REFERENCE_KEY", message, [])
    return row


def _filled(
    transaction: Transaction,
    kind: str,
    row_id: str | None,
    fields: Mapping[str, str],
    lead: Row,
    owner: str,
    also: Mapping[str, str] | None = None,
) -> Row:
    """A new row made of the lead, or an existing one with its empty fields filled."""
    known = {name: lead[source] for name, source in fields.items() if source in lead}
    if row_id is None:
        made = transaction.plant(kind, {**known, **(also or {}), "OwnerId": owner})
        row = dict(made)
        before_save(transaction, kind, row, None)
    else:
        found = transaction.row(kind, long_form(row_id)) if is_id(row_id) else None
        if found is None:
            raise Refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
        if also and any(found.get(name) != value for name, value in also.items()):
            message = "the contact is not one of the account"
            raise Refusal("INVALID_CROSS_REFERENCE_KEY", message, [])
        row = stamped(transaction, {**known, **found})
        before_save(transaction, kind, row, found)
    transaction.put(kind, row)
    return row


def _opportunity(
    transaction: Transaction, asked: LeadConvert, lead: Row, account: Row, owner: str
) -> str:
    values = {
        "Name": asked.opportunity_name or lead["Company"],
        "AccountId": account["Id"],
        "StageName": FIRST_STAGE,
        "CloseDate": (today() + timedelta(days=DAYS_TO_CLOSE)).isoformat(),
        "OwnerId": owner,
    }
    if "LeadSource" in lead:
        values["LeadSource"] = lead["LeadSource"]
    row = dict(transaction.plant("Opportunity", values))
    before_save(transaction, "Opportunity", row, None)
    transaction.put("Opportunity", row)
    return str(row["Id"])


def _close(transaction: Transaction, asked: LeadConvert, lead: Row, done: Converted) -> None:
    closed = {
        **lead,
        "Status": asked.converted_status,
        "IsConverted": True,
        "ConvertedDate": today().isoformat(),
        "ConvertedAccountId": done.account_id,
        "ConvertedContactId": done.contact_id,
    }
    if done.opportunity_id is not None:
        closed["ConvertedOpportunityId"] = done.opportunity_id
    transaction.put("Lead", stamped(transaction, closed))


def _hand_over(transaction: Transaction, done: Converted) -> None:
    """Tasks and campaign memberships go over to the contact."""
    for kind, name in (("Task", "WhoId"), ("CampaignMember", "LeadId")):
        for row in list(_held(transaction, kind, name, done.lead_id)):
            if kind == "Task":
                moved = {**row, "WhoId": done.contact_id, "AccountId": done.account_id}
                moved.setdefault("WhatId", done.opportunity_id or done.account_id)
            else:
                moved = {**row, "ContactId": done.contact_id, "LeadOrContactId": done.contact_id}
            transaction.put(kind, {**moved, "SystemModstamp": transaction.moment})


def _held(transaction: Transaction, kind: str, name: str, row_id: str) -> Iterator[Row]:
    table = transaction.store.tables[kind]
    for each in table.indexes[name].ids(row_id):
        yield table.rows[each]
