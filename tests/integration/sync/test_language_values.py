"""Values of many shapes through the whole loop: sets, addresses, local times, and rows sought by number."""

from collections.abc import Iterator
from uuid import UUID

import pytest
import sqlalchemy as sa

from connector.store.tables import Conflict
from connector.sync.live import publishing
from tests.world import API, World

CASE, ORDER = "repair_request-case.yaml", "repair_request-workorder.yaml"
WHOLE_STREET = "  - {line: address, salesforce: Street, transform: [trim, {truncate: 255}]}\n"
SLOTS = ("2030-01-02 AM", "2030-01-02 PM", "2030-01-03 AM")
LINES = """\
  - {line: slots, salesforce: Slots__c, direction: both}
  - {line: created_at, salesforce: Asked__c, transform: local_datetime}
  - {salesforce: Region__c, constant: 7, lookup: {object: Account, by: Code__c}}
"""
MADE = {
    "Case.Slots__c": {
        "type": "MultiselectPicklist",
        "visibleLines": 3,
        "valueSet": {"valueSetDefinition": {"value": [{"valueName": slot} for slot in SLOTS]}},
    },
    "Case.Asked__c": {"type": "Text", "length": 16},
    "Case.Region__c": {"type": "Lookup", "referenceTo": "Account", "relationshipName": "Regions"},
    "Account.Code__c": {"type": "Number", "precision": 6, "scale": 0, "externalId": True},
}


def make_fields(world: World) -> None:
    permissions = world.row("SELECT Id FROM PermissionSet WHERE Name = 'LINE_Connector'")["Id"]
    for name, told in MADE.items():
        body = {"FullName": name, "Metadata": {"label": name.split(".")[1], **told}}
        world._agent("POST", f"{API}/tooling/sobjects/CustomField", json=body)
        rights = {"PermissionsRead": True, "PermissionsEdit": True}
        world.agent_makes(
            "FieldPermissions",
            ParentId=permissions,
            SobjectType=name.split(".")[0],
            Field=name,
            **rights,
        )


def publish(world: World) -> None:
    with world.system.store.reading() as session:
        texts = publishing.live_texts(session)
    texts[CASE] = texts[CASE].replace("\nfields:\n", f"\nfields:\n{LINES}")
    split = "  - {line: address, salesforce: [Street, City, PostalCode], direction: both, transform: address}\n"
    assert WHOLE_STREET in texts[ORDER]
    texts[ORDER] = texts[ORDER].replace(WHOLE_STREET, split)
    publishing.publish_from_org(
        world.system.store, world.system.gateway, texts, "an admin", "more values"
    )


@pytest.fixture
def town(world: World) -> Iterator[World]:
    make_fields(world)
    yield world


def asked(town: World) -> UUID:
    user = town.person()
    town.follow(user)
    town.bind(user, "王小明", "0912345678")
    request = town.asks_for_repair(
        user, slots=[SLOTS[0], SLOTS[1]], address="106台北市大安區信義路三段1號"
    )
    town.run_until_idle()
    return request


def test_values_of_every_shape_arrive_and_come_back(town: World) -> None:
    region = town.agent_makes("Account", Name="北區", Code__c=7)
    publish(town)
    request = asked(town)
    case = town.row("SELECT Id, Slots__c, Asked__c, Region__c FROM Case")
    assert (case["Slots__c"], case["Region__c"]) == (";".join(SLOTS[:2]), region)
    assert len(case["Asked__c"]) == len("2030-01-02 08:00")
    order = town.row("SELECT Id, Street, City, PostalCode FROM WorkOrder")
    assert (order["City"], order["PostalCode"]) == ("台北市", "106")
    town.agent_edits("Case", case["Id"], Slots__c=f"{SLOTS[2]};{SLOTS[0]}")
    town.agent_edits("WorkOrder", order["Id"], Street="大安區二號", PostalCode="10617")
    town.run_until_idle()
    values = town.record(request).values
    assert values["slots"] == [SLOTS[0], SLOTS[2]]
    assert values["address"] == "10617台北市大安區二號"
    assert town.outbox() == []


def test_of_several_rows_with_the_number_none_is_taken(town: World) -> None:
    for name in ("北區", "南區"):
        town.agent_makes("Account", Name=name, Code__c=7)
    publish(town)
    asked(town)
    case = town.row("SELECT Region__c, Subject FROM Case")
    assert (case["Region__c"], case["Subject"]) == (None, "不冷")
    with town.system.store.reading() as session:
        assert session.scalars(sa.select(Conflict.reason)).all() == [
            "several Account rows have Code__c '7'"
        ]
