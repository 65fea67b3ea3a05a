"""`connector status`: the interface's JSON to the letter, and when all is idle."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from connector.domain.identifiers import uuid7
from connector.domain.states import EnvelopeState, InboxState, Ledger, OutboxState
from connector.store.tables import Envelope, LineAccount, Org, Outbox, Received, Source, Stream
from connector.sync.upkeep.status import Around, snapshot, status

LEDGER = {
    *("received", "by_source", "written", "notified", "unchanged", "ignored", "parked", "dead"),
    *("in_flight", "balanced"),
}
OUTBOX = {"ready", "waiting", "held", "claimed", "parked", "dead", "oldest_s"}
ENVELOPES = {"ready", "waiting", "held", "claimed", "uncertain", "dead", "oldest_s"}


@pytest.fixture
def look(town):
    def now(later=0.0, **around):
        with snapshot(town.store) as session:
            known = Around("0.1.0", 0.1, **around)
            return status(session, known, datetime.now(UTC) + timedelta(seconds=later))

    return now


@pytest.fixture
def owes(town):
    """Puts an envelope into a state."""

    def envelope(state, **values):
        town.friend("U" + uuid4().hex)
        with town.store.transaction() as session:
            person = session.scalar(sa.text("SELECT id FROM people ORDER BY id DESC LIMIT 1"))
            session.add(
                Envelope(person_id=person, oa="U0", retry_key=uuid4(), state=state, **values)
            )
            session.execute(sa.delete(Outbox))

    return envelope


def received(town, **values):
    row = {"source": Source.LINE, "kind": "follow", "body": {}, "at": datetime.now(UTC)}
    with town.store.transaction() as session:
        session.add(Received(dedupe_key=str(uuid7()), **row, **values))


def test_it_has_the_shape_of_the_interface(look):
    found = look()
    assert set(found) == {
        *("version", "time", "idle", "ledger", "queues", "streams", "salesforce", "line"),
        *("processes", "alerts"),
    }
    assert set(found["ledger"]) == LEDGER | {"by_hour"}
    assert set(found["ledger"]["by_source"]) == {"line", "form", "salesforce", "operator"}
    assert set(found["queues"]) == {"inbox", "outbox", "envelopes", "lanes"}
    assert set(found["queues"]["inbox"]) == {"ready", "claimed", "dead", "oldest_s"}
    assert set(found["queues"]["outbox"]) == OUTBOX
    assert set(found["queues"]["envelopes"]) == ENVELOPES
    assert set(found["queues"]["lanes"]) == {"urgent", "normal", "bulk"}
    org = {"organization_id", "state", "reason", "api_used", "api_limit", "reserve"}
    assert set(found["salesforce"]) == org


def test_nothing_to_do_is_idle_and_has_no_oldest(look):
    found = look()
    assert found["idle"] is True
    assert found["ledger"]["balanced"] is True
    assert found["queues"]["outbox"]["oldest_s"] is None
    assert found["time"].endswith("Z")


def test_an_intent_that_is_ready_is_work_of_its_lane(town, look):
    town.friend()
    found = look(later=90)
    assert (found["idle"], found["queues"]["outbox"]["ready"]) == (False, 1)
    assert found["queues"]["outbox"]["oldest_s"] >= 90
    assert sum(found["queues"]["lanes"].values()) == 1


@pytest.mark.parametrize("state", ["waiting", "claimed"])
def test_an_intent_that_waits_for_a_time_or_an_answer_is_not_idle(town, look, state):
    town.friend()
    town.change(Outbox, sa.true(), state=OutboxState(state))
    assert look()["idle"] is False
    assert look()["queues"]["outbox"][state] == 1


@pytest.mark.parametrize("state", ["held", "parked", "dead"])
def test_what_moves_only_by_somebodys_act_is_idle(town, look, state):
    town.friend()
    town.change(Outbox, sa.true(), state=OutboxState(state))
    found = look()
    assert (found["idle"], found["queues"]["outbox"][state]) == (True, 1)
    assert found["queues"]["outbox"]["oldest_s"] is None


def test_an_event_that_is_read_again_later_is_still_to_be_read(town, look):
    received(town)
    received(town, state=InboxState.WAITING)
    found = look()
    assert (found["idle"], found["queues"]["inbox"]["ready"]) == (False, 2)
    assert found["ledger"]["in_flight"] == 2


def test_an_event_that_could_not_be_read_is_dead(town, look):
    received(town, state=InboxState.DEAD, ledger=Ledger.DEAD)
    found = look()
    assert (found["idle"], found["queues"]["inbox"]["dead"]) == (True, 1)
    assert (found["ledger"]["dead"], found["ledger"]["balanced"]) == (1, True)


def test_an_envelope_that_waits_for_a_reply_token_is_not_idle(owes, look):
    owes(EnvelopeState.WAITING, token_hoped_until=datetime.now(UTC) + timedelta(seconds=50))
    found = look()
    assert (found["idle"], found["queues"]["envelopes"]["waiting"]) == (False, 1)


@pytest.mark.parametrize("state", ["held", "uncertain", "dead"])
def test_an_envelope_that_stands_still_is_counted_and_idle(owes, look, state):
    owes(EnvelopeState(state))
    found = look()
    assert (found["idle"], found["queues"]["envelopes"][state]) == (True, 1)


def test_a_stream_tells_how_far_it_is_read(town, look):
    at = datetime(2026, 11, 21, 4, tzinfo=UTC)
    with town.store.transaction() as session:
        row = Stream(name="Case", via="poll", watermark=at, read_through=at, read_at=at)
        session.add(row)
    (stream,) = look()["streams"]
    assert stream["read_through"] == "2026-11-21T04:00:00.000Z"
    assert (stream["name"], stream["via"]) == ("Case", "poll")
    assert stream["lag_s"] > 0


def test_the_org_is_paused_only_until_its_time(town, look):
    town.pauses()
    town.change(Org, sa.true(), api_used=10, api_limit=1000)
    org = look()["salesforce"]
    assert (org["state"], org["reason"]) == ("paused", "the org is in maintenance")
    assert (org["api_used"], org["api_limit"], org["reserve"]) == (10, 1000, 100)
    assert look(later=7200)["salesforce"]["state"] == "open"


def test_official_accounts_and_processes_are_told(town, look):
    with town.store.transaction() as session:
        session.add(LineAccount(oa="U1", quota=500, used=3))
    part = {"name": "web", "pid": 5, "state": "running"}
    found = look(accounts=["U1", "U2"], processes=[part])
    known, new = found["line"]
    assert known == {"bot_user_id": "U1", "quota": 500, "used": 3}
    assert new == {"bot_user_id": "U2", "quota": None, "used": None}
    assert found["processes"] == [part]


def test_the_command_tells_the_same_to_programs_and_to_people(town, connector):
    town.friend()
    answer = connector("status", "--json")
    assert (answer.code, answer.json["idle"], answer.json["processes"]) == (0, False, [])
    told = connector("status")
    assert "working" in told.out
    assert "balanced" in told.out
    assert not told.err


def test_without_a_stack_and_a_database_it_says_what_to_start(connector, monkeypatch):
    monkeypatch.delenv("CONNECTOR_DATABASE_URL")
    answer = connector("status", "--json", "--data", "nowhere")
    assert answer.code == 2
    assert answer.json["error"]["code"] == "not_running"
    assert answer.json["error"]["fix"] == "start it with: connector up --data nowhere"


def test_a_missing_setting_is_named(connector, monkeypatch):
    monkeypatch.delenv("CONNECTOR_SECRET_KEY")
    answer = connector("status")
    assert answer.code == 2
    assert "missing: CONNECTOR_SECRET_KEY" in answer.err


def test_a_database_that_does_not_answer_is_one_sentence(connector, monkeypatch):
    monkeypatch.setenv("CONNECTOR_DATABASE_URL", "postgresql+psycopg://a:b@127.0.0.1:1/x")
    answer = connector("status", "--json")
    assert (answer.code, answer.json["error"]["code"]) == (2, "postgres")
