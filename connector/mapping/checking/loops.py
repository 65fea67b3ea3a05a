"""Values that go out by one line and come back by another into what they were made of.

Each round would change them again: a date put off by a day each time, two values that swap for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from connector.domain.lines import Direction, Write
from connector.domain.records import RecordSchema
from connector.mapping.documents.document import FieldLine, MappingDocument
from connector.mapping.parts.scene import Scene
from connector.mapping.rules import Rule

_NAMES = re.compile(r"\bline\.(\w+(?:\.\w+)*)")


@dataclass(frozen=True)
class _Leg:
    """From one record value by a field of one mapping's row to another record value."""

    mapping: str
    at: int
    source: str  # kind.value
    field: str
    target: str


def check(scene: Scene) -> None:
    """Note each round that begins in this mapping; one over several is shown at its first name."""
    own = scene.read.name
    legs = tuple(_legs(scene))
    shown: set[frozenset[_Leg]] = set()
    for leg in legs:
        way = _round(leg, legs) if leg.mapping == own else ()
        if way and own == min(each.mapping for each in way) and frozenset(way) not in shown:
            shown.add(frozenset(way))
            _note(scene, way)


def _note(scene: Scene, way: Sequence[_Leg]) -> None:
    steps = [part for leg in way for part in (leg.source.partition(".")[2], leg.field)]
    told = " -> ".join([*steps, way[-1].target.partition(".")[2]])
    message = f"goes round: {told}, and is sent again each time it comes back"
    hint = (
        "carry it by one line with direction: both"
        if len(way) == 1 and scene.document.fields[way[0].at].line is not None
        else "take one of the lines out, or give the outgoing one write: create"
    )
    scene.problem(("fields", way[0].at), message, hint, rule=Rule.LOOP)


def _round(first: _Leg, legs: Sequence[_Leg]) -> tuple[_Leg, ...]:
    """The shortest way from a leg back to where it began; empty where there is none."""
    ways: list[tuple[_Leg, ...]] = [(first,)]
    seen = {first.target}
    while ways:
        if closed := next((way for way in ways if way[-1].target == first.source), ()):
            return closed
        longer = [(*way, leg) for way in ways for leg in legs if leg.source == way[-1].target]
        ways = [way for way in longer if way[-1].target not in seen]
        seen |= {way[-1].target for way in ways}
    return ()


def _legs(scene: Scene) -> Iterator[_Leg]:
    """By two lines of one row; a single line that goes both ways gives back what it took."""
    running = {
        name: document
        for name, document in sorted(scene.documents.items())
        if document.enabled and document.from_ in scene.records
    }
    for name, document in running.items():
        for at, out in enumerate(document.fields):
            written = {field.lower() for field in out.salesforce} if _is_repeated(out) else set()
            if not written:
                continue
            sources = tuple(_sources(out, scene.records[document.from_]))
            for other, back in running.items():
                if _row(other, back) == _row(name, document):
                    own = at if other == name else None
                    for field, target in _back(back, written, own):
                        yield from (_Leg(name, at, each, field, target) for each in sources)


def _row(name: str, document: MappingDocument) -> str:
    """The mapping that makes the row."""
    return name if document.row_of is None else document.row_of.mapping


def _back(
    document: MappingDocument, written: Set[str], own: int | None
) -> Iterator[tuple[str, str]]:
    """The written fields that another line reads, each with the record value that it fills."""
    for at, line in enumerate(document.fields):
        if line.line is not None and line.direction is not Direction.TO_SALESFORCE and at != own:
            for field in line.salesforce:
                if field.lower() in written:
                    yield field, f"{document.from_}.{line.line}"


def _is_repeated(spec: FieldLine) -> bool:
    """Whether the line is sent each time its source changes."""
    return spec.direction is not Direction.FROM_SALESFORCE and spec.write in (None, Write.CHANGE)


def _sources(spec: FieldLine, schema: RecordSchema) -> Iterator[str]:
    named = [spec.line] if spec.line is not None else _NAMES.findall(spec.expression or "")
    for name in dict.fromkeys(named):
        relation, _, rest = name.partition(".")
        if name in schema.values:
            yield f"{schema.kind}.{name}"
        elif relation in schema.relations:
            yield f"{schema.relations[relation]}.{rest}"
