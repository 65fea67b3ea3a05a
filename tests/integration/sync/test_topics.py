"""What happens in the org comes by change events, through all that can go wrong with a stream."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import requests
import sqlalchemy as sa

from connector.salesforce.capture import TOPIC
from connector.salesforce.pubsub.events import ChangeEvent, Decoder
from connector.store.tables import Hole, Pair, Received, Stream
from connector.sync.reading import carriage
from connector.sync.reading.topics import TopicReader
from tests.integration.sync.test_merges import merges
from tests.integration.sync.test_merging import CONTACT, line_edits, member_of
from tests.world import API, World


def switch(world: World, **values: Any) -> None:
    url = f"{world.simulators.org_url}/_simulator/switches"
    requests.patch(url, json=values, timeout=5).raise_for_status()


def rest_calls(world: World, since: int) -> list[str]:
    calls = [call for call in world.org_calls(since) if call["method"] != "GRPC"]
    return [f"{call['method']} {call['path']}" for call in calls]


def last_call(world: World) -> int:
    return max((call["seq"] for call in world.org_calls()), default=0)


def all_of(world: World, table: Any, *where: Any) -> list[Any]:
    with world.system.store.reading() as session:
        return list(session.scalars(sa.select(table).where(*where).order_by(table.id)))


def topic(world: World) -> Stream:
    with world.system.store.reading() as session:
        return session.get_one(Stream, TOPIC)


def name_of(world: World, member: UUID) -> str:
    return world.record(member).values["name"]


def edits_in_one_transaction(world: World, rows: list[str], **fields: Any) -> None:
    records = [{"attributes": {"type": "Contact"}, "id": row, **fields} for row in rows]
    world._agent("PATCH", f"{API}/composite/sobjects", json={"allOrNone": True, "records": records})


def break_off(world: World) -> None:
    """The connection breaks, and no new one comes about until `mend`."""
    world.org_fault("drop_stream", match={"method": "GRPC"})
    world.until(lambda: not world.hears())


def mend(world: World) -> None:
    requests.delete(f"{world.simulators.org_url}/_simulator/faults", timeout=5).raise_for_status()
    world.until(world.hears, seconds=30)


def test_an_edit_comes_by_event_and_costs_no_call(world: World) -> None:
    _, member = member_of(world)
    contact = world.row(CONTACT)
    with world.listening():
        world.polls, since = False, last_call(world)
        time.sleep(1)  # what happens within the second of our own write is asked about
        world.agent_edits("Contact", contact["Id"], Email="ming@example.com")
        world.until(lambda: world.record(member).values["email"] == "ming@example.com")
        world.catch_up()
        assert rest_calls(world, since) == []


def test_our_own_writes_come_back_as_events_and_cost_nothing(world: World) -> None:
    user, _ = member_of(world)
    with world.listening():
        world.polls, since = False, last_call(world)
        world.asks_for_repair(user)
        world.catch_up()
        assert rest_calls(world, since) == [f"POST {API}/composite"]
        echoes = all_of(world, Received, Received.dedupe_key.like("event:%"))
        assert {row.kind for row in echoes} >= {"Case", "WorkOrder"}
        assert {row.verdict for row in echoes} == {"unchanged"}


def test_what_automation_changes_in_our_own_transaction_is_taken(world: World) -> None:
    user, _ = member_of(world)
    with world.listening():
        world.org_fault("edit_after", 1, object="Case", values={"Status": "Closed"})
        request = world.asks_for_repair(user)
        world.catch_up()
        assert world.record(request).values["status"] == "closed"


def test_an_agents_status_becomes_a_message(world: World) -> None:
    user, _ = member_of(world)
    world.asks_for_repair(user)
    world.run_until_idle()
    case = world.row("SELECT Id FROM Case")["Id"]
    with world.listening():
        world.agent_edits("Case", case, Status="Working")
        world.until(lambda: any("已開始處理" in text for text in world.texts(user)))


def test_a_part_of_a_name_is_read_whole(world: World) -> None:
    _, member = member_of(world)
    contact = world.row(CONTACT)
    with world.listening():
        world.agent_edits("Contact", contact["Id"], FirstName="大明")
        world.catch_up()
        assert name_of(world, member) == "王大明"


def test_events_that_come_twice_are_taken_once(world: World) -> None:
    _, member = member_of(world)
    contact = world.row(CONTACT)
    with world.listening():
        world.org_fault("duplicate_events", match={"method": "GRPC"})
        world.agent_edits("Contact", contact["Id"], Email="a@example.com")
        world.agent_edits("Contact", contact["Id"], Email="b@example.com")
        world.catch_up()
        told = all_of(world, Received, Received.dedupe_key.like("event:%"))
        assert len(told) == 2
        assert world.record(member).values["email"] == "b@example.com"


def test_events_out_of_order_never_bring_an_older_value_back(world: World) -> None:
    _, member = member_of(world)
    contact = world.row(CONTACT)
    with world.listening():
        break_off(world)
        world.system.streams.read()
        for email in ("a@example.com", "b@example.com", "c@example.com", "d@example.com"):
            world.agent_edits("Contact", contact["Id"], Email=email)
        requests.delete(f"{world.simulators.org_url}/_simulator/faults", timeout=5)
        world.org_fault("reorder_events", match={"method": "GRPC"})
        world.until(world.hears, seconds=30)
        world.catch_up()
        assert world.record(member).values["email"] == "d@example.com"
        assert world.row(CONTACT)["Email"] == "d@example.com"


def test_what_happens_while_nobody_listens_is_told_afterwards(world: World) -> None:
    _, member = member_of(world)
    contact = world.row(CONTACT)
    with world.listening():
        pass
    world.agent_edits("Contact", contact["Id"], Email="x@example.com")
    line_edits(world, "member", member, phone="+886922333444")
    with world.listening():
        world.catch_up()
        told = all_of(world, Received, Received.dedupe_key.like("event:%"))
        assert [row.kind for row in told if row.body.get("Email")] == ["Contact"]
        assert world.record(member).values["email"] == "x@example.com"
        assert world.row(CONTACT)["MobilePhone"] == "+886922333444"


def test_an_event_that_is_lost_is_found_by_the_hourly_check(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, member = member_of(world)
    contact = world.row(CONTACT)
    with world.listening():
        whole = TopicReader._store
        monkeypatch.setattr(TopicReader, "_store", lambda self, found, batches: None)
        world.agent_edits("Contact", contact["Id"], Email="lost@example.com")
        world.run_until_idle()
        time.sleep(0.3)
        monkeypatch.setattr(TopicReader, "_store", whole)
        world.run_until_idle()
        assert world.record(member).values["email"] is None
        an_hour_ago = world.now() - timedelta(hours=1)
        with world.system.store.transaction() as session:
            session.execute(sa.update(Stream).values(read_at=an_hour_ago))
        world.until(lambda: world.record(member).values["email"] == "lost@example.com")


def test_while_the_stream_is_broken_the_org_is_polled(world: World) -> None:
    _, member = member_of(world)
    contact = world.row(CONTACT)
    with world.listening():
        break_off(world)
        world.agent_edits("Contact", contact["Id"], Email="x@example.com")
        world.until(lambda: world.record(member).values["email"] == "x@example.com")
        assert topic(world).reason
        mend(world)
        assert topic(world).reason is None


def test_a_gap_is_read_from_the_org(world: World) -> None:
    _, member = member_of(world)
    contact = world.row(CONTACT)
    with world.listening():
        world.org_fault("gap", 1, object="Contact")
        world.agent_edits("Contact", contact["Id"], Email="gap@example.com")
        world.catch_up()
        assert world.record(member).values["email"] == "gap@example.com"
        (told,) = all_of(world, Received, Received.dedupe_key.like("event:%"))
        assert told.body["ChangeEventHeader"]["changeType"] == "GAP_UPDATE"


def test_an_overflow_lets_the_object_be_read_again_and_says_so(world: World) -> None:
    _, member = member_of(world)
    contact = world.row(CONTACT)
    with world.listening():
        world.org_fault("overflow", 1, object="Contact")
        world.agent_edits("Contact", contact["Id"], Email="flood@example.com")
        world.until(lambda: world.record(member).values["email"] == "flood@example.com")
        world.until(lambda: all(hole.closed_at for hole in all_of(world, Hole)))
        (hole,) = all_of(world, Hole)
        assert hole.objects == ["Contact"]


def test_an_event_that_cannot_be_decoded_does_not_stop_the_stream(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, member = member_of(world)
    contact = world.row(CONTACT)
    with world.listening():
        decode = Decoder._read

        def garbled(self: Decoder, payload: bytes, replay_id: bytes) -> ChangeEvent:
            monkeypatch.setattr(Decoder, "_read", decode)
            raise EOFError

        monkeypatch.setattr(Decoder, "_read", garbled)
        world.agent_edits("Contact", contact["Id"], Email="garbled@example.com")
        world.until(lambda: world.record(member).values["email"] == "garbled@example.com")
        world.until(lambda: all(hole.closed_at for hole in all_of(world, Hole)))
        assert [hole.objects for hole in all_of(world, Hole)] == [["Contact"]]
        world.agent_edits("Contact", contact["Id"], Email="next@example.com")
        world.until(lambda: world.record(member).values["email"] == "next@example.com")


def test_a_place_that_is_kept_no_more_leaves_a_hole_that_is_filled(world: World) -> None:
    _, member = member_of(world)
    contact = world.row(CONTACT)
    with world.listening():
        pass
    world.agent_edits("Contact", contact["Id"], Email="late@example.com")
    url = f"{world.simulators.org_url}/_simulator/clock"
    requests.post(url, json={"hours": 80}, timeout=5).raise_for_status()
    with world.listening():
        world.until(lambda: world.record(member).values["email"] == "late@example.com")
        world.until(lambda: all(hole.closed_at for hole in all_of(world, Hole)))
        (hole,) = all_of(world, Hole)
        assert set(hole.objects) == {"Asset", "Case", "Contact", "Lead", "WorkOrder"}
        assert "replayid" in hole.reason


def test_one_event_for_several_rows_is_taken_for_each(world: World) -> None:
    _, first = member_of(world)
    _, second = member_of(world, "陳小華", "0922333444")
    rows = [row["Id"] for row in world.rows("SELECT Id FROM Contact")]
    with world.listening():
        edits_in_one_transaction(world, rows, Email="both@example.com")
        world.catch_up()
        for member in (first, second):
            assert world.record(member).values["email"] == "both@example.com"


def test_siblings_that_a_crash_cut_apart_are_both_taken(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enriched events of one change share a replay id: the stored place lies before them."""
    _, first = member_of(world)
    _, second = member_of(world, "陳小華", "0922333444")
    rows = [row["Id"] for row in world.rows("SELECT Id FROM Contact")]
    whole = TopicReader._store

    def cut(self: TopicReader, found: Any, batches: Any) -> None:
        events = [event for batch in batches for event in batch.events]
        if events:
            object.__setattr__(batches[0], "events", tuple(events[:1]))
            whole(self, found, batches[:1])
            raise ConnectionResetError  # the process dies here
        whole(self, found, batches)

    with world.listening():
        monkeypatch.setattr(TopicReader, "_store", cut)
        edits_in_one_transaction(world, rows, Email="both@example.com")
        world.until(lambda: bool(all_of(world, Received, Received.dedupe_key.like("event:%"))))
        monkeypatch.setattr(TopicReader, "_store", whole)
        world.until(world.hears, seconds=30)
        world.catch_up()
    for member in (first, second):
        assert world.record(member).values["email"] == "both@example.com"
    told = all_of(world, Received, Received.dedupe_key.like("event:%"))
    assert sorted(row.subject for row in told) == sorted(rows)


