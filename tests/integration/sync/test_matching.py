"""Which row is whose: found once, made once, and never guessed."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from connector.domain.lines import Lane
from connector.domain.states import MatchState, OutboxState
from tests import interference as stir
from tests.world import World

CONTACT = "SELECT Id, LastName, FirstName, MobilePhone, LINE_Key__c, LINE_User_Id__c FROM Contact"


def friend(world: World, name: str) -> str:
    user = world.person(name)
    world.follow(user)
    world.consent(user)
    world.run_until_idle()
    return user


def test_a_second_person_with_the_same_phone_is_for_a_person_to_decide(world: World) -> None:
    first, second = friend(world, "王小明"), friend(world, "小明")
    world.bind(first, "王小明", "0912345678")
    world.run_until_idle()
    member = world.bind(second, "王小明", "0912345678")
    world.run_until_idle()
    pair = world.pair(member, "member-contact")
    assert pair.match is MatchState.CONFLICT
    row = stir.intent(world, pair.id)
    assert row is not None
    assert (row.state, "already belongs" in (row.reason or "")) == (OutboxState.PARKED, True)
    assert world.row(CONTACT)["LINE_User_Id__c"] == first


def test_two_who_bind_one_phone_at_once_make_one_contact(world: World) -> None:
    first, second = friend(world, "王小明"), friend(world, "小明")
    world.bind(first, "王小明", "0912345678")
    world.bind(second, "王小明", "0912345678")
    world.run_until_idle()
    assert len(world.rows(CONTACT)) == 1
    assert len(stir.parked(world)) == 1


def test_two_workers_at_once_make_one_contact(world: World) -> None:
    first, second = friend(world, "王小明"), friend(world, "小明")
    world.bind(first, "王小明", "0912345678")
    world.bind(second, "王小明", "0912345678")
    with ThreadPoolExecutor(2) as pool:
        work = [pool.submit(world.system.delivery.deliver, Lane.URGENT, 1) for _ in range(4)]
        assert [each.result() for each in work]
    world.run_until_idle()
    assert len(world.rows(CONTACT)) == 1


def test_what_the_first_held_up_goes_on_once_it_has_let_go(world: World) -> None:
    world.agent_makes("Contact", LastName="李", FirstName="大同", MobilePhone="0912345678")
    first, second = friend(world, "王小明"), friend(world, "李大同")
    world.bind(first, "王小明", "0912345678")
    world.run_until_idle()
    member = world.bind(second, "李大同", "0912345678")
    world.run_until_idle()
    held = stir.intent(world, world.pair(member, "member-contact").id)
    assert held is not None
    assert held.state is OutboxState.HELD
    world.unbind(first)
    world.run_until_idle()
    assert world.row(CONTACT)["LINE_User_Id__c"] == second


def test_several_rows_that_fit_are_for_a_person_to_decide(world: World) -> None:
    for _ in range(2):
        world.agent_makes("Contact", LastName="王", FirstName="小明", MobilePhone="0912345678")
    user = friend(world, "王小明")
    world.bind(user, "王小明", "0912345678")
    world.run_until_idle()
    reasons = [row.reason or "" for row in stir.parked(world)]
    assert any("several Contact rows fit" in reason for reason in reasons)
    assert all(row["LINE_Key__c"] is None for row in world.rows(CONTACT))


def test_a_conflict_that_was_mended_and_redriven_takes_the_row(world: World) -> None:
    wrong = world.agent_makes("Contact", LastName="李", FirstName="大同", MobilePhone="0912345678")
    user = friend(world, "王小明")
    member = world.bind(user, "王小明", "0912345678")
    world.run_until_idle()
    assert len(stir.parked(world)) == 1
    world.agent_edits("Contact", wrong, LastName="王", FirstName="小明")
    stir.redrive_parked(world)
    world.run_until_idle()
    assert world.pair(member, "member-contact").salesforce_id == wrong
    assert world.row(CONTACT)["LINE_User_Id__c"] == user
    assert world.outbox() == []


def long_name() -> str:
    return "Maximiliana Wilhelmina Konstantina Theodora Alexandra Huang"


def test_a_name_that_fits_no_field_parks_its_own_record_alone(world: World) -> None:
    world.agent_makes("Contact", LastName="Huang", FirstName="Max", MobilePhone="0922333444")
    ming, max_ = friend(world, "王小明"), friend(world, "Max")
    world.bind(max_, long_name(), "0922333444")
    member: UUID = world.bind(ming, "王小明", "0912345678")
    world.run_until_idle()
    assert world.pair(member, "member-contact").salesforce_id is not None
    assert [row.state for row in stir.parked(world)] == [OutboxState.PARKED]
