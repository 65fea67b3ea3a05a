"""Members of an org with person accounts: the variant of the starter set, told as a story."""

from collections.abc import Mapping
from uuid import UUID

import pytest
import requests

from connector import bootstrap
from connector.sync.live import publishing
from connector.sync.privacy.erasing import Erasure
from tests.world import World

IN_USE = "enabled: false\n"
CONTACT = "  ContactId: member\n"


def publish(world: World, changes: Mapping[str, tuple[str, str]]) -> None:
    """Publish the live set with a text of some documents put in another's place."""
    with world.system.store.reading() as session:
        texts = publishing.live_texts(session)
    for path, (old, new) in changes.items():
        assert old in texts[path]
        texts[path] = texts[path].replace(old, new)
    publishing.publish_from_org(
        world.system.store, world.system.gateway, texts, "an admin", "persons"
    )


@pytest.fixture
def town(world: World) -> World:
    """An org with person accounts, in which the variant is live."""
    world.switch_org(person_accounts=True)
    kind = {"kind": "record_type", "object": "Account", "developer_name": "PersonAccount"}
    url = f"{world.simulators.org_url}/_simulator/rules"
    requests.post(url, json={**kind, "label": "Person Account"}, timeout=5).raise_for_status()
    publish(
        world,
        {
            "member-account.person.yaml": (IN_USE, ""),
            "member-account.yaml": ("lane: urgent", IN_USE),
            "member-contact.yaml": ("lane: urgent", IN_USE),
            "registration-asset.yaml": (CONTACT, ""),
            "repair_request-workorder.yaml": (CONTACT, ""),
            "repair_request-case.yaml": (
                f"{CONTACT}  AccountId: {{via: member, optional: true}}\n",
                "  AccountId: member\n",
            ),
        },
    )
    return world


def bound(town: World, user: str) -> UUID:
    town.follow(user)
    member = town.bind(user, "王小明", "0912345678", email="ming@example.com")
    town.run_until_idle()
    return member


def test_a_member_is_a_person_whose_asset_and_case_hang_on_the_account(town: World) -> None:
    user = town.person()
    member = bound(town, user)
    account = town.row(
        "SELECT Id, LastName, FirstName, PersonMobilePhone, LINE_User_Id__pc, RecordType.DeveloperName "
        "FROM Account WHERE IsPersonAccount = true"
    )
    assert (account["LastName"], account["FirstName"]) == ("王", "小明")
    assert (account["PersonMobilePhone"], account["LINE_User_Id__pc"]) == ("+886912345678", user)
    assert account["RecordType"]["DeveloperName"] == "PersonAccount"
    town.register(user, town.codes("AC-100")[0])
    town.asks_for_repair(user)
    town.run_until_idle()
    assert town.row("SELECT AccountId FROM Asset")["AccountId"] == account["Id"]
    assert town.row("SELECT AccountId FROM Case")["AccountId"] == account["Id"]
    town.agent_edits("Account", account["Id"], PersonEmail="wang@example.com", FirstName="大明")
    town.run_until_idle()
    values = town.record(member).values
    assert (values["email"], values["name"]) == ("wang@example.com", "王大明")


def test_a_person_who_was_there_is_found_and_gives_our_marks_back(town: World) -> None:
    known = town.agent_makes(
        "Account", LastName="王", FirstName="小明", PersonMobilePhone="0912-345-678"
    )
    user = town.person()
    member = bound(town, user)
    assert town.pair(member, "member-account.person").salesforce_id == known
    town.unbind(user)
    town.run_until_idle()
    row = town.row(
        f"SELECT LINE_Key__c, LINE_User_Id__pc, LastName FROM Account WHERE Id = '{known}'"
    )
    assert (row["LINE_Key__c"], row["LINE_User_Id__pc"], row["LastName"]) == (None, None, "王")


def test_the_account_of_an_erased_person_names_nobody(town: World) -> None:
    user = town.person()
    bound(town, user)
    erasure = Erasure(town.system.store, bootstrap.tombstones(town.settings), "ops", "asked for it")
    erasure.erase(town.person_id(user), town.now())
    town.run_until_idle()
    row = town.row("SELECT LastName, FirstName, PersonMobilePhone FROM Account")
    assert (row["LastName"], row["FirstName"], row["PersonMobilePhone"]) == ("(erased)", None, None)
    assert town.outbox() == []
