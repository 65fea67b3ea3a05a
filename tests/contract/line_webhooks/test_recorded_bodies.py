"""Every body recorded from LINE's SDKs is accepted when signed; each distinct event is stored once."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from connector.domain.states import InboxState
from connector.line.signature import signed_by
from connector.store.session import Store
from connector.store.tables import Envelope, Notice, Received, ReplyToken
from tests.contract.line_webhooks.conftest import ACCOUNT

RECORDED = Path(__file__).parents[4] / "shared" / "contracts" / "line" / "webhooks"
BODIES = sorted(RECORDED.glob("*/*.json"))
Deliver = Callable[[bytes], requests.Response]

every_body = pytest.mark.parametrize(
    "path", BODIES, ids=lambda path: f"{path.parent.name}-{path.stem}"
)
pytestmark = pytest.mark.skipif(
    not BODIES, reason=f"the recordings do not lie beside this checkout ({RECORDED.name})"
)


def distinct(body: bytes) -> set[str]:
    """What tells the events of a body apart, by LINE's rule and ours."""
    return {name(event) for event in json.loads(body)["events"]}


def name(event: dict[str, Any]) -> str:
    """The event's id, or the SHA-256 of its canonical JSON."""
    canonical = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return event.get("webhookEventId") or hashlib.sha256(canonical.encode()).hexdigest()


def stored(store: Store) -> list[Received]:
    """What was received."""
    with store.reading() as session:
        return list(session.scalars(sa.select(Received)))


def count(store: Store, table: type) -> int:
    """How many rows a table has."""
    with store.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def in_standby(body: bytes) -> bytes:
    """The same body as a module channel gets it that is not in charge of the chat."""
    document = json.loads(body)
    for event in document["events"]:
        event["mode"] = "standby"
    return json.dumps(document, ensure_ascii=False).encode()


@every_body
def test_a_signed_body_is_accepted_and_each_event_stored_once(
    deliver: Deliver, store: Store, path: Path
) -> None:
    body = path.read_bytes()
    for _ in range(2):
        answer = deliver(body)
        assert (answer.status_code, answer.content) == (200, b"{}")
    rows = stored(store)
    assert len(rows) == len(distinct(body))
    assert sorted(name(row.body) for row in rows) == sorted(distinct(body))


@every_body
def test_a_body_is_read_to_its_end(
    deliver: Deliver, read_all: Callable[[], None], store: Store, path: Path
) -> None:
    deliver(path.read_bytes())
    read_all()
    unread = {row.kind: row.reason for row in stored(store) if row.state is not InboxState.DONE}
    assert unread == {}


@every_body
def test_nothing_is_owed_for_a_body_in_standby(
    deliver: Deliver, read_all: Callable[[], None], store: Store, path: Path
) -> None:
    body = in_standby(path.read_bytes())
    assert deliver(body).status_code == 200
    read_all()
    assert len(stored(store)) == len(distinct(body))
    assert [count(store, table) for table in (Notice, Envelope, ReplyToken)] == [0, 0, 0]


def test_the_same_follow_in_charge_is_greeted(
    deliver: Deliver, read_all: Callable[[], None], store: Store
) -> None:
    document = json.loads((RECORDED / "ruby" / "013-follow.json").read_bytes())
    document["events"] = [event | {"mode": "active"} for event in document["events"]]
    follows = [event for event in document["events"] if event["type"] == "follow"]
    follows[0]["timestamp"] = _now_in_milliseconds()
    deliver(json.dumps(document).encode())
    read_all()
    assert count(store, Notice) == 1


@every_body
def test_an_unsigned_body_is_refused_and_not_stored(address: str, store: Store, path: Path) -> None:
    body = path.read_bytes()
    for headers in ({}, {"x-line-signature": "bm90IG91cnM="}):
        answer = requests.post(f"{address}/webhooks/line", data=body, headers=headers, timeout=10)
        assert answer.status_code == 401
    assert stored(store) == []


def test_every_signature_vector_is_judged_as_recorded() -> None:
    for vector in json.loads((RECORDED / "signature-vectors.json").read_bytes()):
        account = replace(ACCOUNT, channel_secret=vector["channelSecret"])
        judged = signed_by((account,), vector["body"].encode(), vector["signature"])
        assert (judged is account) == vector["valid"], vector


def _now_in_milliseconds() -> int:
    return int(time.time() * 1000)
