"""Photos and proofs reach the rows that their records became: once, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import requests
import sqlalchemy as sa

from connector import bootstrap
from connector.cli.story import as_told
from connector.domain.lines import Cause, Lane
from connector.members import files, people
from connector.members.pictures import cleaned
from connector.store.tables import File, FileContent, Filing, Outbox, Pruning, Received, Record
from connector.sync import outbox
from connector.sync.desk import explain, redriving
from connector.sync.outgoing.filing import Filer
from connector.sync.privacy.erasing import Erasure
from connector.sync.privacy.retention import Retention
from connector.sync.upkeep import ledger
from connector.sync.veil import Veil
from tests import interference as stir
from tests.pictures import jpeg, png
from tests.world import API, World

VERSIONS = "SELECT Id, Title, ContentDocumentId, FirstPublishLocationId FROM ContentVersion"
INSERT = {"method": "POST", "path": "/services/data/*/composite/sobjects"}


def uploads(world: World, user: str, count: int = 1, content: bytes = jpeg()) -> list[str]:
    """Files that nobody's record knows yet."""
    person = world.person_id(user)
    made = []
    with world.system.store.transaction() as session:
        for number in range(count):
            upload = files.read(f"IMG_{number}.JPG", content)
            made.append(files.keep(session, people.lock(session, person), upload, world.now()))
    return [str(file.id) for file in made]


def bound(world: World, name: str = "王小明") -> str:
    """A member; nobody looks at the org by itself."""
    world.polls = False
    user = world.person(name)
    world.follow(user)
    world.run_until_idle()
    world.bind(user, name, "0912345678")
    world.run_until_idle()
    return user


def shown_on(world: World, row: str) -> Sequence[str]:
    """The documents that a row shows."""
    soql = f"SELECT ContentDocumentId FROM ContentDocumentLink WHERE LinkedEntityId = '{row}'"
    return sorted(each["ContentDocumentId"] for each in world.rows(soql))


def held(world: World) -> list[Outbox]:
    return [row for row in world.outbox() if row.state not in ("ready", "claimed")]


def row_of(world: World, record: UUID, mapping: str) -> str:
    return str(world.pair(record, mapping).salesforce_id)


def test_photos_come_to_the_case_and_are_shown_on_the_work_order(world: World) -> None:
    user = bound(world)
    request = world.asks_for_repair(user, photos=uploads(world, user, 3))
    world.run_until_idle()
    case = row_of(world, request, "repair_request-case")
    versions = world.rows(f"{VERSIONS} ORDER BY Title")
    assert [each["Title"] for each in versions] == ["IMG_0.jpg", "IMG_1.jpg", "IMG_2.jpg"]
    assert {each["FirstPublishLocationId"] for each in versions} == {case}
    documents = sorted(each["ContentDocumentId"] for each in versions)
    assert shown_on(world, case) == documents
    assert shown_on(world, row_of(world, request, "repair_request-workorder")) == documents
    inserts = [call for call in world.org_calls() if call["path"].endswith("/composite/sobjects")]
    assert [call["method"] for call in inserts] == ["POST", "POST"]  # versions, links
    assert content(world, versions[0]["Id"]) == cleaned(jpeg(), "image/jpeg")
    assert world.outbox() == []


def content(world: World, version: str) -> bytes:
    """What people get who open a file."""
    url = f"{world.simulators.org_url}{API}/sobjects/ContentVersion/{version}/VersionData"
    token = world.simulators.org["access_token"]
    return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=5).content


def test_a_photo_is_on_the_case_while_the_work_order_that_is_to_show_it_is_parked(
    world: World,
) -> None:
    user = bound(world)
    world.org_fault("validation", object="WorkOrder", message="No visits on Sundays")
    request = world.asks_for_repair(user, photos=uploads(world, user))
    world.run_until_idle()
    document = world.row(VERSIONS)["ContentDocumentId"]
    assert shown_on(world, row_of(world, request, "repair_request-case")) == [document]
    waits = {row.state.value: str(row.reason) for row in world.outbox()}
    assert waits["held"] == "file 1 of 1 (photos) waits for the WorkOrder that is to show it"
    stir.clear_faults(world)
    redriving.redrive_all(world.system.store, "parked", "ops")
    world.run_until_idle()
    assert shown_on(world, row_of(world, request, "repair_request-workorder")) == [document]
    assert world.outbox() == []


