"""New rows: who owns them, of which record type they are, and which are made together or not at all."""

from collections.abc import Sequence
from typing import Any

import pytest
import requests

from connector.domain.lines import Lane
from connector.salesforce.steps import Query, Step
from connector.sync.live import publishing
from connector.sync.upkeep import sweeping
from tests import interference as stir
from tests.world import World

CASE = "repair_request-case.yaml"
WORK_ORDER = "repair_request-workorder.yaml"
REFUSAL = {"object": "WorkOrder", "when": "Street LIKE '%離島%'", "message": "no visits there"}


def publish(world: World, path: str, old: str, new: str) -> None:
    """Publish the live set with one document changed."""
    with world.system.store.reading() as session:
        texts = publishing.live_texts(session)
    assert old in texts[path]
    texts[path] = texts[path].replace(old, new)
    publishing.publish_from_org(
        world.system.store, world.system.gateway, texts, "an admin", "who owns new rows"
    )


def rule(world: World, kind: str, **more: Any) -> str:
    """Put a rule of the org into force."""
    url = f"{world.simulators.org_url}/_simulator/rules"
    answer = requests.post(url, json={"kind": kind, **more}, timeout=5)
    answer.raise_for_status()
    return str(answer.json()["id"])


@pytest.fixture
def member(world: World) -> str:
    """A person who is bound and may ask for a repair."""
    user = world.person()
    world.follow(user)
    world.bind(user, "王小明", "0912345678")
    world.run_until_idle()
    return user


def test_a_missing_queue_parks_the_row_until_it_is_made_and_redriven(
    world: World, member: str
) -> None:
    publish(world, CASE, "assignment_rule: true", "owner: LINE_Night")
    queue = world.agent_makes("Group", Name="夜間", DeveloperName="LINE_Night", Type="Queue")
    world.agent_makes("QueueSobject", QueueId=queue, SobjectType="Lead")
    asked = world.asks_for_repair(member)
    world.run_until_idle()
    (parked,) = [row for row in world.outbox() if row.state == "parked"]
    assert parked.reason == "no queue LINE_Night takes Case rows"
    assert "Setup > Queues" in (parked.next_step or "")
    world.agent_makes("QueueSobject", QueueId=queue, SobjectType="Case")
    stir.redrive_parked(world)
    world.run_until_idle()
    assert world.row("SELECT Owner.Name FROM Case")["Owner"]["Name"] == "夜間"
    assert world.pair(asked, "repair_request-workorder").salesforce_id


def test_owners_and_record_types_are_given_and_asked_for_in_one_call(
    world: World, member: str
) -> None:
    agent = world.simulators.org["username"]
    rule(world, "record_type", object="Case", developer_name="Repair", label="報修")
    given = "owner: {queue: line_repair}\nrecord_type: Repair"
    publish(world, CASE, "assignment_rule: true", given)
    publish(world, WORK_ORDER, "lane: urgent", f"lane: urgent\nowner: {agent}")
    asked: list[list[str]] = []

    def before(steps: Sequence[Step]) -> None:
        queries = [step.soql for step in steps if isinstance(step, Query)]
        names = [soql.split(" FROM ")[1].split()[0] for soql in queries]
        if set(names) & {"QueueSobject", "RecordType", "User"}:
            asked.append(sorted(names))

    stir.tap(world, before=before)
    for symptom in ("不冷", "漏水"):  # what was found for the first is remembered for the second
        world.asks_for_repair(member, symptom=symptom)
        world.run_until_idle()
    for case in world.rows("SELECT Owner.Name, RecordType.DeveloperName FROM Case"):
        assert case["Owner"]["Name"] == "LINE 報修"
        assert case["RecordType"]["DeveloperName"] == "Repair"
    assert len(world.rows("SELECT Id FROM WorkOrder WHERE Owner.Name = '客服 林'")) == 2
    assert asked == [["QueueSobject", "RecordType", "User"]]


def tie(world: World) -> None:
    publish(world, WORK_ORDER, "lane: urgent", "lane: urgent\natomic: true")


def rows(world: World) -> tuple[int, int]:
    return len(world.rows("SELECT Id FROM Case")), len(world.rows("SELECT Id FROM WorkOrder"))


@pytest.mark.parametrize("atomic", [True, False])
def test_a_refused_work_order_leaves_a_case_behind_only_where_they_are_not_tied(
    world: World, member: str, atomic: bool
) -> None:
    if atomic:
        tie(world)
    validation = rule(world, "validation", **REFUSAL)
    refused = world.asks_for_repair(member, address="離島一號")
    world.asks_for_repair(member, symptom="漏水")
    world.run_until_idle()
    assert rows(world) == ((1, 1) if atomic else (2, 1))
    states = {row.pair_id: row for row in world.outbox()}
    culprit = states[world.pair(refused, "repair_request-workorder").id]
    assert (culprit.state, culprit.reason) == (
        "parked",
        "FIELD_CUSTOM_VALIDATION_EXCEPTION: no visits there",
    )
    if atomic:
        held = states[world.pair(refused, "repair_request-case").id]
        assert held.state == "held" and "made together with its WorkOrder" in (held.reason or "")
    lift(world, validation)
    stir.redrive_parked(world)
    world.run_until_idle()
    assert rows(world) == (2, 2) and world.outbox() == []


def lift(world: World, rule_id: str) -> None:
    url = f"{world.simulators.org_url}/_simulator/rules/{rule_id}"
    requests.delete(url, timeout=5).raise_for_status()


def test_two_that_were_claimed_apart_meet(world: World, member: str) -> None:
    tie(world)
    world.asks_for_repair(member)
    world.carry()
    while world.system.reader.read():
        pass
    assert world.system.delivery.deliver(Lane.URGENT, 1) == 1
    assert rows(world) == (0, 0)
    sweeping.sweep(world.system.store)
    world.run_until_idle()
    assert rows(world) == (1, 1)


def test_a_lost_answer_to_a_graph_makes_nothing_twice(world: World, member: str) -> None:
    tie(world)
    match = {"method": "POST", "path": "/services/data/*/composite/graph"}
    world.org_fault("reset_after_commit", times=1, match=match)
    world.asks_for_repair(member)
    world.run_until_idle()
    assert rows(world) == (1, 1)
    assert world.row("SELECT Case.LINE_Key__c FROM WorkOrder")["Case"]["LINE_Key__c"]
