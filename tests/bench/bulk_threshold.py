"""From how many rows on a Bulk job is worth it: the same intents by collections and by jobs.

    python -m tests.bench.bulk_threshold [latency in ms] [seconds a job takes] [intents ...]

Members without rows are wanted in the bulk lane: half of the intents are Accounts, half their
Contacts. Every call of the simulated org takes the latency, every job at least the seconds.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from connector.domain.lines import Lane
from connector.ground import ports
from connector.ground.postgres import Postgres
from connector.store import migrate
from connector.sync.outgoing.bulk_delivery import BulkDelivery
from connector.sync.upkeep import sweeping
from tests.members import members, want_all
from tests.world import Simulators, World, make_world, simulators

SIZES = (500, 2_000, 5_000, 10_000)
NEVER = 1_000_000


@dataclass(frozen=True)
class Figure:
    """What one delivery cost."""

    seconds: float
    work: float
    calls: int


@contextmanager
def fresh(outside: Simulators, postgres: Postgres, name: str) -> Iterator[World]:
    """An empty org and an empty database."""
    outside.reset()
    world = make_world(outside, postgres.clone("template", name))
    yield world
    world.system.gateway.close()
    world.system.store.engine.dispose()
    postgres.drop(name)


def measure(world: World, intents: int, least: int, latency: int, job_seconds: float) -> Figure:
    """Deliver so many intents, with jobs from `least` rows of a kind on."""
    system = world.system
    bulk = BulkDelivery(system.store, system.gateway, least)
    system.__dict__["delivery"] = replace(system.delivery, bulk=bulk)
    want_all(world, members(world, intents // 2))
    world.switch_org(bulk_seconds=job_seconds)
    world.org_fault("latency", ms=latency, jitter_ms=0)
    before = len(world.org_calls())
    begun, worked = time.perf_counter(), time.process_time()
    while world.outbox():
        sweeping.sweep(system.store)
        system.delivery.deliver(Lane.BULK)
    seconds, work = time.perf_counter() - begun, time.process_time() - worked
    return Figure(seconds, work, len(world.org_calls()) - before)


def main() -> None:
    """Print the table."""
    latency = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    job_seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 3.0
    sizes = [int(text) for text in sys.argv[3:]] or SIZES
    print(f"{latency} ms a call, {job_seconds:g} s a job; in brackets what was our own work")
    print(f"{'intents':>8}{'':14}{'seconds':>9}{'(work)':>9}{'rows/s':>9}{'calls':>8}")
    with tempfile.TemporaryDirectory() as home:
        server = Postgres(Path(home) / "postgres", ports.choose(), fast=True)
        with server.running(), simulators(Path(home) / "simulators") as outside:
            migrate.upgrade(server.create("template"))
            server.seal("template")
            for size in sizes:
                for way, least in (("collections", NEVER), ("jobs", size // 2)):
                    with fresh(outside, server, f"bench_{size}_{way}") as world:
                        told = measure(world, size, least, latency, job_seconds)
                    work = f"({told.work:.1f})"
                    print(
                        f"{size:>8,}  {way:12}{told.seconds:>9.1f}{work:>9}"
                        f"{size / told.seconds:>9,.0f}{told.calls:>8,}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
