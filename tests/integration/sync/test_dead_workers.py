"""Workers that die, or come to a row before its parent is whole: what was found by killing real ones."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connector.domain.lines import Lane
from connector.domain.states import InboxState
from connector.store.tables import Received
from connector.sync.upkeep import sweeping
from tests import interference as stir
from tests.world import World

FOLLOWING = "SELECT LINE_Following__c FROM Contact"


def member(world: World) -> str:
    """A friend whom the org knows."""
    user = world.person("小安")
    world.follow(user)
    world.consent(user)
    stir.settle_down(world)
    world.bind(user, "王小明", "0912345678")
    return user


def test_a_value_that_came_back_after_a_dead_workers_write_is_sent_again(world: World) -> None:
    ann = member(world)
    stir.settle_down(world)
    world.event(ann, type="unfollow")
    stir.read_all(world)
    stir.dies_after_write(world)
    assert world.row(FOLLOWING)["LINE_Following__c"] is False
    world.event(ann, type="follow", follow={"isUnblocked": True})
    stir.read_all(world)
    stir.expire_claims(world)
    stir.settle_down(world)
    assert world.row(FOLLOWING)["LINE_Following__c"] is True


@pytest.mark.parametrize("at_once", [1, 500])
def test_a_unit_waits_until_the_found_contact_has_its_account(world: World, at_once: int) -> None:
    world.agent_makes("Contact", LastName="王", FirstName="小明", MobilePhone="0912 345 678")
    ann = member(world)
    (code,) = world.codes("AC-100")
    world.register(ann, code)
    while world.system.delivery.deliver(Lane.URGENT, limit=at_once):
        assert stir.parked(world) == []
    stir.settle_down(world)
    asset = world.row("SELECT ContactId, AccountId FROM Asset")
    contact = world.row("SELECT Id, AccountId FROM Contact")
    assert (asset["ContactId"], asset["AccountId"]) == (contact["Id"], contact["AccountId"])
    assert world.outbox() == []


def test_what_a_slow_worker_reads_is_not_taken_from_it(world: World) -> None:
    ann = world.person("小安")
    world.follow(ann)
    stir.read_all(world)
    for number in range(20):
        world.event(ann, type="message", text=f"{number}")
    done = threading.Event()

    def sweep() -> None:
        while not done.wait(0.05):
            sweeping.sweep(world.system.store)

    def slow() -> datetime:
        time.sleep(0.15)
        return datetime.now(UTC)

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    replace(world.system.reader, lease=timedelta(seconds=1.5), clock=slow).read()
    done.set()
    sweeper.join()
    rows = stir.all_of(world.system.store, Received, Received.kind == "message")
    assert {(row.state, row.attempts) for row in rows} == {(InboxState.DONE, 1)}
