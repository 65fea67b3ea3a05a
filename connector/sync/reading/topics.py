"""Follow the org's change events: one subscriber by a fenced lease, and honest about what it hears.

While the topic is not heard its objects are polled as if there were no events; the first response of
every life lets them be polled once more, so that nothing lies between (design rule 15).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.errors import ConnectorError
from connector.salesforce import capture
from connector.salesforce.capture import Capture
from connector.salesforce.gateway import Gateway
from connector.salesforce.pubsub.endings import Ending, StreamEnded
from connector.salesforce.pubsub.subscription import Batch, PubSub, Subscription
from connector.salesforce.signin import Grant
from connector.store.session import Store
from connector.store.tables import Stream
from connector.sync import pausing, windows
from connector.sync.catalog import Catalogs
from connector.sync.incoming.event_intake import receive_changes
from connector.sync.live.guarding import OrgGuard
from connector.sync.reading.allowance import Allowance
from connector.sync.reading.carriage import SILENCE

log = structlog.get_logger()

_BEAT = 5.0  # seconds between looks at lease and clock while nothing comes
_AT_ONCE = 20  # responses that are stored in one transaction
_LOOK_AGAIN = timedelta(hours=1)
_REST = {Ending.BROKEN: 60.0, Ending.SESSION: 60.0, Ending.LOST: 60.0, Ending.SPENT: 900.0}
_LONG_REST = 3600.0  # a person has to change something first
_QUIET = {"synchronize_session": False}


@dataclass
class TopicReader:
    """Subscribes to the one channel that carries our objects. `client` is the tag of our own calls."""

    store: Store
    catalogs: Catalogs
    gateway: Gateway
    bus: PubSub
    guard: OrgGuard
    lease: timedelta
    client: str
    silence: timedelta = SILENCE
    on_the_way: timedelta = timedelta(seconds=1)  # a keep-alive says what held this long ago
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    token: UUID = field(default_factory=uuid4)
    _capture: Capture | None = field(default=None, init=False)
    _looked_at: datetime | None = field(default=None, init=False)
    _stale: Grant | None = field(default=None, init=False)

    def follow(self, stop: threading.Event) -> None:
        """Subscribe, and again whenever the subscription ends, until asked to stop."""
        failures = 0
        while not stop.is_set():
            began = time.monotonic()
            try:
                self.live(stop)
                rest = _BEAT
            except Exception as error:  # noqa: BLE001 - whatever ends one life, the next begins
                failures = 0 if time.monotonic() - began > _REST[Ending.BROKEN] else failures
                rest = self._ended(error, failures)
                failures += 1
            stop.wait(rest)
        self._let_go()

    def live(self, stop: threading.Event) -> None:
        """One life: from taking the lease to the end of the subscription."""
        if not self.guard.holds() or self._paused():
            return
        found = self._look()
        if found.topic is None:
            raise StreamEnded(Ending.REFUSED, found.reason or "nothing is captured", "")
        self._allowance.refresh(self.clock())
        place = self._lease(found.topic, found.objects)
        if place is None:
            return  # another process follows it
        stale, self._stale = self._stale, None
        subscription = self.bus.subscribe(found.topic, place.after, stale)
        try:
            self._listen(found, subscription, stop)
        finally:
            subscription.end()

    @property
    def _allowance(self) -> Allowance:
        return Allowance(self.store, self.gateway)

    def _listen(self, found: Capture, subscription: Subscription, stop: threading.Event) -> None:
        heard = time.monotonic()
        while not stop.is_set():
            try:
                batch = subscription.next(min(_BEAT, self.lease.total_seconds() / 3))
            except StreamEnded as end:
                self._stale = subscription.grant if end.ending is Ending.SESSION else None
                raise
            if batch is None:
                if time.monotonic() - heard > self.silence.total_seconds():
                    raise StreamEnded(Ending.BROKEN, "the org said nothing for too long", "")
                self._beat(found)
                continue
            heard = time.monotonic()
            batches = [batch, *_more(subscription)]
            self._store(found, batches)
            told = sum(len(each.events) for each in batches)
            if told:
                subscription.ask(told)
            else:
                self._beat(found)

    # -- what is known of the org

    def _look(self) -> Capture:
        now = self.clock()
        known = self._capture
        if known is None or self._looked_at is None or now - self._looked_at > _LOOK_AGAIN:
            known = self._capture = capture.look(self.gateway)
            self._looked_at = now
        return known

    def _paused(self) -> bool:
        with self.store.reading() as session:
            return pausing.is_paused(session, self.clock())

    # -- the topic's own row

    def _lease(self, topic: str, objects: frozenset[str]) -> _Place | None:
        now = self.clock()
        with self.store.transaction() as session:
            row = insert(Stream).values(
                name=topic, via="pubsub", watermark=now, read_through=now, read_at=windows.NEVER
            )
            session.execute(row.on_conflict_do_nothing())
            mine = sa.or_(
                Stream.lease_token == self.token,
                Stream.leased_until.is_(None),
                Stream.leased_until < now,
            )
            here = sa.select(Stream).where(Stream.name == topic, mine)
            stream = session.scalars(here.with_for_update(skip_locked=True)).one_or_none()
            if stream is None:
                return None
            stream.lease_token, stream.leased_until = self.token, now + self.lease
            stream.live_since = None
            _carry(session, topic, objects)
            return _Place(stream.position or stream.newest)

    def _mine(self, session: Session, topic: str) -> Stream:
        here = sa.select(Stream).where(Stream.name == topic, Stream.lease_token == self.token)
        stream = session.scalars(here.with_for_update()).one_or_none()
        if stream is None:
            raise StreamEnded(Ending.BROKEN, "another process follows the topic now", "")
        return stream

    def _beat(self, found: Capture) -> None:
        """Hold the lease, and see to what has to be seen to now and then."""
        topic = found.topic or ""
        with self.store.transaction() as session:
            stream = self._mine(session, topic)
            stream.leased_until = self.clock() + self.lease
            _carry(session, topic, found.objects)
            windows.close_holes(session, self.clock())
        self._allowance.refresh(self.clock())
        if self._look().objects != found.objects:
            raise StreamEnded(Ending.BROKEN, "the channel carries other objects now", "")

    def _store(self, found: Capture, batches: Sequence[Batch]) -> None:
        events = [event for batch in batches for event in batch.events]
        now = self.clock()
        with self.store.transaction() as session:
            stream = self._mine(session, found.topic or "")
            receive_changes(session, self.catalogs.live(session), events, self.client)
            for batch in batches:
                _advance(stream, batch, now - self.on_the_way)
            stream.leased_until = now + self.lease
            stream.heard_at = stream.read_at = now
            stream.live_since = stream.live_since or now
            stream.delivered += len(events)
            stream.reason = None

    # -- ends

    def _ended(self, error: Exception, failures: int) -> float:
        """Note why a life ended; how many seconds to rest before the next."""
        ending = error.ending if isinstance(error, StreamEnded) else Ending.BROKEN
        reason = error.message if isinstance(error, ConnectorError) else type(error).__name__
        log.warning("topic not followed", ending=ending.value, reason=reason, times=failures)
        try:
            self._note_end(ending, reason)
        except sa.exc.DBAPIError as problem:
            log.warning("end of the topic not noted", error=type(problem).__name__)
        if ending is Ending.REFUSED:
            self._looked_at = None
        if failures == 0 and ending in (Ending.LOST, Ending.SESSION):
            return 0.0
        longest = _REST.get(ending, _LONG_REST)
        return float(min(longest, 2.0**failures) * random.uniform(0.5, 1.0))

    def _let_go(self) -> None:
        """Leave the topic to whoever comes next, who need not wait for the lease to run out."""
        mine = sa.update(Stream).where(Stream.via == "pubsub", Stream.lease_token == self.token)
        with self.store.transaction() as session:
            session.execute(mine.values(leased_until=None, live_since=None))

    def _note_end(self, ending: Ending, reason: str) -> None:
        topic = self._capture.topic if self._capture is not None else None
        with self.store.transaction() as session:
            mine = Stream.lease_token == self.token
            here = sa.select(Stream).where(Stream.via == "pubsub", mine).with_for_update()
            for stream in session.scalars(here):
                if ending is Ending.LOST and stream.name == topic:
                    self._lost_place(session, stream, reason)
                stream.live_since, stream.reason = None, reason

    def _lost_place(self, session: Session, stream: Stream, reason: str) -> None:
        """Begin at the topic's end; what lies between is read by the polls, and said to be a hole."""
        objects = session.scalars(sa.select(Stream.name).where(Stream.carried_by == stream.name))
        since = stream.heard_at or stream.watermark
        windows.record_hole(session, stream.name, list(objects), since, self.clock(), reason)
        stream.position = stream.newest = None


