"""Many members at once: their rows go by Bulk jobs, each once, whatever dies in between."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connector.domain.changes import Change
from connector.domain.lines import Cause, Lane
from connector.store.tables import BulkJob, History, Org, Outbox, Pair
from connector.sync.changes import apply
from connector.sync.desk import adoption
from connector.sync.incoming.intake import scene_for
from connector.sync.outgoing import bulk_delivery
from connector.sync.outgoing.bulk_delivery import BulkDelivery
from connector.sync.upkeep import sweeping
from tests import interference as stir
from tests.interference import Died
from tests.members import members, want_all
from tests.world import World

CONTACTS = "SELECT Id, LastName, MobilePhone, AccountId, LINE_Key__c FROM Contact"
JOB = {"method": "PATCH", "path": "/services/data/*/jobs/ingest/*"}
FEW = 120


class Overheard:
    """A gateway that tells a test of every Bulk call before and after it is made."""

    def __init__(self, gateway: Any) -> None:
        self.gateway = gateway
        self.calls: list[str] = []
        self.before: Callable[[str], None] = lambda _: None
        self.after: Callable[[str], None] = lambda _: None
        self.uploads: Callable[[bytes], bytes] = lambda csv: csv

    def exchange(self, method: str, path: str, *rest: Any, **more: Any) -> Any:
        call = f"{method} {path}"
        self.before(call)
        if method == "PUT":
            read, csv, *rest = rest
            rest = [read, self.uploads(csv), *rest]
        answer = self.gateway.exchange(method, path, *rest, **more)
        self.calls.append(call)
        self.after(call)
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.gateway, name)


def by_bulk(world: World, least: int = 50, **more: Any) -> Overheard:
    """Let this world deliver by Bulk from a few rows on."""
    heard = Overheard(world.system.gateway)
    bulk = BulkDelivery(world.system.store, heard, least, **more)
    world.system.__dict__["delivery"] = replace(world.system.delivery, bulk=bulk)
    return heard


def edit(world: World, records: list[Any], **values: Any) -> None:
    """Give many records new values."""
    with world.system.store.transaction() as session:
        scene = scene_for(session, world.system.catalogs, world.now())
        for record in records:
            apply(scene, Change(record, "member", values, cause=Cause.BACKFILL))
    with world.system.store.transaction() as session:
        session.execute(sa.update(Outbox).values(lane=Lane.BULK))


def adopt(world: World) -> None:
    adoption.adopt(world.system.store, world.system.catalogs, "an admin", lambda _: None)


def deliver(world: World) -> None:
    """Work on the bulk lane until nothing of it is left that may be done."""
    for _ in range(30):
        stir.hurry(world)
        sweeping.sweep(world.system.store)
        if not world.system.delivery.deliver(Lane.BULK):
            return


def dies(heard: Overheard, **at: str) -> None:
    """The worker is gone before or after the first Bulk call that holds a text."""

    def die(wanted: str) -> Callable[[str], None]:
        def look(call: str) -> None:
            if wanted in call:
                raise Died

        return look

    for moment, wanted in at.items():
        setattr(heard, moment, die(wanted))


def all_there_once(world: World, count: int) -> None:
    """Every member has one Contact in one Account, and nothing is left to do."""
    contacts = world.system.gateway.query(CONTACTS)
    assert len(contacts) == count
    assert len({row["LINE_Key__c"] for row in contacts}) == count
    assert len({row["AccountId"] for row in contacts} - {None}) == count
    assert world.system.gateway.count("SELECT COUNT() FROM Account") == count
    assert world.outbox() == []
    assert stir.imbalances(world) == []
    assert stir.all_of(world.system.store, History, History.side == "salesforce") == []
    assert stir.all_of(world.system.store, Pair, Pair.bulk_job_id.is_not(None)) == []
    assert stir.all_of(world.system.store, BulkJob, BulkJob.closed_at.is_(None)) == []


def test_two_thousand_rows_are_made_once_and_in_few_calls(world: World) -> None:
    by_bulk(world, least=1000)
    since = max((call["seq"] for call in world.org_calls()), default=0)
    want_all(world, members(world, 1000))
    world.system.delivery.deliver(Lane.BULK)
    all_there_once(world, 1000)
    jobs = stir.all_of(world.system.store, BulkJob)
    assert [(job.object, job.operation, job.rows, job.state) for job in jobs] == [
        ("Account", "upsert", 1000, "JobComplete"),
        ("Contact", "upsert", 1000, "JobComplete"),
    ]
    writes = [call["records"] for call in world.org_calls(since) if call["method"] == "PUT"]
    assert writes == [1000, 1000]
    pairs = stir.all_of(world.system.store, Pair, Pair.mapping == "member-contact")
    rows = {row["LINE_Key__c"]: row for row in world.system.gateway.query(CONTACTS)}
    assert all(pair.salesforce_id == rows[pair.key]["Id"] for pair in pairs)
    assert all(pair.base["MobilePhone"]["value"] == rows[pair.key]["MobilePhone"] for pair in pairs)


def test_changes_go_as_updates_by_id(world: World) -> None:
    by_bulk(world)
    changed = members(world, FEW)
    adopt(world)
    deliver(world)
    edit(world, changed, email="new@example.com")
    deliver(world)
    emails = Counter(row["Email"] for row in world.rows("SELECT Email FROM Contact LIMIT 1000"))
    assert emails == {"new@example.com": FEW}
    (job,) = stir.all_of(world.system.store, BulkJob, BulkJob.operation == "update")
    assert (job.object, job.rows) == ("Contact", FEW)


@pytest.mark.parametrize(
    "at",
    [
        {"before": "/batches"},  # after the job was made and stored, before anything was uploaded
        {"after": "/batches"},  # uploaded, never closed
        {"before": "GET jobs/ingest"},  # closed; the org works on it
        {"before": "successfulResults"},  # done, and nobody heard
    ],
    ids=["made", "uploaded", "closed", "done"],
)
def test_a_worker_that_dies_leaves_each_row_made_once(world: World, at: dict[str, str]) -> None:
    heard = by_bulk(world)
    members(world, FEW)
    adopt(world)
    dies(heard, **at)
    with pytest.raises(Died):
        world.system.delivery.deliver(Lane.BULK)
    (job,) = stir.all_of(world.system.store, BulkJob)
    tied = stir.all_of(world.system.store, Pair, Pair.bulk_job_id == job.id)
    assert len(tied) == FEW
    by_bulk(world)
    stir.expire_claims(world)
    deliver(world)
    all_there_once(world, FEW)


def test_a_job_that_still_works_is_waited_for_and_nothing_is_sent_twice(world: World) -> None:
    world.switch_org(bulk_seconds=3.0)
    heard = by_bulk(world, patience=0.0)
    want_all(world, members(world, FEW))
    world.system.delivery.deliver(Lane.BULK)
    accounts = [row for row in world.outbox() if "still works" in (row.reason or "")]
    assert len(accounts) == FEW
    stir.hurry(world)
    sweeping.sweep(world.system.store)
    world.system.delivery.deliver(Lane.BULK)  # asks, and lets the job go on
    assert len([call for call in heard.calls if call.startswith("PUT")]) == 1
    world.switch_org(bulk_seconds=0.0)
    by_bulk(world)
    deliver(world)
    all_there_once(world, FEW)


def test_claims_are_kept_while_a_job_takes_its_time(world: World) -> None:
    world.switch_org(bulk_seconds=2.2)
    heard = by_bulk(world)
    hasty = replace(world.system.delivery, lease=timedelta(seconds=1.5))
    over = threading.Event()

    def sweep() -> None:
        while not over.wait(0.2):
            sweeping.sweep(world.system.store)

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    want_all(world, members(world, FEW))
    hasty.deliver(Lane.BULK)
    over.set()
    sweeper.join()
    all_there_once(world, FEW)
    assert len([call for call in heard.calls if call.startswith("PUT")]) == 2


def test_rows_of_a_job_that_fails_as_a_whole_go_by_calls(world: World) -> None:
    heard = by_bulk(world)
    heard.uploads = lambda csv: csv.replace(b"Name", b"Nme", 1)
    want_all(world, members(world, FEW))
    deliver(world)
    all_there_once(world, FEW)
    failed = stir.all_of(world.system.store, BulkJob, BulkJob.state == "Failed")
    assert {job.reason for job in failed} == {
        "InvalidBatch : Field name not found : Nme",
        "InvalidBatch : Field name not found : LastNme",
    }


def test_a_row_that_is_refused_parks_alone_and_a_locked_one_is_tried_again(world: World) -> None:
    by_bulk(world)
    world.org_fault("validation", times=1, match=JOB, object="Account", message="No: not today")
    world.org_fault("lock", times=3, match=JOB)
    want_all(world, members(world, FEW))
    world.system.delivery.deliver(Lane.BULK)
    states = Counter(row.state for row in world.outbox())
    # three Accounts were refused, and their Contacts wait for them
    assert (states["parked"], states["waiting"]) == (1, 2 + 3)
    (parked,) = stir.parked(world)
    assert parked.reason == "FIELD_CUSTOM_VALIDATION_EXCEPTION: No: not today"
    deliver(world)
    assert len(world.system.gateway.query(CONTACTS)) == FEW - 1
    assert {row.state for row in world.outbox()} == {"parked", "held"}
    stir.redrive_parked(world)
    with world.system.store.transaction() as session:
        session.execute(sa.update(Outbox).values(lane=Lane.BULK))
    deliver(world)
    all_there_once(world, FEW)


class Diary(list[dict[str, Any]]):
    """Takes down what is logged, however the process has set up its logs."""

    def warning(self, event: str, **told: Any) -> None:
        self.append({"event": event, **told})


def test_where_bulk_is_refused_the_rows_go_by_calls_and_it_is_said_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    diary = Diary()
    monkeypatch.setattr(bulk_delivery, "log", diary)
    heard = by_bulk(world)
    body = [{"errorCode": "FEATURENOTENABLED", "message": "Async API not enabled"}]
    path = "/services/data/*/jobs/ingest"
    world.org_fault("status", match={"method": "POST", "path": path}, status=400, body=body)
    want_all(world, members(world, FEW))
    world.system.delivery.deliver(Lane.BULK)
    all_there_once(world, FEW)
    assert [call for call in heard.calls if "jobs" in call] == []
    assert sorted(each["object"] for each in diary) == ["Account", "Contact"]


def test_a_spent_allowance_lets_the_org_rest_and_loses_nothing(world: World) -> None:
    by_bulk(world)
    body = [{"errorCode": "EXCEEDEDQUOTA", "message": "ApiBatchItems Limit exceeded."}]
    path = "/services/data/*/jobs/ingest"
    match = {"method": "POST", "path": path}
    world.org_fault("status", times=1, match=match, status=400, body=body)
    want_all(world, members(world, FEW))
    world.system.delivery.deliver(Lane.BULK)
    (org,) = stir.all_of(world.system.store, Org)
    assert "ApiBatchItems" in org.reason
    assert world.system.delivery.deliver(Lane.BULK) == 0
    deliver(world)
    all_there_once(world, FEW)


def test_other_lanes_never_go_by_bulk(world: World) -> None:
    heard = by_bulk(world)
    want_all(world, members(world, FEW))
    with world.system.store.transaction() as session:
        session.execute(sa.update(Outbox).values(lane=Lane.NORMAL))
    world.system.delivery.deliver(Lane.NORMAL)
    all_there_once(world, FEW)
    assert heard.calls == []
