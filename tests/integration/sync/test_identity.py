"""Rows that agents delete, bring back, merge or convert: the pair follows, and nothing is doubled."""

from tests.world import API, World

CONTACT = "SELECT Id, LastName, FirstName, MobilePhone, LINE_Key__c, LINE_User_Id__c FROM Contact"


def bound(world: World, name: str = "王小明", phone: str = "0912345678") -> tuple[str, object]:
    user = world.person("安安")
    world.follow(user)
    world.run_until_idle()
    member = world.bind(user, name, phone)
    world.run_until_idle()
    return user, member


def agent_deletes(world: World, name: str, row: str) -> None:
    world._agent("DELETE", f"{API}/sobjects/{name}/{row}")


def test_a_deleted_row_is_not_made_again_by_the_next_edit(world: World) -> None:
    user, member = bound(world)
    contact = world.row(CONTACT)
    agent_deletes(world, "Contact", contact["Id"])
    world.run_until_idle()
    pair = world.pair(member, "member-contact")
    assert (pair.state, pair.reason) == ("gone", "deleted in Salesforce")
    world.event(user, type="unfollow")
    world.run_until_idle()
    assert world.rows(CONTACT) == []
    assert world.outbox() == []


def test_a_write_that_meets_a_deleted_row_ends_the_same_way(world: World) -> None:
    user, member = bound(world)
    contact = world.row(CONTACT)
    agent_deletes(world, "Contact", contact["Id"])
    world.event(user, type="unfollow")
    world.system.reader.read()
    for lane in ("urgent", "normal"):
        from connector.domain.lines import Lane

        world.system.delivery.deliver(Lane(lane))
    assert world.pair(member, "member-contact").state == "gone"
    world.run_until_idle()
    assert world.rows(CONTACT) == []


def test_a_conflict_is_looked_at_anew_when_the_person_changes_something(world: World) -> None:
    other = world.agent_makes("Contact", LastName="李", FirstName="大同", MobilePhone="0912345678")
    user, member = bound(world)
    assert world.pair(member, "member-contact").match == "conflict"
    world.event(user, type="unfollow")
    world.run_until_idle()
    assert [row["Id"] for row in world.rows(CONTACT)] == [other]
    world.agent_edits("Contact", other, LastName="王", FirstName="小明")
    world.event(user, type="follow")
    world.run_until_idle()
    contact = world.row(CONTACT)
    assert (contact["Id"], contact["LINE_User_Id__c"]) == (other, user)
