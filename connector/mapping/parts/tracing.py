"""One field line, step by step and both ways: what a preview shows of it.

The steps are the ones that sync itself runs (`Line.outward`, `Line.homeward`), noted one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from connector.domain.values import Fields, Value, Values
from connector.mapping.parts.compiled import CompiledMapping, Conversion, Line, LineProblem
from connector.mapping.parts.lines import DEFAULT


@dataclass(frozen=True)
class Step:
    """What a value was after one conversion."""

    name: str
    value: Value


@dataclass(frozen=True)
class Outward:
    """A record's value on its way to Salesforce; without `fields` a problem stopped it.

    `refused`: it came as far as the fields, which Salesforce would not take.
    """

    source: Value
    steps: tuple[Step, ...] = ()
    fields: Fields | None = None
    problem: LineProblem | None = None
    refused: bool = False


@dataclass(frozen=True)
class Homeward:
    """A row's fields on their way to the record; a problem stopped them where there is one.

    `assumed`: no row holds the fields, so they are what would be sent.
    """

    fields: Fields
    steps: tuple[Step, ...] = ()
    value: Value = None
    problem: LineProblem | None = None
    assumed: bool = False


@dataclass(frozen=True)
class Trace:
    """One line for one record and one row; a way that the line does not go is None."""

    line: Line
    outward: Outward | None
    homeward: Homeward | None

    @property
    def differs(self) -> bool:
        """Whether both sides hold something, and it does not mean the same."""
        out, home = self.outward, self.homeward
        if out is None or out.fields is None or home is None:
            return False
        return not self.line.same(out.fields, home.fields)


def trace(mapping: CompiledMapping, view: Values, row: Fields | None) -> tuple[Trace, ...]:
    """Every line of a mapping; what the row does not hold comes back as it would be sent."""
    return tuple(_trace(line, view, row) for line in mapping.lines)


def _trace(line: Line, view: Values, row: Fields | None) -> Trace:
    out = outward(line, view) if line.outbound else None
    if not line.inbound:
        return Trace(line, out, None)
    if row is not None and any(name in row for name in line.fields):
        return Trace(line, out, homeward(line, row))
    if out is None or out.fields is None:
        return Trace(line, out, None)
    return Trace(line, out, replace(homeward(line, out.fields), assumed=True))


def outward(line: Line, view: Values) -> Outward:
    """What a line makes of a record."""
    try:
        source = line.origin(view)
    except LineProblem as problem:
        return Outward(None, problem=problem)
    value, steps, stopped = _through(line.outward, source)
    if stopped is not None:
        return Outward(source, steps, problem=stopped)
    try:
        return Outward(source, steps, line.held(value))
    except LineProblem as refused:
        return Outward(source, steps, problem=refused, refused=True)


def homeward(line: Line, row: Fields) -> Homeward:
    """What a line makes of a row."""
    fields = {name: row.get(name) for name in line.fields}
    value = line.gathered(fields)
    if value is None:
        filled = (Step(DEFAULT, line.blank_here),) if line.blank_here is not None else ()
        return Homeward(fields, filled, line.shaped(line.blank_here))
    value, steps, problem = _through(line.homeward, value)
    return Homeward(fields, steps, None if problem else line.shaped(value), problem)


def _through(
    conversions: Iterable[Conversion], value: Value
) -> tuple[Value, tuple[Step, ...], LineProblem | None]:
    steps: list[Step] = []
    for conversion in conversions:
        was = value
        try:
            value = conversion.run(was)
        except LineProblem as problem:
            return was, tuple(steps), problem
        if conversion.name != DEFAULT or value != was:
            steps.append(Step(conversion.name, value))
    return value, tuple(steps), None
