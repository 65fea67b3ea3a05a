"""The start state of the org: its users, queues, products, our permission set and channel."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from simulator.salesforce.credentials import Credentials
from simulator.salesforce.events.channels import Channel, ChannelChange, Member, event_of
from simulator.salesforce.metadata.permissions import may_be_granted
from simulator.salesforce.rules import CASE_ENDS, CONVERTED_STATUSES
from simulator.salesforce.store import Store, Transaction

PRODUCTS = (
    ("AC-100", "分離式冷氣 AC-100", "Air Conditioner", 36.0),
    ("AC-200", "變頻分離式冷氣 AC-200", "Air Conditioner", 24.0),
    ("WF-10", "櫥下型淨水器 WF-10", "Water Purifier", 12.0),
)
QUEUES = (
    ("LINE_Repair", "LINE 報修", ("Case", "WorkOrder")),
    ("LINE_Leads", "LINE 潛在客戶", ("Lead",)),
    ("LINE_Franchise_North", "LINE 加盟 北區", ("Lead",)),
    ("LINE_Franchise_Central", "LINE 加盟 中區", ("Lead",)),
    ("LINE_Franchise_South", "LINE 加盟 南區", ("Lead",)),
)
RECORD_TYPES = (("Lead", "Franchise", "加盟申請"),)
CHANNEL = "LINE_Connector"
CAPTURED = ("Case", "WorkOrder", "Contact", "Asset", "Lead")
SEEN_WHOLE = ("Account", "Product2", *CAPTURED)
USERS = (("林", "客服", "lin"), ("Integration", "LINE", "line"))


def plant_start_state(store: Store, credentials: Credentials) -> None:
    """Write the rows that a new org holds."""
    user_ids = [store.tables["User"].next_id() for _ in USERS]
    with store.transaction(user_ids[0]) as transaction:
        transaction.plant("Organization", _organization(), credentials.organization_id)
        profile = transaction.plant("Profile", {"Name": "Standard User", "UserType": "Standard"})
        usernames = (credentials.agent.username, credentials.integration.username)
        for user_id, username, names in zip(user_ids, usernames, USERS, strict=True):
            transaction.plant("User", _user(username, names, profile["Id"]), user_id)
        for developer_name, name, objects in QUEUES:
            queue = {"Name": name, "DeveloperName": developer_name, "Type": "Queue"}
            group = transaction.plant("Group", {**queue, "OwnerId": user_ids[0]})
            for taken in objects:
                transaction.plant("QueueSobject", {"QueueId": group["Id"], "SobjectType": taken})
        for kind, developer_name, name in RECORD_TYPES:
            known = {"Name": name, "DeveloperName": developer_name, "IsActive": True}
            transaction.plant("RecordType", {**known, "SobjectType": kind})
        for code, name, family, months in PRODUCTS:
            product = {"ProductCode": code, "Name": name, "Family": family, "IsActive": True}
            transaction.plant("Product2", {**product, "Warranty_Months__c": months})
        _plant_permissions(transaction, user_ids)
        _plant_statuses(transaction)
    store.change_channels([*_channels()])


def _plant_permissions(transaction: Transaction, user_ids: list[str]) -> None:
    """The permission set with our fields, which both users have."""
    permissions = transaction.plant(
        "PermissionSet",
        {
            "Name": "LINE_Connector",
            "Label": "LINE Connector",
            "IsCustom": True,
            "PermissionsApiEnabled": True,
            "PermissionsViewSetup": True,
        },
    )
    for name in SEEN_WHOLE:
        rights = {"PermissionsRead": True, "PermissionsViewAllRecords": True}
        granted = {"ParentId": permissions["Id"], "SobjectType": name, **rights}
        writes = {"PermissionsEdit": True, "PermissionsCreate": name != "Product2"}
        transaction.plant("ObjectPermissions", granted | writes)
    for kind in transaction.store.full_schema.objects.values():
        for field in kind.fields.values():
            if field.is_custom and may_be_granted(field):
                granted = {"ParentId": permissions["Id"], "SobjectType": kind.name}
                granted |= {"Field": f"{kind.name}.{field.name}"}
                transaction.plant(
                    "FieldPermissions",
                    {**granted, "PermissionsRead": True, "PermissionsEdit": field.updateable},
                )
    for user_id in user_ids:
        assignment = {"PermissionSetId": permissions["Id"], "AssigneeId": user_id}
        transaction.plant("PermissionSetAssignment", {**assignment, "IsActive": True})


def _plant_statuses(transaction: Transaction) -> None:
    """The rows that tell which picklist values end a case and which convert a lead."""
    for kind, name, flag, ends in (
        ("Lead", "LeadStatus", "IsConverted", CONVERTED_STATUSES),
        ("Case", "CaseStatus", "IsClosed", CASE_ENDS),
    ):
        status = transaction.store.full_schema.objects[kind].fields["Status"]
        for at, value in enumerate(status.values, start=1):
            known = {"MasterLabel": value, "ApiName": value, "SortOrder": at}
            known |= {"IsDefault": value == status.default, flag: value in ends}
            transaction.plant(name, known)


def _channels() -> Iterator[ChannelChange]:
    """The channel that tells the connector of changes."""
    channel = Channel(f"{CHANNEL}__chn", "LINE Connector")
    yield {"channel": channel.name, "definition": asdict(channel)}
    for entity in CAPTURED:
        event = event_of(entity)
        member = Member(f"{CHANNEL}_chn_{event}", channel.name, event, enriched=("LINE_Key__c",))
        yield {"member": member.name, "definition": asdict(member)}


def _organization() -> dict[str, Any]:
    return {
        "Name": "LINE 服務示範公司",
        "Country": "TW",
        "DefaultLocaleSidKey": "zh_TW",
        "TimeZoneSidKey": "Asia/Taipei",
        "LanguageLocaleKey": "zh_TW",
        "OrganizationType": "Enterprise Edition",
        "InstanceName": "SIM1",
    }


def _user(username: str, names: tuple[str, str, str], profile_id: str) -> dict[str, Any]:
    last, first, alias = names
    return {
        "Username": username,
        "LastName": last,
        "FirstName": first,
        "Name": f"{first} {last}",
        "Email": username,
        "Alias": alias,
        "CommunityNickname": alias,
        "IsActive": True,
        "TimeZoneSidKey": "Asia/Taipei",
        "LocaleSidKey": "zh_TW",
        "EmailEncodingKey": "UTF-8",
        "LanguageLocaleKey": "zh_TW",
        "ProfileId": profile_id,
        "UserType": "Standard",
    }
