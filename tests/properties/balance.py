"""What must be true of a world that has come to rest, whatever happened to it before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from connector.domain.lines import Direction
from connector.domain.states import ConflictState, OutboxState, PairState
from connector.mapping.compiled import CompiledMapping, Line
from connector.store.tables import Conflict, Outbox, Pair, Received, Record
from connector.sync import ledger, views, weighing
from tests import interference as stir
from tests.world import World

OBJECTS = ("Lead", "Account", "Contact", "Asset", "Case", "WorkOrder")
STANDING_STILL = (OutboxState.HELD, OutboxState.PARKED, OutboxState.DEAD)


def problems(world: World, agents_rows: set[str]) -> list[str]:
    """Everything that is out of balance, in words."""
    return [
        *_undone(world),
        *_rows(world, agents_rows),
        *_sides(world),
        *_received(world),
    ]


def _undone(world: World) -> Iterator[str]:
    yield from (f"unfinished: {each}" for each in world.unfinished())
    for row in stir.all_of(world.system.store, Outbox, Outbox.state == OutboxState.DEAD):
        yield f"dead: {row.reason}"


def _rows(world: World, agents_rows: set[str]) -> Iterator[str]:
    """One row for each pair that has one, and no row that nobody asked for."""
    pairs = stir.all_of(world.system.store, Pair)
    by_row = {pair.salesforce_id: pair for pair in pairs if _is_written(pair)}
    known = {pair.salesforce_id for pair in pairs}
    for name in OBJECTS:
        rows = world.rows(f"SELECT Id, LINE_Key__c FROM {name}")
        keys = Counter(row["LINE_Key__c"] for row in rows if row["LINE_Key__c"])
        yield from (f"{name}: key {key} twice" for key, count in keys.items() if count > 1)
        for row in rows:
            if row["Id"] not in known | agents_rows:
                yield f"{name} {row['Id']} belongs to nobody"
            pair = by_row.get(row["Id"])
            wanted = pair.key if pair is not None else None
            if row["LINE_Key__c"] != wanted and not _is_stuck(world, row["LINE_Key__c"]):
                yield f"{name} {row['Id']} carries {row['LINE_Key__c']}, not {wanted}"
    open_ids = [pair.salesforce_id for pair in pairs if _is_written(pair)]
    yield from (f"{row} has two pairs" for row, count in Counter(open_ids).items() if count > 1)


def _is_stuck(world: World, key: str | None) -> bool:
    """Whether the pair of a key waits for a person, and so has not come to its end."""
    for pair in stir.all_of(world.system.store, Pair, Pair.key == (key or "")):
        row = stir.intent(world, pair.id)
        return row is not None and row.state in STANDING_STILL
    return False


def _is_written(pair: Pair) -> bool:
    return pair.state is PairState.OPEN and pair.salesforce_id is not None and not pair.adopted


def _sides(world: World) -> Iterator[str]:
    """Both sides hold the same under the mapping, but for what a person is asked."""
    store = world.system.store
    asked = {
        (each.pair_id, each.line)
        for each in stir.all_of(store, Conflict, Conflict.state == ConflictState.OPEN)
    }
    with store.reading() as session:
        catalog = world.system.catalogs.live(session)
    for pair in stir.all_of(store, Pair):
        mapping = catalog.mappings[pair.mapping]
        row = stir.intent(world, pair.id)
        if _is_written(pair) and (row is None or row.state not in STANDING_STILL):
            yield from _differences(world, mapping, pair, asked)


def _differences(
    world: World, mapping: CompiledMapping, pair: Pair, asked: set[tuple[UUID, str]]
) -> Iterator[str]:
    with world.system.store.reading() as session:
        record = session.get_one(Record, pair.record_id)
        seen = views.view_of(session, record)
    row = _row(world, mapping, pair)
    if not mapping.active(seen):
        return
    for line in mapping.lines:
        if (pair.id, line.id) not in asked and not _agree(line, mapping, seen, row):
            yield f"{pair.object}.{line.id}: {seen.get(line.source or '')!r} / {row}"
    outcome = weighing.weigh(mapping, seen, pair.base, row)
    if outcome.sends or outcome.takes:
        yield f"{pair.object}: still to send {outcome.sends}, to take {outcome.takes}"


def _row(world: World, mapping: CompiledMapping, pair: Pair) -> dict[str, Any]:
    names = ", ".join(dict.fromkeys(name for line in mapping.lines for name in line.fields))
    return world.row(f"SELECT {names} FROM {pair.object} WHERE Id = '{pair.salesforce_id}'")


def _agree(line: Line, mapping: CompiledMapping, seen: Any, row: dict[str, Any]) -> bool:
    theirs = line.canonical(row)
    if line.direction is Direction.FROM_SALESFORCE:
        return bool(seen[line.source or ""] == line.inverse(theirs))
    if not line.writes_after_creation or line.is_expression:
        return True
    return line.same(line.forward(seen), theirs)


def _received(world: World) -> Iterator[str]:
    """The ledger is even, and only what is visibly held is still in flight."""
    store = world.system.store
    with store.reading() as session:
        yield from (f"ledger: {each}" for each in ledger.imbalances(session))
        if not ledger.count(session).adds_up:
            yield "ledger: the sums differ"
    held = stir.all_of(store, Outbox, Outbox.state == OutboxState.HELD)
    if not held:
        yield from (f"in flight: {row.id} {row.kind}" for row in stir.in_flight(world))
    for row in stir.all_of(store, Received, Received.state == "dead"):
        yield f"not read: {row.kind} {row.reason}"


def said_twice(world: World, user: str, told_once: tuple[str, ...]) -> list[str]:
    """Texts that a person was told more than once although they are worth one message."""
    counted = Counter(text for text in world.texts(user) if any(word in text for word in told_once))
    return [text for text, count in counted.items() if count > 1]
