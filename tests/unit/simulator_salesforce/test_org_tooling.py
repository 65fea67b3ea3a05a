"""The Tooling API: custom fields one by one, and queries about the org itself."""

from __future__ import annotations

from typing import Any

from .stage import Client

TEXT = {"label": "Tier", "type": "Text", "length": 20}


def make(agent: Client, name: str = "Lead.Tier__c", **metadata: Any) -> Any:
    body = {"FullName": name, "Metadata": {**TEXT, **metadata}}
    return agent.call("POST", "/tooling/sobjects/CustomField", body)


def look(agent: Client, soql: str) -> list[dict[str, Any]]:
    answer = agent.call("GET", "/tooling/query", params={"q": soql})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["records"])


def test_a_field_is_made_shown_changed_and_removed(agent: Client) -> None:
    made = make(agent)
    assert made.status_code == 201 and made.json()["id"].startswith("00N")
    path = f"/tooling/sobjects/CustomField/{made.json()['id']}"
    shown = agent.call("GET", path).json()
    assert (shown["FullName"], shown["Metadata"]["length"]) == ("Lead.Tier__c", 20)
    assert shown["attributes"]["url"].endswith(path)
    assert agent.call("PATCH", path, {"Metadata": {**TEXT, "length": 30}}).status_code == 204
    assert agent.call("GET", path).json()["Metadata"]["length"] == 30
    assert agent.call("DELETE", path).status_code == 204
    assert agent.call("GET", path).status_code == 404


def test_a_multi_select_picklist_keeps_each_value_once_and_in_its_own_order(agent: Client) -> None:
    listed = {"value": [{"valueName": each} for each in ("Mon", "Tue", "Wed")]}
    told = {"valueSet": {"restricted": True, "valueSetDefinition": listed}, "visibleLines": 3}
    assert make(agent, "Lead.Days__c", type="MultiselectPicklist", **told).status_code == 201
    (permissions,) = agent.query("SELECT Id FROM PermissionSet WHERE Name = 'LINE_Connector'")
    granted = {"ParentId": permissions["Id"], "SobjectType": "Lead", "Field": "Lead.Days__c"}
    agent.create("FieldPermissions", **granted, PermissionsRead=True, PermissionsEdit=True)
    row = agent.create("Lead", LastName="王", Company="A", Days__c="Wed;Mon;Wed")
    assert agent.row("Lead", row)["Days__c"] == "Mon;Wed"
    found = agent.query("SELECT Id FROM Lead WHERE Days__c INCLUDES ('Tue', 'Mon;Wed')")
    assert [each["Id"] for each in found] == [row]
    error = agent.refused("Lead", LastName="王", Company="A", Days__c="Mon;Sun")
    assert error["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"


def test_a_field_that_exists_is_a_duplicate(agent: Client) -> None:
    answer = make(agent, "Lead.LINE_Key__c")
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == "DUPLICATE_DEVELOPER_NAME"


def test_a_field_that_cannot_be_made_says_why(agent: Client) -> None:
    (error,) = make(agent, length=999).json()
    assert error["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"
    assert "between 1 and 255" in error["message"]
    assert make(agent, "Nothing.Tier__c").status_code == 400
    assert (
        agent.call("POST", "/tooling/sobjects/CustomField", {"FullName": "Lead.T__c"}).status_code
        == 400
    )


def test_queries_tell_of_objects_and_fields(agent: Client) -> None:
    found = look(agent, "SELECT DeveloperName FROM CustomField WHERE TableEnumOrId = 'Product2'")
    assert {row["DeveloperName"] for row in found} == {"LINE_Key", "Warranty_Months"}
    (entity,) = look(
        agent, "SELECT KeyPrefix FROM EntityDefinition WHERE QualifiedApiName = 'Case'"
    )
    assert entity["KeyPrefix"] == "500"
    (field,) = look(
        agent,
        "SELECT DataType, EntityDefinition.QualifiedApiName FROM FieldDefinition "
        "WHERE EntityDefinition.QualifiedApiName = 'Lead' AND QualifiedApiName = 'LINE_Key__c'",
    )
    assert field["DataType"] == "Text(36)"
    assert look(agent, "SELECT Id FROM User WHERE Alias = 'lin'")


def test_ordinary_rows_answer_under_tooling_too(agent: Client) -> None:
    (row,) = agent.query("SELECT Id FROM PermissionSet WHERE Name = 'LINE_Connector'")
    shown = agent.call("GET", f"/tooling/sobjects/PermissionSet/{row['Id']}").json()
    assert shown["Name"] == "LINE_Connector"
    assert (
        agent.call("GET", "/tooling/sobjects/CustomField/describe").json()["name"] == "CustomField"
    )
    assert "query" in agent.call("GET", "/tooling").json()
    assert len(agent.call("GET", "/tooling/sobjects").json()["sobjects"]) == 6
    assert agent.call("DELETE", "/tooling/sobjects/CustomObject").status_code == 405


def test_grants_name_a_field_that_exists_once(agent: Client) -> None:
    (row,) = agent.query("SELECT Id FROM PermissionSet WHERE Name = 'LINE_Connector'")
    grant = {"ParentId": row["Id"], "SobjectType": "Lead", "PermissionsRead": True}
    unknown = agent.refused("FieldPermissions", **grant, Field="Lead.Nothing__c")
    assert unknown["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    required = agent.refused("FieldPermissions", **grant, Field="Lead.LastName")
    assert required["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"
    second = agent.refused("FieldPermissions", **grant, Field="Lead.LINE_Key__c")
    assert second["errorCode"] == "DUPLICATE_VALUE"


def test_an_assignment_is_made_once(agent: Client) -> None:
    (row,) = agent.query("SELECT AssigneeId, PermissionSetId FROM PermissionSetAssignment LIMIT 1")
    assert agent.refused("PermissionSetAssignment", **row)["errorCode"] == "DUPLICATE_VALUE"


def test_columns_of_a_query_are_told_without_its_rows(agent: Client) -> None:
    text = "SELECT Id, Account.Name, Account.Owner.Name, (SELECT Subject FROM Cases) FROM Contact"
    told = agent.call("GET", "/query", params={"q": text, "columns": "true"}).json()
    identity, account, cases = told["columnMetadata"]
    assert (identity["apexType"], told["entityName"], told["idSelected"]) == ("Id", "Contact", True)
    assert [each["columnName"] for each in account["joinColumns"]] == ["Name", "Owner"]
    assert cases["aggregate"] and cases["joinColumns"][0]["columnName"] == "Subject"
    counted = "SELECT COUNT(Id), MAX(Name) m FROM Contact"
    told = agent.call("GET", "/query", params={"q": counted, "columns": "true"}).json()
    assert [each["columnName"] for each in told["columnMetadata"]] == ["expr0", "m"]


def test_a_doubled_slash_is_one(agent: Client) -> None:
    assert agent.http.get(f"{agent.url}//services/data", timeout=10).status_code == 200
