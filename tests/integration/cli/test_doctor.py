"""What the doctor looks at, and that it says how to mend what is wrong."""

import json
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from connector.cli import examination
from connector.ground.stack import Stack, StackPart
from connector.salesforce.doctor import Finding as OrgFinding
from connector.store.tables import Hole, Org, Published, Received, Stream
from tests.integration.cli.conftest import ORG

ACCOUNT = {
    "provider_id": "1",
    "bot_user_id": "U1",
    "basic_id": "@a",
    "channel_id": "1",
    "channel_secret": "s",
    "login_channel_id": "2",
    "liff_id": "3-x",
}


class Gateway:
    """An org with an id."""

    def __init__(self, organization_id=ORG):
        self.id = organization_id

    def organization_id(self):
        return self.id

    def close(self):
        pass


@pytest.fixture
def look(town, connector, monkeypatch):
    """Examines a deployment whose org and official accounts are well."""
    monkeypatch.setattr("connector.bootstrap.open_gateway", lambda _settings: Gateway())
    well = [OrgFinding(ok=True, what="signed in")]
    monkeypatch.setattr(examination, "examine_org", lambda *_: well)
    monkeypatch.setattr(examination, "examine_line", lambda *_: [])
    monkeypatch.setenv("CONNECTOR_LINE_ACCOUNTS", json.dumps([ACCOUNT]))

    def findings(check):
        told = connector("doctor", "--json").json["findings"]
        return [each for each in told if each["check"] == check]

    return findings


def stored(town, row):
    with town.store.transaction() as session:
        session.add(row)


def test_settings_database_mappings_org_and_ledger_are_well(look):
    for check in ("settings", "postgres", "migrations", "mappings", "salesforce", "org", "ledger"):
        (finding,) = look(check)
        assert finding["ok"], finding


def test_redis_that_does_not_answer_is_a_finding_with_a_way_to_mend_it(look, connector):
    (finding,) = look("redis")
    assert finding["ok"] is False
    assert "CONNECTOR_REDIS_URL" in finding["fix"]
    answer = connector("doctor")
    assert answer.code == 1
    assert "what to do: See that it runs" in answer.out


def test_missing_settings_are_the_only_finding(connector, monkeypatch):
    monkeypatch.delenv("CONNECTOR_SECRET_KEY")
    answer = connector("doctor", "--json")
    (finding,) = answer.json["findings"]
    assert (answer.code, finding["check"], finding["ok"]) == (1, "settings", False)
    assert "CONNECTOR_SECRET_KEY" in finding["message"]


def test_a_database_of_another_revision_must_be_migrated(town, look):
    with town.store.transaction() as session:
        was = session.scalar(sa.text("SELECT version_num FROM alembic_version"))
        session.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))
    (finding,) = look("migrations")
    with town.store.transaction() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = :was"), {"was": was})
    assert finding["ok"] is False
    assert "connector prepare" in finding["fix"]


def test_a_database_that_does_not_answer_leaves_out_what_builds_on_it(look, connector, monkeypatch):
    monkeypatch.setenv("CONNECTOR_DATABASE_URL", "postgresql+psycopg://a:b@127.0.0.1:1/x")
    told = connector("doctor", "--json").json["findings"]
    checks = {each["check"]: each["ok"] for each in told}
    assert checks["postgres"] is False
    assert checks["salesforce"] is True
    assert "ledger" not in checks


def test_no_live_mapping_is_a_finding(town, look):
    town.change(Published, sa.true(), live=False)
    (finding,) = look("mappings")
    assert finding["ok"] is False


def test_another_org_than_the_one_the_database_is_bound_to_is_a_finding(town, look):
    town.change(Org, sa.true(), organization_id="00D5g000000Other")
    (finding,) = look("org")
    assert finding["ok"] is False
    assert ORG in finding["message"]


def test_a_database_that_is_not_bound_is_a_finding(town, look):
    with town.store.transaction() as session:
        session.execute(sa.delete(Org))
    (finding,) = look("org")
    assert finding["message"] == "the database is not bound to an org"


