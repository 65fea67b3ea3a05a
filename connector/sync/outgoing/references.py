"""References that are given by another field: found in batches, remembered for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from connector.mapping.canonical import plain_text, read_number
from connector.mapping.parts.compiled import LineProblem
from connector.salesforce import soql
from connector.salesforce.gateway import Gateway
from connector.salesforce.steps import Query, Rows
from connector.sync.pairs.filling import SEVERAL, Key, given_key, key_of
from connector.sync.pairs.jobs import Job

_KEPT_SECONDS = 300.0
_CHUNK = 200
_STEPS = 5


@dataclass
class References:
    """Ids by what they were sought by. Threads may share it."""

    _found: dict[Key, tuple[float, str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, gateway: Gateway, jobs: Iterable[Job]) -> Mapping[Key, str]:
        """The Ids that these jobs' rows must name, asked of the org where they are not known."""
        wanted = {key for job in jobs if job.open for key in _wanted(job)}
        known = self._known(wanted)
        missing = sorted(wanted - known.keys())
        for at in range(0, len(missing), _CHUNK * _STEPS):
            known |= self._ask(gateway, missing[at : at + _CHUNK * _STEPS])
        return known

    def _known(self, wanted: set[Key]) -> dict[Key, str]:
        oldest = time.monotonic() - _KEPT_SECONDS
        with self._lock:
            kept = {key: self._found[key] for key in wanted if key in self._found}
        return {key: found for key, (at, found) in kept.items() if at > oldest}

    def _ask(self, gateway: Gateway, missing: list[Key]) -> dict[Key, str]:
        steps = {f"l{at}": group for at, group in enumerate(_groups(missing))}
        found: dict[Key, str] = {}
        names = list(steps)
        for at in range(0, len(names), _STEPS):
            some = names[at : at + _STEPS]
            answer = gateway.run([_query(ref, steps[ref]) for ref in some])
            for ref in some:
                result = answer.results[ref]
                if isinstance(result, Rows):
                    found |= _read(steps[ref], result)
        now = time.monotonic()
        with self._lock:
            self._found.update({key: (now, row) for key, row in found.items() if row != SEVERAL})
        return found


def _wanted(job: Job) -> Iterator[Key]:
    if job.salesforce_id is None and not job.releasing:
        keys = (given_key(job.mapping, each, job.seen) for each in job.mapping.given)
        yield from (key for key in keys if key is not None)
    for line in job.mapping.outbound:
        if line.lookup is None:
            continue
        try:
            value = line.forward(job.seen).get(line.fields[0])
        except LineProblem:
            continue  # weighing says so
        if value not in (None, ""):
            key = key_of(line, value)
            if not key.is_number or read_number(key.value) is not None:
                yield key


def _groups(keys: list[Key]) -> Iterator[list[Key]]:
    by_field: dict[_Place, list[Key]] = {}
    for key in keys:
        by_field.setdefault(_place(key), []).append(key)
    for group in by_field.values():
        for at in range(0, len(group), _CHUNK):
            yield group[at : at + _CHUNK]


def _query(ref: str, group: list[Key]) -> Query:
    place = _place(group[0])
    sought = [key.value for key in group]
    numbers = [float(value) for value in sought] if group[0].is_number else None
    values = [soql.any_of(place.by, numbers) if numbers else soql.in_list(place.by, sought)]
    if place.serves:
        values.append(soql.in_list(place.serves, [key.serves for key in group]))
    if place.active:
        values.append(f"{soql.name(place.active)} = true")
    return Query(ref, soql.select(place.fields, place.object, " AND ".join(values)))


def _read(group: list[Key], rows: Rows) -> dict[Key, str]:
    """The one row that holds each value; of several none."""
    place = _place(group[0])
    seen: dict[tuple[str, str], set[str]] = {}
    for row in rows.found:
        served = str(row[place.serves]) if place.serves else ""
        held = plain_text(row[place.by]).casefold()
        seen.setdefault((held, served), set()).add(str(row[place.id]))
    found = {key: seen.get((key.value, key.serves if place.serves else ""), set()) for key in group}
    return {key: min(ids) if len(ids) == 1 else SEVERAL for key, ids in found.items() if ids}


@dataclass(frozen=True)
class _Place:
    """Where the rows of one kind are found: `serves` and `active` name fields that must fit."""

    object: str
    by: str
    id: str = "Id"
    serves: str = ""
    active: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name in (self.id, self.by, self.serves) if name))


# What new rows are given must be in use and take such rows; a queue says which by rows beside it.
_GIVEN: Mapping[str, _Place] = {
    "Group": _Place("QueueSobject", "Queue.DeveloperName", "QueueId", "SobjectType"),
    "User": _Place("User", "Username", active="IsActive"),
    "RecordType": _Place("RecordType", "DeveloperName", serves="SobjectType", active="IsActive"),
}


def _place(key: Key) -> _Place:
    return _GIVEN[key.object] if key.serves else _Place(key.object, key.by)
