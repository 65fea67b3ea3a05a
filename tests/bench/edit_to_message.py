"""How long from an agent's edit to the message that LINE accepted: `python -m tests.bench.edit_to_message [EDITS]`.

A whole stack as `connector up` starts it, twenty customers with a repair request each, and an agent who
sets visit times at a steady rate. A time runs from the moment before the edit's call to the moment at
which the LINE simulator took the push. Once by change events, once by polling every two seconds.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from tests.acceptance.stack import Up, free_base
from tests.acceptance.waiting import until
from tests.acceptance.world import World

PEOPLE = 20
A_SECOND = 4.0
FIRST = datetime(2030, 1, 1, tzinfo=UTC)
SETTLED_WITHIN = 120


def main(edits: int = 500) -> None:
    """Measure both ways and print a table and one line of JSON."""
    found = [measure("events", edits, {}), measure("polls", edits, without_events())]
    print(
        f"{edits} edits, {A_SECOND:g} a second, {PEOPLE} people, no added latency; "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    for each in found:
        print(
            "{way:8} p50 {p50:6.3f} s   p95 {p95:6.3f} s   max {max:6.3f} s   "
            "API calls {calls}".format(**each)
        )
    print(json.dumps(found))


def without_events() -> dict[str, str]:
    """Settings under which the org is only polled."""
    return {"CONNECTOR_SALESFORCE_PUBSUB_ENDPOINT": " "}


def measure(way: str, edits: int, settings: dict[str, str]) -> dict[str, Any]:
    """Run one stack and take the times."""
    with tempfile.TemporaryDirectory() as home:
        up = Up(Path(home) / "data", free_base(), settings)
        try:
            return _measure(way, World(up.ready()), edits)
        finally:
            up.end()
            up.sweep()


def _measure(way: str, world: World, edits: int) -> dict[str, Any]:
    people = [_customer(world, number) for number in range(PEOPLE)]
    orders = {person.user_id: _order(world, request) for person, request in people}
    if way == "events":
        until(lambda: _via(world) == "pubsub", "events are heard", 60)
    seen = {person.user_id: person.last() for person, _ in people}
    calls = _calls(world)
    asked: dict[str, list[float]] = {user: [] for user in orders}
    began = time.time()
    for number in range(edits):
        user = people[number % PEOPLE][0].user_id
        time.sleep(max(0.0, began + number / A_SECOND - time.time()))
        asked[user].append(time.time())
        visit = (FIRST + timedelta(hours=number)).isoformat().replace("+00:00", "Z")
        world.org.edit("WorkOrder", orders[user], StartDate=visit)
    told: dict[str, list[float]] = {}

    def all_told() -> bool:
        for person, _ in people:
            after = seen[person.user_id]
            items = [item for item in person.chat() if item["seq"] > after]
            told[person.user_id] = [_moment(item["time"]) for item in items]
        return all(len(told[user]) >= len(asked[user]) for user in asked)

    until(all_told, "every edit was told", SETTLED_WITHIN, pause=1.0)
    taken = sorted(
        end - start for user in asked for start, end in zip(asked[user], told[user], strict=True)
    )
    return {
        "way": way,
        "p50": statistics.median(taken),
        "p95": taken[int(len(taken) * 0.95)],
        "max": taken[-1],
        "calls": _calls(world) - calls,
    }


def _customer(world: World, number: int) -> tuple[Any, str]:
    person = world.line.customer(f"客戶{number}")
    person.follows()
    person.consents()
    person.received("綁定會員")
    person.binds(f"王{number:02d}", f"09{number:08d}")
    form = {
        "product": "冷氣",
        "symptom": "不冷",
        "description": "不冷",
        "address": "台北市大安區一號",
        "slots": [f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d} AM"],
        "contact_phone": f"09{number:08d}",
    }
    request = person.api("POST", "/repair-requests", form).json()["repair_request_id"]
    person.received("案件編號", seconds=60)
    return person, request


def _order(world: World, request: str) -> str:
    story = world.cli.explain(f"repair_request:{request}")
    ids = [pair["salesforce_id"] for pair in story["pairs"] if pair["object"] == "WorkOrder"]
    assert ids[0], story
    return str(ids[0])


def _via(world: World) -> str:
    return next(
        each["via"] for each in world.cli.status()["streams"] if each["name"] == "WorkOrder"
    )


def _calls(world: World) -> int:
    told = requests.get(f"{world.up.org_url}/_simulator/calls?since=0", timeout=60).json()
    ours = [each for each in told if str(each["client"] or "").startswith("line-connector")]
    return sum(1 for each in ours if each["method"] != "GRPC")


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
