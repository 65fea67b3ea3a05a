"""The one table of what is installed; the deployed package and the SFDX folder are made from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

FieldType: TypeAlias = Literal["Text", "Checkbox", "DateTime", "Number"]

PERMISSION_SET = "LINE_Connector"
PERMISSION_SET_LABEL = "LINE Connector"
PERMISSION_SET_TEXT = "What the LINE connector's integration user reads and writes."
API_VERSION = "62.0"
# Besides the API, the setup: what the org captures is told to those only who may see it.
USER_PERMISSIONS = ("ApiEnabled", "ViewSetup")
CHANNEL_LABEL = "LINE Connector"
# Whose changes are worth more as events than as polls, the first before the others.
CAPTURED = ("Case", "WorkOrder", "Contact", "Asset", "Lead")
MOST_CAPTURED = 5  # of an org without the add-on, shared by all its tools


@dataclass(frozen=True)
class CustomField:
    """One custom field, in the words of the Metadata API."""

    object: str
    name: str
    label: str
    type: FieldType
    description: str
    length: int = 0
    precision: int = 0
    is_key: bool = False
    editable: bool = True

    @property
    def full_name(self) -> str:
        """`Lead.LINE_Key__c`."""
        return f"{self.object}.{self.name}"


@dataclass(frozen=True)
class Access:
    """What the permission set grants on one object; field names are those of the object itself.

    Required fields are left out, for permission sets may not name them; the parts of an address
    are granted by the compound field.
    """

    object: str
    creates: bool = False
    edits: bool = False
    read: tuple[str, ...] = ()
    written: tuple[str, ...] = ()


ACCESS: tuple[Access, ...] = (
    Access("Account", creates=True, edits=True),
    Access(
        "Contact",
        creates=True,
        edits=True,
        written=("AccountId", "Email", "MobilePhone", "Phone"),
    ),
    Access("Lead", creates=True, edits=True, written=("LeadSource",)),
    Access("Product2", edits=True, read=("IsActive", "ProductCode")),
    Access(
        "Asset",
        creates=True,
        edits=True,
        written=(
            "AccountId",
            "ContactId",
            "Description",
            "Product2Id",
            "PurchaseDate",
            "SerialNumber",
            "Status",
            "UsageEndDate",
        ),
    ),
    Access(
        "Case",
        creates=True,
        edits=True,
        read=("AccountId",),
        written=(
            "AssetId",
            "ContactId",
            "Description",
            "Origin",
            "Priority",
            "Subject",
            "SuppliedPhone",
        ),
    ),
    Access(
        "WorkOrder",
        creates=True,
        edits=True,
        read=("StartDate",),
        written=(
            "AccountId",
            "Address",
            "AssetId",
            "CaseId",
            "ContactId",
            "Description",
            "Subject",
        ),
    ),
)


def _key(object_name: str) -> CustomField:
    return CustomField(
        object_name,
        "LINE_Key__c",
        "LINE Key",
        "Text",
        "The connector's own key of this row. Do not edit.",
        length=36,
        is_key=True,
    )


# (name, label, type, description, length) of what Lead and Contact say of their LINE user.
_OF_USERS: tuple[tuple[str, str, FieldType, str, int], ...] = (
    ("LINE_User_Id__c", "LINE User Id", "Text", "The LINE user behind this row.", 33),
    (
        "LINE_Display_Name__c",
        "LINE Display Name",
        "Text",
        "The name that the user shows in LINE.",
        255,
    ),
    (
        "LINE_Following__c",
        "LINE Following",
        "Checkbox",
        "Whether the user follows the official account and has not blocked it.",
        0,
    ),
    ("LINE_Bound_At__c", "LINE Bound At", "DateTime", "When the LINE user was bound.", 0),
    (
        "LINE_Marketing_Consent__c",
        "LINE Marketing Consent",
        "Checkbox",
        "Whether the user agrees to marketing messages on LINE.",
        0,
    ),
)


def _fields() -> Iterator[CustomField]:
    for access in ACCESS:
        yield _key(access.object)
    for object_name in ("Contact", "Lead"):
        for name, label, type_, description, length in _OF_USERS:
            yield CustomField(object_name, name, label, type_, description, length)
    yield CustomField(
        "Product2",
        "Warranty_Months__c",
        "Warranty Months",
        "Number",
        "How many months of warranty a unit of this product has from its purchase.",
        precision=3,
        editable=False,
    )


FIELDS: tuple[CustomField, ...] = tuple(_fields())


def fields_of(object_name: str) -> tuple[CustomField, ...]:
    """The custom fields of an object."""
    return tuple(field for field in FIELDS if field.object == object_name)
