"""Weigh one pair: line by line, what is sent, what is taken, what a person must decide.

Pure: values in, an outcome out. The base is kept per Salesforce field in canonical form,
with the LINE value it stands for and the mapping version that wrote it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from connector.domain.lines import Direction, Policy
from connector.domain.merge import Action, Cell, judge
from connector.domain.states import ConflictKind
from connector.domain.values import Fields, Value, Values
from connector.mapping.parts.compiled import CompiledMapping, Line, LineProblem
from connector.sync.pairs.filling import Key, NotThereYet, fill


@dataclass(frozen=True)
class Question:
    """One line that a person must decide, with all that is needed to do so."""

    line: str
    kind: str
    base: Fields | None
    ours: Fields | None
    theirs: Fields | None
    reason: str
    next_step: str
    computed: bool = False  # an expression: the whole record waits for it
    told: Fields | None = None  # who made the edit in Salesforce, and when, where that is known


@dataclass
class Outcome:
    """What weighing a pair came to. `agreed` is new base; what is sent becomes base when it is settled."""

    sends: dict[str, Value] = field(default_factory=dict)
    takes: dict[str, Value] = field(default_factory=dict)
    agreed: dict[str, Value] = field(default_factory=dict)
    sent: dict[str, Value] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)  # lines that no longer ask anything


def weigh(
    mapping: CompiledMapping,
    seen: Values,
    base: Mapping[str, Value],
    row: Fields | None,
    *,
    creating: bool = False,
    found: Mapping[Key, str] = MappingProxyType({}),
    frozen: Collection[str] = (),
    lines: Iterable[Line] | None = None,
) -> Outcome:
    """Weigh every line of a mapping, or some of them; `row` is None where nothing was read.

    Frozen lines stand still.
    """
    outcome = Outcome()
    for line in mapping.lines if lines is None else lines:
        try:
            ours = outgoing(line, seen, found)
            if line.id in frozen:
                outcome.questions += _frozen(line, base, ours, row)
                continue
            _weigh_line(outcome, mapping.version, line, ours, seen, base, row, creating=creating)
        except LineProblem as problem:
            outcome.questions.append(_problem(line, base, row, problem))
    return outcome


def told_by(mapping: CompiledMapping, row: Fields) -> Iterator[Line]:
    """The lines that a row which was read in part says something of."""
    return (line for line in mapping.lines if all(name in row for name in line.fields))


def outgoing(line: Line, seen: Values, found: Mapping[Key, str]) -> Fields | None:
    """What a line says to Salesforce; None where it only listens."""
    if line.direction is Direction.FROM_SALESFORCE:
        return None
    return fill(line, line.forward(seen), found)


def _weigh_line(
    outcome: Outcome,
    version: int,
    line: Line,
    ours: Fields | None,
    seen: Values,
    base: Mapping[str, Value],
    row: Fields | None,
    *,
    creating: bool,
) -> None:
    theirs = theirs_of(line, row)
    cell = Cell(
        direction=line.direction,
        write=line.write,
        policy=line.policy,
        first_meeting=line.first_meeting,
        ours=ours,
        theirs=theirs,
        base=base_of(line, base),
        creating=creating,
        guarded=line.is_expression,
    )
    verdict = judge(cell, line.same)
    if verdict.action is Action.ASK:
        outcome.questions.append(_clash(line, cell))
        return
    if verdict.action is Action.SEND:
        if theirs is not None and ours is not None and dict(verdict.fields) != dict(ours):
            _take(outcome, line, verdict.fields)
        outcome.sends.update(verdict.fields)
        outcome.sent.update(based(line, verdict.fields, _source(line, seen), version))
    elif verdict.action is Action.TAKE:
        _take(outcome, line, verdict.fields)
        outcome.agreed.update(based(line, verdict.fields, _taken(outcome, line), version))
    elif verdict.action is Action.AGREE:
        outcome.agreed.update(based(line, verdict.fields, _source(line, seen), version))
    outcome.answered.append(line.id)


def base_of(line: Line, base: Mapping[str, Value]) -> Fields | None:
    """What a line's fields held when both sides last agreed; None if they never met."""
    held = {name: base.get(_entry(line, name)) for name in line.fields}
    if not all(isinstance(entry, dict) for entry in held.values()):
        return None
    return {name: entry["value"] for name, entry in held.items() if isinstance(entry, dict)}


def _entry(line: Line, name: str) -> str:
    """Where the base keeps a field: a field that two lines share has one entry for each way."""
    return name + line.id.removeprefix(",".join(line.fields))