def test_a_second_subscriber_waits_and_takes_over_only_what_has_lapsed(world: World) -> None:
    member_of(world)
    with world.listening():
        system = world.system
        assert system.topics is not None
        other = TopicReader(
            system.store,
            system.catalogs,
            system.gateway,
            system.topics.bus,
            system.guard,
            timedelta(seconds=5),
            "line-connector/other",
        )
        assert other._lease(TOPIC, frozenset({"Contact"})) is None
        with system.store.transaction() as session:
            session.execute(sa.update(Stream).values(leased_until=world.now()))
            first = session.get_one(Stream, TOPIC).lease_token
        world.until(lambda: topic(world).leased_until > world.now())  # the first holds on to it
        assert topic(world).lease_token == first


def test_the_session_may_end_while_we_listen(world: World) -> None:
    _, member = member_of(world)
    contact = world.row(CONTACT)
    with world.listening():
        world.org_fault("expire_session", 1, match={"method": "GRPC"})
        world.until(world.hears, seconds=30)
        world.agent_edits("Contact", contact["Id"], Email="again@example.com")
        world.until(lambda: world.record(member).values["email"] == "again@example.com")


def test_a_spent_allowance_lets_us_poll_until_there_is_some_again(world: World) -> None:
    _, member = member_of(world)
    contact = world.row(CONTACT)
    with world.listening():
        with world.system.store.transaction() as session:
            session.execute(sa.text("UPDATE orgs SET events_limit = 10, events_used = 8"))
        world.until(lambda: not world.hears())
        assert "deliveries" in str(topic(world).reason)
        world.agent_edits("Contact", contact["Id"], Email="polled@example.com")
        world.until(lambda: world.record(member).values["email"] == "polled@example.com")
        with world.system.store.transaction() as session:
            session.execute(sa.text("UPDATE orgs SET events_told_at = NULL"))
        world.until(world.hears, seconds=30)


