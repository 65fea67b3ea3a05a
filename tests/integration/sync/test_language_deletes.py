"""A row that is deleted in Salesforce where this means that the person wants to be forgotten."""

import pytest

from connector.store.tables import Person
from connector.sync.live import publishing
from tests.buttons import merges, undeletes
from tests.columns import holders
from tests.world import World

CONTACT = "SELECT Id, LastName, MobilePhone, LINE_Key__c, LINE_User_Id__c FROM Contact"
PHONE, NAME = "+886912345678", "王小明"


@pytest.fixture
def town(world: World) -> World:
    """An org in which a Contact that is deleted is a person to be erased."""
    with world.system.store.reading() as session:
        texts = publishing.live_texts(session)
    path = "member-contact.yaml"
    texts[path] = texts[path].replace("lane: urgent", "lane: urgent\non_delete: erase")
    publishing.publish_from_org(
        world.system.store, world.system.gateway, texts, "an admin", "deletes are wishes"
    )
    return world


def test_a_deleted_contact_erases_its_person_and_stays_empty_when_it_comes_back(
    town: World,
) -> None:
    user = town.person()
    town.follow(user)
    member = town.bind(user, NAME, "0912345678")
    person = town.person_id(user)
    town.run_until_idle()
    contact = town.row(CONTACT)["Id"]
    town.agent_deletes("Contact", contact)
    town.run_until_idle()
    assert town.system.erase_departed() == 1
    town.run_until_idle()
    with town.system.store.reading() as session:
        assert session.get_one(Person, person).erased_at is not None
    assert town.record(member).values["phone"] is None
    assert holders(town.system.store, {PHONE, NAME}) == {}
    assert town.row("SELECT Name FROM Account")["Name"] == "(erased)"
    undeletes(town, contact)
    town.run_until_idle()
    row = town.row(CONTACT)
    assert (row["LastName"], row["MobilePhone"], row["LINE_Key__c"]) == ("(erased)", None, None)
    assert town.system.erase_departed() == 0


def test_a_contact_that_was_merged_away_erases_nobody(town: World) -> None:
    user = town.person()
    town.follow(user)
    town.bind(user, NAME, "0912345678")
    town.run_until_idle()
    loser = town.row(CONTACT)["Id"]
    winner = town.agent_makes("Contact", LastName="王", FirstName="小明")
    merges(town, "Contact", winner, loser)
    town.run_until_idle()
    assert town.system.erase_departed() == 0
    assert town.row(CONTACT)["LINE_User_Id__c"] == user
