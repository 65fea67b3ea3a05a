"""One first, then the rest: whether a mend holds is seen on one before thousands are brought back.

A canary comes back as any other does, and a worker takes it; here it is only watched.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.faults import BY_ITSELF
from connector.domain.states import EnvelopeState, InboxState, OutboxState
from connector.store.session import Store
from connector.store.tables import Envelope, Org, Outbox, Received
from connector.sync.desk import redriving
from connector.sync.desk.standing import What
from connector.sync.desk.stuck import Handle

_NO_WORKER = (
    "no worker takes it",
    "See which processes run: connector status. It is taken once one does; then bring back the rest.",
)


class Ending(StrEnum):
    """How a canary ended."""

    THROUGH = "through"  # the mend holds
    STOPPED = "stopped"  # it stands still again
    OPEN = "open"  # not known within the time


@dataclass(frozen=True)
class Sight:
    """What is seen of one thing that was brought back."""

    ending: Ending
    state: str
    reason: str = ""
    next_step: str = ""
    untaken: bool = False  # no worker has looked at it yet


@dataclass(frozen=True)
class Patience:
    """How long a canary is watched, and how often."""

    seconds: float = 120.0
    untaken_seconds: float = 15.0  # after which nobody seems to be there
    every: float = 0.5
    pause: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.monotonic


def release(
    store: Store,
    canary: Handle,
    author: str,
    patience: Patience,
    seen: Callable[[Sight], None] = lambda _: None,
) -> Sight:
    """Bring one back and watch it until it is through or stands still again, or patience ends."""
    redriving.redrive_these(store, [canary], author)
    begun = patience.clock()
    while True:
        with store.reading() as session:
            sight = look(session, canary)
        seen(sight)
        if sight.ending is not Ending.OPEN:
            return sight
        waited = patience.clock() - begun
        if waited >= patience.seconds or (
            sight.untaken and waited >= min(patience.untaken_seconds, patience.seconds)
        ):
            return _given_up(store, sight)
        patience.pause(patience.every)


def look(session: Session, handle: Handle) -> Sight:
    """How it stands with one that was brought back."""
    what, wanted = handle
    if what is What.PAIR:
        return _pair(session, wanted)
    if what is What.INBOX:
        return _event(session, wanted)
    return _message(session, wanted)


def _pair(session: Session, wanted: UUID | int) -> Sight:
    row = session.scalars(sa.select(Outbox).where(Outbox.pair_id == wanted)).one_or_none()
    if row is None:
        return Sight(Ending.THROUGH, "settled")
    stopped = row.state in (OutboxState.PARKED, OutboxState.DEAD, OutboxState.HELD)
    return _sight(row, row.next_step, stopped=stopped)


def _event(session: Session, wanted: UUID | int) -> Sight:
    row = session.get_one(Received, wanted)
    if row.state is InboxState.DONE:
        return Sight(Ending.THROUGH, "read")
    return _sight(row, None, stopped=row.state is InboxState.DEAD)


def _message(session: Session, wanted: UUID | int) -> Sight:
    row = session.get_one(Envelope, wanted)
    if row.state in (EnvelopeState.ACCEPTED, EnvelopeState.TAPPED):
        return Sight(Ending.THROUGH, row.state)
    moving = (EnvelopeState.READY, EnvelopeState.CLAIMED, EnvelopeState.WAITING)
    return _sight(row, row.next_step, stopped=row.state not in moving)


def _sight(row: Outbox | Received | Envelope, next_step: str | None, *, stopped: bool) -> Sight:
    ending = Ending.STOPPED if stopped else Ending.OPEN
    untaken = row.state == "ready" and row.attempts == 0
    return Sight(ending, row.state.value, row.reason or "", next_step or "", untaken)


def _given_up(store: Store, sight: Sight) -> Sight:
    """Why it is not known how it ends."""
    if not sight.untaken:
        return replace(sight, next_step=sight.next_step or BY_ITSELF)
    with store.reading() as session:
        org = session.scalars(sa.select(Org).limit(1)).one_or_none()
    if org is not None and org.paused_until is not None and org.paused_until > datetime.now(UTC):
        reason = f"the whole org rests: {org.reason or 'no reason is known'}"
        return replace(sight, reason=reason, next_step="Mend that; then bring back the rest.")
    reason, step = _NO_WORKER
    return replace(sight, reason=reason, next_step=step)


def choose(handles: Sequence[Handle]) -> tuple[Handle, Sequence[Handle]]:
    """The canary and the rest: the first, which has waited longest."""
    return handles[0], handles[1:]
