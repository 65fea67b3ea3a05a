"""`connector subscribe`: the one process that reads the org's changes."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING

import click
import sqlalchemy.exc
import structlog

from connector import bootstrap, logs
from connector.cli.deployment import settings
from connector.errors import ConnectorError
from connector.ground.readiness import tell_ready

if TYPE_CHECKING:
    from collections.abc import Callable


log = structlog.get_logger()

_LONGEST_REST = 60.0
_LAST_WORDS = 5.0  # for what was being stored when we were asked to stop
_INFRASTRUCTURE = (sqlalchemy.exc.DBAPIError, ConnectorError, OSError)


@click.command("subscribe")
def command() -> None:
    """Read what changes in the org until SIGTERM or Ctrl-C; the queues are woken as rows come.

    Change events are followed where the org captures them; the rest is polled, and so is everything
    while the events are not heard.

    Example: connector subscribe
    """
    logs.configure()
    here = settings()
    system = bootstrap.System(here, bootstrap.waker())
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    topics = system.topics
    listener = threading.Thread(target=topics.follow, args=[stop], daemon=True) if topics else None
    if listener is not None:
        listener.start()
    tell_ready()
    follow(system.streams.read, here.poll_seconds, stop)
    if listener is not None:
        listener.join(_LAST_WORDS)


def follow(read: Callable[[], int], every: float, stop: threading.Event) -> None:
    """Read every `every` seconds until asked to stop; after a failure rest longer and longer."""
    failures = 0
    while not stop.is_set():
        began = time.monotonic()
        try:
            read()
            failures = 0
        except _INFRASTRUCTURE as error:
            failures += 1
            log.warning("streams not read", error=type(error).__name__, times=failures)
        rest = every if not failures else min(_LONGEST_REST, max(every, 2.0**failures))
        stop.wait(max(0.0, rest - (time.monotonic() - began)))
