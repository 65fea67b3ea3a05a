"""The fewest calls that make a set of write intents true, parents first; pure.

A call is one composite request of at most five collections and queries. Creates are upserts
by key while the row has no Salesforce id; they and updates never share a subrequest. What is
to be read back rides in the same call where that costs no further call, else one later call
reads it all. Rows of one group (a parent Account) stay together, so that workers beside us do
not lock the same parent.

Assignment rules are said per subrequest and per call. Which of the two a collection obeys is
not documented, so writes to objects with assignment rules that differ in this never share a
call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from connector.domain.values import Fields
from connector.errors import ConnectorError
from connector.salesforce.soql import MAX_LENGTH, in_list, select
from connector.salesforce.steps import Query, Step, Update, Upsert

KEY_FIELD = "LINE_Key__c"
ASSIGNED_OBJECTS = frozenset(
    {"Account", "Case", "Lead"}
)  # those the Sforce-Auto-Assign header speaks of


@dataclass(frozen=True)
class Limits:
    """What one call may hold; `object_rows` narrows the steps of an object that is slow."""

    steps: int = 5
    rows: int = 200
    read_rows: int = 2000
    object_rows: Mapping[str, int] = field(default_factory=dict)

    def step_rows(self, object_name: str) -> int:
        """The most rows of one step on this object, at least one."""
        return max(1, min(self.rows, self.object_rows.get(object_name, self.rows)))


STANDARD = Limits()


@dataclass(frozen=True)
class ParentRef:
    """A reference field, by the parent's Salesforce id when known, else by the parent's key."""

    field: str
    relationship: str
    object: str
    id: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class WriteIntent:
    """One row to be made true.

    `group` keeps rows of one parent Account together; `level` is a floor for the order.
    """

    ref: str
    object: str
    key: str
    salesforce_id: str | None
    fields: Fields
    parents: tuple[ParentRef, ...] = ()
    read_back: tuple[str, ...] = ()
    group: str | None = None
    level: int = 0
    assign: bool = False


@dataclass(frozen=True)
class Call:
    """One composite call.

    `rows`: intent refs by step ref, in row order; `read_backs`: intent refs by query ref.

    `parents` names each intent's parents among the same plan's intents.
    """

    steps: tuple[Step, ...]
    rows: Mapping[str, tuple[str, ...]]
    read_backs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    assign: bool = False

    @property
    def written(self) -> int:
        """How many rows the call writes."""
        return sum(len(refs) for refs in self.rows.values())


class ParentCycle(ConnectorError):
    """Rows that name each other as parents can never be created."""

    def __init__(self, refs: Iterable[str]) -> None:
        super().__init__(
            "parent_cycle",
            f"these rows are each other's parents: {', '.join(sorted(refs))}",
            "Take one of the parents out of the mapping.",
        )


@dataclass(frozen=True)
class _Block:
    """Rows that become one step."""

    intents: tuple[WriteIntent, ...]

    @property
    def object(self) -> str:
        return self.intents[0].object

    @property
    def assign(self) -> bool:
        return _assigns(self.intents[0])


_Ancestry: TypeAlias = Mapping[str, tuple[str, ...]]


def plan_writes(intents: Sequence[WriteIntent], limits: Limits = STANDARD) -> list[Call]:
    """The calls, to be carried out in this order."""
    ancestry = _ancestry(intents)
    blocks = list(_blocks(intents, _levels(intents, ancestry), limits))
    apart = _calls(blocks, limits, ancestry, read_now=False)
    if limits.steps < 2:
        return apart
    together = _calls(blocks, limits, ancestry, read_now=True)
    return apart if len(apart) < len(together) else together


def without(call: Call, refs: Iterable[str]) -> Call | None:
    """The call less some intents (their parent failed); None when nothing is left to write."""
    held = set(refs)
    steps, rows = [], {}
    for step in call.steps:
        if isinstance(step, Query) or step.ref not in call.rows:
            steps.append(step)
            continue
        kept = [(ref, at) for at, ref in enumerate(call.rows[step.ref]) if ref not in held]
        if kept and isinstance(step, Upsert | Update):
            steps.append(replace(step, rows=tuple(step.rows[at] for _, at in kept)))
            rows[step.ref] = tuple(ref for ref, _ in kept)
    if call.rows and not rows:
        return None
    return replace(call, steps=tuple(steps), rows=rows)


# -- order


def _ancestry(intents: Sequence[WriteIntent]) -> _Ancestry:
    by_key = {(intent.object, intent.key): intent.ref for intent in intents}
    return {
        intent.ref: tuple(
            ref
            for parent in intent.parents
            if parent.id is None and parent.key is not None
            for ref in (by_key.get((parent.object, parent.key)),)
            if ref is not None and ref != intent.ref
        )
        for intent in intents
    }


def _levels(intents: Sequence[WriteIntent], ancestry: _Ancestry) -> dict[str, int]:
    floors = {intent.ref: intent.level for intent in intents}
    levels: dict[str, int] = {}
    waiting = dict(ancestry)
    while waiting:
        ready = [ref for ref, parents in waiting.items() if all(up in levels for up in parents)]
        if not ready:
            raise ParentCycle(waiting)
        for ref in ready:
            parents = waiting.pop(ref)
            levels[ref] = max([floors[ref], *(levels[up] + 1 for up in parents)])
    return levels


def _blocks(
    intents: Sequence[WriteIntent], levels: Mapping[str, int], limits: Limits
) -> Iterator[_Block]:
    kinds: dict[tuple[int, bool, str, bool], list[WriteIntent]] = {}
    for intent in intents:
        kind = (levels[intent.ref], _assigns(intent), intent.object, intent.salesforce_id is None)
        kinds.setdefault(kind, []).append(intent)
    for kind in sorted(kinds):
        yield from _chunks(kinds[kind], limits.step_rows(kind[2]))


def _chunks(intents: Sequence[WriteIntent], size: int) -> Iterator[_Block]:
    """Blocks of at most `size` rows; a group is split only where that saves a block."""
    spare = -len(intents) % size
    block: list[WriteIntent] = []
    for group in _groups(intents):
        room = size - len(block)
        if room < len(group) <= size and room <= spare:
            spare -= room
            yield _Block(tuple(block))
            block = []
        for intent in group:
            block.append(intent)
            if len(block) == size:
                yield _Block(tuple(block))
                block = []
    if block:
        yield _Block(tuple(block))


def _groups(intents: Sequence[WriteIntent]) -> Iterable[list[WriteIntent]]:
    groups: dict[str, list[WriteIntent]] = {}
    for intent in intents:
        groups.setdefault(intent.group or f"alone {intent.ref}", []).append(intent)
    return groups.values()


def _assigns(intent: WriteIntent) -> bool:
    return intent.assign and intent.salesforce_id is None and intent.object in ASSIGNED_OBJECTS


# -- calls


def _calls(
    blocks: Sequence[_Block], limits: Limits, ancestry: _Ancestry, *, read_now: bool
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
    if not read_now:
        calls += _read_calls([intent for block in blocks for intent in block.intents], limits)
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
        yield _Block(tuple(first))
        if again:
            yield from _distinct([_Block(tuple(again))])


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


def _call(blocks: Sequence[_Block], ancestry: _Ancestry, number: int, *, read_now: bool) -> Call:
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
        rows = tuple({**_row(intent), KEY_FIELD: intent.key} for intent in block.intents)
        return Upsert(ref, block.object, KEY_FIELD, rows)
    return Update(
        ref, block.object, tuple({"Id": i.salesforce_id, **_row(i)} for i in block.intents)
    )


def _row(intent: WriteIntent) -> dict[str, object]:
    row: dict[str, object] = dict(intent.fields)
    for parent in intent.parents:
        if parent.id is not None:
            row[parent.field] = parent.id
        elif parent.key is not None:
            row[parent.relationship] = {KEY_FIELD: parent.key}
    return row


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
