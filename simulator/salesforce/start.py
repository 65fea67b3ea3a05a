"""The start state of the org: its users, queues, products and our permission set."""

from typing import Any

from simulator.salesforce.credentials import Credentials
from simulator.salesforce.store import Row, Store, Transaction

PRODUCTS = (
    ("AC-100", "分離式冷氣 AC-100", "Air Conditioner", 36.0),
    ("AC-200", "變頻分離式冷氣 AC-200", "Air Conditioner", 24.0),
    ("WF-10", "櫥下型淨水器 WF-10", "Water Purifier", 12.0),
)
QUEUES = (("LINE_Repair", "LINE 報修"), ("LINE_Leads", "LINE 潛在客戶"))
USERS = (("林", "客服", "lin"), ("Integration", "LINE", "line"))


def plant_start_state(store: Store, credentials: Credentials) -> None:
    """Write the rows that a new org holds."""
    user_ids = [store.tables["User"].next_id() for _ in USERS]
    with store.transaction(user_ids[0]) as transaction:
        planter = _Planter(transaction)
        planter.add("Organization", _organization(), credentials.organization_id)
        profile = planter.add("Profile", {"Name": "Standard User", "UserType": "Standard"})
        usernames = (credentials.agent.username, credentials.integration.username)
        for user_id, username, names in zip(user_ids, usernames, USERS, strict=True):
            planter.add("User", _user(username, names, profile["Id"]), user_id)
        for developer_name, name in QUEUES:
            queue = {"Name": name, "DeveloperName": developer_name, "Type": "Queue"}
            planter.add("Group", {**queue, "OwnerId": user_ids[0]})
        for code, name, family, months in PRODUCTS:
            product = {"ProductCode": code, "Name": name, "Family": family, "IsActive": True}
            planter.add("Product2", {**product, "Warranty_Months__c": months})
        permissions = planter.add(
            "PermissionSet",
            {"Name": "LINE_Connector", "Label": "LINE Connector", "IsCustom": True},
        )
        assignment = {"PermissionSetId": permissions["Id"], "AssigneeId": user_ids[1]}
        planter.add("PermissionSetAssignment", {**assignment, "IsActive": True})


class _Planter:
    """Writes rows with system fields and without the rules that hold for users' writes."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, kind: str, values: dict[str, Any], row_id: str | None = None) -> Row:
        user_id, moment = self._transaction.user_id, self._transaction.moment
        row = {
            **values,
            "Id": row_id or self._transaction.store.tables[kind].next_id(),
            "CreatedDate": moment,
            "CreatedById": user_id,
            "LastModifiedDate": moment,
            "LastModifiedById": user_id,
            "SystemModstamp": moment,
        }
        self._transaction.put(kind, row)
        return row


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