def test_what_the_org_lacks_is_told_and_the_rest_is_looked_at(look, monkeypatch):
    lacks = [OrgFinding(ok=False, what="Case.X is missing", fix="Create it.")]
    monkeypatch.setattr(examination, "examine_org", lambda *_: lacks)
    (finding,) = look("salesforce")
    assert (finding["ok"], finding["fix"]) == (False, "Create it.")
    assert look("ledger")


def test_a_look_that_fails_is_a_finding_and_not_the_end(look, monkeypatch):
    def fails(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(examination, "examine_line", fails)
    (finding,) = look("line")
    assert finding["ok"] is False
    assert look("ledger")[0]["ok"]


def test_no_official_account_is_a_finding(look, monkeypatch):
    monkeypatch.setenv("CONNECTOR_LINE_ACCOUNTS", "[]")
    (finding,) = look("line")
    assert "CONNECTOR_LINE_ACCOUNTS" in finding["fix"]


def test_a_stream_that_lags_is_a_finding(town, look):
    now = datetime.now(UTC)
    old = datetime(2026, 1, 1, tzinfo=UTC)
    stored(town, Stream(name="Case", via="poll", watermark=now, read_through=now, read_at=now))
    stored(town, Stream(name="Lead", via="poll", watermark=old, read_through=old, read_at=old))
    found = {each["message"].split()[0]: each["ok"] for each in look("streams")}
    assert found == {"Case": True, "Lead": False}


def test_a_topic_that_fell_silent_and_a_hole_in_it_are_findings(town, look):
    now, old = datetime.now(UTC), datetime(2026, 1, 1, tzinfo=UTC)
    times = {"watermark": old, "read_through": now, "read_at": now}
    heard = {"heard_at": now, "live_since": now}
    silent = {"heard_at": old, "live_since": old, "reason": "the session ended"}
    stored(town, Stream(name="/data/A__chn", via="pubsub", **times, **heard))
    stored(town, Stream(name="/data/B__chn", via="pubsub", **times, **silent))
    late = {**times, "read_through": old}
    stored(town, Stream(name="Case", via="poll", carried_by="/data/A__chn", **late))
    stored(town, Hole(stream="A", objects=["Lead"], since=old, until=now, reason="GAP_OVERFLOW"))
    topic, silence, case, hole = look("streams")
    assert [topic["ok"], silence["ok"], case["ok"], hole["ok"]] == [True, False, True, False]
    assert "the session ended" in silence["message"]
    assert "Lead may have changed unheard" in hole["message"] and hole["fix"]


def test_a_ledger_that_does_not_balance_is_a_finding(town, look):
    town.friend()
    town.change(Received, sa.true(), ledger="written")
    (finding,) = look("ledger")
    assert (finding["ok"], finding["fix"]) == (False, "Name them: connector ledger")


def test_a_process_that_is_down_is_a_finding(look, monkeypatch):
    parts = tuple(
        StackPart(name, state, 1, "", 0, None, f"logs/{name}.log", 15)
        for name, state in (("web", "running"), ("prepare", "done"), ("worker", "waiting"))
    )
    at = ("up", 1, "", ".", "http://x", None, None, None, None, "", "")
    stack = Stack(*at, environment={"X_TEST": "1"}, parts=parts)
    monkeypatch.setattr("connector.cli.deployment.read_stack", lambda _data: stack)
    found = {each["message"]: each for each in look("process")}
    assert found["web is running"]["ok"]
    assert found["prepare is done"]["ok"]
    assert found["worker is waiting"]["fix"] == "See its log: logs/worker.log"


def test_needs_are_what_the_live_mappings_read_and_write(town):
    with town.store.reading() as session:
        needs = {need.object: need for need in examination.needs(town.catalogs.live(session))}
    assert "MobilePhone" in needs["Contact"].written
    assert "AccountId" in needs["Contact"].written
    assert "CaseNumber" in needs["Case"].read
    assert "CaseNumber" not in needs["Case"].written
    assert needs["Product2"].creates is False
    assert needs["Product2"].written == ()
