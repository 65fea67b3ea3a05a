"""The event bus: topics, what was published on them, and how much of it may be delivered."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from simulator.control.journal import Journal
from simulator.salesforce.events.capture import Capture, Captured
from simulator.salesforce.events.channels import Member, entity_of, event_of
from simulator.salesforce.events.clock import BusClock
from simulator.salesforce.events.encoding import encoded
from simulator.salesforce.events.kept import DELETE, UPDATE, Commit, Kept, PlatformEvent
from simulator.salesforce.events.log import EventLog
from simulator.salesforce.events.past import Past, told
from simulator.salesforce.events.platform import TOPIC as EVENT
from simulator.salesforce.events.platform import is_event
from simulator.salesforce.events.replay import GAP, WHOLE, CorruptedReplayId, Place, ReplayIds
from simulator.salesforce.events.schemas import EventSchema, SchemaBook
from simulator.salesforce.store import Store, Transaction
from simulator.salesforce.usage import Rolling
from simulator.salesforce.visibility import Visibility

__all__ = [
    "AllowanceSpent",
    "BusEvent",
    "CorruptedReplayId",
    "EventBus",
    "Topic",
    "UnknownTopic",
]
DATA = "/data/"
ENRICHED = frozenset({UPDATE, DELETE})


class AllowanceSpent(Exception):
    """The deliveries that the org may have within 24 hours are used up."""

    def __init__(self) -> None:
        super().__init__("You have exceeded the event delivery limit for your org.")


class UnknownTopic(Exception):
    """There is no such topic."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The topic {name!r} does not exist: no channel holds its events.")
        self.name = name


@dataclass(frozen=True, slots=True)
class Topic:
    """What events are published on and read from; one of several objects has no schema id."""

    name: str
    can_publish: bool
    can_subscribe: bool
    schema_id: str


@dataclass(frozen=True, slots=True)
class BusEvent:
    """One event as subscribers get it.

    `place` is for the stream that delivers it: `after` goes on behind it, also between siblings,
    which share a replay id, and for as long as nothing behind it is lost.
    """

    id: str
    schema_id: str
    payload: bytes
    replay_id: bytes
    place: bytes


