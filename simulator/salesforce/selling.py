"""What the platform derives in opportunities, campaign members and tasks."""

from collections.abc import Mapping

from simulator.salesforce.errors import Refusal
from simulator.salesforce.store import Row, Transaction

# Stage: probability, forecast category, forecast category name.
STAGES: Mapping[str, tuple[float, str, str]] = {
    "Prospecting": (10.0, "Pipeline", "Pipeline"),
    "Qualification": (10.0, "Pipeline", "Pipeline"),
    "Needs Analysis": (20.0, "Pipeline", "Pipeline"),
    "Value Proposition": (50.0, "Pipeline", "Pipeline"),
    "Id. Decision Makers": (60.0, "Pipeline", "Pipeline"),
    "Perception Analysis": (70.0, "Pipeline", "Pipeline"),
    "Proposal/Price Quote": (75.0, "Pipeline", "Pipeline"),
    "Negotiation/Review": (90.0, "Pipeline", "Pipeline"),
    "Closed Won": (100.0, "Closed", "Closed"),
    "Closed Lost": (0.0, "Omitted", "Omitted"),
}
PERSON_FIELDS = ("Name", "FirstName", "LastName", "Email", "Phone", "MobilePhone")


def opportunity(_: Transaction, row: Row, old: Row | None) -> None:
    """What follows from the stage of an opportunity."""
    stage = row["StageName"]
    probability, category, name = STAGES.get(stage, (0.0, "Pipeline", "Pipeline"))
    if old is None or old.get("StageName") != stage:
        row["Probability"] = probability
        row["ForecastCategory"], row["ForecastCategoryName"] = category, name
    row["IsWon"], row["IsClosed"] = stage == "Closed Won", stage.startswith("Closed")
    row["FiscalYear"] = int(row["CloseDate"][:4])
    row["FiscalQuarter"] = (int(row["CloseDate"][5:7]) + 2) // 3
    row["Fiscal"] = f"{row['FiscalYear']} {row['FiscalQuarter']}"


def campaign_member(transaction: Transaction, row: Row, _: Row | None) -> None:
    """Who the member is."""
    kind = "Contact" if "ContactId" in row else "Lead"
    person = transaction.row(kind, row.get(f"{kind}Id"))
    if person is None:
        message = "Required fields are missing: [LeadId, ContactId]"
        raise Refusal("REQUIRED_FIELD_MISSING", message, ["LeadId", "ContactId"])
    row["Type"], row["LeadOrContactId"] = kind, person["Id"]
    row["HasResponded"] = row.get("Status") == "Responded"
    for name in PERSON_FIELDS:
        row.pop(name, None)
        if name in person:
            row[name] = person[name]


def task(transaction: Transaction, row: Row, _: Row | None) -> None:
    """Whether a task is done, and whose account it concerns."""
    who, what = row.get("WhoId", ""), row.get("WhatId", "")
    if who.startswith("00Q") and what:
        message = "A task of a lead cannot be related to another record."
        raise Refusal("FIELD_INTEGRITY_EXCEPTION", message, ["WhatId"])
    row["IsClosed"] = row.get("Status") == "Completed"
    row["IsHighPriority"] = row.get("Priority") == "High"
    row.pop("AccountId", None)
    for row_id in filter(None, (what, who)):
        kind = transaction.store.full_schema.of_id(row_id)
        found = transaction.row(kind.name, row_id) if kind else None
        account = row_id if kind and kind.name == "Account" else (found or {}).get("AccountId")
        if account:
            row["AccountId"] = account
            return