def test_large_photos_go_in_several_calls_and_those_of_many_people_in_one(world: World) -> None:
    user = bound(world)
    for content in (jpeg(), large(4)):
        since = world.org_calls()[-1]["seq"]
        for _ in range(3):
            world.asks_for_repair(user, photos=uploads(world, user, 1, content))
        world.run_until_idle()
        calls = [each for each in world.org_calls(since) if is_insert(each)]
        assert len(calls) == (2 if content == jpeg() else 4)  # the last of each are the links
    assert len(world.rows(VERSIONS)) == 6


def is_insert(call: dict[str, Any]) -> bool:
    return bool(call["method"] == "POST" and call["path"].endswith("/composite/sobjects"))


def large(megabytes: int) -> bytes:
    """A JPEG whose coded picture is that long."""
    start, mark, end = jpeg().partition(b"\x12\xff\x00\x34")
    return start + mark + bytes(megabytes * 1024 * 1024) + end


@pytest.mark.parametrize(
    ("fault", "found_by"),
    [("reset_after_commit", "a look"), ("reset_before", "two minutes without a sight of it")],
)
def test_a_photo_whose_upload_had_no_answer_is_there_once(
    world: World, fault: str, found_by: str
) -> None:
    user = bound(world)
    world.asks_for_repair(user, photos=uploads(world, user, 2))
    world.org_fault(fault, times=1, match=INSERT)
    if found_by == "a look":
        world.run_until_idle()
    else:
        world.until(lambda: any("may still come through" in str(row.reason) for row in held(world)))
        assert world.rows(VERSIONS) == []
        long_ago(world)
        world.run_until_idle()
    assert sorted(each["Title"] for each in world.rows(VERSIONS)) == ["IMG_0.jpg", "IMG_1.jpg"]
    assert world.outbox() == []


def long_ago(world: World) -> None:
    """Let two minutes pass since what was tried."""
    with world.system.store.transaction() as session:
        past = Filing.tried_at - timedelta(minutes=2)
        session.execute(sa.update(Filing).values(tried_at=past))


def test_a_photo_that_is_refused_waits_for_a_person_and_holds_nothing_else_back(
    world: World,
) -> None:
    user = bound(world)
    refused = uploads(world, user, 1, png())
    world.org_fault("validation", object="ContentVersion", message="No photos on Sundays")
    request = world.asks_for_repair(user, photos=refused)
    world.run_until_idle()
    (parked,) = world.outbox()
    assert parked.state == "parked"
    assert str(parked.reason).endswith("file 1 of 1 (photos): No photos on Sundays")
    assert parked.next_step
    assert told(world, request) == ["owed"]
    assert world.record(request).values["case_number"]
    assert row_of(world, request, "repair_request-workorder")
    assert received(world) == "parked"
    stir.clear_faults(world)
    redriving.redrive_all(world.system.store, "parked", "ops")
    world.run_until_idle()
    assert len(world.rows(VERSIONS)) == 1
    assert received(world) == "written"
    assert told(world, request) == ["filed"]


def told(world: World, record: UUID) -> list[str]:
    """How far the files of a record are, as `explain` tells it."""
    with world.system.store.reading() as session:
        catalog = world.system.catalogs.live(session)
        story = explain.tell(session, catalog, session.get_one(Record, record), world.now())
        pairs = as_told(story, Veil())["pairs"]
    return [each["state"] for pair in pairs for each in pair["files"]]


def received(world: World) -> str:
    """The class of the ledger that the repair request is in."""
    with world.system.store.reading() as session:
        assert ledger.balanced(session)
        here = sa.select(Received.ledger).where(Received.kind == "repair-requests")
        return str(session.scalars(here).one())


