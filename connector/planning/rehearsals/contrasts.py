"""What a draft of a mapping would say of one record, beside what the live mapping says.

Pure. Outbound it is what either would have Salesforce hold; inbound, what either makes of the fields that
the pair's base holds. What neither can say, or neither says anything of, is no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from connector.domain.values import Fields, Value, Values
from connector.mapping.parts.compiled import CompiledMapping, Line, LineProblem
from connector.store.tables import Contrast
from connector.sync.pairs import weighing

WHEN = "when"

_Said: TypeAlias = "Fields | LineProblem | None"


@dataclass(frozen=True)
class Difference:
    """One line on which both differ; a side is a problem where it fails, None where it says nothing."""

    line: str
    inbound: bool
    kind: Contrast
    live: Fields | LineProblem | None
    draft: Fields | LineProblem | None


def contrast(
    live: CompiledMapping | None,
    draft: CompiledMapping | None,
    view: Values,
    base: Mapping[str, Value],
) -> Iterator[Difference]:
    """Every line on which draft and live mapping differ about a record."""
    both = (_running(live), _running(draft))
    writes = [_writes(mapping, view) for mapping in both]
    found = _judge(WHEN, *writes, inbound=False)
    if found is not None:
        yield found
    elif all(isinstance(each, dict) for each in writes):
        yield from _lines(both, view, base, inbound=False)
    yield from _lines(both, view, base, inbound=True)


def _running(mapping: CompiledMapping | None) -> CompiledMapping | None:
    return mapping if mapping is not None and mapping.enabled else None


def _writes(mapping: CompiledMapping | None, view: Values) -> _Said:
    """Whether a mapping writes the record at all."""
    if mapping is None:
        return None
    try:
        return {WHEN: True} if mapping.active(view) else None
    except LineProblem as problem:
        return problem


def _lines(
    both: tuple[CompiledMapping | None, CompiledMapping | None],
    view: Values,
    base: Mapping[str, Value],
    *,
    inbound: bool,
) -> Iterator[Difference]:
    lines = [
        {line.id: line for line in (mapping.inbound if inbound else mapping.outbound)}
        if mapping is not None
        else {}
        for mapping in both
    ]
    for name in dict.fromkeys((*lines[0], *lines[1])):
        one, other = lines[0].get(name), lines[1].get(name)
        said = [_taken(each, base) if inbound else _sent(each, view) for each in (one, other)]
        found = _judge(name, *said, inbound=inbound, line=None if inbound else other)
        if found is not None:
            yield found


def _sent(line: Line | None, view: Values) -> _Said:
    if line is None:
        return None
    try:
        fields = line.forward(view)
    except LineProblem as problem:
        return problem
    return None if all(value is None for value in fields.values()) else fields


def _taken(line: Line | None, base: Mapping[str, Value]) -> _Said:
    """The record value that an inbound line makes of what the base holds."""
    known = weighing.base_of(line, base) if line is not None else None
    if line is None or known is None:
        return None
    try:
        return {line.source or "": line.inverse(known)}
    except LineProblem as problem:
        return problem


def _judge(
    name: str, live: _Said, draft: _Said, *, inbound: bool, line: Line | None = None
) -> Difference | None:
    kind: Contrast | None = None
    if isinstance(live, LineProblem) or isinstance(draft, LineProblem):
        if not isinstance(live, LineProblem):
            kind = Contrast.DRAFT_FAILS
        elif not isinstance(draft, LineProblem):
            kind = Contrast.LIVE_FAILS
    elif live is None or draft is None:
        if live is not None:
            kind = Contrast.ONLY_LIVE
        elif draft is not None:
            kind = Contrast.ONLY_DRAFT
    elif live != draft and not (line is not None and line.same(live, draft)):
        kind = Contrast.DIFFERS
    return None if kind is None else Difference(name, inbound, kind, live, draft)
