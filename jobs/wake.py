"""Wake a queue: a Celery message without payload, coalesced, and never an error for the caller.

A wake that is lost costs one sweep interval. Within `GAP` of a wake further ones of the same
queue are gathered into one trailing wake, since publishing is dearer than most of the work. While
a wake waits for a worker no other is sent, whoever asks: it will find all that is there by then.
Else, with every worker busy, wakes would pile up faster than they can be found useless.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from importlib import import_module

import redis
import structlog

log = structlog.get_logger()

GAP = 0.05
KEPT_MS = 2000


class OnTheWay:
    """Marks in Redis for the queues whose wake waits for a worker.

    The mark of a wake that was lost goes by itself, after `KEPT_MS`.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(self._url, socket_timeout=5, socket_connect_timeout=2)

    def begin(self, queue: str) -> bool:
        """Mark a queue; False where its wake is on the way already."""
        return bool(self._client.set(_mark(queue), 1, nx=True, px=KEPT_MS))

    def end(self, queue: str) -> None:
        """A worker begins to look: what comes from now on needs another wake."""
        with suppress(redis.RedisError):
            self._client.delete(_mark(queue))


def _mark(queue: str) -> str:
    return f"wake:{queue}"


class Waker:
    """Publishes wakes from a thread of its own, at most one per queue and gap."""

    def __init__(self, publish: Callable[[str], None]) -> None:
        self._publish = publish
        self._pending: set[str] = set()
        self._last: dict[str, float] = {}
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._down = False

    def wake(self, queue: str) -> None:
        """Ask for a wake; returns at once."""
        with self._change:
            self._pending.add(queue)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                self._thread.start()
            self._change.notify()

    def _run(self) -> None:
        while True:
            with self._change:
                while not self._pending:
                    self._change.wait()
                queue = min(self._pending, key=lambda name: self._last.get(name, 0.0))
                self._pending.discard(queue)
                rest = self._last.get(queue, 0.0) + GAP - time.monotonic()
            if rest > 0:
                time.sleep(rest)
            self._send(queue)

    def _send(self, queue: str) -> None:
        self._last[queue] = time.monotonic()
        try:
            self._publish(queue)
        except Exception as error:  # noqa: BLE001 - Redis may be down; the sweep makes up for it
            if not self._down:
                log.warning("wake not sent; the sweep takes over", error=type(error).__name__)
            self._down = True
        else:
            self._down = False


def load() -> None:
    """Load Celery before there is work, not while the first wake and the first requests wait."""
    import_module("jobs.tasks")


def _publish(queue: str) -> None:
    from jobs.tasks import TASKS, on_the_way

    if on_the_way.begin(queue):
        TASKS[queue].apply_async(retry=False)


_waker = Waker(_publish)
wake = _waker.wake
