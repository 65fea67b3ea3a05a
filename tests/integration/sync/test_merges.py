"""Rows that agents merge, convert or bring back: the pair goes along, and two never share a row."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from connector.domain.lines import Lane
from connector.domain.states import MatchState, PairState
from connector.store.tables import Notice, Pair
from tests import interference as stir
from tests.buttons import converts, merges, undeletes
from tests.world import World

CONTACT = (
    "SELECT Id, LastName, FirstName, MobilePhone, Email, AccountId, LINE_Key__c, LINE_User_Id__c, "
    "LINE_Following__c FROM Contact"
)


def friend(world: World, name: str = "安安") -> str:
    user = world.person(name)
    world.follow(user)
    world.consent(user)
    world.run_until_idle()
    return user


def bound(world: World, name: str = "王小明", phone: str = "0912345678") -> tuple[str, UUID]:
    user = world.person(name)
    world.follow(user)
    world.run_until_idle()
    member = world.bind(user, name, phone)
    world.run_until_idle()
    return user, member


def contact_of(world: World, member: UUID) -> Pair:
    return world.pair(member, "member-contact")


def by_id(world: World, row: str) -> dict[str, Any]:
    return world.row(f"{CONTACT} WHERE Id = '{row}'")


def all_even(world: World) -> None:
    assert stir.imbalances(world) == []
    assert stir.in_flight(world) == []


# -- merges


def test_the_winner_of_a_merge_takes_the_pair_and_our_marks(world: World) -> None:
    user, member = bound(world)
    loser = contact_of(world, member).salesforce_id
    winner = world.agent_makes("Contact", LastName="王", FirstName="小明", Email="ming@example.com")
    merges(world, "Contact", winner, loser, MobilePhone="0912345678")
    world.run_until_idle()
    row = by_id(world, winner)
    pair = contact_of(world, member)
    assert (pair.salesforce_id, row["LINE_Key__c"]) == (winner, pair.key)
    assert (row["LINE_User_Id__c"], row["LINE_Following__c"]) == (user, True)
    assert world.record(member).values["email"] == "ming@example.com"
    assert world.outbox() == []
    all_even(world)


def test_what_the_agent_chose_in_a_merge_counts_as_an_edit(world: World) -> None:
    _, member = bound(world)
    loser = contact_of(world, member).salesforce_id
    winner = world.agent_makes("Contact", LastName="王", FirstName="曉明", MobilePhone="0999888777")
    merges(world, "Contact", winner, loser)
    world.run_until_idle()
    values = world.record(member).values
    assert (values["name"], values["phone"]) == ("王曉明", "+886999888777")
    assert by_id(world, winner)["FirstName"] == "曉明"
    assert stir.parked(world) == []


def test_after_a_merge_both_sides_go_on(world: World) -> None:
    user, member = bound(world)
    loser = contact_of(world, member).salesforce_id
    winner = world.agent_makes("Contact", LastName="王", FirstName="小明")
    merges(world, "Contact", winner, loser, MobilePhone="0912345678")
    world.run_until_idle()
    world.event(user, type="unfollow")
    world.agent_edits("Contact", winner, Email="later@example.com")
    world.run_until_idle()
    assert by_id(world, winner)["LINE_Following__c"] is False
    assert world.record(member).values["email"] == "later@example.com"
    assert len(world.rows(CONTACT)) == 1


def test_a_write_that_meets_the_loser_goes_to_the_winner(world: World) -> None:
    user, member = bound(world)
    loser = contact_of(world, member).salesforce_id
    winner = world.agent_makes("Contact", LastName="王", FirstName="小明")
    merges(world, "Contact", winner, loser, MobilePhone="0912345678")
    world.event(user, type="unfollow")
    stir.read_all(world)
    for lane in Lane:
        world.system.delivery.deliver(lane)
    assert contact_of(world, member).salesforce_id == winner
    world.run_until_idle()
    assert by_id(world, winner)["LINE_Following__c"] is False
    assert world.outbox() == []


def test_our_row_that_wins_keeps_its_pair(world: World) -> None:
    user, member = bound(world)
    ours = contact_of(world, member).salesforce_id
    loser = world.agent_makes("Contact", LastName="王", FirstName="大明", Email="old@example.com")
    merges(world, "Contact", ours, loser, Email="old@example.com")
    world.run_until_idle()
    assert contact_of(world, member).salesforce_id == ours
    assert world.record(member).values["email"] == "old@example.com"
    assert by_id(world, ours)["LINE_User_Id__c"] == user


def test_a_second_member_on_one_row_waits_for_a_person(world: World) -> None:
    first, kept = bound(world)
    second, lost = bound(world, "李大同", "0922333444")
    winner, loser = (contact_of(world, each).salesforce_id for each in (kept, lost))
    merges(world, "Contact", winner, loser)
    world.run_until_idle()
    assert contact_of(world, kept).salesforce_id == winner
    pair = contact_of(world, lost)
    assert (pair.salesforce_id, pair.match) == (loser, MatchState.CONFLICT)
    (row,) = [each for each in stir.parked(world) if each.pair_id == pair.id]
    assert "two LINE records" in (row.reason or "")
    assert row.next_step
    world.agent_edits("Contact", winner, Email="one@example.com")
    world.run_until_idle()
    assert world.record(kept).values["email"] == "one@example.com"
    assert world.record(lost).values["email"] is None
    assert by_id(world, winner)["LINE_User_Id__c"] == first
    all_even(world)


def test_what_the_other_says_while_it_is_parked_does_not_touch_the_row(world: World) -> None:
    first, kept = bound(world)
    second, lost = bound(world, "李大同", "0922333444")
    winner, loser = (contact_of(world, each).salesforce_id for each in (kept, lost))
    merges(world, "Contact", winner, loser)
    world.run_until_idle()
    world.event(second, type="unfollow")
    world.run_until_idle()
    row = by_id(world, winner)
    assert (row["LINE_User_Id__c"], row["LINE_Following__c"]) == (first, True)
    assert len(world.rows(CONTACT)) == 1
    assert [each.pair_id for each in stir.parked(world)] == [contact_of(world, lost).id]


def test_the_second_takes_the_row_once_the_first_has_let_go(world: World) -> None:
    first, kept = bound(world)
    second, lost = bound(world, "王小明", "0922333444")
    winner, loser = (contact_of(world, each).salesforce_id for each in (kept, lost))
    merges(world, "Contact", winner, loser, MobilePhone="0922333444")
    world.run_until_idle()
    world.unbind(first)
    world.run_until_idle()
    stir.redrive_parked(world)
    world.run_until_idle()
    assert contact_of(world, lost).salesforce_id == winner
    assert by_id(world, winner)["LINE_User_Id__c"] == second
    assert stir.parked(world) == []


def test_accounts_that_are_merged_take_their_contacts_along(world: World) -> None:
    user, member = bound(world)
    loser = world.pair(member, "member-account").salesforce_id
    winner = world.agent_makes("Account", Name="王家")
    merges(world, "Account", winner, loser)
    world.run_until_idle()
    assert world.row(CONTACT)["AccountId"] == winner
    world.asks_for_repair(user)
    stir.settle_down(world)
    assert world.pair(member, "member-account").salesforce_id == winner
    assert world.outbox() == []
    assert world.row("SELECT AccountId FROM Case")["AccountId"] == winner
    assert len(world.rows("SELECT Id FROM Account")) == 1


def test_cases_that_are_merged_are_told_once(world: World) -> None:
    user, _ = bound(world)
    request = world.asks_for_repair(user)
    world.run_until_idle()
    loser = world.row("SELECT Id FROM Case")["Id"]
    winner = world.agent_makes("Case", Subject="不冷", Status="Working")
    merges(world, "Case", winner, loser)
    world.run_until_idle()
    number = world.row(f"SELECT CaseNumber FROM Case WHERE Id = '{winner}'")["CaseNumber"]
    values = world.record(request).values
    assert (values["case_number"], values["status"]) == (number, "working")
    assert world.pair(request, "repair_request-case").salesforce_id == winner
    rules = [notice.rule for notice in stir.all_of(world.system.store, Notice)]
    assert len(rules) == len(set(rules))


# -- conversions


def test_a_converted_lead_closes_its_pair_and_is_not_made_again(world: World) -> None:
    user = friend(world)
    lead = world.row("SELECT Id FROM Lead")["Id"]
    converts(world, lead)
    world.run_until_idle()
    (pair,) = stir.all_of(world.system.store, Pair, Pair.object == "Lead")
    assert (pair.state, pair.reason) == (PairState.CLOSED, "converted in Salesforce")
    world.event(user, type="unfollow")
    world.event(user, type="follow")
    world.run_until_idle()
    assert len(world.rows("SELECT Id FROM Lead")) == 1
    assert world.outbox() == []
    all_even(world)


def test_a_write_that_meets_a_converted_lead_ends_the_same_way(world: World) -> None:
    user = friend(world)
    converts(world, world.row("SELECT Id FROM Lead")["Id"])
    world.event(user, type="unfollow")
    stir.read_all(world)
    for lane in Lane:
        world.system.delivery.deliver(lane)
    (pair,) = stir.all_of(world.system.store, Pair, Pair.object == "Lead")
    assert pair.state is PairState.CLOSED
    world.run_until_idle()
    assert world.outbox() == []
    all_even(world)


def test_the_contact_carries_on_after_its_lead_was_converted(world: World) -> None:
    user = friend(world)
    member = world.bind(user, "王小明", "0912345678")
    world.run_until_idle()
    converts(world, world.row("SELECT Id FROM Lead")["Id"])
    world.run_until_idle()
    ours = contact_of(world, member)
    assert ours.state is PairState.OPEN
    world.event(user, type="unfollow")
    world.agent_edits("Contact", ours.salesforce_id, Email="on@example.com")
    world.run_until_idle()
    assert by_id(world, ours.salesforce_id)["LINE_Following__c"] is False
    assert world.record(member).values["email"] == "on@example.com"


def test_who_binds_after_the_conversion_gets_the_contact_it_made(world: World) -> None:
    user = friend(world, "王小明")
    lead = world.row("SELECT Id FROM Lead")["Id"]
    world.agent_edits("Lead", lead, LastName="王", FirstName="小明", MobilePhone="0912-345-678")
    converts(world, lead)
    world.run_until_idle()
    made = world.row("SELECT Id, AccountId FROM Contact")
    member = world.bind(user, "王小明", "0912345678")
    world.run_until_idle()
    assert contact_of(world, member).salesforce_id == made["Id"]
    assert world.pair(member, "member-account").salesforce_id == made["AccountId"]
    assert len(world.rows("SELECT Id FROM Account")) == 1
    assert by_id(world, made["Id"])["LINE_User_Id__c"] == user


# -- the recycle bin and record types


def test_a_row_that_is_brought_back_brings_its_pair_back(world: World) -> None:
    user, member = bound(world)
    row = contact_of(world, member).salesforce_id
    world.agent_deletes("Contact", row)
    world.run_until_idle()
    assert contact_of(world, member).state is PairState.GONE
    world.event(user, type="unfollow")
    world.run_until_idle()
    undeletes(world, row)
    world.run_until_idle()
    assert contact_of(world, member).state is PairState.OPEN
    assert by_id(world, row)["LINE_Following__c"] is False
    world.agent_edits("Contact", row, Email="back@example.com")
    world.run_until_idle()
    assert world.record(member).values["email"] == "back@example.com"
    all_even(world)


def test_what_was_asked_while_the_row_was_away_is_not_lost(world: World) -> None:
    user, member = bound(world)
    row = contact_of(world, member).salesforce_id
    world.agent_deletes("Contact", row)
    world.run_until_idle()
    world.asks_for_repair(user)
    world.run_until_idle()
    undeletes(world, row)
    world.run_until_idle()
    assert world.row("SELECT ContactId FROM Case")["ContactId"] == row
    assert world.outbox() == []


def test_another_record_type_is_not_an_edit(world: World) -> None:
    user, _ = bound(world)
    request = world.asks_for_repair(user)
    world.run_until_idle()
    kind = world.agent_makes(
        "RecordType", Name="R", DeveloperName="R", SobjectType="Case", IsActive=True
    )
    case = world.row("SELECT Id FROM Case")["Id"]
    version, heard = world.record(request).version, len(world.chat(user))
    world.agent_edits("Case", case, RecordTypeId=kind)
    tapped = stir.tap(world)
    world.run_until_idle()
    assert world.record(request).version == version
    assert (len(world.chat(user)), tapped.written) == (heard, [])
    assert world.pair(request, "repair_request-case").state is PairState.OPEN


# -- two on one row, and rows that others name


def two_on_one_row(world: World) -> tuple[UUID, UUID, str, str]:
    """Two members whose Contacts are merged into the first one's."""
    _, kept = bound(world)
    _, lost = bound(world, "李大同", "0922333444")
    winner, loser = (str(contact_of(world, each).salesforce_id) for each in (kept, lost))
    merges(world, "Contact", winner, loser)
    world.run_until_idle()
    return kept, lost, winner, loser


