"""The API calls of a day on which nothing happens, with a poll every six minutes.

Nobody waits a day: so many polls of an idle stack are watched at a short interval, the hourly look at the
org and the nightly comparison are done once each, and the day is put together from them. Streams of
change events are no API calls.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from typing import Any

from connector.planning.drift import looking as drifting
from connector.sync.reading import reconciling
from tests.acceptance.waiting import until
from tests.bench.crowd import crowd
from tests.bench.figure import Figure, Measured, Trial, load
from tests.bench.hall import Hall, hall

POLL_SECONDS = 360
WATCHED_SECONDS = 3
POLLS_A_DAY, LOOKS_A_DAY = 24 * 3600 // POLL_SECONDS, 24
PEOPLE_ASK = 20
REACH = 300
PATIENCE = 300.0


def measure(trial: Trial) -> list[Measured]:
    """What a poll, a look and a night cost, and what that makes a day."""
    settings = {"CONNECTOR_POLL_SECONDS": str(WATCHED_SECONDS)}
    with hall(settings=settings) as here, closing(crowd(here, PEOPLE_ASK)) as people:
        people.ask(PEOPLE_ASK)  # an org with nothing in it is no org
        here.world.settled(seconds=PATIENCE)
        poll = _per_poll(here, trial.size)
        system = people.world.system
        with here.held():
            hour = _cost(here, lambda: drifting.hourly(system.store, system.gateway, system.guard))
            night = _cost(here, lambda: reconciling.nightly(system.reconciliation, system.guard))
    day = poll * POLLS_A_DAY + hour * LOOKS_A_DAY + night
    told = {"poll_seconds": POLL_SECONDS, "polls_watched": trial.size, "calls_a_poll": poll}
    told |= {"calls_an_hourly_look": hour, "calls_a_night": night, "load": load()}
    return [
        Measured(
            "API calls of an idle org", "calls/day", day, reached=day <= REACH, conditions=told
        )
    ]


def _per_poll(here: Hall, polls: int) -> float:
    """Calls of so many polls; those of one poll come together."""
    since = here.seen()

    def watched() -> bool:
        return len(_starts(here.calls(since=since))) > polls

    until(watched, f"{polls} polls are seen", polls * WATCHED_SECONDS * 5, pause=1.0)
    calls = here.calls(since=since)
    starts = _starts(calls)[: polls + 1]
    whole = [call for call in calls if starts[0] <= _moment(call) < starts[-1]]
    return round(len(whole) / polls, 2)


def _starts(calls: list[dict[str, Any]]) -> list[datetime]:
    starts: list[datetime] = []
    last: datetime | None = None
    for call in calls:
        at = _moment(call)
        if last is None or (at - last).total_seconds() > WATCHED_SECONDS / 2:
            starts.append(at)
        last = at
    return starts


def _moment(call: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(call["time"])


def _cost(here: Hall, act: Callable[[], Any]) -> int:
    before = here.seen()
    act()
    time.sleep(0.1)
    return len(here.calls(since=before))


FIGURE = Figure(
    "idle_calls",
    "<= 300 API calls a day at CONNECTOR_POLL_SECONDS=360",
    (30,),
    (3,),
    "polls watched",
    measure,
    rounds=1,
)
