"""A database that was restored from a backup, and an org that went on without it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from connector.bootstrap import System
from connector.domain.lines import Cause, Lane
from connector.domain.states import EnvelopeState, OutboxState
from connector.ground.postgres import Postgres
from connector.store.tables import Envelope, Hole, Notice, Org, Outbox, Received, Stream
from connector.sync import rechecking
from connector.sync.reading.comparing import What
from connector.sync.reading.reconciling import Reconciliation
from connector.sync.reading.recovering import EXPIRED, GIVEN_BACK, RECHECKED, Recovery
from tests import interference as stir
from tests.integration.sync.quiet_org import member
from tests.world import Simulators, World, make_world, settings_for

TOPIC = "/data/LINE_Connector__chn"


@dataclass
class Restored:
    """The world after the restore, and what is known of the time before."""

    world: World
    users: list[str]
    requests: list[UUID]
    members: list[UUID]
    told: list[list[str]]
    at: datetime

    def recovery(self) -> Recovery:
        """The recovery of this database."""
        system = self.world.system
        return Recovery(system.store, system.catalogs, system.gateway, "小美")

    def recover(self) -> Counter[str]:
        """Recover, as the command does."""
        recovery = self.recovery()
        course = recovery.begin(recovery.bounds(None).since)
        recovery.run(course)
        return course.counts


def on_the_way(world: World, request: UUID) -> None:
    """What a backup may catch: a message that waits, a worker's claim, a topic's place."""
    with world.system.store.transaction() as session:
        pair = world.pair(request, "repair_request-case")
        later = world.now() + timedelta(hours=1)
        claimed = Outbox(pair_id=pair.id, lane=Lane.URGENT, cause=Cause.LIVE, claimed_until=later)
        claimed.state, claimed.claim_token = OutboxState.CLAIMED, uuid4()
        session.add(claimed)
        notice = session.scalars(sa.select(Notice).limit(1)).one()
        envelope = session.get_one(Envelope, notice.envelope_id)
        notice.state, envelope.state = "owed", EnvelopeState.WAITING
        envelope.body, envelope.due = None, later
        now = world.now()
        topic = Stream(name=TOPIC, via="pubsub", watermark=now, read_through=now, read_at=now)
        topic.position = topic.newest = b"old"
        session.add(topic)
        session.execute(sa.update(Stream).where(Stream.name == "Case").values(carried_by=TOPIC))
    world.system.store.engine.dispose()


def twenty_changes(
    world: World, users: list[str], requests: list[UUID], members: list[UUID]
) -> None:
    """What happens after the backup."""
    for n, (request, owner) in enumerate(zip(requests, members, strict=True)):
        case = world.pair(request, "repair_request-case").salesforce_id
        visit = world.pair(request, "repair_request-workorder").salesforce_id
        contact = world.pair(owner, "member-contact").salesforce_id
        world.agent_edits("Case", case, Status="Working")
        world.agent_edits("WorkOrder", visit, StartDate=f"2030-01-0{n + 1}T02:00:00Z")
        world.agent_edits("Contact", contact, FirstName="新", Email=f"new{n}@example.com")
        world.agent_edits("Case", case, Status="Closed")
    world.agent_deletes("Case", world.pair(requests[0], "repair_request-case").salesforce_id)
    world.asks_for_repair(users[0])
    world.run_until_idle()


@dataclass
class Past:
    """What was, the backup that was made of it, and what people were told since."""

    backup: str
    users: list[str]
    requests: list[UUID]
    members: list[UUID]
    told: list[list[str]]
    at: datetime


@pytest.fixture(scope="module")
def past(outside: Simulators, postgres: Postgres, template: str) -> Past:
    outside.reset()
    world = make_world(outside, postgres.clone(template, f"past_{uuid4().hex}"))
    phones = [f"091234567{n}" for n in range(4)]
    bound = [member(world, "王小明", phone) for phone in phones]
    users, members = [user for user, _ in bound], [record for _, record in bound]
    requests = [world.asks_for_repair(user) for user in users]
    world.run_until_idle()
    backup = f"backup_{uuid4().hex}"
    copy = opened(world, copied(world, postgres, backup))
    users.append(copy.person("路人"))
    copy.follow(users[-1])  # received before the backup, greeted after it
    on_the_way(copy, requests[1])
    twenty_changes(world, users, requests, members)
    world.system.store.engine.dispose()
    told = [world.texts(user) for user in users]
    return Past(backup, users, requests, members, told, world.now())


def copied(world: World, postgres: Postgres, name: str) -> str:
    """The address of a copy of a world's database."""
    engine = world.system.store.engine
    engine.dispose()  # a database that is copied must be left alone
    return postgres.clone(str(engine.url.database), name)