def test_a_redrive_that_comes_too_early_parks_it_again(world: World) -> None:
    _, lost, winner, _ = two_on_one_row(world)
    stir.redrive_parked(world)
    world.run_until_idle()
    assert [each.pair_id for each in stir.parked(world)] == [contact_of(world, lost).id]
    assert [row["Id"] for row in world.rows(CONTACT)] == [winner]


def test_a_merge_that_is_undone_gives_both_their_rows(world: World) -> None:
    _, lost, winner, loser = two_on_one_row(world)
    undeletes(world, loser)
    world.run_until_idle()
    pair = contact_of(world, lost)
    assert (pair.salesforce_id, pair.match) == (loser, MatchState.FOUND)
    assert stir.parked(world) == []
    assert {row["Id"] for row in world.rows(CONTACT)} == {winner, loser}
    world.agent_edits("Contact", loser, Email="two@example.com")
    world.run_until_idle()
    assert world.record(lost).values["email"] == "two@example.com"


def test_what_names_a_parked_member_waits_for_it(world: World) -> None:
    first, kept = bound(world)
    second, lost = bound(world, "李大同", "0922333444")
    winner, loser = (contact_of(world, each).salesforce_id for each in (kept, lost))
    merges(world, "Contact", winner, loser)
    world.run_until_idle()
    world.asks_for_repair(second)
    world.run_until_idle()
    assert world.rows("SELECT Id FROM Case") == []
    world.unbind(first)
    world.run_until_idle()
    stir.redrive_parked(world)
    world.run_until_idle()
    assert world.row("SELECT ContactId FROM Case")["ContactId"] == winner
    assert world.outbox() == []


def test_a_taken_over_account_that_is_merged_is_named_by_its_new_id(world: World) -> None:
    loser = world.agent_makes("Account", Name="王家")
    world.agent_makes(
        "Contact", LastName="王", FirstName="小明", MobilePhone="0912345678", AccountId=loser
    )
    user, member = bound(world)
    assert world.pair(member, "member-account").adopted
    winner = world.agent_makes("Account", Name="王公館")
    merges(world, "Account", winner, loser)
    world.asks_for_repair(user)
    stir.settle_down(world)
    assert world.row("SELECT AccountId FROM Case")["AccountId"] == winner
    assert world.row(f"SELECT Name FROM Account WHERE Id = '{winner}'")["Name"] == "王公館"
    assert world.outbox() == []
