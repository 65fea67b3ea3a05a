"""Deployments over REST, and what they leave behind."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from simulator.salesforce.org import Addresses, SalesforceOrg

from .listener import Listener
from .stage import VERSION, Client

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
TIER = (
    "<fields><fullName>Tier__c</fullName><label>Tier</label><type>Text</type>"
    "<length>20</length><externalId>true</externalId><unique>true</unique></fields>"
)
VISIT = (
    "<deploymentStatus>Deployed</deploymentStatus><label>Visit</label>"
    "<nameField><label>Name</label><type>Text</type></nameField>"
    "<pluralLabel>Visits</pluralLabel><sharingModel>ReadWrite</sharingModel>"
)
DEPLOYED_WITHIN = 10

Deploy = Callable[..., dict[str, Any]]


def document(root: str, content: str) -> str:
    return f'<?xml version="1.0"?><{root} xmlns="{NAMESPACE}">{content}</{root}>'


def manifest(**types: str) -> str:
    named = (
        f"<types>{''.join(f'<members>{each}</members>' for each in names.split())}"
        f"<name>{type_}</name></types>"
        for type_, names in types.items()
    )
    return document("Package", "".join(named) + "<version>62.0</version>")


def zipped(**files: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        for name, text in files.items():
            opened.writestr(name.replace("__at__", "/").replace("__dot__", "."), text)
    return content.getvalue()


def permission_set(field: str = "Lead.Tier__c", edit: str = "true", objects: str = "") -> str:
    return document(
        "PermissionSet",
        f"<label>Readers</label><fieldPermissions><editable>{edit}</editable>"
        f"<field>{field}</field><readable>true</readable></fieldPermissions>{objects}",
    )


@pytest.fixture
def deploy(agent: Client) -> Deploy:
    """Deploys files and waits for the end; gives the `deployResult`."""

    def run(content: bytes, **options: Any) -> dict[str, Any]:
        path = f"/services/data/{VERSION}/metadata/deployRequest"
        told = str({"deployOptions": {"singlePackage": True, **options}})
        json = told.replace("'", '"').replace("True", "true").replace("False", "false")
        parts = {
            "json": (None, json, "application/json"),
            "file": ("deploy.zip", content, "application/zip"),
        }
        answer = agent.http.post(agent.url + path, files=parts, timeout=10)
        assert answer.status_code == 201, answer.text
        until = time.monotonic() + DEPLOYED_WITHIN
        while time.monotonic() < until:
            found = agent.call("GET", f"{path}/{answer.json()['id']}?includeDetails=true").json()
            if found["deployResult"]["done"]:
                return dict(found["deployResult"])
            time.sleep(0.05)
        pytest.fail("the deployment did not end")

    return run


def lead_package(**more: str) -> bytes:
    return zipped(
        package__dot__xml=manifest(CustomField="Lead.Tier__c"),
        objects__at__Lead__dot__object=document("CustomObject", TIER),
        **more,
    )


def problems(result: dict[str, Any]) -> list[str]:
    return [each["problem"] for each in result["details"]["componentFailures"]]


def grant(agent: Client, field: str, **rights: bool) -> str:
    (row,) = agent.query("SELECT Id FROM PermissionSet WHERE Name = 'LINE_Connector'")
    name = field.partition(".")[0]
    values = {"ParentId": row["Id"], "SobjectType": name, "Field": field, **rights}
    return agent.create("FieldPermissions", **values)


def test_a_deployed_field_is_hidden_until_it_is_granted(agent: Client, deploy: Deploy) -> None:
    assert deploy(lead_package())["status"] == "Succeeded"
    fields = agent.call("GET", "/sobjects/Lead/describe").json()["fields"]
    assert "Tier__c" not in {field["name"] for field in fields}
    refused = agent.refused("Lead", LastName="x", Company="-", Tier__c="gold")
    assert refused["errorCode"] == "INVALID_FIELD"
    assert agent.query_error("SELECT Tier__c FROM Lead")["errorCode"] == "INVALID_FIELD"
    grant(agent, "Lead.Tier__c", PermissionsRead=True, PermissionsEdit=True)
    lead = agent.create("Lead", LastName="x", Company="-", Tier__c="gold")
    assert agent.row("Lead", lead)["Tier__c"] == "gold"


def test_a_field_granted_for_reading_alone_refuses_writes(agent: Client, deploy: Deploy) -> None:
    deploy(lead_package())
    grant(agent, "Lead.Tier__c", PermissionsRead=True)
    refused = agent.refused("Lead", LastName="x", Company="-", Tier__c="gold")
    assert refused["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_a_deployed_external_id_is_a_key_and_unique(agent: Client, deploy: Deploy) -> None:
    deploy(lead_package())
    grant(agent, "Lead.Tier__c", PermissionsRead=True, PermissionsEdit=True)
    body = {"LastName": "x", "Company": "-"}
    answers = [agent.call("PATCH", "/sobjects/Lead/Tier__c/gold", body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    refused = agent.refused("Lead", **body, Tier__c="GOLD")
    assert refused["errorCode"] == "DUPLICATE_VALUE"


def test_a_second_deployment_changes_nothing(deploy: Deploy) -> None:
    seen = []
    for _ in range(2):
        successes = deploy(lead_package())["details"]["componentSuccesses"]
        (field,) = [each for each in successes if each["fullName"] == "Lead.Tier__c"]
        seen.append((field["created"], field["changed"]))
    assert seen == [(True, True), (False, False)]


def test_a_deployment_that_only_checks_leaves_nothing(agent: Client, deploy: Deploy) -> None:
    assert deploy(lead_package(), checkOnly=True)["status"] == "Succeeded"
    found = agent.call(
        "GET", "/tooling/query?q=SELECT+Id+FROM+CustomField+WHERE+DeveloperName='Tier'"
    )
    assert found.json()["totalSize"] == 0


def test_a_permission_set_may_name_a_field_of_the_same_deployment(
    agent: Client, deploy: Deploy
) -> None:
    result = deploy(
        zipped(
            package__dot__xml=manifest(CustomField="Lead.Tier__c", PermissionSet="Readers"),
            objects__at__Lead__dot__object=document("CustomObject", TIER),
            permissionsets__at__Readers__dot__permissionset=permission_set(),
        )
    )
    assert result["status"] == "Succeeded", problems(result)
    (row,) = agent.query(
        "SELECT Parent.Name, PermissionsEdit FROM FieldPermissions WHERE Field = 'Lead.Tier__c'"
    )
    assert (row["Parent"]["Name"], row["PermissionsEdit"]) == ("Readers", True)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (permission_set("Lead.Nothing__c"), "no CustomField named Lead.Nothing__c found"),
        (permission_set("Lead.LastName"), "cannot deploy to a required field: Lead.LastName"),
        (document("PermissionSet", "<description>x</description>"), "missing: label"),
    ],
)
def test_a_permission_set_is_refused_with_its_reason(
    deploy: Deploy, content: str, problem: str
) -> None:
    result = deploy(
        zipped(
            package__dot__xml=manifest(PermissionSet="Readers"),
            permissionsets__at__Readers__dot__permissionset=content,
        )
    )
    assert (result["status"], result["success"]) == ("Failed", False)
    assert any(problem in each for each in problems(result))


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        ("<fullName>T__c</fullName><type>Text</type><length>9</length>", "label"),
        ("<fullName>T__c</fullName><label>T</label><type>Text</type>", "Must specify 'length'"),
        ("<fullName>T__c</fullName><label>T</label><type>Colour</type>", "'Colour' is not a valid"),
        ("<fullName>T__c</fullName><label>T</label><type>Checkbox</type>", "'defaultValue'"),
        ("<fullName>9__c</fullName><label>T</label><type>Date</type>", "API name can only"),
        (
            "<fullName>LINE_Following__c</fullName><label>T</label><type>Date</type>",
            "Cannot change the type",
        ),
    ],
)
def test_a_field_is_refused_with_its_reason(deploy: Deploy, field: str, problem: str) -> None:
    result = deploy(
        zipped(
            package__dot__xml=manifest(CustomField="*"),
            objects__at__Lead__dot__object=document("CustomObject", f"<fields>{field}</fields>"),
        )
    )
    assert result["numberComponentErrors"] == 1
    assert problem in problems(result)[0]


def test_one_refused_component_rolls_the_others_back(agent: Client, deploy: Deploy) -> None:
    content = zipped(
        package__dot__xml=manifest(CustomField="Lead.Tier__c", PermissionSet="Readers"),
        objects__at__Lead__dot__object=document("CustomObject", TIER),
        permissionsets__at__Readers__dot__permissionset=permission_set("Lead.Nothing__c"),
    )
    assert deploy(content)["status"] == "Failed"
    text = "/tooling/query?q=SELECT+Id+FROM+CustomField+WHERE+DeveloperName='Tier'"
    assert agent.call("GET", text).json()["totalSize"] == 0
    assert deploy(content, rollbackOnError=False)["status"] == "SucceededPartial"
    assert agent.call("GET", text).json()["totalSize"] == 1


def test_manifest_and_content_must_agree(deploy: Deploy) -> None:
    result = deploy(
        zipped(
            package__dot__xml=manifest(CustomField="Lead.Other__c"),
            objects__at__Lead__dot__object=document("CustomObject", TIER),
        )
    )
    assert result["status"] == "Failed"
    assert any("was not found in zipped directory" in each for each in problems(result))
    assert any("is not named in package.xml" in each for each in problems(result))


@pytest.mark.parametrize("content", [b"no zip", zipped(other__dot__xml="<a/>")])
def test_a_package_that_cannot_be_read_fails(deploy: Deploy, content: bytes) -> None:
    result = deploy(content)
    assert result["status"] == "Failed"
    assert result["errorMessage"]


def test_a_deployed_object_holds_rows_once_granted(agent: Client, deploy: Deploy) -> None:
    rights = "".join(f"<{each}>true</{each}>" for each in ("allowCreate", "allowRead", "allowEdit"))
    objects = f"<objectPermissions>{rights}<object>Visit__c</object></objectPermissions>"
    content = zipped(
        package__dot__xml=manifest(CustomObject="Visit__c", PermissionSet="LINE_Connector"),
        objects__at__Visit__c__dot__object=document("CustomObject", VISIT + TIER),
        permissionsets__at__LINE_Connector__dot__permissionset=permission_set(
            "Visit__c.Tier__c", objects=objects
        ),
    )
    assert agent.call("GET", "/sobjects/Visit__c/describe").status_code == 404
    assert deploy(content)["status"] == "Succeeded"
    described = agent.call("GET", "/sobjects/Visit__c/describe").json()
    assert (described["custom"], described["label"]) == (True, "Visit")
    visit = agent.create("Visit__c", Name="first", Tier__c="t1")
    assert visit.startswith(described["keyPrefix"])
    assert agent.query("SELECT Name FROM Visit__c WHERE Tier__c = 't1'") == [{"Name": "first"}]


def test_destructive_changes_remove_a_field_and_its_grants(agent: Client, deploy: Deploy) -> None:
    deploy(
        zipped(
            package__dot__xml=manifest(),
            destructiveChanges__dot__xml=manifest(CustomField="Lead.LINE_User_Id__c"),
        )
    )
    fields = agent.call("GET", "/sobjects/Lead/describe").json()["fields"]
    assert "LINE_User_Id__c" not in {field["name"] for field in fields}
    assert not agent.query("SELECT Id FROM FieldPermissions WHERE Field = 'Lead.LINE_User_Id__c'")


def test_a_deployed_object_is_told_on_the_channel_deployed_with_it(
    agent: Client, deploy: Deploy, org: SalesforceOrg
) -> None:
    event, name = "Visit__ChangeEvent", "Visits_chn_Visit_ChangeEvent"
    rights = "<allowCreate>true</allowCreate><allowRead>true</allowRead><object>Visit__c</object>"
    held = f"<eventChannel>Visits__chn</eventChannel><selectedEntity>{event}</selectedEntity>"
    components = {
        "CustomObject": "Visit__c",
        "PermissionSet": "Readers",
        "PlatformEventChannel": "Visits__chn",
        "PlatformEventChannelMember": name,
    }
    package = zipped(
        package__dot__xml=manifest(**components),
        objects__at__Visit__c__dot__object=document("CustomObject", VISIT),
        permissionsets__at__Readers__dot__permissionset=permission_set(
            "Lead.LINE_User_Id__c", objects=f"<objectPermissions>{rights}</objectPermissions>"
        ),
        platformEventChannels__at__Visits__chn__dot__platformEventChannel=document(
            "PlatformEventChannel", "<channelType>data</channelType><label>Visits</label>"
        ),
        **{
            f"platformEventChannelMembers/{name}.platformEventChannelMember": document(
                "PlatformEventChannelMember",
                f"<enrichedFields><name>Name</name></enrichedFields>{held}",
            )
        },
    )
    assert "limit of 5 entities" in problems(deploy(package))[0]
    agent.switch(event_entities=6)
    assert deploy(package)["status"] == "Succeeded"
    (readers,) = agent.query("SELECT Id FROM PermissionSet WHERE Name = 'Readers'")
    (user,) = agent.query("SELECT Id FROM User WHERE Alias = 'lin'")
    assigned = {"PermissionSetId": readers["Id"], "AssigneeId": user["Id"]}
    agent.create("PermissionSetAssignment", **assigned)
    visits = Listener(org, "/data/Visits__chn")
    visit = agent.create("Visit__c", Name="one")
    agent.call("DELETE", f"/sobjects/Visit__c/{visit}")
    made, gone = visits.hear()
    assert (made.told, gone.values) == (("Visit__c", "CREATE"), {"Name": "one"})
    removal = {"PlatformEventChannel": "Visits__chn", "PlatformEventChannelMember": name}
    package = zipped(package__dot__xml=manifest(), destructiveChanges__dot__xml=manifest(**removal))
    assert deploy(package)["status"] == "Succeeded"
    assert "Visits__chn" not in org.store.channels.channels


def test_a_platform_event_is_deployed_as_an_object_is(
    agent: Client, deploy: Deploy, org: SalesforceOrg
) -> None:
    told = (
        "<eventType>HighVolume</eventType><label>Order</label><pluralLabel>Orders</pluralLabel>"
        + TIER.replace("<externalId>true</externalId><unique>true</unique>", "")
    )
    package = zipped(
        package__dot__xml=manifest(CustomObject="Order__e"),
        objects__at__Order__e__dot__object=document("CustomObject", told),
    )
    assert deploy(package)["status"] == "Succeeded"
    assert org.events.topic("/event/Order__e").can_publish
    assert agent.create("Order__e", Tier__c="gold").startswith("e0")


def test_a_reset_brings_our_fields_back_and_takes_others_away(
    agent: Client, deploy: Deploy, org: SalesforceOrg
) -> None:
    deploy(lead_package(destructiveChanges__dot__xml=manifest(CustomField="Lead.LINE_Key__c")))
    org.reset()
    fields = org.schema.objects["Lead"].fields
    assert "LINE_Key__c" in fields
    assert "Tier__c" not in fields
    assert agent.create("Lead", LastName="x", Company="-", LINE_Key__c="k")


def test_a_deployment_can_be_cancelled(agent: Client) -> None:
    path = f"/services/data/{VERSION}/metadata/deployRequest"
    parts = {"json": (None, "{}"), "file": ("deploy.zip", lead_package())}
    made = agent.http.post(agent.url + path, files=parts, timeout=10).json()
    wanted = {"deployResult": {"status": "Canceling"}}
    assert agent.call("PATCH", f"{path}/{made['id']}", wanted).status_code == 202
    until = time.monotonic() + DEPLOYED_WITHIN
    status = ""
    while status != "Canceled" and time.monotonic() < until:
        status = agent.call("GET", f"{path}/{made['id']}").json()["deployResult"]["status"]
    assert status == "Canceled"
    assert agent.call("PATCH", f"{path}/{made['id']}", wanted).status_code == 400


def test_deployments_need_a_session_and_a_known_id(agent: Client, url: str) -> None:
    path = f"{url}/services/data/{VERSION}/metadata/deployRequest"
    assert requests.post(path, timeout=10).status_code == 401
    assert agent.call("GET", "/metadata/deployRequest/0Af000000000001AAA").status_code == 404
    assert agent.call("POST", "/metadata/deployRequest", {}).status_code == 415


def test_deployed_fields_and_rows_outlive_a_restart(tmp_path: Path) -> None:
    first = SalesforceOrg(tmp_path, Addresses(port=1))
    change = {"type": "string", "label": "Tier", "length": 20, "external_id": True}
    first.store.customize([{"object": "Lead", "field": "Tier__c", "definition": change}])
    user = first.user(first.credentials.agent.username)["Id"]
    with first.store.transaction(user) as transaction:
        row = transaction.plant("Lead", {"LastName": "x", "Company": "-", "Tier__c": "gold"})
    first.close()
    second = SalesforceOrg(tmp_path, Addresses(port=1))
    assert second.schema.objects["Lead"].fields["Tier__c"].external_id
    assert list(second.store.tables["Lead"].indexes["Tier__c"].ids("gold")) == [row["Id"]]
    second.close()
