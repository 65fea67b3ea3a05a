"""The bus: replay ids, retention, allowance, waiting, and what outlives the process."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from fastavro import parse_schema, schemaless_reader

from simulator.salesforce import store
from simulator.salesforce.events import log
from simulator.salesforce.events.bus import (
    AllowanceSpent,
    CorruptedReplayId,
    Topic,
    UnknownTopic,
)
from simulator.salesforce.events.channels import Member
from simulator.salesforce.events.clock import HOUR_MS
from simulator.salesforce.events.kept import Commit, PlatformEvent
from simulator.salesforce.events.log import EventLog
from simulator.salesforce.events.past import Past
from simulator.salesforce.metadata.definitions import object_definition
from simulator.salesforce.org import Addresses, SalesforceOrg

from .listener import LEADS, OURS, Listener
from .stage import Client, writing

ORDERS = "/event/Order__e"
TASKS = Member("ChangeEvents_TaskChangeEvent", "ChangeEvents", "TaskChangeEvent")


def write(org: SalesforceOrg, *names: str, kind: str = "Lead") -> list[str]:
    """Make rows, each in a transaction of its own."""
    made = []
    for name in names:
        with writing(org) as writer:
            values = {"LastName": name, "Company": "-"} if kind == "Lead" else {"LastName": name}
            made.append(writer.create(org.schema.objects[kind], values))
    return made


def clock(agent: Client, hours: Any) -> Any:
    return agent.http.post(f"{agent.url}/_simulator/clock", json={"hours": hours}, timeout=10)


def test_a_subscriber_goes_on_behind_the_id_it_stored(org: SalesforceOrg) -> None:
    first, second, third = write(org, *"王李林")
    events = org.events.after(LEADS, None, 100)
    assert len({each.replay_id for each in events}) == 3
    assert all(len(each.replay_id) >= 8 for each in events)
    listener = Listener(org)
    listener.place = events[0].replay_id
    assert [each.header["recordIds"] for each in listener.hear()] == [[second], [third]]
    listener.place = events[0].replay_id
    assert listener.hear(1)[0].header["recordIds"] == [second]
    listener.place = org.events.latest(LEADS)
    assert listener.hear() == [] and first


def test_topics_are_told_in_one_order(org: SalesforceOrg) -> None:
    ours = Listener(org, OURS)
    write(org, "王")
    write(org, "李", kind="Contact")
    write(org, "林")
    heard = ours.hear()
    assert [each.header["entityName"] for each in heard] == ["Lead", "Contact", "Lead"]
    contacts = Listener(org, "/data/ContactChangeEvent")
    contacts.place = heard[0].event.replay_id
    assert len(contacts.hear()) == 1


@pytest.mark.parametrize("replay_id", [b"", b"\x00" * 8, b"\x00" * 16, b"nothing of ours!"])
def test_an_id_that_is_not_ours_is_corrupted(org: SalesforceOrg, replay_id: bytes) -> None:
    with pytest.raises(CorruptedReplayId):
        org.events.after(LEADS, replay_id, 1)


def test_events_are_let_go_after_72_hours(agent: Client, org: SalesforceOrg) -> None:
    write(org, "王")
    (old,) = org.events.after(LEADS, None, 100)
    assert clock(agent, 71).json() == {"hours": 71}
    write(org, "李")
    assert len(org.events.after(LEADS, old.replay_id, 100)) == 1
    known = org.events.changes
    assert clock(agent, 1.5).json() == {"hours": 72.5}
    assert org.events.changes > known
    assert len(org.events.after(LEADS, None, 100)) == 1
    with pytest.raises(CorruptedReplayId):
        org.events.after(LEADS, old.replay_id, 100)
    # A stream that had all of it has lost nothing.
    assert len(org.events.after(LEADS, old.place, 100)) == 1
    assert [clock(agent, wrong).status_code for wrong in (-1, "x", None, True)] == [422] * 4


def test_what_is_too_much_is_let_go_before(
    org: SalesforceOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "MOST_KEPT", 1)
    monkeypatch.setattr(log, "TRIMMED_AT", 1)
    write(org, "王")
    (first,) = org.events.after(LEADS, None, 100)
    write(org, "李", "林")
    assert len(org.events.after(LEADS, None, 100)) == 1
    for replay_id in (first.replay_id, first.place):
        with pytest.raises(CorruptedReplayId):
            org.events.after(LEADS, replay_id, 100)


def test_what_is_let_go_is_not_held_any_more() -> None:
    kept, commit = EventLog(), Commit(1, 1, kept_at=0)
    kept.add(commit, ORDERS, [PlatformEvent(commit, 1, "id", "schema", b"payload")])
    assert not kept.purge(72 * HOUR_MS)
    assert kept.purge(72 * HOUR_MS + 1)
    assert list(kept.since([ORDERS], 0)) == []


def test_a_reset_empties_the_bus_and_ends_its_ids(agent: Client, org: SalesforceOrg) -> None:
    write(org, "王")
    (old,) = org.events.after(LEADS, None, 100)
    clock(agent, 1)
    org.reset()
    write(org, "李", "林")
    assert len(org.events.after(LEADS, None, 100)) == 2
    assert org.events.clock.hours == 0
    for replay_id in (old.replay_id, old.place):
        with pytest.raises(CorruptedReplayId):
            org.events.after(LEADS, replay_id, 100)


def test_deliveries_count_against_an_allowance_of_24_hours(
    agent: Client, org: SalesforceOrg
) -> None:
    shown = "DailyDeliveredPlatformEvents"
    assert agent.call("GET", "/limits").json()[shown] == {"Max": 50_000, "Remaining": 50_000}
    agent.switch(event_allowance=3)
    write(org, "王", "李")
    events = org.events.after(LEADS, None, 100)
    org.events.deliver(LEADS, events)
    assert agent.call("GET", "/limits").json()[shown] == {"Max": 3, "Remaining": 1}
    with pytest.raises(AllowanceSpent):
        org.events.deliver(LEADS, events)
    clock(agent, 25)
    org.events.deliver(LEADS, events)


def test_who_waits_is_woken_by_an_event(org: SalesforceOrg) -> None:
    known = org.events.changes
    started = time.monotonic()
    threading.Timer(0.05, write, (org, "王")).start()
    assert org.events.wait(known, 5) > known
    assert 0.04 < time.monotonic() - started < 2
    assert org.events.wait(org.events.changes, 0.01) == org.events.changes


def test_a_platform_event_is_published_on_the_bus_and_by_a_create(
    agent: Client, org: SalesforceOrg
) -> None:
    invent(org)
    topic = org.events.topic(ORDERS)
    assert topic.can_publish and not org.events.topic(LEADS).can_publish
    listener = Listener(org, ORDERS)
    agent.create("Order__e", Number__c="A1")
    agent.call("POST", "/sobjects/Order__e", {"Nothing__c": "A1"})
    (first,) = events = org.events.after(ORDERS, listener.place, 100)
    replay_id = org.events.publish(ORDERS, topic.schema_id, first.payload, "mine")
    (second,) = org.events.after(ORDERS, events[0].replay_id, 100)
    assert (second.id, second.replay_id, second.payload) == ("mine", replay_id, first.payload)
    told = schemaless_reader(BytesIO(first.payload), parse_schema(schema_of(org, topic)), None)
    assert isinstance(told, dict) and told["Number__c"] == "A1"
    assert told["CreatedById"] == org.user(org.credentials.agent.username)["Id"]
    with pytest.raises(UnknownTopic):
        org.events.publish(LEADS, topic.schema_id, b"", "x")
    shown = agent.call("GET", "/sobjects/Order__e/eventSchema?payloadFormat=compact").json()
    assert shown["uuid"] == topic.schema_id == first.schema_id


def test_published_events_outlive_the_process(tmp_path: Path) -> None:
    first = SalesforceOrg(tmp_path, Addresses(port=1))
    invent(first)
    topic = first.events.topic(ORDERS)
    first.events.publish(ORDERS, topic.schema_id, b"payload", "mine")
    before = first.events.after(ORDERS, None, 100)
    first.close()
    again = SalesforceOrg(tmp_path, Addresses(port=1))
    assert again.events.after(ORDERS, None, 100) == before
    again.close()


def invent(org: SalesforceOrg) -> None:
    """Make the platform event `Order__e`."""
    names = {"label": "Order", "pluralLabel": "Orders"}
    made = object_definition(
        "Order__e", names, (each.prefix for each in org.schema.objects.values())
    )
    number = {"type": "string", "label": "Number", "length": 20}
    org.store.customize(
        [
            {"object": "Order__e", "definition": made},
            {"object": "Order__e", "field": "Number__c", "definition": number},
        ]
    )


def schema_of(org: SalesforceOrg, topic: Topic) -> Any:
    return orjson.loads(org.events.schema(topic.schema_id) or "")


def test_events_and_their_ids_outlive_the_process(tmp_path: Path) -> None:
    first = SalesforceOrg(tmp_path, Addresses(port=1))
    start = first.events.latest(OURS)
    lead, other = write(first, "王", "李")
    with writing(first) as writer:
        changes = {"Rating": "Hot", "LeadSource": None, "Description": "x" * 1000}
        writer.update(first.schema.objects["Lead"], lead, {"Description": "y" * 1000})
        writer.update(first.schema.objects["Lead"], other, {"Rating": "Hot"})
    with writing(first) as writer:
        writer.update(first.schema.objects["Lead"], lead, changes)
        writer.delete(first.schema.objects["Lead"], other)
    before = first.events.after(OURS, start, 100)
    first.close()
    again = SalesforceOrg(tmp_path, Addresses(port=1))
    assert again.events.after(OURS, start, 100) == before
    assert len(before) == 6
    (new,) = write(again, "林")
    (event,) = again.events.after(OURS, before[-1].replay_id, 100)
    assert Listener(again, OURS).decoded(event).header["recordIds"] == [new]
    again.close()


def test_events_that_grew_too_old_meanwhile_leave_their_numbers() -> None:
    past = Past()
    past.note({"commit": [5, 2, 0, 0, 0, "", "", ""], "events": []}, {})
    assert (past.log.last, past.log.lost) == (6, 6)


def test_ids_are_refused_once_the_journal_was_shortened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = SalesforceOrg(tmp_path, Addresses(port=1))
    write(first, "王")
    first.store.change_channels([{"member": TASKS.name, "definition": asdict(TASKS)}])
    (event,) = first.events.after(LEADS, None, 100)
    first.close()
    with monkeypatch.context() as patched:
        patched.setattr(store, "STALE_FACTOR", 0)
        patched.setattr(store, "STALE_FLOOR", 0)
        shortening = SalesforceOrg(tmp_path, Addresses(port=1))
    assert shortening.events.after(LEADS, event.replay_id, 100) == []
    shortening.close()
    again = SalesforceOrg(tmp_path, Addresses(port=1))
    with pytest.raises(CorruptedReplayId):
        again.events.after(LEADS, event.replay_id, 100)
    assert again.store.channels.members[TASKS.name] == TASKS
    again.close()
