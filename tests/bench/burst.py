"""A burst of repair requests, from accepted to fully in Salesforce, and what it costs in API calls.

The connector's worker stands still until every request is accepted and then works them off, messages to
the customers included; its time runs from then until the last Case and the last Work Order stand. What one
worker's interpreter is too narrow for shows in the same burst with a worker for each processor. The
alternative's time runs from the first request it is sent, since its threads begin at once. Each thread of
it takes as long for the thousandth request as for the first, so it is measured on a part of the burst
and its rate is compared.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.acceptance.waiting import until
from tests.bench.alternative.running import by_hand
from tests.bench.crew import THREADS
from tests.bench.crowd import ASKED, Crowd, crowd
from tests.bench.figure import Figure, Measured, Trial, load, percentile
from tests.bench.hall import CALL_MS, Hall, hall

REACHES = {1: 100.0, 8: 15.0}
CALLS_REACH = 5.0
# the alternative's part of the burst, for each of its threads
PART, SMALL_PART = 100, 8
PATIENCE = 1800.0
KEEP_WARM = 2
PROCESSORS = min(4, max(2, os.cpu_count() or 1))  # each takes some 200 MiB
# A deployment polls every 360 seconds, `connector up` every two: those would be most calls of a short burst.
SELDOM_POLLED = {"CONNECTOR_POLL_SECONDS": "10"}
LOOK, SELDOM, MANY = 0.1, 0.4, 4_000


@dataclass
class Rates:
    """Requests a second of each way in each round, and the connector's calls per 1,000 requests."""

    ours: list[float] = field(default_factory=list)
    by_hand: dict[int, list[float]] = field(default_factory=dict)
    calls: list[float] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)


def measure(trial: Trial) -> list[Measured]:
    """Both ways in turn, on the same org; then a worker for each processor, to explain."""
    rates = Rates()
    with _staffed(trial, workers=1) as (here, people):
        for _ in range(trial.rounds):
            take_turn(here, people, trial, rates)
            for threads in REACHES:
                part = min(trial.size, (SMALL_PART if trial.small else PART) * threads)
                rate = alternative(here, people.contacts(), threads, part)
                rates.by_hand.setdefault(threads, []).append(rate)
            rates.loads.append(load())
    more = Rates(by_hand=rates.by_hand)
    with _staffed(trial, workers=PROCESSORS) as (here, people):
        for _ in range(trial.rounds):
            take_turn(here, people, trial, more)
            more.loads.append(load())
    one, all_processors = _lines(trial, rates), _lines(trial, more, workers=PROCESSORS)
    return [*one, *all_processors, _calls_line(trial, rates)]


@contextmanager
def _staffed(trial: Trial, workers: int) -> Iterator[tuple[Hall, Crowd]]:
    """A stack with so many workers, and people who will ask for all that is measured."""
    with (
        hall(workers, SELDOM_POLLED) as here,
        closing(crowd(here, (trial.size + KEEP_WARM) * trial.rounds)) as people,
    ):
        yield here, people


def take_turn(here: Hall, people: Crowd, trial: Trial, rates: Rates) -> None:
    """The connector works off one burst."""
    here.quick()
    warm(here, people, CALL_MS)
    begun = time.perf_counter()
    seconds, calls = drained(here, people, trial.size, CALL_MS)
    rates.accepted.append(trial.size / (time.perf_counter() - begun - seconds))
    rates.ours.append(trial.size / seconds)
    rates.calls.append(calls * 1_000 / trial.size)
    here.quick()
    here.world.settled(seconds=PATIENCE)  # the messages are still under way


def warm(here: Hall, people: Crowd, ms: int) -> None:
    """What is loaded with the first requests is loaded, and nothing of them is under way."""
    drained(here, people, KEEP_WARM, ms)
    here.quick()
    here.world.settled(seconds=PATIENCE)  # a worker that is stopped in a transaction holds its rows


