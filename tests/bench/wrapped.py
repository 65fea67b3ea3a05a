"""The figures whose measuring is a program of its own already, in the shape of all others."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import TypeAlias

import requests

from connector.ground import ports
from connector.ground.postgres import Postgres
from connector.salesforce.gateway import Gateway
from connector.salesforce.planner import STANDARD, WriteIntent
from connector.store import migrate
from connector.store.session import Store
from tests.bench import backfill_million, claim_settle, edit_to_message, planner_calls
from tests.bench.deployment import deployed
from tests.bench.figure import Figure, Measured, Trial, load
from tests.bench.hall import CALL_MS
from tests.bench.org import SimulatedOrg, simulated_org

Way: TypeAlias = Callable[[Gateway, list[WriteIntent]], None]
PAIRED_SHARE = 50  # one Contact in so many belongs to a member
CHURN, SMALL_CHURN = 100_000, 4_000
ROWS_EACH = 2  # a Case and a Work Order


# -- what a plan of calls is worth, one call after the other


def calls(trial: Trial) -> list[Measured]:
    """The planned calls next to one call per row, both from one thread."""
    alone = max(1, trial.size // planner_calls.ALONE)
    ours: list[float] = []
    theirs: list[float] = []
    used: list[float] = []
    with tempfile.TemporaryDirectory() as home, simulated_org(Path(home)) as org:
        with closing(Gateway(org.access)) as gateway:
            gateway.organization_id()
            slow = {"fault": "latency", "params": {"ms": CALL_MS, "jitter_ms": 0}}
            requests.post(f"{org.url}/_simulator/faults", json=slow, timeout=5).raise_for_status()
            for _ in range(trial.rounds):
                rate, made = _planned(org, gateway, trial.size, planner_calls.by_plan(STANDARD))
                ours.append(rate)
                used.append(made * 1_000 / trial.size)
                theirs.append(_planned(org, gateway, alone, planner_calls.one_by_one)[0])
    ratio = median(a / b for a, b in zip(ours, theirs, strict=True))
    told = {"call_ms": CALL_MS, "threads": 1, "rounds": trial.rounds, "load": load()}
    told |= {"one_per_row_measured_on": alone}
    what = f"calls per 1,000 requests, plan of {trial.size:,}"
    return [
        Measured(what, "calls", median(used), 2_000, "one call per row", 2_000 / median(used),
                 median(used) <= 5, told),
        Measured(f"rows written, plan of {trial.size:,}", "rows/s", median(ours), median(theirs),
                 "one call per row", ratio, None, told),
    ]  # fmt: skip


def _planned(org: SimulatedOrg, gateway: Gateway, count: int, way: Way) -> tuple[float, int]:
    intents = planner_calls.repair_requests(count, tied=False)
    before, begun = org.calls(), time.perf_counter()
    way(gateway, intents)
    return len(intents) / (time.perf_counter() - begun), org.calls() - before


# -- an agent's edit


def edits(trial: Trial) -> list[Measured]:
    """From the edit to the message, by change events and by polls."""
    lines = []
    for way, settings in (("events", {}), ("polls", edit_to_message.without_events())):
        if way == "polls" and trial.small:
            continue
        found = edit_to_message.measure(way, trial.size, settings)
        told = {"a_second": edit_to_message.A_SECOND, "people": edit_to_message.PEOPLE}
        told |= {"p50_s": round(found["p50"], 3), "call_ms": 0, "load": load()}
        lines.append(
            Measured(
                f"edit to message by {way}, p95 of {trial.size}",
                "s",
                found["p95"],
                reached=found["p95"] < 1.5 if way == "events" else None,
                conditions=told,
            )
        )
    return lines


# -- a backfill


def backfill(trial: Trial) -> list[Measured]:
    """Rows a second next to a raw download that parses and throws away."""
    ours, raw, peaks = [], [], []
    with deployed(backfill_million.make_strangers, trial.size) as here:
        backfill_million.make_pairs(here.system, trial.size // PAIRED_SHARE)
        for _ in range(trial.rounds):
            rows, seconds = backfill_million.read_raw(here.system, here.org)
            raw.append(rows / seconds)
            told, peak = backfill_million.backfill(here.environment, str(here.home))
            ours.append(told["rows"] / told["seconds"])
            peaks.append(peak)
    ratio = median(a / b for a, b in zip(ours, raw, strict=True))
    conditions = {"paired": trial.size // PAIRED_SHARE, "rounds": trial.rounds, "load": load()}
    return [
        Measured(f"backfill of {trial.size:,} Contacts", "rows/s", median(ours), median(raw),
                 "raw Bulk download + CSV parse", ratio, ratio >= 0.7, conditions),
        Measured(f"its peak memory, {trial.size:,} Contacts", "MiB", max(peaks),
                 reached=max(peaks) < 300, conditions=conditions),
    ]  # fmt: skip


# -- a claim and its settling


def claims(trial: Trial) -> list[Measured]:
    """The cost with so many rows waiting next to that with 1,000, in turn; also behind an old snapshot."""
    churn = SMALL_CHURN if trial.small else CHURN
    found: dict[int, list[tuple[float, float]]] = {1_000: [], trial.size: []}
    with tempfile.TemporaryDirectory() as home:
        server = Postgres(Path(home) / "postgres", ports.choose())
        with server.running():
            migrate.upgrade(server.create("template"))
            server.seal("template")
            for number in range(trial.rounds):
                for waiting, costs in found.items():
                    costs.append(_costs(server, f"bench_{number}_{waiting}", waiting, churn))
    few, many = found[1_000], found[trial.size]
    told = {"batch": claim_settle.BATCH, "churned": churn, "fsync": "on", "rounds": trial.rounds}
    told |= {"load": load()}
    lines = []
    for place, name in enumerate(("", ", behind an old snapshot")):
        one = median(
            cost[0] for cost in few
        )  # the plain cost with few is what both are held against
        much = median(cost[place] for cost in many)
        ratio = median(b[place] / a[0] for a, b in zip(few, many, strict=True))
        what = f"claim + settle, {trial.size:,} waiting{name}"
        against = "1,000 waiting, no snapshot"
        lines.append(Measured(what, "ms", much, one, against, ratio, ratio <= 1.3, told))
    return lines


def _costs(server: Postgres, name: str, waiting: int, churn: int) -> tuple[float, float]:
    store = Store.open(server.clone("template", name), lambda _: None)
    try:
        pairs = max(churn * 3, waiting * 2)  # what is wanted anew is never what waits already
        queue = claim_settle.Queue(store, pairs, waiting)
        queue.fill()
        plain, behind, _ = claim_settle.measure(queue, churn, 0)
    finally:
        store.engine.dispose()
        server.drop(name)
    return plain.median, behind.median


CALLS = Figure(
    "calls",
    "<= 5 API calls per 1,000 repair requests (one call per row: 2,000)",
    (250, 1_000, 4_000),
    (100,),
    "repair requests",
    calls,
)
EDITS = Figure(
    "edit_to_message",
    "p95 < 1.5 s for captured objects",
    (50, 200, 500),
    (10,),
    "edits",
    edits,
    rounds=1,
)
BACKFILL = Figure(
    "backfill",
    ">= 70 % of raw Bulk download + CSV parse; memory < 300 MiB",
    (10_000, 100_000, 1_000_000),
    (2_000,),
    "Contacts",
    backfill,
)
CLAIMS = Figure(
    "claim_settle",
    "<= 1.3 x the cost with 1,000 rows waiting, also behind an old snapshot",
    (10_000, 100_000, 1_000_000),
    (5_000,),
    "rows waiting",
    claims,
)
