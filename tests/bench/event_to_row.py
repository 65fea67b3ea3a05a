"""How long from an event on LINE to the row in Salesforce, while nothing else goes on.

A person agrees to the terms, which makes a Lead. The time runs from before the webhook is sent to the
moment at which an agent's query shows the row; who asks is not slowed down and asks every 10 ms. One
person after the other, and between two of them all comes to rest.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

from tests.acceptance.waiting import until
from tests.bench.alternative.running import by_hand
from tests.bench.figure import Figure, Measured, Trial, load, percentile
from tests.bench.hall import CALL_MS, Hall, hall
from tests.chaos.wire import Wire, signed

BEYOND_CALLS = 0.300
PATIENCE = 60.0
REST = 0.5
WARM = 3
LOOK = 0.01


def measure(trial: Trial) -> list[Measured]:
    """First ours, then by hand: an idle system is idle of the other one too."""
    with hall() as here:
        here.slow()
        ours = [_ours(here, number) for number in range(trial.size + WARM)][WARM:]
        with here.held(), by_hand(here.up.org_url, here.up.line_url, 8) as url:
            hand = [_by_hand(here, url, number) for number in range(trial.size + WARM)][WARM:]
    reach = 2 * CALL_MS / 1000 + BEYOND_CALLS
    told = {"call_ms": CALL_MS, "workers": "urgent and normal,bulk", "people": trial.size}
    told |= {
        "p50_ms": round(statistics.median(ours) * 1000),
        "load": load(),
        "reach_ms": reach * 1000,
    }
    mine, other = percentile(ours, 0.95), percentile(hand, 0.95)
    return [
        Measured(
            f"LINE event to Salesforce row, p95 of {trial.size}", "ms", mine * 1000, other * 1000,
            "by hand, 8 workers (nothing durable)", other / mine, mine < reach, told,
        )
    ]  # fmt: skip


def _ours(here: Hall, number: int) -> float:
    person = here.world.line.customer(f"客戶{number}")
    person.follows()
    person.received("歡迎加入", seconds=PATIENCE)
    time.sleep(REST)
    return _timed(here, person.user_id, person.consents)


def _by_hand(here: Hall, url: str, number: int) -> float:
    person = here.world.line.customer(f"熟客{number}")
    account = here.world.line.account()
    event = {
        "type": "postback",
        "webhookEventId": uuid4().hex[:26].upper(),
        "deliveryContext": {"isRedelivery": False},
        "timestamp": int(datetime.now(UTC).timestamp() * 1000),
        "mode": "active",
        "replyToken": uuid4().hex,
        "source": {"type": "user", "userId": person.user_id},
        "postback": {"data": "consent:service"},
    }
    content = {"destination": account["bot_user_id"], "events": [event]}
    request, wire = signed(account["channel_secret"], content), Wire()

    def agrees() -> None:
        answer = wire.call("POST", f"{url}/callback", **request)
        assert answer is not None and answer.ok, answer

    person.does("follow")  # a profile is shown to those whose friend one is
    return _timed(here, person.user_id, agrees)


def _timed(here: Hall, user_id: str, act: Callable[[], None]) -> float:
    begun = time.perf_counter()
    act()
    until(lambda: here.world.org.leads(user_id), "the Lead", PATIENCE, LOOK)
    return time.perf_counter() - begun


FIGURE = Figure(
    "event_to_row",
    "p95 < 2 calls' latency + 300 ms on an idle system",
    (20, 50, 200),
    (5,),
    "people",
    measure,
    rounds=1,
)
