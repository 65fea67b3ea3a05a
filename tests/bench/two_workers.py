"""The same burst with one worker and with two, while every call takes a second.

With calls that slow the work is waiting, so a second worker should wait at the same time. A worker has one
thread here: one of four makes four times as many calls at once, so that a burst is done in two or three rounds
of them and its processor is what is waited for; that is measured too at the first size, to explain. Each has a
stack of its own, one after the other.
"""

from __future__ import annotations

import statistics
from contextlib import closing

from tests.bench.burst import KEEP_WARM, drained, warm
from tests.bench.crew import THREADS
from tests.bench.crowd import crowd
from tests.bench.figure import Figure, Measured, Trial, load
from tests.bench.hall import hall

CALL_MS = 1_000
REACH = 1.7
FEW_CALLS = 500  # requests that one thread brings to the org at once
EXPLAINED = 1_000


def measure(trial: Trial) -> list[Measured]:
    """With one thread each, which is held against the reach; once with as many as a worker has."""
    explained = [_compared(trial, THREADS)] if trial.size <= EXPLAINED else []
    return [_compared(trial, 1), *explained]


def _compared(trial: Trial, threads: int) -> Measured:
    """One, two, one, two …"""
    found: dict[int, list[float]] = {1: [], 2: []}
    loads = []
    for _ in range(trial.rounds):
        for workers, rates in found.items():
            rates.append(_rate(workers, threads, trial.size))
            loads.append(load())
    ratio = statistics.median(two / one for one, two in zip(found[1], found[2], strict=True))
    one, two = (statistics.median(rates) for rates in found.values())
    told = {"call_ms": CALL_MS, "threads_each": threads, "rounds": trial.rounds, "load": loads}
    what = f"two workers of {threads} thread(s), burst of {trial.size:,}"
    # what one thread does at one go is no work for two
    reached = ratio >= REACH if threads == 1 and trial.size > FEW_CALLS else None
    return Measured(what, "requests/s", two, one, "one worker", ratio, reached, told)


def _rate(workers: int, threads: int, count: int) -> float:
    with (
        hall(workers, threads=threads) as here,
        closing(crowd(here, count + KEEP_WARM)) as people,
    ):
        warm(here, people, CALL_MS)
        seconds, _ = drained(here, people, count, CALL_MS)
        return count / seconds


FIGURE = Figure(
    "two_workers",
    ">= 1.7 x one worker at 1,000 ms a call",
    (1_000, 2_000, 4_000),
    (40,),
    "repair requests",
    measure,
)
