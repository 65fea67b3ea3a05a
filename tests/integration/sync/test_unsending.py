"""A message that its sender took back is masked in every copy, whichever came first."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from connector.domain.states import InboxState
from connector.line.events import read_delivery
from connector.store.tables import Received
from connector.sync.incoming import line_events
from connector.sync.incoming.intake import receive_events
from connector.sync.upkeep import sweeping
from tests.columns import holders
from tests.world import World

SAID = "我的密碼是芝麻開門"
MESSAGE = "55501"


def arrives(world: World, event_id: str, **event: Any) -> None:
    """An event reaches the intake."""
    user = "U" + "7" * 32
    whole = {
        "mode": "active",
        "timestamp": int(world.now().timestamp() * 1000),
        "source": {"type": "user", "userId": user},
        "webhookEventId": event_id,
        "deliveryContext": {"isRedelivery": False},
        **event,
    }
    body = {"destination": world.account.bot_user_id, "events": [whole]}
    delivery = read_delivery(json.dumps(body, ensure_ascii=False).encode())
    receive_events(world.system.store, [(world.account, delivery)], world.turns)


def says(world: World, event_id: str = "01A") -> None:
    message = {"type": "text", "id": MESSAGE, "text": SAID}
    arrives(world, event_id, type="message", message=message, replyToken=f"r{event_id}")


def read(world: World) -> None:
    """Let the inbox be read, what is put off for a while too."""
    with world.system.store.transaction() as session:
        session.execute(sa.update(Received).values(due=sa.func.clock_timestamp()))
    sweeping.sweep(world.system.store)
    while world.system.reader.read():
        pass


def takes_back(world: World) -> None:
    arrives(world, "01Z", type="unsend", unsend={"messageId": MESSAGE})


def test_every_copy_is_masked_when_a_message_is_taken_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(world)
    read(world)
    monkeypatch.setattr(line_events, "friendship", None)
    says(world, "01B")
    world.system.reader.read()
    with world.system.store.transaction() as session:
        broken = session.scalars(sa.select(Received).where(Received.dedupe_key == "01B")).one()
        broken.state, broken.reason = InboxState.DEAD, f"could not be read: {SAID}"
        broken.original = dict(broken.body)
        broken.body, broken.edited_by = {**broken.body, "mode": "standby"}, "amy"
    monkeypatch.undo()
    assert set(holders(world.system.store, [SAID])) == {
        "received.body",
        "received.original",
        "received.reason",
    }
    takes_back(world)
    read(world)
    assert holders(world.system.store, [SAID]) == {}
    with world.system.store.reading() as session:
        kept = session.scalars(sa.select(Received).where(Received.kind == "message")).all()
        assert [row.body["message"] for row in kept] == [{"type": "unsent"}] * 2
        assert kept[0].original is None


def test_a_message_that_comes_after_it_was_taken_back_is_masked_read_or_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes_back(world)
    read(world)
    says(world, "01C")
    read(world)
    assert holders(world.system.store, [SAID]) == {}
    monkeypatch.setattr(line_events, "friendship", None)
    says(world, "01D")
    world.system.reader.read()
    monkeypatch.undo()
    assert holders(world.system.store, [SAID]) == {}
    read(world)
    assert holders(world.system.store, [SAID]) == {}