def test_a_row_that_is_deleted_is_asked_for_in_the_recycle_bin_first(world: World) -> None:
    _, member = member_of(world)
    contact = world.row(CONTACT)
    with world.listening():
        since = last_call(world)
        world.agent_deletes("Contact", contact["Id"])
        world.catch_up()
        assert world.pair(member, "member-contact").state == "gone"
        assert rest_calls(world, since)


def test_a_merge_takes_the_pair_to_the_winner(world: World) -> None:
    _, member = member_of(world)
    loser = world.row(CONTACT)["Id"]
    winner = world.agent_makes("Contact", LastName="王", FirstName="小明")
    with world.listening():
        merges(world, "Contact", winner, loser)
        world.catch_up()
        assert world.pair(member, "member-contact").salesforce_id == winner


def test_an_event_older_than_our_own_write_changes_nothing(world: World) -> None:
    """An agent's edit that our write came after is read from the org, not taken from the event."""
    _, member = member_of(world)
    contact = world.row(CONTACT)
    with world.listening():
        pass
    with world.system.store.reading() as session:
        seen = session.scalars(sa.select(Pair.seen_at).where(Pair.object == "Contact")).one()
    assert seen is not None
    world.agent_edits("Contact", contact["Id"], Email="old@example.com")
    with world.system.store.transaction() as session:
        session.execute(
            sa.update(Pair)
            .where(Pair.object == "Contact")
            .values(seen_at=world.now() + timedelta(hours=1))
        )
    since = last_call(world)
    with world.listening():
        world.catch_up()
        assert world.record(member).values["email"] == "old@example.com"
        assert f"POST {API}/composite" in rest_calls(world, since)


def test_nothing_is_carried_once_the_topic_falls_silent(world: World) -> None:
    member_of(world)
    with world.listening(), world.system.store.transaction() as session:
        assert carriage.carried(session, world.now())
        assert not carriage.carried(session, world.now() + carriage.SILENCE)


def test_asked_to_stop_it_leaves_the_topic_to_the_next(world: World) -> None:
    with world.listening():
        assert topic(world).leased_until is not None
    assert topic(world).leased_until is None
    assert not world.hears()
