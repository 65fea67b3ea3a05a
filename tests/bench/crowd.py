"""People with a membership who ask for repairs, in the stack that is measured.

They are bound and they ask in this process, on the stack's database, by the same code as the web process:
what fills a queue is not what is measured, and a load generator would take the worker's processor.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.acceptance.waiting import now
from tests.bench.hall import Hall
from tests.world import Catcher, Simulators, World, open_world

HANDS = 4
A_DAY = 20  # requests that one person may send in a day
ASKED: dict[str, Any] = {
    "product": "舊冷氣",
    "symptom": "不冷",
    "description": "開機十分鐘後停止",
    "address": "台北市大安區一號",
    "slots": ["2030-01-02 AM"],
}


@dataclass
class Crowd:
    """So many bound members, whose Contacts are in the org."""

    hall: Hall
    world: World
    users: Sequence[str]
    asked: int = 0

    def ask(self, requests: int) -> None:
        """Send so many repair requests; they are accepted when this returns."""
        each = [
            (self.users[number % len(self.users)], number)  # each waits for nobody else
            for number in range(self.asked, self.asked + requests)
        ]
        self.asked += requests
        with ThreadPoolExecutor(HANDS) as hands:
            list(hands.map(lambda one: self._one(*one), each))

    def _one(self, user: str, number: int) -> None:
        phone = f"+8869{number % 100_000_000:08}"
        self.world.asks_for_repair(user, **ASKED, contact_phone=phone)

    def contacts(self) -> list[dict[str, Any]]:
        """Their Contacts in the org."""
        where = "LINE_Key__c != null AND AccountId != null"
        return self.hall.world.org.rows(f"SELECT Id, AccountId FROM Contact WHERE {where}")

    def close(self) -> None:
        """Let go of the database."""
        self.world.system.gateway.close()
        self.world.system.store.engine.dispose()
        self.world.simulators.catcher.server_close()


def crowd(hall: Hall, requests: int) -> Crowd:
    """As many members as may send so many requests in a day; all is at rest when they are there."""
    stack = hall.up.stack
    outside = Simulators(hall.up.line_url, hall.up.org_url, Catcher())
    world = open_world(outside, stack.database_url)
    users = [world.person(f"客戶{number}") for number in range(-(-requests // A_DAY))]
    for user in users:
        world.tell(user, type="follow")  # else nothing would be said to them
    for number, user in enumerate(users):
        world.bind(user, f"王{number:04}", f"09{10_000_000 + number:08}")
    made = Crowd(hall, world, users)
    hall.world.settled(now(), seconds=60 + len(users))
    assert len(made.contacts()) == len(users), "not every member has a Contact"
    return made