def test_a_proof_comes_to_the_asset_under_the_title_of_the_mapping(world: World) -> None:
    user = bound(world)
    world.system.streams.read()
    world.run_until_idle()
    code = world.codes("AC-100")[0]
    registration = world.register(user, code, proof=uploads(world, user)[0])
    world.run_until_idle()
    version = world.row(VERSIONS)
    asset = row_of(world, registration, "registration-asset")
    assert version["FirstPublishLocationId"] == asset
    assert version["Title"] == f"購買證明 {world.record(registration).values['code']}"
    account = world.row(f"SELECT AccountId FROM Asset WHERE Id = '{asset}'")["AccountId"]
    assert shown_on(world, account) == [version["ContentDocumentId"]]


def test_a_worker_that_dies_between_upload_and_links_leaves_nothing_to_be_made_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = bound(world)
    request = world.asks_for_repair(user, photos=uploads(world, user))
    monkeypatch.setattr(Filer, "_link", dies)
    with pytest.raises(Dead):
        world.run_until_idle()
    monkeypatch.undo()
    stir.expire_claims(world)
    world.run_until_idle()
    version = world.row(VERSIONS)
    order = row_of(world, request, "repair_request-workorder")
    assert shown_on(world, order) == [version["ContentDocumentId"]]


def test_the_case_number_does_not_wait_for_photos_nor_does_anybody_elses_row(world: World) -> None:
    user = bound(world)
    request = world.asks_for_repair(user, photos=uploads(world, user))
    for _ in range(2):
        world.system.delivery.deliver(Lane.URGENT)
        assert world.record(request).values["case_number"]
        assert world.rows(VERSIONS) == []
        with world.system.store.transaction() as session:
            pair = world.pair(request, "repair_request-case")
            outbox.want(session, pair.id, Lane.URGENT, Cause.LIVE)
    assert received(world) == "in_flight"
    world.run_until_idle()
    assert len(world.rows(VERSIONS)) == 1


def test_links_that_are_made_again_are_there_once(world: World) -> None:
    user = bound(world)
    request = world.asks_for_repair(user, photos=uploads(world, user))
    world.run_until_idle()
    with world.system.store.transaction() as session:  # as if nobody had lived to note it
        session.execute(sa.update(Filing).values(filed_at=None))
        pair = world.pair(request, "repair_request-case")
        outbox.want(session, pair.id, Lane.NORMAL, Cause.LIVE)
    world.run_until_idle()
    assert len(shown_on(world, row_of(world, request, "repair_request-workorder"))) == 1
    assert world.outbox() == []


class Dead(BaseException):
    """The worker is no more."""


def dies(*_: object) -> None:
    raise Dead


def test_of_an_erased_person_no_photo_is_left_here_or_in_the_org(world: World) -> None:
    user = bound(world)
    world.asks_for_repair(user, photos=uploads(world, user, 2))
    world.run_until_idle()
    uploads(world, user)
    stones = bootstrap.tombstones(world.settings)
    eraser = Erasure(world.system.store, stones, author="ops", reason="asked for it")
    touched = eraser.erase(world.person_id(user), world.now())
    assert (touched["files"], touched["files no form named"]) == (3, 1)
    world.run_until_idle()
    assert world.rows("SELECT Id FROM ContentDocument") == []
    assert world.rows(VERSIONS) == []
    with world.system.store.reading() as session:
        assert session.scalars(sa.select(FileContent.file_id)).all() == []
        assert set(session.scalars(sa.select(File.name))) == {""}
        assert session.scalars(sa.select(Filing.id)).all() == []


def test_photos_are_dropped_here_a_week_after_they_are_there_and_not_before(world: World) -> None:
    user = bound(world)
    world.asks_for_repair(user, photos=uploads(world, user))
    assert dropped_after(world, days=30) == 0
    world.run_until_idle()
    assert dropped_after(world, days=6) == 0
    assert dropped_after(world, days=8) == 1
    assert dropped_after(world, days=8) == 0


def dropped_after(world: World, days: int) -> int:
    at = world.now() + timedelta(days=days)
    with world.system.store.transaction() as session:
        session.execute(sa.update(Pruning).values(due=world.now(), place=None))
    return Retention(world.system.store, clock=lambda: at).turn().get("files", 0)
