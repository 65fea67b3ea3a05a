"""What goes wrong, one thing at a time; a fault's function returns when the fault itself is over."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.chaos.stage import COMPOSITE, DROP, SENDS, Stage
from tests.chaos.two_workers import NAMES

CLAIM_WITHIN = 6.0
RESET = "reset_after_commit"


@dataclass(frozen=True)
class Lengths:
    """How many seconds the long faults last."""

    outage: float = 30.0
    limit: float = 60.0
    postgres: float = 5.0


@dataclass
class Strike:
    """One fault as it happened."""

    kind: str
    claimed: int | None = None  # claims that held when something was killed; None: nothing was
    orphaned: int = 0  # of those, how many the dead left behind
    met: bool = True  # whether anybody noticed
    recovered: float | None = None  # seconds; None: the next one came before
    noticed: Callable[[], bool] | None = field(default=None, repr=False)

    def close(self) -> None:
        """Find out whether anybody noticed, now that there was time for it."""
        if self.noticed is not None:
            self.met = self.noticed()
            self.noticed = None


Fault = Callable[[Stage, random.Random, Lengths], Strike]


def kill(kind: str, *parts: str) -> Fault:
    """SIGKILL one of these parts at a moment at which something is claimed."""

    def strike(stage: Stage, rng: random.Random, _: Lengths) -> Strike:
        part = rng.choice(parts)
        held = stage.claims.wait(CLAIM_WITHIN)
        stage.up.kill(part)
        stage.back(part)
        return Strike(kind, len(held), len(held & (stage.claims.tokens() or set())))

    return strike


def stop_postgres(stage: Stage, rng: random.Random, lengths: Lengths) -> Strike:
    """A clean stop or an immediate one, which is recovered like a crash."""
    held = stage.claims.wait(CLAIM_WITHIN)
    stage.stop_postgres(lengths.postgres, rng.choice((signal.SIGINT, signal.SIGQUIT)))
    stage.back("postgres")
    return Strike("PostgreSQL stopped", len(held), len(held & (stage.claims.tokens() or set())))


def lose_redis(stage: Stage, rng: random.Random, lengths: Lengths) -> Strike:
    """Redis forgets all, and is then killed too."""
    stage.flush_redis()
    stage.up.kill("redis")
    stage.back("redis")
    return Strike("Redis flushed, restarted")


def lasting(kind: str, name: str, seconds: Callable[[Lengths], float], **params: int) -> Fault:
    """Every call of the connector to the org meets this for so long."""

    def strike(stage: Stage, rng: random.Random, lengths: Lengths) -> Strike:
        since = stage.seen(stage.up.org_url)
        stage.org_fault(name, times=None, seconds=seconds(lengths), **params)
        stage.sleep(seconds(lengths))
        return Strike(kind, noticed=lambda: stage.met(stage.up.org_url, since, name))

    return strike


def once(kind: str, name: str, path: str, times: int = 1) -> Fault:
    """The next calls of the connector to the org meet this."""

    def strike(stage: Stage, rng: random.Random, lengths: Lengths) -> Strike:
        since = stage.seen(stage.up.org_url)
        stage.org_fault(name, path, times=times)
        return Strike(kind, noticed=lambda: stage.met(stage.up.org_url, since, name))

    return strike


def reset_push(stage: Stage, rng: random.Random, lengths: Lengths) -> Strike:
    """LINE takes the next messages and loses its answers."""
    since = stage.seen(stage.up.line_url)
    stage.line_fault(RESET, SENDS, times=2)
    return Strike(
        "commit, then reset: LINE", noticed=lambda: stage.met(stage.up.line_url, since, RESET)
    )


def drop_stream(stage: Stage, rng: random.Random, lengths: Lengths) -> Strike:
    """The org ends the stream of events."""
    before = stage.dropped()
    stage.org_fault(DROP, method="GRPC")
    return Strike("stream dropped", noticed=lambda: stage.drops(before))


FAULTS: Mapping[str, Fault] = {
    "worker": kill("worker killed", *NAMES),
    "web": kill("web killed", "web"),
    "beat": kill("beat killed", "beat"),
    "reader": kill("stream reader killed", "subscribe"),
    "postgres": stop_postgres,
    "redis": lose_redis,
    "outage": lasting("503 from the org", "status", lambda each: each.outage, status=503),
    "session": once("session expired", "expire_session", "/services/data*"),
    "reset-org": once("commit, then reset: org", RESET, COMPOSITE, times=2),
    "reset-line": reset_push,
    "stream": drop_stream,
    "limit": lasting("API limit spent", "daily_limit", lambda each: each.limit),
}
