"""A whole stack to measure on: so many workers, slow platforms, and a way to let its parts rest."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import requests

from tests.acceptance.org import OURS
from tests.acceptance.stack import Up, free_base
from tests.acceptance.world import World
from tests.bench.alternative import CLIENT
from tests.bench.crew import THREADS

CALL_MS = 150
LINE_CALLS = "/v2/bot/*"
HELD_FOR_OTHERS = ("worker", "beat", "subscribe")


class Crew(Up):
    """`connector up` with so many workers alike."""

    command: Sequence[str] = (sys.executable, "-m", "tests.bench.crew")


@dataclass
class Hall:
    """The stack, the people and agents around it, and its platforms' slowness."""

    up: Up

    @cached_property
    def world(self) -> World:
        """Whoever stands around it."""
        return World(self.up)

    def slow(self, ms: int = CALL_MS) -> None:
        """Let every call of either way to the org, and to LINE, take so much longer."""
        for client in (OURS, CLIENT):
            self._fault(self.up.org_url, ms, {"client": f"{client}*"})
        self._fault(self.up.line_url, ms, {"path": LINE_CALLS})

    def quick(self) -> None:
        """No added time."""
        for url in (self.up.org_url, self.up.line_url):
            requests.delete(f"{url}/_simulator/faults", timeout=10).raise_for_status()

    def _fault(self, url: str, ms: int, match: Mapping[str, Any]) -> None:
        body = {"fault": "latency", "params": {"ms": ms, "jitter_ms": 0}, "match": match}
        requests.post(f"{url}/_simulator/faults", json=body, timeout=10).raise_for_status()

    def calls(self, client: str = OURS, since: int = 0) -> list[dict[str, Any]]:
        """The API calls that one of the two made to the org; its streams are none."""
        url = f"{self.up.org_url}/_simulator/calls"
        told = requests.get(url, params={"since": since}, timeout=60).json()
        return [
            call
            for call in told
            if str(call["client"] or "").startswith(client) and call["method"] != "GRPC"
        ]

    def seen(self) -> int:
        """The number of the org's last call."""
        told = requests.get(f"{self.up.org_url}/_simulator/calls", timeout=60).json()
        return int(told[-1]["seq"]) if told else 0

    def count(self, name: str) -> int:
        """How many rows of an object the org holds."""
        (row,) = self.world.org.rows(f"SELECT COUNT(Id) n FROM {name}")
        return int(row["n"])

    @contextmanager
    def held(self, *parts: str) -> Iterator[None]:
        """Let the parts whose names begin so stand still for the length of a block."""
        names = parts or HELD_FOR_OTHERS
        pids = [part.pid for part in self.up.stack.parts if part.name.startswith(names)]
        _signal(pids, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(pids, signal.SIGCONT)


def _signal(pids: Sequence[int | None], kind: signal.Signals) -> None:
    for pid in pids:
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, kind)


@contextmanager
def hall(
    workers: int = 0, settings: Mapping[str, str] | None = None, *, threads: int = THREADS
) -> Iterator[Hall]:
    """A stack that lives as long as the block; with no number of workers, that of `connector up`."""
    with tempfile.TemporaryDirectory() as home:
        data = Path(home) / "data"
        if workers:
            asked = ("--workers", str(workers), "--threads", str(threads))
            up: Up = Crew(data, free_base(), settings, *asked)
        else:
            up = Up(data, free_base(), settings)
        try:
            yield Hall(up.ready())
        finally:
            with suppress(Exception):
                up.end()
            up.sweep()
            time.sleep(0.2)  # what was killed lets go of the folder
