"""Workers that stop just before they write, and wake when others have done their work."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from connector.domain.lines import Lane
from connector.domain.states import PairState
from connector.salesforce.steps import Step
from connector.sync.upkeep import sweeping
from tests import interference as stir
from tests.integration.sync.test_merging import CONTACT, line_edits, member_of
from tests.world import World

MARKED = "SELECT Id FROM Contact WHERE LINE_Key__c != null"


def others_take_over(world: World) -> None:
    """The lease runs out, and so does the time in which a write may still come through."""
    stir.expire_claims(world)
    for _ in range(3):
        sweeping.sweep(world.system.store)
        stir.hurry(world)
        stir.delivery(world, world.system.gateway).deliver(Lane.URGENT)


def test_what_a_late_worker_writes_is_not_taken_for_an_edit(world: World) -> None:
    _, member = member_of(world)
    line_edits(world, "member", member, email="old@example.com")
    late: list[str] = []

    def sleeps(steps: Sequence[Step]) -> None:
        if stir.writes(steps):
            line_edits(world, "member", member, email="new@example.com")
            others_take_over(world)
            late.append(world.row(CONTACT)["Email"])

    stir.delivery(world, stir.Tapped(world.system.gateway, before=sleeps)).deliver(Lane.URGENT)
    assert late == ["new@example.com"]
    assert world.row(CONTACT)["Email"] == "old@example.com"
    stir.settle_down(world)
    assert world.row(CONTACT)["Email"] == "new@example.com"
    assert world.record(member).values["email"] == "new@example.com"
    assert stir.imbalances(world) == []


def test_marks_that_a_late_worker_clears_are_written_anew(world: World) -> None:
    first, _ = member_of(world)
    second = world.person("美美")
    world.follow(second)
    world.run_until_idle()
    world.unbind(first)
    stir.read_all(world)
    late: list[str] = []

    def sleeps(steps: Sequence[Step]) -> None:
        if stir.writes(steps):
            stir.expire_claims(world)
            stir.settle_down(world)
            world.bind(second, "王小明", "0912345678")
            stir.settle_down(world)
            late.append(world.row(CONTACT)["LINE_Key__c"])

    stir.delivery(world, stir.Tapped(world.system.gateway, before=sleeps)).deliver(Lane.URGENT)
    assert late[0]
    assert world.row(CONTACT)["LINE_Key__c"] is None
    stir.settle_down(world)
    row = world.row("SELECT LINE_Key__c, LINE_User_Id__c FROM Contact")
    assert (row["LINE_Key__c"], row["LINE_User_Id__c"]) == (late[0], second)


@pytest.mark.parametrize("heard", [True, False], ids=["the release settled", "nobody heard of it"])
def test_a_late_first_write_after_the_person_let_go_leaves_no_marks(
    world: World, heard: bool
) -> None:
    user = world.person("安安")
    world.follow(user)
    world.run_until_idle()
    member = world.bind(user, "王小明", "0912345678")
    marked: list[int] = []

    def sleeps(steps: Sequence[Step]) -> None:
        if stir.writes(steps):
            others_take_over(world)
            world.unbind(user)
            if heard:
                stir.delivery(world, world.system.gateway).deliver(Lane.URGENT)
            else:
                stir.dies_after_write(world)
            marked.append(len(world.rows(MARKED)))

    stir.delivery(world, stir.Tapped(world.system.gateway, before=sleeps)).deliver(Lane.URGENT)
    marked.append(len(world.rows(MARKED)))
    assert marked == [0, 1]  # the row had been let go of, so the late write made another one
    stir.poll(world)
    stir.settle_down(world)
    assert world.rows(MARKED) == []
    assert world.pair(member, "member-contact").state is PairState.CLOSED
    assert stir.imbalances(world) == []
