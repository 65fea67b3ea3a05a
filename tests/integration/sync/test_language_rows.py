"""A second mapping that writes the same row: values of the friend on the Contact of the member."""

from uuid import UUID

import pytest
import sqlalchemy as sa

from connector import bootstrap
from connector.domain.changes import Change
from connector.store.tables import Friendship, Pair
from connector.sync.changes import apply
from connector.sync.incoming.intake import scene_for
from connector.sync.live import publishing
from connector.sync.privacy.erasing import Erasure
from tests.buttons import merges
from tests.world import World

FRIEND = """from: friend
to: Contact
row_of: member-contact
when: line.bound
fields:
  - {line: user_id, salesforce: LINE_User_Id__c}
  - {line: language, salesforce: Department}
  - {line: display_name, salesforce: AssistantName, direction: both, transform: trim}
"""
SENT_BY_MEMBER = "  - {line: person.user_id, salesforce: LINE_User_Id__c}\n"
CONTACT = "SELECT Id, LINE_Key__c, LINE_User_Id__c, Department, AssistantName FROM Contact"


@pytest.fixture
def town(world: World) -> World:
    """An org in which the friend's values go on the member's Contact."""
    with world.system.store.reading() as session:
        texts = publishing.live_texts(session)
    texts["friend-contact.yaml"] = FRIEND
    texts["member-contact.yaml"] = texts["member-contact.yaml"].replace(SENT_BY_MEMBER, "")
    publishing.publish_from_org(
        world.system.store, world.system.gateway, texts, "an admin", "one row for both"
    )
    return world


def friend_of(town: World, user: str) -> UUID:
    with town.system.store.reading() as session:
        here = sa.select(Friendship.id).where(Friendship.person_id == town.person_id(user))
        return session.scalars(here).one()


def bound(town: World, name: str = "小安", phone: str = "0912345678") -> tuple[str, UUID]:
    user = town.person(name)
    town.follow(user)
    member = town.bind(user, "王小明", phone)
    town.run_until_idle()
    return user, member


def test_two_records_fill_one_contact_that_bears_the_member_s_key(town: World) -> None:
    user, member = bound(town)
    row = town.row(CONTACT)
    host, joined = (
        town.pair(member, "member-contact"),
        town.pair(friend_of(town, user), "friend-contact"),
    )
    assert (row["LINE_Key__c"], row["LINE_User_Id__c"]) == (host.key, user)
    assert (row["Department"], row["AssistantName"]) == ("zh-TW", "小安")
    assert joined.salesforce_id == host.salesforce_id == row["Id"]
    town.agent_edits("Contact", row["Id"], AssistantName="安安", Email="an@example.com")
    town.run_until_idle()
    assert town.record(friend_of(town, user)).values["display_name"] == "安安"
    assert town.record(member).values["email"] == "an@example.com"
    assert town.outbox() == []


def test_a_friend_who_is_bound_before_the_contact_is_known_waits_for_it(town: World) -> None:
    for _ in range(2):
        town.agent_makes("Contact", LastName="王", FirstName="小明", MobilePhone="0912345678")
    user, _ = bound(town)
    held = {row.state: row.reason for row in town.outbox()}["held"]
    assert held is not None
    pair = town.pair(friend_of(town, user), "friend-contact")
    (waiting,) = [row for row in town.outbox() if row.pair_id == pair.id]
    assert waiting.reason == "waits for the Contact of member-contact, whose fields it adds to"
    assert pair.salesforce_id is None


def test_of_two_friends_of_one_member_the_first_fills_the_contact(town: World) -> None:
    first, member = bound(town)
    second = town.person("小美")
    town.follow(second)
    town.run_until_idle()
    change = Change(
        friend_of(town, second), "friend", {"bound": True}, relations={"member": member}
    )
    with town.system.store.transaction() as session:
        apply(scene_for(session, town.system.catalogs, town.now()), change)
    town.run_until_idle()
    assert town.row(CONTACT)["LINE_User_Id__c"] == first
    (parked,) = town.outbox()
    assert (parked.state, parked.pair_id) == (
        "parked",
        town.pair(friend_of(town, second), "friend-contact").id,
    )
    assert "another LINE record has joined" in (parked.reason or "")


def test_a_contact_that_is_merged_into_another_takes_the_friend_along(town: World) -> None:
    user, member = bound(town)
    lost = town.row(CONTACT)["Id"]
    kept = town.agent_makes("Contact", LastName="王", FirstName="小明")
    merges(town, "Contact", kept, lost)
    town.run_until_idle(seconds=90)
    assert town.pair(member, "member-contact").salesforce_id == kept
    assert town.pair(friend_of(town, user), "friend-contact").salesforce_id == kept
    assert town.row(CONTACT)["LINE_User_Id__c"] == user


def test_one_who_unbinds_and_binds_anew_leaves_nothing_behind_and_is_joined_again(
    town: World,
) -> None:
    user, _ = bound(town)
    first = town.row(CONTACT)["Id"]
    town.unbind(user)
    town.run_until_idle()
    row = town.row(CONTACT)
    assert (row["LINE_Key__c"], row["LINE_User_Id__c"]) == (None, None)
    town.bind(user, "陳小美", "0922333444")
    town.run_until_idle()
    other = town.row(f"{CONTACT} WHERE Id != '{first}'")
    assert other["LINE_User_Id__c"] == user
    assert town.pair(friend_of(town, user), "friend-contact").salesforce_id == other["Id"]


def test_an_erased_friend_is_gone_from_the_contact(town: World) -> None:
    user, _ = bound(town)
    erasure = Erasure(town.system.store, bootstrap.tombstones(town.settings), "ops", "asked")
    erasure.erase(town.person_id(user), town.now())
    town.run_until_idle()
    row = town.row(CONTACT)
    assert (row["LINE_User_Id__c"], row["AssistantName"], row["LINE_Key__c"]) == (None, None, None)
    with town.system.store.reading() as session:
        standing = sa.select(Pair.id).where(Pair.object == "Contact", Pair.state == "open")
        assert not session.scalars(standing).all()
