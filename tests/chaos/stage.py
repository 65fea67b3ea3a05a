"""A running stack with two workers, and the hands that let things go wrong around it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import redis

from tests.acceptance.org import OURS
from tests.acceptance.stack import Up
from tests.acceptance.waiting import TooLong, until
from tests.chaos.claims import Claims
from tests.chaos.wire import Wire

DATA_API = "/services/data*"
COMPOSITE = "/services/data/*/composite*"
SENDS = "/v2/bot/message/*"
# A call lasts as long as one does, so that much of the work is under way at any moment.
ORG_MS, LINE_MS = 80, 40
MET_WITHIN = 12.0
DROP = "drop_stream"


class Stack(Up):
    """`connector up` with two workers alike."""

    command: Sequence[str] = (sys.executable, "-m", "tests.chaos.two_workers")


class Stage:
    """One stack, its platforms' fault boards, and a look at its queues."""

    def __init__(self, up: Stack) -> None:
        self.up = up
        self.claims = Claims(up.stack.database_url)
        self._wire = Wire()
        self._seen: dict[str, int] = {}
        self.calm()

    def calm(self) -> None:
        """No faults but a little slowness."""
        for url in (self.up.org_url, self.up.line_url):
            self._control(url, "DELETE", "/faults")
        self.org_fault("latency", COMPOSITE, ms=ORG_MS, times=None)
        self.line_fault("latency", SENDS, ms=LINE_MS, times=None)

    def org_fault(
        self,
        name: str,
        path: str = DATA_API,
        *,
        times: int | None = 1,
        seconds: float | None = None,
        method: str | None = None,
        **params: Any,
    ) -> None:
        """Let calls of the connector to the org go wrong."""
        client = None if method == "GRPC" else f"{OURS}*"
        match = {"path": None if method == "GRPC" else path, "client": client, "method": method}
        body = {"fault": name, "times": times, "seconds": seconds, "match": match, "params": params}
        self._control(self.up.org_url, "POST", "/faults", json=body)

    def line_fault(self, name: str, path: str, *, times: int | None = 1, **params: Any) -> None:
        """Let calls to LINE go wrong."""
        body = {"fault": name, "times": times, "match": {"path": path}, "params": params}
        self._control(self.up.line_url, "POST", "/faults", json=body)

    def seen(self, url: str) -> int:
        """The number of the last call that a platform has seen."""
        told = self._control(url, "GET", f"/calls?since={self._seen.get(url, 0)}")
        self._seen[url] = told[-1]["seq"] if told else self._seen.get(url, 0)
        return self._seen[url]

    def met(self, url: str, since: int, fault: str) -> bool:
        """Wait until a call later than `since` has met a fault; whether one has."""
        return self._comes(lambda: fault in self._faults(url, since))

    def dropped(self) -> int:
        """How many streams the org has ended so far; they are calls that began long ago."""
        return self._faults(self.up.org_url, 0).count(DROP)

    def drops(self, before: int) -> bool:
        """Wait until the org has ended another stream; whether it has."""
        return self._comes(lambda: self.dropped() > before)

    def _faults(self, url: str, since: int) -> list[str]:
        told = self._control(url, "GET", f"/calls?since={since}")
        return [name for call in told for name in (call["fault"] or "").split(",")]

    def _comes(self, look: Callable[[], bool]) -> bool:
        try:
            return until(look, "the fault is met", MET_WITHIN, pause=0.2)
        except TooLong:
            return False

    def sleep(self, seconds: float) -> None:
        """Let a fault last."""
        time.sleep(seconds)

    def flush_redis(self) -> None:
        """Let Redis forget everything."""
        with (
            contextlib.suppress(redis.RedisError),
            contextlib.closing(redis.Redis.from_url(self.up.stack.redis_url)) as server,
        ):
            server.flushall()

    def stop_postgres(self, seconds: float, kind: signal.Signals) -> None:
        """Stop PostgreSQL, and keep the supervisor from starting it again for so long."""
        server, supervisor = self.up.pid("postgres"), self.up.process.pid
        os.kill(supervisor, signal.SIGSTOP)
        try:
            os.kill(server, kind)
            time.sleep(seconds)
        finally:
            os.kill(supervisor, signal.SIGCONT)

    def back(self, *parts: str) -> None:
        """Wait until these parts run again."""
        for part in parts:
            until(lambda name=part: self._runs(name), f"{part} is back", 90)

    def _runs(self, part: str) -> bool:
        return any(one.name == part and one.state == "running" for one in self.up.stack.parts)

    def _control(self, url: str, method: str, path: str, **more: Any) -> Any:
        answer = self._wire.call(method, f"{url}/_simulator{path}", **more)
        assert answer is not None, f"{method} {url}{path}: no answer"
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None