class EventBus:
    """All events of an org."""

    def __init__(
        self, store: Store, visibility: Visibility, journal: Journal, past: Past | None = None
    ) -> None:
        self.clock = BusClock()
        self._store = store
        self._visibility = visibility
        self._journal = journal
        self._book = SchemaBook()
        self._capture = Capture(store, visibility, self._book, self.clock)
        self._delivered = Rolling(lambda: self.clock.now() / 1000)
        self._condition = threading.Condition()
        self._changes = 0
        self._log = past.log if past is not None else EventLog()
        if past is not None and past.epoch is not None:
            self._ids = ReplayIds(past.epoch)
        else:
            self._begin()
        store.recorder = self.record

    # Topics

    def topic(self, name: str) -> Topic:
        """A topic by its name."""
        streams = self._streams(name)
        if name.startswith(EVENT):
            schema = self._schema(name.removeprefix(EVENT))
            return Topic(name, can_publish=True, can_subscribe=True, schema_id=schema.id)
        is_channel = name.removeprefix(DATA) in self._store.channels.channels
        schema_id = "" if is_channel else self._schema(*streams).id
        return Topic(name, can_publish=False, can_subscribe=True, schema_id=schema_id)

    def schema(self, schema_id: str) -> str | None:
        """An Avro schema as JSON."""
        known = self._book.find(schema_id)
        if known is None:
            # Nobody may have asked for the topic since the start.
            entities = self._store.channels.entities
            for each in [name for name in self._store.tables if is_event(name) or name in entities]:
                self._schema(each)
        return self._book.find(schema_id)

    def _schema(self, entity: str) -> EventSchema:
        with self._store.lock:
            return self._book.of(self._visibility.shape(entity))

    def _streams(self, topic: str) -> Mapping[str, Member | None]:
        """The objects whose changes a topic tells, with what a channel says of them."""
        channels, tables = self._store.channels, self._store.tables
        event = topic.removeprefix(EVENT)
        if topic == EVENT + event and is_event(event) and event in tables:
            return {topic: None}
        name = topic.removeprefix(DATA)
        if topic == DATA + name and name in channels.channels:
            members = channels.members_of(name)
            return {entity: member for entity, member in members.items() if entity in tables}
        entity = entity_of(name)
        if topic == DATA + event_of(entity) and entity in channels.entities and entity in tables:
            return {entity: None}
        raise UnknownTopic(topic)

    # Reading

    def latest(self, topic: str) -> bytes:
        """The place behind all that was published so far."""
        self._streams(topic)
        with self._condition:
            return self._ids.write(Place(self._log.last, GAP))

    def after(self, topic: str, replay_id: bytes | None, most: int) -> list[BusEvent]:
        """The next events behind a place, the oldest first; None stands for all that is kept."""
        streams = self._streams(topic)
        with self._condition:
            self._purge()
            ids = self._ids
            place = Place(self._log.lost, GAP) if replay_id is None else self._behind(replay_id)
            shown = (
                each
                for each in _shown(self._log.since([*streams], place.number), topic, streams)
                if each.place > place
            )
            found = [*islice(shown, most)]
        return [self._as_told(each, streams, ids) for each in found]

    def deliver(self, topic: str, events: Sequence[BusEvent]) -> None:
        """Count events that are about to be delivered, or refuse them."""
        self._streams(topic)
        with self._condition:
            if self._delivered.count + len(events) > self._store.switches.event_allowance:
                raise AllowanceSpent
            self._delivered.add(len(events))

    def allowance(self) -> dict[str, int]:
        """The deliveries of 24 hours, as `GET /limits` shows them."""
        most = self._store.switches.event_allowance
        return {"Max": most, "Remaining": max(0, most - self._delivered.count)}

    @property
    def changes(self) -> int:
        """Rises with everything that is published and with everything that is let go."""
        return self._changes

    def wait(self, known: int, seconds: float) -> int:
        """Wait until `changes` is greater than the one known, or for a while; gives it."""
        with self._condition:
            self._condition.wait_for(lambda: self._changes > known, seconds)
            return self._changes

    def _behind(self, replay_id: bytes) -> Place:
        """The place of a replay id, refused where events behind it are lost."""
        place = self._ids.read(replay_id)
        # The id of an event is as old as the event, though nothing behind it may be lost.
        if place.number < self._log.lost or (
            place.number == self._log.lost > 0 and place.part != GAP
        ):
            raise CorruptedReplayId
        return Place(place.number, GAP) if place.part == WHOLE else place

    def _as_told(
        self, shown: "_Shown", streams: Mapping[str, Member | None], ids: ReplayIds
    ) -> BusEvent:
        event, rows, place = shown
        replay_id, behind = ids.write(Place(event.number)), ids.write(place)
        if isinstance(event, PlatformEvent):
            return BusEvent(event.id, event.schema_id, event.payload, replay_id, behind)
        member = streams[event.entity]
        schema = self._book.of(event.shape) if event.shape else self._schema(event.entity)
        enriched: dict[str, Any] = {}
        if member is not None and event.type in ENRICHED:
            row = self._store.tables[event.entity].rows.get(rows[0], {})
            enriched = {name: row.get(name) for name in member.enriched if name in schema.told}
        payload = encoded(event, schema, rows, enriched)
        words = [str(event.sequence), *(rows if rows != event.ids else ())]
        return BusEvent(
            _event_id(event.commit.key, " ".join(words)), schema.id, payload, replay_id, behind
        )

    # Publishing

    def publish(self, topic: str, schema_id: str, payload: bytes, event_id: str) -> bytes:
        """Publish a platform event; gives its replay id."""
        if not self.topic(topic).can_publish:
            raise UnknownTopic(topic)
        with self._store.lock, self._condition:
            commit = Commit(self._log.last + 1, 1, self.clock.now())
            events = {topic: [PlatformEvent(commit, 1, event_id, schema_id, payload)]}
            self._journal.append({"bus": told(commit, events)})
            self._keep(commit, events)
            return self._ids.write(Place(commit.first))

    def record(self, transaction: Transaction) -> tuple[dict[str, Any], Callable[[], None]] | None:
        """What the journal keeps of a transaction's events, and the act that publishes them."""
        captured = self._capture.take(transaction, self._log.last + 1)
        if captured is None:
            return None
        return told(captured.commit, captured.events), lambda: self._publish(captured)

    def _publish(self, captured: Captured) -> None:
        with self._condition:
            self._keep(captured.commit, captured.events)

    def _keep(self, commit: Commit, events: Mapping[str, Sequence[Kept]]) -> None:
        for stream, each in events.items():
            self._log.add(commit, stream, each)
        self._purge()
        self._changed()

    # Time

    def forward(self, hours: float) -> None:
        """Let hours pass for the events."""
        with self._condition:
            self.clock.forward(hours)
            self._purge(at_once=True)

    def clear(self) -> None:
        """Forget all events; replay ids given so far are corrupted from now on."""
        with self._condition:
            self.clock.clear()
            self._delivered.clear()
            self._log = EventLog()
            self._begin()
            self._changed()

    def _begin(self) -> None:
        """Begin an epoch of replay ids."""
        self._ids = ReplayIds.fresh()
        self._journal.append({"bus": {"epoch": self._ids.epoch.hex()}})

    def _purge(self, *, at_once: bool = False) -> None:
        now = self.clock.now()
        if (at_once or self._log.is_due(now)) and self._log.purge(now):
            self._changed()

    def _changed(self) -> None:
        self._changes += 1
        self._condition.notify_all()


class _Shown(NamedTuple):
    """An event of some rows, and the place behind it."""

    event: Kept
    ids: tuple[str, ...]
    place: Place


def _shown(
    events: Iterator[Kept], topic: str, streams: Mapping[str, Member | None]
) -> Iterator[_Shown]:
    """Events as a topic shows them: filtered, and one for each row where they are enriched."""
    channel = topic.removeprefix(DATA)
    for event in events:
        behind = Place(event.number, GAP)
        if isinstance(event, PlatformEvent):
            yield _Shown(event, (), behind)
            continue
        if channel in event.hidden:
            continue
        member = streams[event.entity]
        if member is None or not member.enriched or event.type not in ENRICHED:
            yield _Shown(event, event.ids, behind)
            continue
        last = len(event.ids)
        for part, row_id in enumerate(event.ids, start=1):
            place = behind if part == last else Place(event.number, part)
            yield _Shown(event, (row_id,), place)


def _event_id(transaction: str, name: str) -> str:
    """The id of an event, the same however often it is read; `uuid5` takes four times as long."""
    seed = hashlib.sha1(f"{transaction} {name}".encode(), usedforsecurity=False).hexdigest()
    return f"{seed[:8]}-{seed[8:12]}-5{seed[13:16]}-a{seed[17:20]}-{seed[20:32]}"
