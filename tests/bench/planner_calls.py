"""What a call should hold: `python -m tests.bench.planner_calls [REQUESTS] [LATENCY_MS]`.

Each way creates the Case and the WorkOrder of so many repair requests in a simulated org that answers
late, one call after the other, and reads back what the starter set reads back. One call per row is
measured on a twentieth of the requests.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import requests

from connector.domain.identifiers import uuid7
from connector.salesforce.gateway import Gateway
from connector.salesforce.outcomes import WriteOutcome, collect
from connector.salesforce.planner import STANDARD, Limits, ParentRef, WriteIntent, plan_writes
from tests.bench.org import SimulatedOrg, simulated_org

REQUESTS, LATENCY_MS, ALONE = 1_000, 150, 20
Way = tuple[str, int, Callable[[Gateway, list[WriteIntent]], None]]


def repair_requests(count: int, *, tied: bool) -> list[WriteIntent]:
    """The rows of so many requests, as the starter set makes them."""
    return [intent for number in range(count) for intent in _one(number, tied=tied)]


def _one(number: int, *, tied: bool) -> Iterator[WriteIntent]:
    case, bond = str(uuid7()), f"request {number}" if tied else None
    told = {"Subject": f"不冷 {number}", "Description": "開機十分鐘後停止\n台北市大安區一號"}
    yield WriteIntent(
        f"c{number}",
        "Case",
        case,
        None,
        {**told, "Priority": "Medium", "Origin": "LINE", "SuppliedPhone": "+886912345678"},
        read_back=("CaseNumber", "Status"),
        assign=True,
        bond=bond,
    )
    yield WriteIntent(
        f"w{number}",
        "WorkOrder",
        str(uuid7()),
        None,
        {**told, "Street": "大安區一號"},
        (ParentRef("CaseId", "Case", "Case", key=case),),
        read_back=("WorkOrderNumber", "StartDate"),
        bond=bond,
    )


def one_by_one(gateway: Gateway, intents: list[WriteIntent]) -> None:
    """One call per row; nothing is read back, as who writes so would not."""
    for intent in intents:
        _carry_out(gateway, [replace(intent, read_back=())], STANDARD)


def by_plan(limits: Limits) -> Callable[[Gateway, list[WriteIntent]], None]:
    """The calls of a plan."""

    def run(gateway: Gateway, intents: list[WriteIntent]) -> None:
        _carry_out(gateway, intents, limits)

    return run


def _carry_out(gateway: Gateway, intents: Sequence[WriteIntent], limits: Limits) -> None:
    outcomes: dict[str, WriteOutcome] = {}
    for call in plan_writes(intents, limits):
        outcomes = collect(call, gateway.run(call.steps, assign=call.assign), outcomes)
    lacking = [ref for ref, outcome in outcomes.items() if outcome.failed]
    assert len(outcomes) == len(intents) and not lacking, outcomes[lacking[0]]
    read = [intent for intent in intents if intent.read_back]
    assert all(outcomes[intent.ref].row for intent in read)


def measure(org: SimulatedOrg, gateway: Gateway, way: Way) -> str:
    """One line of the table."""
    name, count, run = way
    intents = repair_requests(count, tied=name.startswith("graph"))
    before, begun = org.calls(), time.perf_counter()
    run(gateway, intents)
    seconds = time.perf_counter() - begun
    calls = (org.calls() - before) * 1_000 / count
    return f"| {name} | {len(intents) / seconds:,.0f} | {calls:,.0f} |"


def main(count: int = REQUESTS, latency: int = LATENCY_MS) -> None:
    """Measure every way and print the table."""
    ways: list[Way] = [
        ("one call per row, nothing read back", max(1, count // ALONE), one_by_one),
        ("one collection or query per call", count, by_plan(Limits(steps=1))),
        ("composite of up to five, as planned", count, by_plan(STANDARD)),
        ("graph, 75 of two rows", count, by_plan(STANDARD)),
    ]
    with tempfile.TemporaryDirectory() as home, simulated_org(Path(home)) as org:
        late = {"fault": "latency", "params": {"ms": latency, "jitter_ms": 0}}
        with closing(Gateway(org.access)) as gateway:
            gateway.organization_id()
            faults = f"{org.url}/_simulator/faults"
            requests.post(faults, json=late, timeout=5).raise_for_status()
            print(f"{count} requests of a Case and a WorkOrder, {latency} ms a call")
            print("| way | rows/s | calls per 1,000 requests |\n| --- | --- | --- |")
            for way in ways:
                print(measure(org, gateway, way), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
