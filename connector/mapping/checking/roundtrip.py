"""Whether a line that goes both ways gives back what it was given, tried on sample values.

The rules about transforms, `default` and `otherwise` catch what can be seen in the document. What only
shows in the company of a field (its digits, its choices, the blanks it drops) is found by trying.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connector.domain.records import ValueType
from connector.domain.values import Fields, Value
from connector.mapping.canonical import payload, plain_text, read_instant
from connector.mapping.parts.compiled import Line, LineProblem

_TEXTS: tuple[Value, ...] = (
    *("a", "A b", "A  b", "b;a", "x,y", "a\nb", "true", "no", "0"),
    *("007", "-1.5", "0.123456789", "2026-01-31", "2026-01-31T08:00:00.000Z"),
    *("王小明", "歐陽大明", "Ming Wang", "+886912345678", "0912-345-678", "A@Example.com"),
)
_SAMPLES: Mapping[ValueType, tuple[Value, ...]] = {
    ValueType.TEXT: _TEXTS,
    ValueType.PHONE: ("+886912345678", "0912 345 678", "+81312345678", "ask my wife"),
    ValueType.EMAIL: ("a@example.com", "A@Example.com"),
    ValueType.BOOLEAN: (True, False),
    ValueType.INTEGER: (0, 1, -1, 36, 1_000_000),
    ValueType.DATE: ("2026-01-31", "1926-12-01"),
    ValueType.MOMENT: ("2026-01-31T08:00:00.000Z", "2026-01-31T23:30:00.000Z"),
    ValueType.SET: (["a"], ["a", "b"], ["a b", "c,d"], ["x; y"], ["1", "2"]),
}


@dataclass(frozen=True)
class Loss:
    """A value that does not come back as it was sent."""

    value: Value
    sent: Fields
    back: Value
    stopped: str | None = None  # why it would not come back at all

    def __str__(self) -> str:
        sent = ", ".join(f"{name} {_quoted(value)}" for name, value in self.sent.items())
        came = f"come back as {_quoted(self.back)}" if self.stopped is None else "not come back"
        return f"{_quoted(self.value)} would go out as {sent} and {came}"


def first_loss(line: Line) -> Loss | None:
    """The first sample that a line does not give back; what it refuses to carry is no loss."""
    return next((loss for value in _values(line) if (loss := loss_of(line, value))), None)


def loss_of(line: Line, value: Value) -> Loss | None:
    """What becomes of one record value, if it does not come back meaning the same."""
    value = line.shaped(value)
    try:
        sent = line.to_fields(value)
    except LineProblem:
        return None  # it waits for a person, so nothing wrong comes back
    try:
        back = line.inverse(payload(sent))
    except LineProblem as stopped:
        return Loss(value, sent, None, stopped.reason)
    return None if means_the_same(line, value, back) else Loss(value, sent, back)


def means_the_same(line: Line, one: Value, other: Value) -> bool:
    """Whether two record values are one to this line: in shape, or to one of its transforms."""
    left, right = _plain(line, one), _plain(line, other)
    if left == right:
        return True
    if line.choices is not None:
        return False
    for step in line.transforms:
        if step.normal(left) == step.normal(right):
            return True
        left, right = step.forward(left), step.forward(right)
    return False


def _values(line: Line) -> Iterator[Value]:
    yield None
    if line.choices is not None:
        yield from (ours for ours, _ in line.choices.pairs)
    elif line.value_type is not None:
        yield from _SAMPLES[line.value_type]
        if line.value_type is ValueType.TEXT:
            yield from ("x" * field.length for field in line.schemas if field.length)


def _plain(line: Line, value: Value) -> Value:
    """A value without what no field keeps: outer blanks, parts of a second, elements in one text."""
    value = line.shaped(value)
    if line.value_type is ValueType.MOMENT and (at := read_instant(value)) is not None:
        return at.replace(microsecond=0).isoformat()
    if isinstance(value, list):
        parts = (part for item in value for part in plain_text(item).split(";"))
        return [*sorted({part.strip() for part in parts} - {""})] or None
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n").strip() or None
    return value


def _quoted(value: Value) -> str:
    return "blank" if value in (None, "", []) else repr(value)
