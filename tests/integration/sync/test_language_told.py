"""What a mapping may say of matching, of blank fields, of deletes and of what is personal, told as stories."""

import pytest

from connector import bootstrap
from connector.sync.live import publishing
from connector.sync.privacy.erasing import Erasure
from tests.world import World

PATH = "member-contact.yaml"
RULE = "  - {line: phone, salesforce: [MobilePhone, Phone], normalise: phone, agree: [name]}\n"
SECOND = "  - {line: email, salesforce: Email, normalise: email}\n"
EMAIL = "{line: email, salesforce: Email, direction: both, transform: email, first_meeting: ask}"
MORE = """{line: email, salesforce: Email, transform: email}
  - {line: email, salesforce: Department, write: blank}
  - {line: name, salesforce: AssistantName, personal: false}"""
CONTACT = "SELECT Id, Email, Department, AssistantName, LINE_Key__c FROM Contact"


@pytest.fixture
def town(world: World) -> World:
    with world.system.store.reading() as session:
        texts = publishing.live_texts(session)
    text = texts[PATH].replace("lane: urgent", "lane: urgent\non_delete: recreate")
    texts[PATH] = text.replace(RULE, RULE + SECOND).replace(EMAIL, MORE)
    publishing.publish_from_org(
        world.system.store, world.system.gateway, texts, "an admin", "more to say"
    )
    return world


def binds(town: World, phone: str = "0912345678") -> str:
    user = town.person()
    town.follow(user)
    town.bind(user, "王小明", phone, email="Ming@example.com")
    town.run_until_idle()
    return user


def known(town: World, **fields: str) -> str:
    return town.agent_makes("Contact", LastName="王", FirstName="小明", **fields)


def test_a_second_rule_finds_whom_the_first_does_not(town: World) -> None:
    row = town.agent_makes(
        "Contact", LastName="王太太", Email="ming@example.com", Department="Sales"
    )
    binds(town)
    contact = town.row(CONTACT)
    assert (contact["Id"], contact["LINE_Key__c"] is not None) == (row, True)
    assert contact["Department"] == "Sales"


def test_two_rules_that_find_two_rows_leave_it_to_a_person(town: World) -> None:
    known(town, Email="ming@example.com")
    known(town, MobilePhone="0912345678")
    binds(town)
    parked = {row.state: row.reason for row in town.outbox()}["parked"]
    assert "several Contact rows fit" in (parked or "")


def test_a_deleted_row_is_made_anew_where_the_mapping_says_so(town: World) -> None:
    binds(town)
    first = town.row(CONTACT)
    town.agent_deletes("Contact", first["Id"])
    town.run_until_idle()
    second = town.row(CONTACT)
    assert second["Id"] != first["Id"] and second["LINE_Key__c"] != first["LINE_Key__c"]
    assert second["Department"] == "Ming@example.com"


def test_erasure_leaves_what_the_mapping_says_is_not_personal(town: World) -> None:
    user = binds(town)
    erasure = Erasure(town.system.store, bootstrap.tombstones(town.settings), "ops", "asked")
    erasure.erase(town.person_id(user), town.now())
    town.run_until_idle()
    row = town.row(CONTACT)
    assert (row["Email"], row["Department"], row["AssistantName"]) == (None, None, "王小明")
