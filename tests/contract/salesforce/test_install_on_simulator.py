"""`connector salesforce install` on an org that lacks parts of what the service needs."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from connector.cli.entrance import run
from connector.salesforce import capture
from connector.salesforce.gateway import Gateway
from connector.salesforce.installation.content import CAPTURED
from connector.salesforce.installation.installing import DeploymentRefused, install
from connector.salesforce.installation.org import InstallingOrg, Progress
from connector.salesforce.installation.plan import look

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
Remove = Callable[..., None]
CASE_MEMBER = "LINE_Connector_chn_CaseChangeEvent"
OUR_MEMBERS = " ".join(f"LINE_Connector_chn_{name}ChangeEvent" for name in CAPTURED)


@pytest.fixture
def installing(org) -> Iterator[InstallingOrg]:
    made = InstallingOrg(org.access())
    yield made
    made.close()


@pytest.fixture
def remove(org) -> Remove:
    """Lets an administrator of the org remove components, by `Type=name name`."""

    def run_(**types: str) -> None:
        _deploy(org, {"destructiveChanges.xml": _named(types)})

    return run_


@pytest.fixture
def command(org, monkeypatch: pytest.MonkeyPatch, tmp_path, capsys) -> Callable[..., Any]:
    """Runs the command against the org; gives exit code and stdout."""
    ours = org.credentials["integration"]
    settings = {
        "DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": "k" * 32,
        "SALESFORCE_LOGIN_URL": org.credentials["login_url"],
        "SALESFORCE_CLIENT_ID": ours["client_id"],
        "SALESFORCE_USERNAME": ours["username"],
        "SALESFORCE_PRIVATE_KEY": ours["private_key"],
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"CONNECTOR_{name}", value)

    def call(*words: str) -> tuple[int, str]:
        code = run(["salesforce", "install", "--data", str(tmp_path), *words])
        return code, capsys.readouterr().out

    return call


def test_an_org_that_has_everything_needs_nothing(gateway: Gateway, installing) -> None:
    plan = look(gateway, installing)
    assert (plan.lacks, plan.obstacles) == ((), ())


def test_missing_and_hidden_fields_are_told_apart(gateway, installing, org, remove) -> None:
    remove(CustomField="Lead.LINE_Key__c")
    (grant,) = _agent_rows(org, "FieldPermissions WHERE Field = 'Contact.LINE_Following__c'")
    org.agent("DELETE", f"sobjects/FieldPermissions/{grant}")
    found = {(lack.kind, lack.name) for lack in look(gateway, installing).lacks}
    assert found == {("field", "Lead.LINE_Key__c"), ("access", "Contact.LINE_Following__c")}


def test_what_is_missing_is_brought_and_seen(gateway, installing, remove) -> None:
    remove(
        CustomField="Lead.LINE_Key__c Product2.Warranty_Months__c", PermissionSet="LINE_Connector"
    )
    seen: list[Progress] = []
    done = install(gateway, installing, look(gateway, installing), seen.append)
    assert done.remaining.lacks == () and done.assigned
    assert seen[-1].done and seen[-1].deployed == seen[-1].total
    key = gateway.describe("Lead").field("LINE_Key__c")
    assert key and (key.external_id, key.unique, key.length) == (True, True, 36)


def test_a_removed_channel_comes_back_with_its_objects_and_our_key(
    gateway, installing, org, remove
) -> None:
    remove(PlatformEventChannelMember=CASE_MEMBER)
    assert capture.look(gateway).objects == {"WorkOrder", "Contact", "Asset", "Lead"}
    plan = look(gateway, installing)
    assert [(lack.kind, lack.name) for lack in plan.lacks] == [("capture", "Case")]
    assert install(gateway, installing, plan, lambda _: None).remaining.lacks == ()
    assert "Case" in capture.look(gateway).objects
    (row,) = gateway.tooling_query(
        f"SELECT Id FROM PlatformEventChannelMember WHERE DeveloperName = '{CASE_MEMBER}'"
    )
    told = org.agent("GET", f"tooling/sobjects/PlatformEventChannelMember/{row['Id']}")
    assert told["Metadata"]["enrichedFields"] == [{"name": "LINE_Key__c"}]


def test_an_org_that_captures_for_others_gives_us_what_is_left(
    gateway, installing, org, remove
) -> None:
    remove(PlatformEventChannelMember=OUR_MEMBERS)
    for name in ("Account", "Opportunity", "Lead"):
        _capture(org, name)
    capturing = look(gateway, installing).capturing
    assert capturing.wanted == ("Case", "WorkOrder", "Lead")
    assert [each.object for each in capturing.polled] == ["Contact", "Asset"]
    assert "5 of 5" in capturing.polled[0].reason
    install(gateway, installing, look(gateway, installing), lambda _: None)
    assert capture.look(gateway).objects == {"Case", "WorkOrder", "Lead"}
    assert look(gateway, installing).lacks == ()


def test_a_permission_set_of_before_learns_to_see_the_setup(gateway, installing, org) -> None:
    (parent,) = _agent_rows(org, "PermissionSet WHERE Name = 'LINE_Connector'")
    org.agent("PATCH", f"sobjects/PermissionSet/{parent}", PermissionsViewSetup=False)
    (lack,) = look(gateway, installing).lacks
    assert lack.name == "ViewSetup"
    assert (
        install(gateway, installing, look(gateway, installing), lambda _: None).remaining.lacks
        == ()
    )


def test_an_assignment_alone_needs_no_deployment(gateway, installing, org) -> None:
    user = installing.user_id()
    for row in _agent_rows(org, f"PermissionSetAssignment WHERE AssigneeId = '{user}'"):
        org.agent("DELETE", f"sobjects/PermissionSetAssignment/{row}")
    plan = look(gateway, installing)
    assert "assignment" in {lack.kind for lack in plan.lacks}
    assert install(gateway, installing, plan, lambda _: None).remaining.lacks == ()


def test_a_key_that_is_not_unique_is_changed(gateway, installing, org, remove) -> None:
    remove(CustomField="Case.LINE_Key__c")
    _make_field(org, "Case.LINE_Key__c", type="Text", length=20)
    _grant(org, "Case.LINE_Key__c")
    (lack,) = look(gateway, installing).lacks
    assert "make it an external id, make it unique, length 20 to 36" in lack.text
    install(gateway, installing, look(gateway, installing), lambda _: None)
    assert look(gateway, installing).lacks == ()
    key = gateway.describe("Case").field("LINE_Key__c")
    assert key and key.unique and key.length == 36


def test_a_field_of_another_type_stands_in_the_way(gateway, installing, org, remove) -> None:
    remove(CustomField="Lead.LINE_Following__c")
    _make_field(org, "Lead.LINE_Following__c", type="Date")
    _grant(org, "Lead.LINE_Following__c")
    (obstacle,) = look(gateway, installing).obstacles
    assert "of type date, not Checkbox" in obstacle.message and "Object Manager" in obstacle.fix


def test_a_refused_deployment_names_every_component(gateway, installing, org, remove) -> None:
    remove(CustomField="Lead.LINE_Following__c Lead.LINE_Key__c")
    _make_field(org, "Lead.LINE_Following__c", type="Date")
    plan = look(gateway, installing)
    with pytest.raises(DeploymentRefused) as caught:
        install(gateway, installing, plan, lambda _: None)
    assert [each.component for each in caught.value.failures] == ["Lead.LINE_Following__c"]
    assert "Object Manager" in caught.value.fix
    assert gateway.describe("Lead").field("LINE_Key__c") is None


def test_the_command_shows_changes_and_leaves_them(command, remove) -> None:
    remove(CustomField="Lead.LINE_Key__c")
    code, told = command("--dry-run")
    assert code == 1 and "make the field Lead.LINE_Key__c (Text 36, unique external id)" in told
    code, told = command("--dry-run", "--json")
    answer = json.loads(told)
    assert (code, answer["applied"]) == (1, False)
    assert [each["name"] for each in answer["changes"]] == ["Lead.LINE_Key__c"]


def test_the_command_installs_once_and_then_finds_nothing(command, remove) -> None:
    remove(CustomField="Lead.LINE_Key__c")
    code, told = command("--yes", "--json")
    first = json.loads(told)
    assert (code, first["applied"], first["deployment"]["status"]) == (0, True, "Succeeded")
    code, told = command("--yes")
    assert code == 0 and told.startswith("The org has everything that the service needs.")


def test_the_command_says_what_is_polled_when_no_events_are_wanted(command, remove) -> None:
    remove(PlatformEventChannelMember=OUR_MEMBERS)
    code, told = command("--dry-run", "--capture", "0")
    assert code == 0 and "polled: Case (no events are asked for)" in told
    code, told = command("--dry-run", "--capture", "2", "--json")
    answer = json.loads(told)
    assert (code, answer["capture"]["wanted"], answer["capture"]["free"]) == (
        1,
        ["Case", "WorkOrder"],
        2,
    )


def test_the_command_asks_before_it_changes_the_org(command, remove, monkeypatch) -> None:
    remove(CustomField="Lead.LINE_Key__c")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    code, _ = command()
    assert code != 0
    assert command("--dry-run")[0] == 1


def test_the_command_cannot_ask_in_json(command) -> None:
    code, told = command("--json")
    assert code == 2 and json.loads(told)["error"]["code"] == "usage"


def test_the_command_tells_refused_components_as_json(command, org, remove) -> None:
    remove(CustomField="Lead.LINE_Following__c Lead.LINE_Key__c")
    _make_field(org, "Lead.LINE_Following__c", type="Date")
    code, told = command("--yes", "--json")
    error = json.loads(told)["error"]
    assert (code, error["code"]) == (1, "deployment_refused")
    assert error["failures"][0]["component"] == "Lead.LINE_Following__c"


def _agent_rows(org: Any, rest: str) -> list[str]:
    told = org.agent("GET", f"query?q=SELECT Id FROM {rest}")
    return [row["Id"] for row in told["records"]]


def _make_field(org: Any, name: str, **metadata: Any) -> None:
    body = {"FullName": name, "Metadata": {"label": "x", **metadata}}
    org.agent("POST", "tooling/sobjects/CustomField", **body)


def _capture(org: Any, name: str) -> None:
    event = f"{name}ChangeEvent"
    told = {"eventChannel": "ChangeEvents", "selectedEntity": event}
    body = {"FullName": f"ChangeEvents_{event}", "Metadata": told}
    org.agent("POST", "tooling/sobjects/PlatformEventChannelMember", **body)


def _grant(org: Any, field: str) -> None:
    (parent,) = _agent_rows(org, "PermissionSet WHERE Name = 'LINE_Connector'")
    rights = {"PermissionsRead": True, "PermissionsEdit": True}
    name = field.partition(".")[0]
    body = {"ParentId": parent, "SobjectType": name, "Field": field, **rights}
    org.agent("POST", "sobjects/FieldPermissions", **body)


def _named(types: dict[str, str]) -> str:
    named = "".join(
        f"<types>{''.join(f'<members>{each}</members>' for each in names.split())}"
        f"<name>{type_}</name></types>"
        for type_, names in types.items()
    )
    return f'<Package xmlns="{NAMESPACE}">{named}<version>62.0</version></Package>'


def _deploy(org: Any, files: dict[str, str]) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        for name, text in {"package.xml": _named({}), **files}.items():
            opened.writestr(name, text)
    path = f"{org.url}/services/data/v62.0/metadata/deployRequest"
    bearer = {"Authorization": f"Bearer {org.credentials['access_token']}"}
    parts = {"json": (None, "{}"), "file": ("deploy.zip", content.getvalue())}
    made = requests.post(path, files=parts, headers=bearer, timeout=5).json()["id"]
    for _ in range(100):
        answer = requests.get(f"{path}/{made}", headers=bearer, timeout=5).json()["deployResult"]
        if answer["done"]:
            assert answer["success"], answer
            return
        time.sleep(0.05)
    pytest.fail("the deployment did not end")
