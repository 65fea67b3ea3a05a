"""The same burst with one worker and with two, while every call takes a second.

With calls that slow the work is waiting, so a second worker should wait at the same time. Each has a stack
of its own, one after the other.
"""

from __future__ import annotations

import statistics
from contextlib import closing

from tests.bench.burst import KEEP_WARM, drained
from tests.bench.crowd import crowd
from tests.bench.figure import Figure, Measured, Trial, load
from tests.bench.hall import hall

CALL_MS = 1_000
REACH = 1.7


def measure(trial: Trial) -> list[Measured]:
    """One, two, one, two …"""
    found: dict[int, list[float]] = {1: [], 2: []}
    loads = []
    for _ in range(trial.rounds):
        for workers, rates in found.items():
            rates.append(_rate(workers, trial.size))
            loads.append(load())
    ratio = statistics.median(two / one for one, two in zip(found[1], found[2], strict=True))
    one, two = (statistics.median(rates) for rates in found.values())
    told = {"call_ms": CALL_MS, "threads_each": 4, "rounds": trial.rounds, "load": loads}
    what = f"two workers, burst of {trial.size:,}"
    return [Measured(what, "requests/s", two, one, "one worker", ratio, ratio >= REACH, told)]


def _rate(workers: int, count: int) -> float:
    with hall(workers) as here, closing(crowd(here, count + KEEP_WARM)) as people:
        drained(here, people, KEEP_WARM, CALL_MS)
        here.quick()
        here.world.settled(seconds=300)
        return count / drained(here, people, count, CALL_MS)


FIGURE = Figure(
    "two_workers",
    ">= 1.7 x one worker at 1,000 ms a call",
    (500, 2_000, 10_000),
    (40,),
    "repair requests",
    measure,
)
