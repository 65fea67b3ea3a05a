"""Calls to Salesforce that fail, are lost or come late: nothing is doubled, nothing is lost."""

from typing import Any

import pytest

from connector.domain.lines import Lane
from connector.domain.states import OutboxState
from connector.store.tables import Pair, Received
from tests import interference as stir
from tests.world import World

CONTACT = "SELECT Id, LastName, FirstName, MobilePhone, AccountId, LINE_Key__c FROM Contact"


def friend(world: World, name: str = "安安") -> str:
    user = world.person(name)
    world.follow(user)
    world.consent(user)
    return user


def whole_story(world: World) -> str:
    """Follow, consent, bind, register, ask for a repair."""
    ming = friend(world)
    stir.settle_down(world)
    world.bind(ming, "王小明", "0912345678")
    stir.settle_down(world)
    (code,) = world.codes("AC-100")
    registered = world.register(ming, code)
    stir.settle_down(world)
    world.asks_for_repair(ming, registration_id=str(registered), product=None)
    stir.settle_down(world)
    return ming


def one_of_each(world: World) -> None:
    for name in ("Lead", "Contact", "Account", "Asset", "Case", "WorkOrder"):
        assert len(world.rows(f"SELECT Id FROM {name}")) == 1, name


def all_paired(world: World) -> None:
    """Nothing is left to do, every row is tied to its pair, and the ledger is even."""
    assert world.outbox() == []
    assert stir.all_of(world.system.store, Pair, Pair.salesforce_id.is_(None)) == []
    assert stir.imbalances(world) == []
    assert stir.in_flight(world) == []


@pytest.mark.parametrize(
    ("fault", "params"),
    [("reset_after_commit", {}), ("reset_before", {}), ("status", {"status": 503})],
)
def test_every_write_that_fails_once_ends_in_the_same_rows(
    world: World, fault: str, params: dict[str, Any]
) -> None:
    tapped = stir.each_write_once(world, fault, **params)
    ming = whole_story(world)
    assert len(tapped.written) >= 4
    one_of_each(world)
    all_paired(world)
    number = world.row("SELECT CaseNumber FROM Case")["CaseNumber"]
    assert len([text for text in world.texts(ming) if number in text]) == 1


def test_a_write_whose_answer_was_lost_counts_as_written(world: World) -> None:
    stir.each_write_once(world, "reset_after_commit")
    friend(world)
    stir.settle_down(world)
    rows = stir.all_of(world.system.store, Received, Received.kind == "postback")
    assert [row.ledger for row in rows] == ["written"]


def test_a_locked_row_waits_alone(world: World) -> None:
    for number in range(3):
        friend(world, f"友{number}")
    stir.read_all(world)
    world.org_fault("lock", times=1, match={"path": "/services/data/*"})
    world.system.delivery.deliver(Lane.NORMAL)
    assert len(world.rows("SELECT Id FROM Lead")) == 2
    (row,) = world.outbox()
    assert (row.state, row.reason[:18]) == (OutboxState.WAITING, "UNABLE_TO_LOCK_ROW")
    stir.settle_down(world)
    assert len(world.rows("SELECT Id FROM Lead")) == 3


def test_an_expired_session_is_renewed_once(world: World) -> None:
    friend(world)
    stir.read_all(world)
    world.org_fault("expire_session", times=1)
    world.run_until_idle()
    assert len(world.rows("SELECT Id FROM Lead")) == 1
    refused = [call for call in world.org_calls() if call["status"] == 401]
    assert len(refused) == 1


def test_a_worker_that_died_before_its_write_costs_a_lease(world: World) -> None:
    friend(world)
    stir.read_all(world)
    stir.dies_before_write(world)
    assert [row.state for row in world.outbox()] == [OutboxState.CLAIMED]
    stir.expire_claims(world)
    stir.settle_down(world)
    assert len(world.rows("SELECT Id FROM Lead")) == 1
    all_paired(world)


def test_what_a_dead_worker_wrote_is_found_and_not_made_again(world: World) -> None:
    ming = friend(world)
    stir.settle_down(world)
    world.bind(ming, "王小明", "0912345678")
    stir.dies_after_write(world)
    assert len(world.rows(CONTACT)) == 1
    stir.expire_claims(world)
    stir.settle_down(world)
    contact = world.row(CONTACT)
    account = world.row("SELECT Id, LINE_Key__c FROM Account")
    assert contact["AccountId"] == account["Id"]
    all_paired(world)
    (pair,) = stir.all_of(world.system.store, Pair, Pair.object == "Account")
    assert (pair.key, pair.adopted) == (account["LINE_Key__c"], False)


def test_what_changed_after_a_dead_workers_write_is_sent(world: World) -> None:
    ann = friend(world)
    stir.read_all(world)
    stir.dies_after_write(world)
    world.event(ann, type="unfollow")
    stir.read_all(world)
    stir.expire_claims(world)
    stir.settle_down(world)
    assert world.row("SELECT LINE_Following__c FROM Lead")["LINE_Following__c"] is False


def test_a_worker_that_wakes_late_settles_nothing(world: World) -> None:
    friend(world)
    stir.read_all(world)
    seen: list[int] = []

    def meanwhile(steps: Any) -> None:
        if stir.writes(steps):
            stir.expire_claims(world)
            stir.settle_down(world)
            (pair,) = stir.all_of(world.system.store, Pair, Pair.object == "Lead")
            seen.append(pair.epoch)

    late = stir.delivery(world, stir.Tapped(world.system.gateway, after=meanwhile))
    late.deliver(Lane.NORMAL)
    assert len(seen) == 1
    (pair,) = stir.all_of(world.system.store, Pair, Pair.object == "Lead")
    assert pair.epoch == seen[0]
    stir.settle_down(world)  # its write was made all the same, so the row is looked at
    assert len(world.rows("SELECT Id FROM Lead")) == 1
    all_paired(world)


def test_an_agents_edit_after_a_lost_answer_stands(world: World) -> None:
    ming = friend(world)
    stir.settle_down(world)
    member = world.bind(ming, "王小明", "0912345678")
    stir.each_write_once(world, "reset_after_commit")
    world.system.delivery.deliver(Lane.URGENT)
    contact = world.row(CONTACT)
    world.agent_edits("Contact", contact["Id"], FirstName="大明")
    stir.settle_down(world)
    assert world.row(CONTACT)["FirstName"] == "大明"
    assert world.record(member).values["name"] == "王大明"
    all_paired(world)


def test_the_org_rests_during_maintenance_and_nothing_dies(world: World) -> None:
    friend(world)
    stir.read_all(world)
    world.org_fault("maintenance", times=12)
    for _ in range(12):
        stir.hurry(world)
        world.step()
    assert {row.state for row in world.outbox()} <= {OutboxState.WAITING, OutboxState.READY}
    stir.clear_faults(world)
    world.org_fault("lock", times=1)
    stir.settle_down(world)
    assert len(world.rows("SELECT Id FROM Lead")) == 1
    all_paired(world)
