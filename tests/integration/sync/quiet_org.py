"""What tests of long work share: an org that changes while nobody listens, and many rows at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests

from connector.domain.lines import Cause, Lane
from connector.store.tables import Received, Source
from connector.sync import runs
from connector.sync.reading.backfilling import KIND, Backfill, Order, Via
from connector.sync.runs import Begin, Course
from connector.sync.upkeep import sweeping
from tests import interference as stir
from tests.world import API, World


def catch_up(world: World, seconds: float = 20.0) -> None:
    """Work until idle without a look at what changed in the org."""
    until, system = time.monotonic() + seconds, world.system
    quiet = 0
    while quiet < 2:
        assert time.monotonic() < until, world.unfinished()
        done = system.reader.read() + system.postman.send()
        done += sum(system.delivery.deliver(lane) for lane in Lane)
        sweeping.sweep(system.store)
        quiet = quiet + 1 if not done and not world.unfinished() else 0


def agent_makes_many(world: World, name: str, rows: list[dict[str, Any]]) -> list[str]:
    """Rows made by somebody else, two hundred a call."""
    made: list[str] = []
    for at in range(0, len(rows), 200):
        records = [{"attributes": {"type": name}, **row} for row in rows[at : at + 200]]
        answer = requests.post(
            f"{world.simulators.org_url}{API}/composite/sobjects",
            json={"allOrNone": True, "records": records},
            headers={"Authorization": f"Bearer {world.simulators.org['access_token']}"},
            timeout=30,
        )
        assert answer.ok, answer.text
        assert all(row["success"] for row in answer.json()), answer.text
        made += [row["id"] for row in answer.json()]
    return made


def member(world: World, name: str = "王小明", phone: str = "0912345678") -> tuple[str, Any]:
    """A person who agreed and is bound."""
    user = world.person(name)
    world.follow(user)
    record = world.bind(user, name, phone)
    return user, record


def backfill(
    world: World,
    name: str,
    via: Via = Via.REST,
    how: Begin = Begin.FITTING,
    heard: Callable[[Course], None] = lambda _: None,
    said: Callable[[str], None] = lambda _: None,
    **order: Any,
) -> Course:
    """Backfill an object, as the command does."""
    system = world.system
    made = Backfill(system.store, system.catalogs, system.gateway, Order(name, **order))
    course = runs.begin(system.store, KIND, name, made.order.told(), "小美", how)
    made.run(course, made.bounds(via), heard, said)
    return course


def brought_in(world: World, cause: Cause = Cause.BACKFILL) -> list[Received]:
    """What was read outside the streams."""
    here = (Received.cause == cause, Received.source == Source.SALESFORCE)
    return stir.all_of(world.system.store, Received, *here)
