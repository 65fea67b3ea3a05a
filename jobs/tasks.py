"""The tasks: each wakes one queue and works it until it is empty or its turn is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy.exc
from celery import Task

from connector.bootstrap import System
from connector.domain.lines import Lane
from connector.planning.drift import looking as drifting
from connector.planning.rehearsals import following as rehearsing
from connector.sync import queues
from connector.sync.live import looking
from connector.sync.reading import reconciling
from connector.sync.upkeep import auditing, sweeping
from jobs.app import app, settings
from jobs.desks import Desk
from jobs.wake import OnTheWay, wake

TURN_SECONDS = 5.0  # with every thread at work a sweep waits for the end of the first turn

system = System(settings, wake)
on_the_way = OnTheWay(settings.redis_url.get_secret_value())

# Of four threads one is always left to whatever else there is; one thread sends many messages at once.
_DESKS: Mapping[str, Desk] = {
    queues.READ: Desk(2),
    queues.SEND: Desk(1),
    **{queues.deliver(lane): Desk(3) for lane in Lane},
}

_INFRASTRUCTURE = (sqlalchemy.exc.OperationalError, sqlalchemy.exc.InterfaceError, OSError)

_lasting: dict[str, Any] = {
    "autoretry_for": _INFRASTRUCTURE,
    "retry_backoff": 1,
    "retry_backoff_max": 60,
    "retry_jitter": True,
    "max_retries": 8,
}


def work(queue: str, step: Callable[[], int]) -> None:
    """Repeat a step while it finds work; hand over to a fresh wake when the turn is over."""
    on_the_way.end(queue)
    until = time.monotonic() + TURN_SECONDS
    if _DESKS[queue].work(step, lambda: time.monotonic() < until):
        wake(queue)


@app.task(name="read", **_lasting)
def read() -> None:
    """Read the inbox."""
    work(queues.READ, system.reader.read)


@app.task(name="send", **_lasting)
def send() -> None:
    """Send what is owed to LINE users."""
    work(queues.SEND, system.postman.send)


@app.task(name="deliver.urgent", **_lasting)
def deliver_urgent() -> None:
    """Deliver what a LINE user is waiting for."""
    work(queues.deliver(Lane.URGENT), lambda: system.delivery.deliver(Lane.URGENT))


@app.task(name="deliver.normal", **_lasting)
def deliver_normal() -> None:
    """Deliver the normal lane."""
    work(queues.deliver(Lane.NORMAL), lambda: system.delivery.deliver(Lane.NORMAL))


@app.task(name="deliver.bulk", **_lasting)
def deliver_bulk() -> None:
    """Deliver the bulk lane."""
    work(queues.deliver(Lane.BULK), lambda: system.delivery.deliver(Lane.BULK))


@app.task(name="sweep", **_lasting)
def sweep() -> None:
    """Ripen, take back, wake."""
    sweeping.sweep(system.store)


@app.task(name="prune", **_lasting)
def prune() -> None:
    """Forget what has served its time, and whom Salesforce forgot."""
    system.retention.turn()
    system.erase_departed()


@app.task(name="audit", **_lasting)
def audit() -> None:
    """Check the ledger."""
    auditing.tell(system.store, auditing.look(system.store))


@app.task(name="audit.all", **_lasting)
def audit_all() -> None:
    """Check the whole ledger."""
    auditing.tell(system.store, auditing.look_at_all(system.store))


@app.task(name="reconcile", **_lasting)
def reconcile() -> None:
    """Compare the whole org with what we hold."""
    reconciling.nightly(system.reconciliation, system.guard)


@app.task(name="look.org", **_lasting)
def look_at_org() -> None:
    """See what changed in the org under the live mappings."""
    drifting.hourly(system.store, system.gateway, system.guard)


@app.task(name="rehearse", **_lasting)
def rehearse() -> None:
    """Follow what happens with the documents that are rehearsed."""
    rehearsing.turn(system.store, system.catalogs)


@app.task(name="look.line", **_lasting)
def look_at_line() -> None:
    """See what LINE's quota says."""
    looking.refresh_quota(system.store, system.line)


TASKS: Mapping[str, Task] = {
    queues.READ: read,
    queues.SEND: send,
    queues.deliver(Lane.URGENT): deliver_urgent,
    queues.deliver(Lane.NORMAL): deliver_normal,
    queues.deliver(Lane.BULK): deliver_bulk,
}
