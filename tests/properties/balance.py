"""What must be true of a world that has come to rest, whatever happened to it before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from connector.domain.lines import Direction
from connector.domain.states import ConflictState, EnvelopeState, MatchState, OutboxState, PairState
from connector.mapping.parts.compiled import CompiledMapping, Line
from connector.store.tables import (
    Binding,
    Conflict,
    Envelope,
    History,
    Hole,
    Outbox,
    Pair,
    Person,
    Received,
    Record,
)
from connector.sync import views
from connector.sync.live.polled_fields import polled_fields
from connector.sync.pairs import flips, weighing
from connector.sync.upkeep import ledger
from tests import interference as stir
from tests.properties.stories import Known, Story
from tests.world import World

OBJECTS = ("Lead", "Account", "Contact", "Asset", "Case", "WorkOrder")
TOLD_ONCE = ("案件編號", "到府時間", "已開始處理", "已完成")
STANDING_STILL = (OutboxState.HELD, OutboxState.PARKED, OutboxState.DEAD)


def problems(story: Story) -> list[str]:
    """Everything that is out of balance, in words."""
    world = story.world
    return [
        *_undone(world),
        *_held(world),
        *_unsaid(world),
        *_unmade(world),
        *_rows(world, story.agents_rows),
        *_sides(world),
        *_received(world),
        *_turned_back(story),
        *_leaked(story),
        *(said for known in story.people for said in _said(world, known)),
    ]


# -- nothing is lost


def _undone(world: World) -> Iterator[str]:
    yield from (f"unfinished: {each}" for each in world.unfinished())
    for row in stir.all_of(world.system.store, Outbox, Outbox.state == OutboxState.DEAD):
        yield f"dead: {row.reason}"
    for hole in stir.all_of(world.system.store, Hole, Hole.closed_at.is_(None)):
        yield f"a hole that nobody fills: {hole.reason}"


def _held(world: World) -> Iterator[str]:
    """Whatever is held under a token is claimed: its state is not asked again (`claims.held`)."""
    for table in (Outbox, Received, Envelope):
        for row in stir.all_of(world.system.store, table, table.claim_token.is_not(None)):
            if row.state != "claimed":
                yield f"a row of {table.__tablename__} that is {row.state} has a claim token"


def _unsaid(world: World) -> Iterator[str]:
    """Whatever waits says for what, and what is to be done about it."""
    store = world.system.store
    for row in stir.all_of(store, Outbox, Outbox.state.in_(STANDING_STILL)):
        if not (row.reason and row.next_step):
            yield f"{row.state} without a reason or a next step: {row.reason} {row.next_step}"
    for asked in stir.all_of(store, Conflict, Conflict.state == ConflictState.OPEN):
        if not (asked.reason and asked.next_step):
            yield f"conflict without a reason or a next step: {asked.line}"


def _unmade(world: World) -> Iterator[str]:
    """Whatever should have a row has one, had one, or says why not."""
    store = world.system.store
    with store.reading() as session:
        catalog = world.system.catalogs.live(session)
        records = list(session.scalars(sa.select(Record)))
        views_by_id = views.views_of(session, records)
    pairs: dict[tuple[UUID, str], list[Pair]] = {}
    for pair in stir.all_of(store, Pair):
        pairs.setdefault((pair.record_id, pair.mapping), []).append(pair)
    waiting = {row.pair_id for row in stir.all_of(store, Outbox)}
    # what a person has let go of is not made anew by that very act
    left = set(stir.all_of(store, Binding.person_id, Binding.unbound_at.is_not(None)))
    for record in records:
        for mapping in catalog.mappings.values():
            if mapping.kind != record.kind or mapping.create == "salesforce":
                continue
            if not mapping.enabled or not mapping.active(views_by_id[record.id]):
                continue
            own = pairs.get((record.id, mapping.name), [])
            if not own and record.person_id not in left:
                yield f"{record.kind} {record.id} has no pair under {mapping.name}"
            for pair in own:
                if pair.state is PairState.OPEN and not pair.salesforce_id:
                    if pair.id not in waiting:
                        yield f"{pair.mapping} of {record.id} has no row and waits for none"
    for own in pairs.values():
        for pair in own:
            if pair.state is PairState.RELEASING and pair.id not in waiting:
                yield f"{pair.object} {pair.salesforce_id} is never let go of"


# -- nothing is there twice


def _rows(world: World, agents_rows: set[str]) -> Iterator[str]:
    """One row for each pair that has one, and no row that nobody asked for."""
    pairs = stir.all_of(world.system.store, Pair)
    by_row = {pair.salesforce_id: pair for pair in pairs if _is_written(pair)}
    known = {pair.salesforce_id for pair in pairs}
    still = _standing_still(world)
    stuck = {pair.key for pair in pairs if pair.id in still}  # it waits for a person
    for name in OBJECTS:
        # nobody can write to a converted Lead any more: it stays as it was
        where = "WHERE IsConverted = false" if name == "Lead" else ""
        rows = world.rows(f"SELECT Id, LINE_Key__c FROM {name} {where}")
        keys = Counter(row["LINE_Key__c"] for row in rows if row["LINE_Key__c"])
        yield from (f"{name}: key {key} twice" for key, count in keys.items() if count > 1)
        for row in rows:
            if row["Id"] not in known | agents_rows:
                yield f"{name} {row['Id']} belongs to nobody"
            pair = by_row.get(row["Id"])
            wanted = pair.key if pair is not None else None
            unmet = {None} if wanted in stuck else set()  # a row it was given but has not met
            if row["LINE_Key__c"] not in {wanted, *stuck, *unmet}:
                yield f"{name} {row['Id']} carries {row['LINE_Key__c']}, not {wanted}"
    open_ids = [pair.salesforce_id for pair in pairs if _is_written(pair)]
    yield from (f"{row} has two pairs" for row, count in Counter(open_ids).items() if count > 1)


def _is_written(pair: Pair) -> bool:
    return pair.state is PairState.OPEN and pair.salesforce_id is not None and not pair.adopted


def _said(world: World, known: Known) -> Iterator[str]:
    """No message came twice, and none that LINE accepted is missing."""
    texts = world.texts(known.user)
    counted = Counter(text for text in texts if any(word in text for word in TOLD_ONCE))
    yield from (f"told {count} times: {text}" for text, count in counted.items() if count > 1)
    store = world.system.store
    (person,) = stir.all_of(store, Person, Person.line_user_id == known.user) or [None]
    if person is None:
        return
    sent = stir.all_of(store, Envelope, Envelope.person_id == person.id, Envelope.body.is_not(None))
    bubbles = {each.id: len(each.body["messages"]) for each in sent}
    tried = sum(bubbles[each.id] for each in sent if each.first_sent_at is not None)
    if len(texts) > tried:
        yield f"person {known.user} was told {len(texts)} messages of {tried} that were sent"
    accepted = sum(bubbles[each.id] for each in sent if each.state is EnvelopeState.ACCEPTED)
    if len(texts) < accepted and not known.blocked:
        yield f"person {known.user} was told {len(texts)} messages of {accepted} accepted ones"


# -- both sides are equal


def _sides(world: World) -> Iterator[str]:
    """Both sides hold the same under the mapping, but for what a person is asked."""
    store = world.system.store
    asked = {
        (each.pair_id, each.line)
        for each in stir.all_of(store, Conflict, Conflict.state == ConflictState.OPEN)
    }
    with store.reading() as session:
        catalog = world.system.catalogs.live(session)
        records = list(session.scalars(sa.select(Record)))
        seen = views.views_of(session, records)
    still, heard_of = _standing_still(world), polled_fields(catalog)
    whole: dict[str, list[Pair]] = {}
    for pair in stir.all_of(store, Pair):
        if _is_written(pair) and pair.id not in still:
            whole.setdefault(pair.mapping, []).append(pair)
    for name, pairs in whole.items():
        mapping = catalog.mappings[name]
        rows = _read(world, mapping, pairs)
        for pair in pairs:
            row = rows.get(str(pair.salesforce_id))
            if row is not None:
                yield from _differences(mapping, pair, seen[pair.record_id], row, asked)
            elif pair.object in heard_of:  # others are learnt to be gone when they are needed
                yield f"{pair.object} {pair.salesforce_id} is not there"


def _standing_still(world: World) -> set[UUID]:
    standing = Outbox.state.in_(STANDING_STILL)
    return {row.pair_id for row in stir.all_of(world.system.store, Outbox, standing)}


def _differences(
    mapping: CompiledMapping,
    pair: Pair,
    seen: Any,
    row: dict[str, Any],
    asked: set[tuple[UUID, str]],
) -> Iterator[str]:
    if not mapping.active(seen):
        return
    for line in mapping.lines:
        if (pair.id, line.id) not in asked and not _agree(line, mapping, seen, row):
            yield f"{pair.object}.{line.id}: {seen.get(line.source or '')!r} / {row}"
    outcome = weighing.weigh(mapping, seen, pair.base, row, frozen=flips.frozen(pair))
    if outcome.sends or outcome.takes:
        yield f"{pair.object}: still to send {outcome.sends}, to take {outcome.takes}"


def _read(
    world: World, mapping: CompiledMapping, pairs: Sequence[Pair]
) -> dict[str, dict[str, Any]]:
    names = dict.fromkeys(["Id", *(name for line in mapping.lines for name in line.fields)])
    ids = ", ".join(f"'{pair.salesforce_id}'" for pair in pairs)
    rows = world.rows(f"SELECT {', '.join(names)} FROM {mapping.object} WHERE Id IN ({ids})")
    return {row["Id"]: row for row in rows}


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


# -- nothing flips, and nothing comes from where it must not


def _turned_back(story: Story) -> Iterator[str]:
    """A value that was entered once never comes back, and the last one that either side entered stands."""
    store = story.world.system.store
    here = History.name == "email"
    taken: dict[UUID, list[Any]] = {}
    for row in sorted(stir.all_of(store, History, here), key=lambda row: row.id):
        taken.setdefault(row.record_id, []).append(row.after["value"])
    for record, values in taken.items():
        runs = Counter(value for value, _ in groupby(values) if value is not None)
        yield from (
            f"{value} came back to {record}: {values}" for value, n in runs.items() if n > 1
        )
    open_here = [Pair.object == "Contact", Pair.state == PairState.OPEN]
    for pair in stir.all_of(store, Pair, *open_here, Pair.match != MatchState.CONFLICT):
        row = str(pair.salesforce_id)
        last = {story.entered.by_people.get(pair.record_id)}
        last |= {story.entered.by_agents[row]} if row in story.entered.by_agents else set()
        held = story.world.record(pair.record_id).values["email"]
        if row not in story.entered.moved and held not in last:
            yield f"member {pair.record_id} holds {held}, but the last entered were {last}"


def _leaked(story: Story) -> Iterator[str]:
    """Nothing that was entered in a row reached a record that the row does not belong to."""
    store = story.world.system.store
    rows: dict[UUID, set[str | None]] = {}
    for pair in stir.all_of(store, Pair, Pair.match != MatchState.CONFLICT):
        rows.setdefault(pair.record_id, set()).add(pair.salesforce_id)
    for change in stir.all_of(store, History, History.name == "email"):
        row = story.entered.rows.get(str(change.after["value"]))
        if row and not story.entered.lives_on_in(row) & rows.get(change.record_id, set()):
            yield f"{change.after['value']} of {row} reached {change.record_id}"