def entries_of(line: Line, base: Mapping[str, Value]) -> dict[str, Value]:
    """A line's part of a base."""
    names = (_entry(line, name) for name in line.fields)
    return {name: base[name] for name in names if name in base}


def theirs_of(line: Line, row: Fields | None) -> Fields | None:
    """A line's part of a row that was read, in canonical form; None if it was not read."""
    if row is None or any(name not in row for name in line.fields):
        return None
    return line.canonical({name: row[name] for name in line.fields})


def based(line: Line, fields: Fields, value: Value, version: int) -> dict[str, Value]:
    """The entries of the base for a line's fields."""
    return {
        _entry(line, name): {"value": fields.get(name), "line": value, "version": version}
        for name in line.fields
    }


def conceded(line: Line, fields: Fields, version: int) -> dict[str, Value]:
    """The base by which the side that holds these fields gives way: what the other one holds is news."""
    try:
        stands_for = line.inverse(fields)
    except LineProblem:
        stands_for = None
    return based(line, fields, stands_for, version)


def settled_base(
    mapping: CompiledMapping, outcome: Outcome, row: Fields | None
) -> dict[str, Value]:
    """The base once the sends are in: what was sent, spelt as it was read back.

    Where something else was read back, the org changed the value after our write: that is an edit of
    theirs, and for it to be seen as one the base is what we sent.
    """
    fresh = {**outcome.agreed, **outcome.sent}
    if row is None:
        return fresh
    for line in mapping.lines:
        theirs = theirs_of(line, row)
        sent = base_of(line, outcome.sent)
        if theirs is None or sent is None or not line.same(sent, theirs):
            continue
        stands_for = outcome.sent[_entry(line, line.fields[0])]
        value = stands_for["line"] if isinstance(stands_for, dict) else None
        fresh.update(based(line, theirs, value, mapping.version))
    return fresh


def equals_base(mapping: CompiledMapping, base: Mapping[str, Value], row: Fields) -> bool:
    """Whether a row says nothing new: every line that carries values back holds its base."""
    for line in mapping.inbound:
        theirs, known = theirs_of(line, row), base_of(line, base)
        if theirs is not None and (known is None or not line.same(theirs, known)):
            return False
    return True


def must_read(mapping: CompiledMapping, seen: Values, base: Mapping[str, Value]) -> bool:
    """Whether a write needs the row first: never overwrite blind what both sides may edit (rule 8)."""
    for line in mapping.lines:
        if line.direction is Direction.FROM_SALESFORCE:
            continue
        if base_of(line, base) is None and line.writes_after_creation:
            return True
        if not _changed(line, seen, base):
            continue
        both = line.direction is Direction.BOTH and line.policy is not Policy.LINE_WINS
        if both or line.is_expression:
            return True
    return False


def _changed(line: Line, seen: Values, base: Mapping[str, Value]) -> bool:
    known = base_of(line, base)
    if known is None or not line.writes_after_creation or line.lookup is not None:
        return False
    try:
        return not line.same(line.forward(seen), known)
    except LineProblem:
        return False


def _take(outcome: Outcome, line: Line, fields: Fields) -> None:
    if line.source is not None and line.direction is not Direction.TO_SALESFORCE:
        outcome.takes[line.source] = line.inverse(fields)


def _taken(outcome: Outcome, line: Line) -> Value:
    return outcome.takes.get(line.source or "")


def _source(line: Line, seen: Values) -> Value:
    return seen.get(line.source) if line.source is not None else None


def _clash(line: Line, cell: Cell) -> Question:
    met = "since they last agreed" if cell.base is not None else "and they had never met"
    return Question(
        line.id,
        ConflictKind.MERGE,
        cell.base,
        cell.ours,
        cell.theirs,
        f"{line.id}: LINE and Salesforce hold different values {met}, and the mapping says to ask",
        "Decide which value stands (connector conflicts list), or enter it on the other side; the line "
        "goes on by itself.",
    )


def _frozen(
    line: Line, base: Mapping[str, Value], ours: Fields | None, row: Fields | None
) -> list[Question]:
    """What both sides of a frozen line hold now; why it is frozen was said when it was."""
    theirs = theirs_of(line, row)
    if theirs is None:
        return []
    return [Question(line.id, ConflictKind.FLIPS, base_of(line, base), ours, theirs, "", "")]


def _problem(
    line: Line, base: Mapping[str, Value], row: Fields | None, problem: LineProblem
) -> Question:
    return Question(
        line.id,
        ConflictKind.WAIT if isinstance(problem, NotThereYet) else ConflictKind.VALUE,
        base_of(line, base),
        None,
        theirs_of(line, row),
        problem.reason,
        problem.next_step,
        computed=line.is_expression,
    )
