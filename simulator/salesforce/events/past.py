"""Events in the journal: how they are written down, and what a restarted bus finds of them."""

import base64
import time
from collections.abc import Mapping, Sequence
from typing import Any

from simulator.salesforce.events.clock import HOUR_MS
from simulator.salesforce.events.kept import (
    CREATE,
    GAP_PREFIX,
    UNDELETE,
    UPDATE,
    ChangeEvent,
    Commit,
    Kept,
    PlatformEvent,
    Values,
)
from simulator.salesforce.events.log import KEPT_HOURS, EventLog

Entry = dict[str, Any]
Rows = Mapping[str, list[dict[str, Any]]]
WHOLE = frozenset({CREATE, UNDELETE})
# Stands where a change has its type.
PUBLISHED = "PUBLISHED"


class Past:
    """The bus as a journal tells of it: the epoch of its replay ids and the events it kept."""

    def __init__(self) -> None:
        self.epoch: bytes | None = None
        self.log = EventLog()
        self._oldest = time.time_ns() // 1_000_000 - KEPT_HOURS * HOUR_MS

    def note(self, entry: Entry, rows: Rows) -> None:
        """Take up one entry and the rows that were written with it."""
        if "epoch" in entry:
            self.epoch = bytes.fromhex(entry["epoch"])
            return
        commit = Commit(*entry["commit"])
        self.log.last = commit.last
        if commit.kept_at < self._oldest:
            self.log.lost = commit.last
        else:
            for stream, events in _events(entry["events"], commit, rows).items():
                self.log.add(commit, stream, events)


def told(commit: Commit, events: Mapping[str, Sequence[Kept]]) -> Entry:
    """The entry of a commit; of what its rows hold too, only the names."""
    lines = [
        [stream, *(_change(each) if isinstance(each, ChangeEvent) else _published(each))]
        for stream, found in events.items()
        for each in found
    ]
    return {"commit": _commit(commit), "events": lines}


def _change(event: ChangeEvent) -> list[Any]:
    values = event.values or {}
    return [
        event.sequence,
        event.type,
        event.ids,
        [*values] if event.type == UPDATE else None,
        {name: values[name] for name in event.diffs} or None,
        [*event.hidden],
    ]


def _published(event: PlatformEvent) -> list[Any]:
    payload = base64.b64encode(event.payload).decode()
    return [event.sequence, PUBLISHED, event.id, event.schema_id, payload]


def _commit(commit: Commit) -> list[Any]:
    return [getattr(commit, name) for name in Commit.__slots__]


def _events(lines: list[list[Any]], commit: Commit, rows: Rows) -> dict[str, list[Kept]]:
    known = {row["Id"]: row for each in rows.values() for row in each}
    events: dict[str, list[Kept]] = {}
    for stream, sequence, type_, *more in lines:
        if type_ == PUBLISHED:
            event_id, schema_id, payload = more
            event: Kept = PlatformEvent(
                commit, sequence, event_id, schema_id, base64.b64decode(payload)
            )
        else:
            event = _event(commit, sequence, stream, type_, more, known)
        events.setdefault(stream, []).append(event)
    return events


def _event(
    commit: Commit, sequence: int, entity: str, type_: str, more: list[Any], rows: dict[str, Values]
) -> ChangeEvent:
    ids, names, diffs, hidden = more
    values: Values | None = None if type_.startswith(GAP_PREFIX) else {}
    if type_ in WHOLE:
        values = rows[ids[0]]
    elif names is not None:
        values = {name: rows[ids[0]].get(name) for name in names} | (diffs or {})
    about = (tuple(ids), values, tuple(diffs or ()), frozenset(hidden))
    return ChangeEvent(commit, sequence, entity, None, type_, *about)
