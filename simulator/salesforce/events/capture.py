"""What a transaction changed in the objects that channels tell about, taken down as it commits."""

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from simulator.salesforce.events.channels import Channels
from simulator.salesforce.events.clock import BusClock
from simulator.salesforce.events.kept import (
    CREATE,
    DELETE,
    GAP_PREFIX,
    NO_ROW,
    NOWHERE,
    OVERFLOW,
    UNDELETE,
    UPDATE,
    ChangeEvent,
    Commit,
    Kept,
    Values,
)
from simulator.salesforce.events.platform import raised
from simulator.salesforce.events.schemas import SchemaBook, told_fields
from simulator.salesforce.events.sieves import Sieves
from simulator.salesforce.schema import ObjectType
from simulator.salesforce.store import Row, Store, Transaction
from simulator.salesforce.visibility import Visibility

# Changed values that alone do not make an update worth an event.
STAMPS = frozenset({"LastModifiedDate", "LastModifiedById"})
MASTER = "MasterRecordId"
DIFFED_FROM = 1000
MOST_CHANGES = 100_000
ALIKE = frozenset({UPDATE, DELETE})


@dataclass(slots=True)
class Change:
    """What happened to some rows of one object, told by one event."""

    entity: str
    shape: ObjectType
    type: str
    ids: list[str]
    values: Values | None
    diffs: tuple[str, ...] = ()
    hidden: frozenset[str] = NOWHERE

    def event(self, commit: Commit, sequence: int) -> ChangeEvent:
        """The event that tells of it."""
        about = (tuple(self.ids), self.values, self.diffs, self.hidden)
        return ChangeEvent(commit, sequence, self.entity, self.shape, self.type, *about)


@dataclass(frozen=True, slots=True)
class Captured:
    """The events of one transaction by stream."""

    commit: Commit
    events: dict[str, list[Kept]]


class Capture:
    """Takes down what transactions change."""

    def __init__(
        self, store: Store, visibility: Visibility, book: SchemaBook, clock: BusClock
    ) -> None:
        self._store = store
        self._visibility = visibility
        self._book = book
        self._sieves = Sieves(store)
        self._clock = clock
        self._commits = 0
        self._blank: dict[int, tuple[ObjectType, Values]] = {}

    @property
    def _channels(self) -> Channels:
        return self._store.channels

    def take(self, transaction: Transaction, first: int) -> Captured | None:
        """The events of a transaction, numbered from `first`; None where nobody wants any."""
        touched = transaction.touched().keys()
        entities = self._channels.entities & touched
        published = [*raised(transaction, touched, self._visibility, self._book)]
        if not entities and not published:
            return None
        changes = [*self._merged(self._bounded(self._changes(transaction, entities)))]
        if not changes and not published:
            return None
        commit = self._commit(transaction, first, len(changes) + len(published))
        events: dict[str, list[Kept]] = {}
        for sequence, each in enumerate(changes, start=1):
            events.setdefault(each.entity, []).append(each.event(commit, sequence))
        for sequence, new in enumerate(published, start=len(changes) + 1):
            events.setdefault(new.topic, []).append(new.event(commit, sequence))
        return Captured(commit, events)

    def _commit(self, transaction: Transaction, first: int, count: int) -> Commit:
        # Commit numbers rise, and after a restart too.
        self._commits = max(self._commits + 1, time.time_ns() // 1000)
        return Commit(
            first,
            count,
            kept_at=self._clock.now(),
            at=time.time_ns() // 1_000_000,
            number=self._commits,
            key=str(uuid.uuid4()),
            user_id=transaction.user_id,
            origin=transaction.origin,
        )

    def _changes(self, transaction: Transaction, entities: frozenset[str]) -> Iterator[Change]:
        faults: dict[str, str | None] = {}
        written = transaction.written(entities)
        masters = {new.get(MASTER) for _, _, new in written if "IsDeleted" in new}
        shapes = {each: self._visibility.shape(each) for each in entities}
        for entity, old, new in written:
            change = self._change(entity, shapes[entity], old, new, new["Id"] in masters)
            if change is None:
                continue
            if entity not in faults:
                faults[entity] = transaction.event_fault(entity)
            fault = faults[entity]
            if fault == "overflow":
                yield Change(entity, change.shape, OVERFLOW, [NO_ROW], None)
            elif fault == "gap":
                yield Change(entity, change.shape, GAP_PREFIX + change.type, change.ids, None)
            else:
                change.hidden = self._sieves.hidden(entity, new)
                yield change

    def _change(
        self, entity: str, shape: ObjectType, old: Row | None, new: Row, is_master: bool
    ) -> Change | None:
        """What happened to one row in all; nothing where it came and went, or stayed as it was."""
        ids, was = [new["Id"]], old is not None and "IsDeleted" not in old
        if "IsDeleted" in new:
            return Change(entity, shape, DELETE, ids, {}) if was else None
        if old is None or not was:
            return Change(entity, shape, CREATE if old is None else UNDELETE, ids, new)
        values = self._changed(shape, old, new)
        if STAMPS.issuperset(values) and not is_master:
            return None
        values["LastModifiedDate"] = new["LastModifiedDate"]
        diffs = _with_diffs(values, old)
        return Change(entity, shape, UPDATE, ids, values, diffs)

    def _changed(self, shape: ObjectType, old: Row, new: Row) -> Values:
        blank = self._blanks(shape)
        found = {name: value for name, value in new.items() if old.get(name) != value}
        found |= {name: None for name in old if name not in new}
        return {
            name: value if value is not None else blank[name]
            for name, value in found.items()
            if name in blank
            and old.get(name, blank[name]) != (blank[name] if value is None else value)
        }

    def _blanks(self, shape: ObjectType) -> Values:
        """The fields that events tell, with what a row without a value for them shows."""
        known = self._blank.get(id(shape))
        if known is None:
            blank = {name: each.empty for name, each in told_fields(shape).items()}
            known = self._blank[id(shape)] = (shape, blank)
        return known[1]

    def _bounded(self, changes: Iterator[Change]) -> Iterator[Change]:
        """Not more changes than one transaction may tell; of each object one word about the rest."""
        for count, change in enumerate(changes):
            if count < MOST_CHANGES:
                yield change
            else:
                yield Change(change.entity, change.shape, OVERFLOW, [NO_ROW], None)

    def _merged(self, changes: Iterator[Change]) -> Iterator[Change]:
        """The changes, equal ones of several rows of an object as one."""
        merges = self._store.switches.merge_change_events
        known: dict[Any, Change] = {}
        for at, change in enumerate(changes):
            key: Any = at
            if change.type == OVERFLOW:
                key = (change.entity, OVERFLOW)
            elif merges and (change.values is None or change.type in ALIKE):
                told = None if change.values is None else frozenset(change.values.items())
                key = (change.entity, change.type, told, change.hidden)
            first = known.setdefault(key, change)
            if first is not change and change.type != OVERFLOW:
                first.ids += change.ids
        yield from known.values()


def _with_diffs(values: Values, old: Row) -> tuple[str, ...]:
    """Put the difference in the place of a changed long text; gives the names of such fields."""
    names = [
        name
        for name, value in values.items()
        if type(value) is str and len(value) >= DIFFED_FROM and name in old
    ]
    for name in names:
        values[name] = _difference(old[name], values[name])
    return tuple(names)


def _difference(before: str, after: str) -> str:
    lines: tuple[Sequence[str], Sequence[str]] = (before.splitlines(), after.splitlines())
    return "\n".join(unified_diff(*lines, lineterm="", n=0))
