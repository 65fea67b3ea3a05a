"""A field line that reads a child row: the first planned visit of a repair request's work order."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from connector.salesforce.pubsub.events import ChangeEvent
from connector.salesforce.steps import Query, Step
from connector.sync.incoming.event_intake import receive_changes
from connector.sync.live import publishing
from tests import interference as stir
from tests.world import World

ORDER = "repair_request-workorder.yaml"
START = "salesforce: StartDate"
VISIT = "salesforce: visit.SchedStartTime"
CHILDREN = """children:
  visit:
    object: ServiceAppointment
    by: ParentRecordId
    where: {Status: [Scheduled, Dispatched]}
    first: SchedStartTime
fields:
"""


@pytest.fixture
def asked(world: World) -> UUID:
    """A repair request in an org that plans visits as service appointments."""
    with world.system.store.reading() as session:
        texts = publishing.live_texts(session)
    texts[ORDER] = texts[ORDER].replace(START, VISIT).replace("fields:\n", CHILDREN)
    publishing.publish_from_org(
        world.system.store, world.system.gateway, texts, "an admin", "visits"
    )
    user = world.person()
    world.follow(user)
    world.bind(user, "王小明", "0912345678")
    request = world.asks_for_repair(user)
    world.run_until_idle()
    return request


def plan(world: World, request: UUID, day: str, status: str = "Scheduled") -> str:
    order = world.pair(request, "repair_request-workorder").salesforce_id
    at = f"{day}T02:00:00Z"
    wanted = {"EarliestStartTime": at, "DueDate": at, "SchedStartTime": at}
    return world.agent_makes("ServiceAppointment", ParentRecordId=order, Status=status, **wanted)


def visit_at(world: World, request: UUID) -> object:
    return world.record(request).values["visit_at"]


def test_the_first_visit_that_is_planned_is_the_one_the_member_sees(
    world: World, asked: UUID
) -> None:
    late = plan(world, asked, "2030-01-09")
    world.run_until_idle()
    assert visit_at(world, asked) == "2030-01-09T02:00:00.000Z"
    plan(world, asked, "2030-01-02", status="Canceled")
    early = plan(world, asked, "2030-01-05")
    world.run_until_idle()
    assert visit_at(world, asked) == "2030-01-05T02:00:00.000Z"
    world.agent_edits("ServiceAppointment", early, Status="Canceled")
    world.run_until_idle()
    assert visit_at(world, asked) == "2030-01-09T02:00:00.000Z"
    world.agent_deletes("ServiceAppointment", late)
    world.run_until_idle()
    assert visit_at(world, asked) is None


def test_visits_of_many_requests_are_read_in_one_query(world: World, asked: UUID) -> None:
    user = world.person("小美")
    world.follow(user)
    world.bind(user, "陳小美", "0922333444")
    requests = [asked, *(world.asks_for_repair(user) for _ in range(4))]
    world.run_until_idle()
    for request in requests:
        plan(world, request, "2030-01-09")
    asked_for: list[Query] = []

    def note(steps: Sequence[Step]) -> None:
        asked_for.extend(step for step in steps if isinstance(step, Query))

    stir.tap(world, before=note)
    world.run_until_idle()
    assert {visit_at(world, each) for each in requests} == {"2030-01-09T02:00:00.000Z"}
    assert len([step for step in asked_for if "ServiceAppointment" in step.soql]) == 1


def test_an_event_that_names_only_the_changed_time_leads_to_the_request_it_was_planned_for(
    world: World, asked: UUID
) -> None:
    visit = plan(world, asked, "2030-01-09")
    world.run_until_idle()
    world.polls = False
    world.agent_edits("ServiceAppointment", visit, SchedStartTime="2030-01-10T02:00:00Z")
    moved = ChangeEvent(
        replay_id=b"1",
        entity="ServiceAppointment",
        change="UPDATE",
        record_ids=(visit,),
        transaction="t1",
        sequence=1,
        committed_at=world.now(),
        commit_number=1,
        changed=frozenset({"SchedStartTime"}),
        values={"SchedStartTime": 1893549600000},
    )
    with world.system.store.transaction() as session:
        receive_changes(session, world.system.catalogs.live(session), [moved], "us")
    world.run_until_idle()
    assert visit_at(world, asked) == "2030-01-10T02:00:00.000Z"