def drained(here: Hall, people: Crowd, count: int, ms: int) -> tuple[float, int]:
    """Accept so many requests while nobody works; seconds and calls from then until all are in the org."""
    wanted = {name: here.count(name) + count for name in ("Case", "WorkOrder")}
    with here.held("worker"):
        people.ask(count)
        here.slow(ms)
        before, begun = here.seen(), time.perf_counter()
    _stand(here, wanted)
    return time.perf_counter() - begun, len(here.calls(since=before))


def alternative(here: Hall, contacts: list[dict[str, Any]], threads: int, count: int) -> float:
    """Requests a second of the hand-written way."""
    here.slow()
    wanted = {name: here.count(name) + count for name in ("Case", "WorkOrder")}
    with here.held(), by_hand(here.up.org_url, here.up.line_url, threads) as url:
        send = _sender(url, contacts)
        begun = time.perf_counter()
        sending = threading.Thread(target=lambda: [send(number) for number in range(count)])
        sending.start()
        _stand(here, wanted)
        seconds = time.perf_counter() - begun
        sending.join()
    here.quick()
    return count / seconds


def _sender(url: str, contacts: list[dict[str, Any]]) -> Callable[[int], None]:
    session = requests.Session()
    session.trust_env = False

    def send(number: int) -> None:
        whose = contacts[number % len(contacts)]
        ids = {"contact_id": whose["Id"], "account_id": whose["AccountId"]}
        form = {**ASKED, **ids, "urgency": "normal", "contact_phone": f"+8869{number:08}"}
        answer = session.post(f"{url}/repair-requests", json=form, timeout=30)
        assert answer.status_code == 201, answer.text

    return send


def _stand(here: Hall, wanted: dict[str, int]) -> None:
    def all_there() -> bool:  # the Work Orders come last
        return all(here.count(name) >= wanted[name] for name in ("WorkOrder", "Case"))

    # to look is work for the org, so many rows are looked at less often
    until(all_there, f"{wanted} stand", PATIENCE, LOOK if sum(wanted.values()) < MANY else SELDOM)
    found = {name: here.count(name) for name in wanted}
    assert found == wanted, f"{found} rows, {wanted} were wanted"


def _lines(trial: Trial, rates: Rates, workers: int = 1) -> list[Measured]:
    ours = statistics.median(rates.ours)
    conditions = {
        "call_ms": CALL_MS,
        "workers": workers,
        "worker_threads": THREADS,
        "rounds": trial.rounds,
        "accepted_per_s": round(statistics.median(rates.accepted), 1),
        "load": rates.loads,
        "dataset": "Case + Work Order each, 20 requests a person",
    }
    lines = []
    for threads, found in rates.by_hand.items():
        theirs = statistics.median(found)
        # rounds are pairs: a machine that slows down slows both
        ratio = statistics.median(
            mine / other for mine, other in zip(rates.ours, found, strict=True)
        )
        # the reach is for one worker
        reached = ratio >= REACHES[threads] if workers == 1 else None
        what, against = f"burst of {trial.size:,}", f"by hand, {threads} worker(s)"
        part = min(trial.size, (SMALL_PART if trial.small else PART) * threads)
        more = {**conditions, "measured_by_hand_on": part}
        lines.append(Measured(
            f"{what}, {workers} worker(s), to fully in Salesforce", "requests/s",
            ours, theirs, against, ratio, reached, more,
        ))  # fmt: skip
    return lines


def _calls_line(trial: Trial, rates: Rates) -> Measured:
    calls = percentile(rates.calls, 0.5)
    what = f"API calls per 1,000 requests, burst of {trial.size:,}"
    told = {"call_ms": CALL_MS, "workers": 1, "rounds": trial.rounds, "load": rates.loads}
    reached = calls <= CALLS_REACH
    return Measured(what, "calls", calls, 2_000, "one call per row", 2_000 / calls, reached, told)


FIGURE = Figure(
    "burst",
    ">= 100 x the alternative with 1 worker, >= 15 x with 8; <= 5 calls per 1,000 requests",
    (100, 1_000, 10_000),
    (20, 60),
    "repair requests",
    measure,
)
