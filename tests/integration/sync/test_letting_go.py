"""People who let go of their account: our marks are cleared once, and nothing puts them back."""

from uuid import UUID

from connector.domain.lines import Lane
from connector.store.tables import Pair
from tests import interference as stir
from tests.world import World

CONTACT = (
    "SELECT Id, LastName, FirstName, MobilePhone, LINE_Key__c, LINE_User_Id__c, LINE_Following__c "
    "FROM Contact"
)


def member_of(world: World, name: str = "王小明", phone: str = "0912345678") -> tuple[str, UUID]:
    user = world.person(name)
    world.follow(user)
    world.consent(user)
    world.run_until_idle()
    member = world.bind(user, name, phone)
    world.run_until_idle()
    return user, member


def test_an_unfollow_after_unbinding_marks_nothing_again(world: World) -> None:
    user, _ = member_of(world)
    world.unbind(user)
    world.run_until_idle()
    world.event(user, type="unfollow")
    world.run_until_idle()
    contact = world.row(CONTACT)
    assert (contact["LINE_Key__c"], contact["LINE_User_Id__c"]) == (None, None)
    assert len(world.rows("SELECT Id FROM Lead")) == 1
    assert (
        stir.all_of(world.system.store, Pair, Pair.object == "Contact", Pair.state == "open") == []
    )


def test_a_release_whose_answer_was_lost_does_not_clear_the_next_binding(world: World) -> None:
    user, _ = member_of(world)
    world.unbind(user)
    stir.each_write_once(world, "reset_after_commit")
    world.system.delivery.deliver(Lane.URGENT)
    second = world.bind(user, "王小明", "0912345678")
    world.system.delivery.deliver(Lane.URGENT)
    stir.settle_down(world)
    pair = world.pair(second, "member-contact")
    contact = world.row(CONTACT)
    assert (contact["LINE_Key__c"], contact["LINE_User_Id__c"]) == (pair.key, user)


def test_letting_go_of_a_deleted_row_is_no_trouble(world: World) -> None:
    user, member = member_of(world)
    contact = world.row(CONTACT)["Id"]
    world.unbind(user)
    world.agent_deletes("Contact", contact)
    world.run_until_idle()
    assert world.outbox() == []
    assert world.pair(member, "member-contact").state in ("closed", "gone")


def test_a_request_made_before_unbinding_still_reaches_its_contact(world: World) -> None:
    user, _ = member_of(world)
    world.asks_for_repair(user)
    world.unbind(user)
    world.run_until_idle()
    case = world.row("SELECT Id, ContactId FROM Case")
    assert case["ContactId"] == world.row(CONTACT)["Id"]
    assert world.outbox() == []


def test_unbinding_while_the_contact_is_being_written_clears_it_after(world: World) -> None:
    user = world.person("王小明")
    world.follow(user)
    world.consent(user)
    world.run_until_idle()
    world.bind(user, "王小明", "0912345678")
    unbound: list[bool] = []

    def meanwhile(steps: object) -> None:
        if stir.writes(steps) and not unbound:  # type: ignore[arg-type]
            unbound.append(True)
            world.unbind(user)

    stir.tap(world, before=meanwhile)
    world.run_until_idle()
    contact = world.row(CONTACT)
    assert unbound
    assert (contact["LINE_Key__c"], contact["LINE_Following__c"]) == (None, False)
    assert world.outbox() == []


def test_unbinding_after_a_lost_answer_clears_the_row_that_was_made(world: World) -> None:
    user = world.person("王小明")
    world.follow(user)
    world.run_until_idle()
    world.bind(user, "王小明", "0912345678")
    stir.each_write_once(world, "reset_after_commit")
    world.system.delivery.deliver(Lane.URGENT)
    assert world.row(CONTACT)["LINE_Key__c"]
    world.unbind(user)
    stir.settle_down(world)
    contact = world.row(CONTACT)
    assert (contact["LINE_Key__c"], contact["LINE_User_Id__c"]) == (None, None)
    assert world.outbox() == []