@dataclass(frozen=True)
class _Place:
    after: bytes | None


def _more(subscription: Subscription) -> list[Batch]:
    """What else has come meanwhile, so that a flood is stored in few transactions."""
    found: list[Batch] = []
    while len(found) < _AT_ONCE:
        batch = subscription.next(0)
        if batch is None:
            break
        found.append(batch)
    return found


def _advance(stream: Stream, batch: Batch, told_at: datetime) -> None:
    """The place moves to the last id before the newest: events may share an id and be cut apart."""
    for event in batch.events:
        if event.replay_id != stream.newest:
            stream.position, stream.newest = stream.newest, event.replay_id
        stream.read_through = max(stream.read_through, event.committed_at)
    if not batch.events and batch.latest:  # all there was has been told
        stream.position = stream.newest = batch.latest
        stream.read_through = max(stream.read_through, told_at)


def _carry(session: Session, topic: str, objects: frozenset[str]) -> None:
    """Say on the objects' own rows which topic carries them."""
    here = sa.update(Stream).execution_options(**_QUIET)
    fresh = sa.and_(Stream.name.in_(objects), Stream.carried_by.is_distinct_from(topic))
    session.execute(here.where(fresh).values(carried_by=topic))
    gone = sa.and_(Stream.carried_by.is_not(None), Stream.name.not_in(objects))
    session.execute(here.where(gone).values(carried_by=None))
