"""Webhooks a second, each answered once it is committed, next to the same server storing nothing.

Both servers run in turn with the settings of one stack, whose PostgreSQL waits for the disk; its workers
stand still. Then the real one takes half of its rate, and the times of its answers are looked at.
"""

from __future__ import annotations

import statistics
import sys

from tests.acceptance.stack import plain_environment
from tests.bench.alternative.running import served
from tests.bench.figure import Figure, Measured, Trial, load, percentile
from tests.bench.flood import CONNECTIONS, deliveries, pour
from tests.bench.hall import Hall, hall
from tests.doors import free_port

LEAST_SHARE = 0.30
SLOWEST = 0.200
WARM = 200


def measure(trial: Trial) -> list[Measured]:
    """Both servers in turn, then the pace at which answers must be prompt."""
    ours: list[float] = []
    unstored: list[float] = []
    prompt: list[float] = []
    loads: list[float] = []
    with hall() as here, here.held("worker", "beat", "subscribe"):
        for _ in range(trial.rounds):
            ours.append(rate(here, "webhooks", trial.size))
            unstored.append(rate(here, "tests.bench.unstored", trial.size))
            prompt.append(slowest(here, trial.size, ours[-1] / 2))
            loads.append(load())
    ratio = statistics.median(a / b for a, b in zip(ours, unstored, strict=True))
    told = {"connections": CONNECTIONS, "web_processes": 1, "rounds": trial.rounds, "load": loads}
    told |= {"dataset": "one text message a delivery", "fsync": "on"}
    mine, other, p99 = (statistics.median(each) for each in (ours, unstored, prompt))
    return [
        Measured(
            f"webhooks taken in, {trial.size:,}", "requests/s", mine, other,
            "the same server, storing nothing", ratio, ratio >= LEAST_SHARE, told,
        ),
        Measured(
            f"p99 at half that rate, {trial.size:,}", "ms", p99 * 1000,
            reached=p99 < SLOWEST, conditions={**told, "a_second": round(mine / 2)},
        ),
    ]  # fmt: skip


def rate(here: Hall, module: str, count: int) -> float:
    """Requests a second that one of the servers answers."""
    port = free_port()
    account = here.world.line.account()
    environment = {**plain_environment(), **here.up.stack.environment}
    command = [sys.executable, "-m", module, "--port", str(port)]
    with served(command, port, environment) as url:
        pour(url, deliveries(url, account, WARM))
        return pour(url, deliveries(url, account, count)).rate


def slowest(here: Hall, count: int, a_second: float) -> float:
    """The 99th percentile of the seconds to an answer at a steady pace."""
    port = free_port()
    account = here.world.line.account()
    environment = {**plain_environment(), **here.up.stack.environment}
    command = [sys.executable, "-m", "webhooks", "--port", str(port)]
    with served(command, port, environment) as url:
        pour(url, deliveries(url, account, WARM))
        return percentile(pour(url, deliveries(url, account, count), a_second).latencies, 0.99)


FIGURE = Figure(
    "intake",
    ">= 30 % of the same server answering without storing; p99 < 200 ms at half that rate",
    (2_000, 10_000, 50_000),
    (500, 1_000),
    "deliveries",
    measure,
)
