"""One person who sends without end keeps nobody else waiting."""

from datetime import UTC, datetime
from typing import Any

from connector.domain.states import InboxState
from connector.line.events import Delivery, read_event
from connector.store.tables import Received
from connector.sync.incoming import inbox
from connector.sync.incoming.intake import receive_events
from tests import interference as stir
from tests.world import World

FLOOD = 2000


def message(user: str, number: int) -> Any:
    return read_event(
        {
            "type": "message",
            "mode": "active",
            "webhookEventId": f"{user}-{number}",
            "timestamp": int(datetime.now(UTC).timestamp() * 1000),
            "source": {"type": "user", "userId": user},
            "message": {"type": "text", "id": f"{user}{number}", "text": "哈囉"},
        }
    )


def says(world: World, user: str, numbers: range) -> None:
    events = [message(user, number) for number in numbers]
    delivery = Delivery(world.account.bot_user_id, events)
    receive_events(world.system.store, [(world.account, delivery)], world.turns)


def unread(world: World, user: str) -> int:
    waiting = (Received.state == InboxState.READY, Received.dedupe_key.like(f"{user}-%"))
    return len(stir.all_of(world.system.store, Received, *waiting))


def test_others_are_read_before_the_rest_of_a_flood(world: World) -> None:
    flooder, others = world.person(), [world.person() for _ in range(5)]
    says(world, flooder, range(FLOOD))
    for other in others:
        says(world, other, range(1))
    world.system.reader.read()
    assert [unread(world, other) for other in others] == [0] * len(others)
    assert unread(world, flooder) == FLOOD + len(others) - inbox.BATCH