def opened(world: World, url: str) -> World:
    """The same world over another database."""
    settings = settings_for(world.simulators, url)
    return World(world.simulators, settings, System(settings, lambda _: None))


@pytest.fixture
def restored(past: Past, outside: Simulators, postgres: Postgres) -> Iterator[Restored]:
    name = f"restored_{uuid4().hex}"
    settings = settings_for(outside, postgres.clone(past.backup, name))
    world = World(outside, settings, System(settings, lambda _: None))
    yield Restored(world, past.users, past.requests, past.members, past.told, past.at)
    world.system.gateway.close()
    world.system.store.engine.dispose()
    postgres.drop(name)


def of_reconcile(world: World) -> Counter[What]:
    system = world.system
    reports = Reconciliation(system.store, system.catalogs, system.gateway, "夜", acts=False).run()
    return sum((report.counts for report in reports), Counter[What]())


def test_a_restored_database_ends_equal_with_the_org_and_nobody_hears_old_news(
    restored: Restored,
) -> None:
    world = restored.world
    counts = restored.recover()
    world.run_until_idle()
    for request, owner in zip(restored.requests[1:], restored.members[1:], strict=True):
        values = world.record(request).values
        assert (values["status"], str(values["visit_at"])[:7]) == ("closed", "2030-01")
        assert world.record(owner).values["name"] == "王新"
    assert world.pair(restored.requests[0], "repair_request-case").state == "gone"
    assert [world.texts(user) for user in restored.users] == restored.told
    assert (counts[EXPIRED], counts[GIVEN_BACK]) == (1, 1)
    assert counts[RECHECKED] == 19  # four members, four requests, two rows each, three products
    assert stir.imbalances(world) == []
    assert of_reconcile(world) == {What.UNKNOWN_KEY: 2}  # the request that was made since
    time.sleep(1.1)  # an org tells whole seconds: what happens in that of the recovery is old news
    world.agent_edits(
        "Case",
        world.pair(restored.requests[1], "repair_request-case").salesforce_id,
        Status="Working",
    )
    world.run_until_idle()
    assert len(world.chat(restored.users[1])) == len(restored.told[1]) + 1  # news are told again


def test_positions_windows_and_claims_of_the_old_life_are_given_up(restored: Restored) -> None:
    world, store = restored.world, restored.world.system.store
    newest = max(row.at for row in stir.all_of(store, Received))
    restored.recover()
    [org] = stir.all_of(store, Org)
    assert org.recovered_at >= restored.at - timedelta(seconds=1)
    streams = {stream.name: stream for stream in stir.all_of(store, Stream)}
    assert (streams[TOPIC].position, streams[TOPIC].newest) == (None, None)
    assert streams["Case"].watermark == newest - timedelta(hours=1)
    [hole] = stir.all_of(store, Hole)
    assert (hole.stream, hole.objects, hole.reason) == (
        TOPIC,
        ["Case"],
        "the database was restored",
    )
    intents = stir.all_of(store, Outbox)
    assert {(row.state, row.cause, row.recheck) for row in intents} == {("ready", "restore", True)}
    case = world.pair(restored.requests[1], "repair_request-case")
    assert case.unseen_write  # what the claim's worker wrote is looked up


def test_a_recovery_broken_off_goes_on_where_it_was(
    restored: Restored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rechecking, "PAGE", 4)
    recovery = restored.recovery()

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recovery.run(recovery.begin(restored.at), stop)
    course = recovery.begin(restored.at + timedelta(days=1))
    seen: list[int] = []
    recovery.run(course, seen.append)
    assert (course.resumed, seen) == (True, [8, 12, 16, 19])
    assert len(restored.world.outbox()) == 19
