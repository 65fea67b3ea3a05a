"""Wake a queue: a Celery message without payload, coalesced, and never an error for the caller.

A wake that is lost costs one sweep interval. Within `GAP` of a wake further ones of the same
queue are gathered into one trailing wake, since publishing is dearer than most of the work.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

log = structlog.get_logger()

GAP = 0.05


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


def _publish(queue: str) -> None:
    from jobs.tasks import TASKS

    TASKS[queue].apply_async(retry=False)


_waker = Waker(_publish)
wake = _waker.wake
