"""Read what was received: claim, look up what the network must tell, apply in one transaction.

An event that cannot be read is buried alone; the others go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from connector.domain.lines import Lane
from connector.domain.states import InboxState, Ledger
from connector.members.tombstones import Tombstones
from connector.store.session import Store, among
from connector.store.tables import Received, Source
from connector.sync import claims, effects, unforeseen
from connector.sync.catalog import Catalogs
from connector.sync.heads import Heads
from connector.sync.incoming import inbound, line_events
from connector.sync.incoming.event_intake import ECHO_REST
from connector.sync.incoming.intake import scene_for
from connector.sync.incoming.line_events import Profiles
from connector.sync.pairs import echoes
from connector.sync.privacy import unsending

log = structlog.get_logger()

BATCH = 200
_TRIES = 5
_JUST_COME = timedelta(seconds=2)


@dataclass(frozen=True)
class Reader:
    """Reads the inbox: LINE events through `members`, Salesforce rows through the merge."""

    store: Store
    catalogs: Catalogs
    profiles: Profiles
    lease: timedelta
    tombstones: Tombstones | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _heads: Heads = field(default_factory=Heads, init=False, repr=False)

    def read(self) -> int:
        """Read one batch; say how many rows were taken."""
        with self.store.transaction() as session:
            batch = next(filter(None, (self._take(session, lane) for lane in Lane)), ())
        if not batch:
            return 0
        renewed = time.monotonic()
        known = self._known([row for row in batch if row.source is Source.LINE])
        settled = self._sort_out([row for row in batch if row.source is Source.SALESFORCE])
        for row in sorted(batch, key=lambda row: (row.at, row.id)):
            if time.monotonic() - renewed > self.lease.total_seconds() / 3:
                self._renew(batch)
                renewed = time.monotonic()
            if row.id not in settled:
                self._read_one(row, known)
        return len(batch)

    def _renew(self, batch: Sequence[Received]) -> None:
        """Hold what is not read yet for a lease from now: a slow worker is no dead one."""
        mine = sa.and_(
            among(Received.id, [row.id for row in batch]),
            claims.held(Received, batch[0].claim_token),
        )
        until = sa.func.clock_timestamp() + self.lease
        with self.store.transaction() as session:
            held = sa.update(Received).where(mine).values(claimed_until=until)
            session.execute(held.execution_options(synchronize_session=False))

    def _take(self, session: Session, lane: Lane) -> Sequence[Received]:
        """Rows in their turn. What has just come may be before the rest of a flood."""

        def take(since: datetime | None) -> Sequence[Received]:
            return _claim(session, lane, self.lease, since)

        newest = self.clock() - _JUST_COME
        return self._heads.claim(lane, take, lambda row: min(row.turn, newest))

    def _sort_out(self, rows: Sequence[Received]) -> set[int]:
        """Finish echoes, and put back what comes too early, in one statement each; says which."""
        if not rows:
            return set()
        try:
            return self._sorted_out(rows)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - one of them cannot be read: each is read alone
            log.warning("not sorted out together", rows=len(rows), **unforeseen.told(error))
            return set()

    def _sorted_out(self, rows: Sequence[Received]) -> set[int]:
        with self.store.transaction() as session:
            scene = scene_for(session, self.catalogs, self.clock())
            found = echoes.sort_out(scene, rows)
            mine = claims.held(Received, rows[0].claim_token)
            echoes.remember(scene, found.seen)
            if found.done:
                done = sa.and_(mine, among(Received.id, found.done))
                effects.finish(session, done, Ledger.UNCHANGED)
            if found.waiting:
                _put_off(session, sa.and_(mine, among(Received.id, found.waiting)))
        return found.done | found.waiting

    def _known(self, rows: Sequence[Received]) -> line_events.Known:
        """Whom LINE knows; where one event keeps it from being asked, they are read without."""
        try:
            return self.profiles.gather(rows)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - the one that cannot be read is buried alone
            log.warning("profiles not read", **unforeseen.told(error))
            return line_events.Known(self.profiles.accounts)

    def _read_one(self, row: Received, known: line_events.Known) -> None:
        try:
            with self.store.transaction() as session:
                mine = _still_mine(session, row)
                if mine is None:
                    return
                scene = scene_for(session, self.catalogs, self.clock(), (row.id,))
                scene.tombstones = self.tombstones
                if row.source is Source.LINE:
                    verdict = line_events.read(scene, mine, known)
                else:
                    scene.side = "salesforce"
                    verdict = inbound.read(scene, mine)
                mine.state, mine.verdict = InboxState.DONE, verdict
                mine.claim_token = mine.claimed_until = None
                effects.reckon(session, (row.id,))
        except (OperationalError, InterfaceError):
            raise  # the database is away: no fault of the event
        except Exception as error:  # noqa: BLE001 - whatever an event does, the next one is read
            log.warning("event not read", received=row.id, kind=row.kind, **unforeseen.told(error))
            self._put_back(row, error)

    def _put_back(self, row: Received, error: Exception) -> None:
        with self.store.transaction() as session:
            mine = _still_mine(session, row)
            if mine is None:
                return
            mine.claim_token = mine.claimed_until = None
            mine.reason = unforeseen.reason(error)
            if mine.attempts >= _TRIES:
                mine.state = InboxState.DEAD
                unforeseen.report(session, error, f"a received row ({row.source} {row.kind})")
            else:
                mine.state = InboxState.WAITING
                mine.due = self.clock() + timedelta(seconds=2**mine.attempts)
            unsending.mask_if_taken_back(session, mine)
            effects.reckon(session, (row.id,))


def _put_off(session: Session, rows: sa.ColumnElement[bool]) -> None:
    waiting = (
        sa.update(Received)
        .where(rows)
        .values(
            state=InboxState.WAITING,
            due=sa.func.clock_timestamp() + ECHO_REST,
            attempts=Received.attempts - 1,
            claim_token=None,
            claimed_until=None,
        )
    )
    session.execute(waiting.execution_options(synchronize_session=False))


def _claim(
    session: Session, lane: Lane, lease: timedelta, since: datetime | None
) -> Sequence[Received]:
    waiting = sa.select(Received.id).where(
        Received.state == InboxState.READY,
        Received.lane == lane,
        Received.due <= sa.func.clock_timestamp(),
        *(() if since is None else (Received.turn >= since,)),
    )
    in_turn = waiting.order_by(Received.turn, Received.id).limit(BATCH)
    return claims.take(session, Received, in_turn, lease)


def _still_mine(session: Session, row: Received) -> Received | None:
    here = sa.select(Received).where(Received.id == row.id, claims.held(Received, row.claim_token))
    return session.scalars(here.with_for_update()).one_or_none()
