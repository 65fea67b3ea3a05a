"""Which fields, columns and related lists the page shows for each object, and in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ADDRESS = ("Street", "City", "State", "PostalCode", "Country")
SYSTEM = ("OwnerId", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "Id")
LINE = (
    "LINE_Key__c",
    "LINE_User_Id__c",
    "LINE_Display_Name__c",
    "LINE_Following__c",
    "LINE_Bound_At__c",
    "LINE_Marketing_Consent__c",
)


@dataclass(frozen=True, slots=True)
class Related:
    """A related list: the rows of another object that point here by a field."""

    kind: str
    by: str


@dataclass(frozen=True, slots=True)
class Layout:
    """How one object is shown; `chips` is a picklist offered as buttons, `now` a quick time."""

    colour: str
    icon: str
    columns: Sequence[str]
    sections: Mapping[str, Sequence[str]]
    related: Sequence[Related] = ()
    chips: str | None = None
    appointment: str | None = None


LAYOUTS: Mapping[str, Layout] = {
    "Contact": Layout(
        colour="#5b3fa8",
        icon="person",
        columns=("Name", "AccountId", "MobilePhone", "Email", "LINE_Following__c"),
        sections={
            "details": (
                "LastName",
                "FirstName",
                "AccountId",
                "MobilePhone",
                "Phone",
                "Email",
                "Title",
                "Birthdate",
                "LeadSource",
                "Description",
            ),
            "line": LINE,
            "address": tuple(f"Mailing{part}" for part in ADDRESS),
            "system": SYSTEM,
        },
        related=(
            Related("Case", "ContactId"),
            Related("Asset", "ContactId"),
            Related("WorkOrder", "ContactId"),
        ),
    ),
    "Lead": Layout(
        colour="#a6441f",
        icon="star",
        columns=("Name", "Company", "Status", "MobilePhone", "LINE_Following__c"),
        sections={
            "details": (
                "LastName",
                "FirstName",
                "Company",
                "Status",
                "MobilePhone",
                "Phone",
                "Email",
                "LeadSource",
                "Rating",
                "Description",
            ),
            "line": LINE,
            "address": ADDRESS,
            "system": SYSTEM,
        },
        related=(Related("Task", "WhoId"),),
        chips="Status",
    ),
    "Account": Layout(
        colour="#3a49da",
        icon="building",
        columns=("Name", "Phone", "Type", "LastModifiedDate"),
        sections={
            "details": ("Name", "Phone", "Type", "Website", "Industry", "Description"),
            "line": ("LINE_Key__c",),
            "address": tuple(f"Billing{part}" for part in ADDRESS),
            "system": SYSTEM,
        },
        related=(
            Related("Contact", "AccountId"),
            Related("Asset", "AccountId"),
            Related("Case", "AccountId"),
        ),
    ),
    "Asset": Layout(
        colour="#0b6e63",
        icon="box",
        columns=("Name", "SerialNumber", "Product2Id", "ContactId", "UsageEndDate"),
        sections={
            "details": (
                "Name",
                "SerialNumber",
                "Product2Id",
                "Status",
                "ContactId",
                "AccountId",
                "PurchaseDate",
                "InstallDate",
                "UsageEndDate",
                "Quantity",
                "Description",
            ),
            "line": ("LINE_Key__c",),
            "system": SYSTEM,
        },
        related=(Related("Case", "AssetId"), Related("WorkOrder", "AssetId")),
    ),
    "Case": Layout(
        colour="#8a3b6e",
        icon="case",
        columns=("CaseNumber", "Subject", "Status", "Priority", "ContactId", "CreatedDate"),
        sections={
            "details": (
                "Subject",
                "Status",
                "Priority",
                "Origin",
                "ContactId",
                "AccountId",
                "AssetId",
                "Type",
                "Reason",
                "SuppliedPhone",
                "Description",
                "Comments",
            ),
            "line": ("LINE_Key__c",),
            "system": ("CaseNumber", "IsClosed", "ClosedDate", *SYSTEM),
        },
        related=(Related("WorkOrder", "CaseId"),),
        chips="Status",
    ),
    "WorkOrder": Layout(
        colour="#1c5e8a",
        icon="wrench",
        columns=("WorkOrderNumber", "Subject", "Status", "StartDate", "ContactId", "CaseId"),
        sections={
            "details": (
                "Subject",
                "Status",
                "Priority",
                "StartDate",
                "EndDate",
                "Duration",
                "DurationType",
                "CaseId",
                "ContactId",
                "AccountId",
                "AssetId",
                "Description",
            ),
            "address": ADDRESS,
            "line": ("LINE_Key__c",),
            "system": ("WorkOrderNumber", *SYSTEM),
        },
        related=(Related("ServiceAppointment", "ParentRecordId"),),
        chips="Status",
        appointment="StartDate",
    ),
    "ServiceAppointment": Layout(
        colour="#5c6b00",
        icon="wrench",
        columns=("AppointmentNumber", "Subject", "Status", "SchedStartTime", "ParentRecordId"),
        sections={
            "details": (
                "ParentRecordId",
                "Subject",
                "Status",
                "EarliestStartTime",
                "DueDate",
                "SchedStartTime",
                "SchedEndTime",
                "ContactId",
                "Description",
            ),
            "address": ADDRESS,
            "system": ("AppointmentNumber", "AccountId", "StatusCategory", *SYSTEM),
        },
        chips="Status",
        appointment="SchedStartTime",
    ),
    "Opportunity": Layout(
        colour="#9a4a00",
        icon="star",
        columns=("Name", "AccountId", "StageName", "Amount", "CloseDate"),
        sections={
            "details": (
                "Name",
                "AccountId",
                "StageName",
                "Amount",
                "CloseDate",
                "Probability",
                "NextStep",
                "LeadSource",
                "Description",
            ),
            "system": SYSTEM,
        },
    ),
    "Task": Layout(
        colour="#2f6b4f",
        icon="case",
        columns=("Subject", "Status", "Priority", "WhoId", "WhatId", "ActivityDate"),
        sections={
            "details": (
                "Subject",
                "Status",
                "Priority",
                "ActivityDate",
                "WhoId",
                "WhatId",
                "Description",
            ),
            "system": SYSTEM,
        },
        chips="Status",
    ),
    "Product2": Layout(
        colour="#6b5300",
        icon="tag",
        columns=("Name", "ProductCode", "Family", "Warranty_Months__c", "IsActive"),
        sections={
            "details": (
                "Name",
                "ProductCode",
                "Family",
                "Warranty_Months__c",
                "IsActive",
                "Description",
            ),
            "line": ("LINE_Key__c",),
            "system": SYSTEM,
        },
        related=(Related("Asset", "Product2Id"),),
    ),
}
FIRST_TAB = "Contact"
