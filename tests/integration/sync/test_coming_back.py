"""Rows that were deleted or merged and are brought back, at an awkward moment."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from connector.domain.lines import Lane
from connector.domain.states import InboxState, PairState
from connector.salesforce.steps import Query, Step
from connector.store.tables import Received
from tests import interference as stir
from tests.buttons import merges, undeletes
from tests.integration.sync.test_merging import CONTACT, member_of
from tests.world import World

MARKS = "SELECT LINE_Key__c, LINE_User_Id__c, LINE_Following__c FROM Contact"
NO_MARKS = (None, None, False)


def row_of(world: World, member: UUID) -> str:
    return str(world.pair(member, "member-contact").salesforce_id)


def marks(world: World) -> tuple[object, ...]:
    row = world.row(MARKS)
    return row["LINE_Key__c"], row["LINE_User_Id__c"], row["LINE_Following__c"]


def test_a_row_that_was_in_the_bin_while_its_person_let_go_loses_its_marks_later(
    world: World,
) -> None:
    user, member = member_of(world)
    row = row_of(world, member)
    world.agent_deletes("Contact", row)
    world.run_until_idle()
    world.unbind(user)
    world.run_until_idle()
    undeletes(world, row)
    assert marks(world) != NO_MARKS
    world.run_until_idle()
    assert marks(world) == NO_MARKS
    assert world.pair(member, "member-contact").state is PairState.CLOSED


def test_so_does_a_row_that_we_never_knew_we_had_made(world: World) -> None:
    user = world.person()
    world.follow(user)
    world.run_until_idle()
    member = world.bind(user, "王小明", "0912345678")
    stir.read_all(world)
    stir.dies_after_write(world)
    row = world.row(CONTACT)["Id"]
    world.agent_deletes("Contact", row)
    world.unbind(user)
    stir.settle_down(world)
    assert world.pair(member, "member-contact").salesforce_id is None
    undeletes(world, row)
    assert marks(world) != NO_MARKS
    world.run_until_idle()
    assert marks(world) == NO_MARKS


def test_a_merge_that_was_undone_before_we_read_of_it_moves_nothing(world: World) -> None:
    _, member = member_of(world)
    row = row_of(world, member)
    winner = world.agent_makes("Contact", LastName="王", FirstName="小明")
    merges(world, "Contact", winner, row)
    world.system.streams.read()
    undeletes(world, row)
    world.run_until_idle()
    assert row_of(world, member) == row
    assert world.outbox() == []


def test_a_merge_that_is_undone_before_the_winner_is_stamped_gives_the_row_back(
    world: World,
) -> None:
    user, member = member_of(world)
    row = row_of(world, member)
    winner = world.agent_makes("Contact", LastName="王", FirstName="小明")
    merges(world, "Contact", winner, row)
    stir.poll(world)

    def undone(steps: Sequence[Step]) -> None:
        if stir.writes(steps) and row_of(world, member) == winner:
            tapped.before = lambda _: None
            undeletes(world, row)

    tapped = stir.tap(world, before=undone)
    stir.settle_down(world)
    assert row_of(world, member) == row
    assert [each for each in world.outbox() if each.state == "parked"] == []
    world.unbind(user)
    stir.settle_down(world)
    carried = world.rows("SELECT Id FROM Contact WHERE LINE_Key__c != null")
    assert carried == []


def test_a_row_that_comes_back_while_we_ask_after_it_is_not_given_up(world: World) -> None:
    _, member = member_of(world)
    row = row_of(world, member)
    world.agent_deletes("Contact", row)
    stir.poll(world)

    def comes_back(steps: Sequence[Step]) -> None:
        asks = any(isinstance(step, Query) and step.deleted for step in steps)
        if asks and not world.rows(CONTACT):
            undeletes(world, row)
            stir.poll(world)

    stir.tap(world, after=comes_back)
    for lane in Lane:
        world.system.delivery.deliver(lane)
    world.run_until_idle()
    assert world.pair(member, "member-contact").state is PairState.OPEN
    world.agent_edits("Contact", row, Email="back@example.com")
    world.run_until_idle()
    assert world.record(member).values["email"] == "back@example.com"


def test_a_row_that_comes_back_stays_with_the_record_that_was_merged_into_it(world: World) -> None:
    _, one = member_of(world)
    _, two = member_of(world, "陳美美", "0922333444")
    winner, loser = row_of(world, one), row_of(world, two)
    merges(world, "Contact", winner, loser)
    world.agent_deletes("Contact", winner)
    stir.poll(world)
    for _ in range(2):  # what the merge is found to mean is looked at once more
        world.system.delivery.deliver(Lane.URGENT, 1)
    states = [world.pair(each, "member-contact").state for each in (one, two)]
    assert (row_of(world, two), states) == (winner, [PairState.GONE, PairState.OPEN])
    undeletes(world, winner)
    stir.poll(world)
    unread = Received.state != InboxState.DONE
    assert stir.all_of(world.system.store, Received, unread) == []
    world.run_until_idle()
    assert world.pair(one, "member-contact").state is PairState.GONE
    assert world.pair(two, "member-contact").state is PairState.OPEN
