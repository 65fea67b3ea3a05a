"""The fewest calls that make a set of write intents true, parents first; pure.

A call is one composite request of at most five collections and queries. Creates are upserts
by key while the row has no Salesforce id; they and updates never share a subrequest. What is
to be read back rides in the same call where that costs no further call, else one later call
reads it all. Rows of one group (a parent Account) stay together, so that workers beside us do
not lock the same parent.

Assignment rules are said per subrequest and per call. Which of the two a collection obeys is
not documented, so writes to objects with assignment rules that differ in this never share a
call.

New rows that stand or fall together go in graphs, in calls of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from connector.salesforce.graphs import bonded, graph_calls, graphs_without
from connector.salesforce.order import ancestry_of, levels_of
from connector.salesforce.plans import (
    ASSIGNED_OBJECTS,
    KEY_FIELD,
    STANDARD,
    Ancestry,
    Call,
    Limits,
    ParentCycle,
    ParentRef,
    WriteIntent,
    row_of,
)
from connector.salesforce.soql import MAX_LENGTH, in_list, select
from connector.salesforce.steps import Graphs, Query, Step, Update, Upsert

__all__ = [
    "KEY_FIELD",
    "STANDARD",
    "Call",
    "Limits",
    "ParentCycle",
    "ParentRef",
    "WriteIntent",
    "plan_writes",
    "without",
]


@dataclass(frozen=True)
class _Block:
    """Rows that become one step."""

    intents: tuple[WriteIntent, ...]
    level: int

    @property
    def object(self) -> str:
        return self.intents[0].object

    @property
    def assign(self) -> bool:
        return self.intents[0].assigns


def plan_writes(intents: Sequence[WriteIntent], limits: Limits = STANDARD) -> list[Call]:
    """The calls, to be carried out in this order."""
    ancestry = ancestry_of(intents)
    bonds = bonded(intents)
    levels = levels_of(intents, ancestry, bonds)
    free = [intent for intent in intents if intent.ref not in bonds]
    blocks = list(_blocks(free, levels, limits))
    tied = [intent for intent in intents if intent.ref in bonds]
    graphs = list(graph_calls(tied, levels, limits, ancestry))
    later = list(_read_calls(tied, limits))
    apart = [
        *_merged(blocks, graphs, limits, ancestry, read_now=False),
        *_read_calls(intents, limits),
    ]
    if limits.steps < 2:
        return apart
    together = [*_merged(blocks, graphs, limits, ancestry, read_now=True), *later]
    return apart if len(apart) < len(together) else together


def _merged(
    blocks: Sequence[_Block],
    graphs: Sequence[tuple[int, Call]],
    limits: Limits,
    ancestry: Ancestry,
    *,
    read_now: bool,
) -> list[Call]:
    """Graphs among the other calls, each after all that its rows may name."""
    calls: list[Call] = []
    rest = list(blocks)
    for level, graph in graphs:
        before = [block for block in rest if block.level <= level]
        rest = [block for block in rest if block.level > level]
        calls += _calls(before, limits, ancestry, read_now=read_now)
        calls.append(graph)
    return [*calls, *_calls(rest, limits, ancestry, read_now=read_now)]


def without(call: Call, refs: Iterable[str]) -> Call | None:
    """The call less some intents (their parent failed); None when nothing is left to write."""
    held = set(refs)
    steps, rows = [], {}
    for step in call.steps:
        if isinstance(step, Query) or step.ref not in call.rows:
            steps.append(step)
            continue
        if isinstance(step, Graphs):
            left, kept_refs = graphs_without(step, call.rows[step.ref], held)
            if left is not None:
                steps.append(left)
                rows[step.ref] = kept_refs
            continue
        kept = [(ref, at) for at, ref in enumerate(call.rows[step.ref]) if ref not in held]
        if kept and isinstance(step, Upsert | Update):
            steps.append(replace(step, rows=tuple(step.rows[at] for _, at in kept)))
            rows[step.ref] = tuple(ref for ref, _ in kept)
    if call.rows and not rows:
        return None
    return replace(call, steps=tuple(steps), rows=rows)


# -- blocks


def _blocks(
    intents: Sequence[WriteIntent], levels: Mapping[str, int], limits: Limits
) -> Iterator[_Block]:
    kinds: dict[tuple[int, bool, str, bool], list[WriteIntent]] = {}
    for intent in intents:
        kind = (levels[intent.ref], intent.assigns, intent.object, intent.salesforce_id is None)
        kinds.setdefault(kind, []).append(intent)
    for kind in sorted(kinds):
        yield from _chunks(kinds[kind], limits.step_rows(kind[2]), kind[0])


def _chunks(intents: Sequence[WriteIntent], size: int, level: int) -> Iterator[_Block]:
    """Blocks of at most `size` rows; a group is split only where that saves a block."""
    spare = -len(intents) % size
    block: list[WriteIntent] = []
    for group in _groups(intents):
        room = size - len(block)
        if room < len(group) <= size and room <= spare:
            spare -= room
            yield _Block(tuple(block), level)
            block = []
        for intent in group:
            block.append(intent)
            if len(block) == size:
                yield _Block(tuple(block), level)
                block = []
    if block:
        yield _Block(tuple(block), level)


def _groups(intents: Sequence[WriteIntent]) -> Iterable[list[WriteIntent]]:
    groups: dict[str, list[WriteIntent]] = {}
    for intent in intents:
        groups.setdefault(intent.group or f"alone {intent.ref}", []).append(intent)
    return groups.values()


# -- calls


def _calls(
    blocks: Sequence[_Block], limits: Limits, ancestry: Ancestry, *, read_now: bool
) -> list[Call]:
    calls: list[Call] = []
    held: list[_Block] = []
    for block in _distinct(blocks):
        if held and not _fits(held, block, limits, read_now=read_now):
            calls.append(_call(held, ancestry, len(calls), read_now=read_now))
            held = []
        held.append(block)
    if held:
        calls.append(_call(held, ancestry, len(calls), read_now=read_now))
    return calls


def _distinct(blocks: Sequence[_Block]) -> Iterator[_Block]:
    """The blocks, split where one names a row twice: the second goes into a block of its own."""
    for block in blocks:
        seen: set[str] = set()
        first: list[WriteIntent] = []
        again: list[WriteIntent] = []
        for intent in block.intents:
            names = {intent.key, intent.salesforce_id or intent.key}
            (again if names & seen else first).append(intent)
            seen |= names
        yield _Block(tuple(first), block.level)
        if again:
            yield from _distinct([_Block(tuple(again), block.level)])


def _fits(held: Sequence[_Block], block: _Block, limits: Limits, *, read_now: bool) -> bool:
    both = [*held, block]
    intents = [intent for one in both for intent in one.intents]
    reads = _reads(intents) if read_now else {}
    if len(both) + len(reads) > limits.steps:
        return False
    if any(
        len(read) > limits.read_rows or len(_soql(read)) > MAX_LENGTH for read in reads.values()
    ):
        return False
    rules = {one.assign for one in both if one.object in ASSIGNED_OBJECTS}
    return len(rules) < 2 and not _twice(intents)


def _twice(intents: Sequence[WriteIntent]) -> bool:
    keys = {(intent.object, intent.key) for intent in intents}
    ids = [intent.salesforce_id for intent in intents if intent.salesforce_id]
    return len(keys) < len(intents) or len(set(ids)) < len(ids)


def _call(blocks: Sequence[_Block], ancestry: Ancestry, number: int, *, read_now: bool) -> Call:
    intents = [intent for block in blocks for intent in block.intents]
    steps: list[Step] = [_step(block, f"w{number}_{at}") for at, block in enumerate(blocks)]
    rows = {
        step.ref: tuple(intent.ref for intent in block.intents)
        for step, block in zip(steps, blocks, strict=True)
    }
    queries, read_backs = _queries(_reads(intents) if read_now else {}, number)
    return Call(
        steps=(*steps, *queries),
        rows=rows,
        read_backs=read_backs,
        parents={intent.ref: ancestry[intent.ref] for intent in intents if ancestry[intent.ref]},
        assign=any(block.assign for block in blocks),
    )


def _step(block: _Block, ref: str) -> Step:
    if block.intents[0].salesforce_id is None:
        rows = tuple({**row_of(intent), KEY_FIELD: intent.key} for intent in block.intents)
        return Upsert(ref, block.object, KEY_FIELD, rows)
    return Update(
        ref, block.object, tuple({"Id": i.salesforce_id, **row_of(i)} for i in block.intents)
    )


# -- read-backs


def _reads(intents: Iterable[WriteIntent]) -> dict[str, list[WriteIntent]]:
    found: dict[str, list[WriteIntent]] = {}
    for intent in intents:
        if intent.read_back:
            found.setdefault(intent.object, []).append(intent)
    return found


def _read_calls(intents: Sequence[WriteIntent], limits: Limits) -> Iterator[Call]:
    portions = [
        (name, portion)
        for name, wanted in _reads(intents).items()
        for portion in _portions(wanted, limits)
    ]
    for at in range(0, len(portions), limits.steps):
        some = portions[at : at + limits.steps]
        queries = tuple(Query(f"r{at}_{n}", _soql(portion)) for n, (_, portion) in enumerate(some))
        read_backs = {
            query.ref: tuple(intent.ref for intent in portion)
            for query, (_, portion) in zip(queries, some, strict=True)
        }
        yield Call(steps=queries, rows={}, read_backs=read_backs)


def _portions(intents: Sequence[WriteIntent], limits: Limits) -> Iterator[list[WriteIntent]]:
    for at in range(0, len(intents), limits.read_rows):
        portion = list(intents[at : at + limits.read_rows])
        if len(_soql(portion)) <= MAX_LENGTH:
            yield portion
        else:
            yield from _portions(portion, replace(limits, read_rows=max(1, len(portion) // 2)))


def _queries(
    reads: Mapping[str, list[WriteIntent]], number: int
) -> tuple[list[Query], dict[str, tuple[str, ...]]]:
    queries, read_backs = [], {}
    for at, intents in enumerate(reads.values()):
        query = Query(f"r{number}_{at}", _soql(intents))
        queries.append(query)
        read_backs[query.ref] = tuple(intent.ref for intent in intents)
    return queries, read_backs


def _soql(intents: Sequence[WriteIntent]) -> str:
    """Rows are read by Id where it is known, for an update may clear or move the key."""
    keys = [intent.key for intent in intents if intent.salesforce_id is None]
    ids = [intent.salesforce_id for intent in intents if intent.salesforce_id is not None]
    found = [in_list(name, values) for name, values in ((KEY_FIELD, keys), ("Id", ids)) if values]
    names = dict.fromkeys(name for intent in intents for name in intent.read_back)
    return select(("Id", KEY_FIELD, *names), intents[0].object, " OR ".join(found))
