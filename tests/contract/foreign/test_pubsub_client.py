"""The Node.js client of the Pub/Sub API, unmodified, over TLS."""

from __future__ import annotations

from typing import Any

import requests

from .conftest import Answered
from .org import Org

INVALID_ARGUMENT = 3


def create_leads(org: Org, count: int) -> None:
    """New Leads, one transaction after the other."""
    for at in range(0, count, 200):
        records = [
            {"attributes": {"type": "Lead"}, "LastName": f"L{number}", "Company": "-"}
            for number in range(at, min(at + 200, count))
        ]
        answer = requests.post(
            f"{org.url}/services/data/v62.0/composite/sobjects",
            json={"records": records},
            headers={"Authorization": f"Bearer {org.credentials['access_token']}"},
            timeout=10,
        )
        assert all(each["success"] for each in answer.json()), answer.text


def headers(events: list[dict[str, Any]], name: str) -> list[Any]:
    return [each["header"][name] for each in events]


def test_a_create_and_an_update_are_decoded(pubsub: Answered) -> None:
    told = pubsub("changes")
    made, changed = told["events"]
    assert headers(told["events"], "changeType") == ["CREATE", "UPDATE"]
    assert made["header"]["recordIds"] == changed["header"]["recordIds"] == [told["id"]]
    assert made["values"]["Company"] == "A" and made["values"]["Name"]["LastName"] == "王"
    assert set(changed["header"]["changedFields"]) == {
        *("Name.FirstName", "Company", "LastModifiedDate"),
    }
    assert changed["values"]["Company"] == "B"
    assert changed["values"]["Name"] == "大明" or changed["values"]["Name"]["FirstName"] == "大明"
    assert "client=tester/1" in made["header"]["changeOrigin"]


def test_goes_on_behind_a_stored_replay_id(pubsub: Answered, org: Org) -> None:
    create_leads(org, 3)
    first, *rest = pubsub("earliest", count=3)
    again = pubsub("replay", replay_id=first["replayId"])
    assert [each["id"] for each in again][:1] == [rest[0]["id"]]


def test_a_replay_id_that_nobody_gave_is_reported(pubsub: Answered, org: Org) -> None:
    create_leads(org, 1)
    told = pubsub("corrupted")
    assert told["code"] == INVALID_ARGUMENT
    assert told["trailer"] == ("sfdc.platform.eventbus.grpc.subscription.fetch.replayid.corrupted")
    assert "Ensure that the Replay ID is valid." in told["details"]


def test_a_gap_is_a_header_without_values(pubsub: Answered, org: Org) -> None:
    org.fault("gap", object="Lead")
    create_leads(org, 1)
    (gap,) = pubsub("earliest", count=1)
    assert gap["header"]["changeType"] == "GAP_CREATE"
    assert gap["values"] == {}


def test_asks_for_more_when_it_has_got_what_it_asked_for(pubsub: Answered, org: Org) -> None:
    create_leads(org, 150)
    events = pubsub("earliest", count=150)
    assert len({each["id"] for each in events}) == 150
    (stream,) = [call for call in org.calls() if call["path"].endswith("/Subscribe")]
    assert (stream["method"], stream["records"]) == ("GRPC", 150)
    assert "grpc-node" in stream["user_agent"]
