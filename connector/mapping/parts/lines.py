"""One field line, ready to run: a record's value to fields of a row, and these back to the value.

Fields are canonical (see `connector.mapping.canonical`) wherever they come out of a line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from connector.domain.lines import Direction, Policy, Write
from connector.domain.records import ValueType
from connector.domain.values import Fields, Value, Values
from connector.errors import ConnectorError
from connector.mapping.canonical import Refusing, Shape, plain_text, refusal_of, shape_of
from connector.mapping.documents.document import Missing
from connector.mapping.documents.places import Place
from connector.mapping.expressions.cel import CheckedExpression, ExpressionFailed
from connector.mapping.recordshape import record_shape
from connector.mapping.schema import FieldSchema
from connector.mapping.transforms import Transform
from connector.mapping.views import look_up

DEFAULT = "default"


class LineProblem(ConnectorError):
    """One line cannot carry one value; the record's other lines go on."""

    def __init__(self, field_name: str, value: Value, reason: str, next_step: str) -> None:
        super().__init__("line_problem", f"{field_name}: {reason}", next_step)
        self.field = field_name
        self.value = value
        self.reason = reason
        self.next_step = next_step


@dataclass(frozen=True)
class Choices:
    """`values`: record values and the Salesforce values that stand for them; outbound the first one."""

    pairs: tuple[tuple[Value, tuple[Value, ...]], ...]
    otherwise: Value = None

    def forward(self, value: Value) -> Value:
        """The Salesforce value, `otherwise` for one that is not named; raises KeyError without it."""
        known = self._by_text.get(value) if isinstance(value, str) else None
        if known is not None:
            return known[0]
        for ours, theirs in self.pairs:
            if _alike(ours, value):
                return theirs[0]
        return self._otherwise(value)

    def inverse(self, value: Value) -> Value:
        """The record value, `otherwise` for one that is not named; raises KeyError without it."""
        for ours, theirs in self.pairs:
            if any(_alike(each, value) for each in theirs):
                return ours
        return self._otherwise(value)

    @cached_property
    def _by_text(self) -> Mapping[str, tuple[Value, ...]]:
        """What each text stands for, the first that names it."""
        texts = [ours for ours, _ in self.pairs if isinstance(ours, str)]
        return {
            text: next(theirs for ours, theirs in self.pairs if _alike(ours, text))
            for text in texts
        }

    def _otherwise(self, value: Value) -> Value:
        if self.otherwise is None:
            raise KeyError(value)
        return self.otherwise


@dataclass(frozen=True)
class Lookup:
    """A reference filled by another field: the line gives the value to look for, not the Id."""

    object: str
    by: str
    missing: Missing
    by_number: bool = False


@dataclass(frozen=True)
class Conversion:
    """One thing that is done to a value on its way, under the name an admin wrote."""

    name: str
    run: Callable[[Value], Value]


@dataclass(frozen=True)
class Line:
    """One field line. `id` is its fields joined by commas, with `:in` added where the same field
    has an outbound line of its own.
    """

    id: str
    source: str | None
    fields: tuple[str, ...]
    direction: Direction
    policy: Policy
    first_meeting: Policy
    write: Write
    inputs: frozenset[str]
    place: Place
    schemas: tuple[FieldSchema, ...]
    value_type: ValueType | None = None
    constant: Value = None
    expression: CheckedExpression | None = None
    default: Value = None
    choices: Choices | None = None
    transforms: tuple[Transform, ...] = ()
    lookup: Lookup | None = None
    personal: bool | None = None

    @property
    def is_constant(self) -> bool:
        """Whether the value is written in the mapping."""
        return self.source is None and self.expression is None

    @property
    def is_expression(self) -> bool:
        """Whether the value is computed."""
        return self.expression is not None

    @property
    def outbound(self) -> bool:
        """Whether values go to Salesforce."""
        return self.direction is not Direction.FROM_SALESFORCE

    @property
    def inbound(self) -> bool:
        """Whether values come from Salesforce."""
        return self.direction is not Direction.TO_SALESFORCE

    @property
    def writes_after_creation(self) -> bool:
        """Whether the value may be sent to a row that is there already."""
        return self.outbound and self.write is not Write.CREATE

    def forward(self, view: Values) -> Fields:
        """What Salesforce should hold for this record; raises `LineProblem`."""
        return self.to_fields(self.origin(view))

    def origin(self, view: Values) -> Value:
        """The record's value before any conversion; raises `LineProblem`."""
        if self.expression is not None:
            return evaluated(self.expression, view, self.fields[0])
        return self.constant if self.source is None else look_up(view, self.source)

    def to_fields(self, value: Value) -> Fields:
        """What Salesforce should hold for a source value; raises `LineProblem`."""
        if not value and value in _BLANK:
            value = self.default
        for run in self._forth:
            value = run(value)
        return self.held(value)

    def held(self, value: Value) -> Fields:
        """A converted value as the fields hold it; raises `LineProblem` where they would not take it."""
        spread = self._spread(value)
        if self.lookup is not None:
            return spread
        fields = {}
        for name, shape, refused in self._keeping:
            held = fields[name] = shape(spread[name])
            reason = refused(held)
            if reason is not None:
                step = _NEXT_STEP_REQUIRED if held is None else _NEXT_STEP
                raise LineProblem(name, held, reason, step)
        return fields

    def inverse(self, fields: Fields) -> Value:
        """The record value that these fields stand for; raises `LineProblem`."""
        value = self.gathered(fields)
        if value is None:
            return self.shaped(self.blank_here)
        for conversion in self.homeward:
            value = conversion.run(value)
        return self.shaped(value)

    @property
    def blank_here(self) -> Value:
        """What a blank field means for the record."""
        return self.default if self.direction is Direction.FROM_SALESFORCE else None

    @cached_property
    def outward(self) -> tuple[Conversion, ...]:
        """What happens to a value on its way to Salesforce, in order."""
        made = [Conversion(DEFAULT, self._filled)]
        if self.choices is not None:
            made.append(Conversion("values", self._chosen))
        return (*made, *(Conversion(str(step), step.forward) for step in self.transforms))

    @cached_property
    def homeward(self) -> tuple[Conversion, ...]:
        """What happens to a value that Salesforce holds on its way here, in order."""
        undone = ((str(step), step.inverse) for step in reversed(self.transforms))
        made = [Conversion(name, undo) for name, undo in undone if undo is not None]
        if self.choices is not None:
            made.append(Conversion("values", self._chosen_here))
        return tuple(made)

    def same(self, one: Fields, other: Fields) -> bool:
        """Whether both mean the same, whatever their spelling."""
        left, right = self.canonical(one), self.canonical(other)
        return left == right or self.meaning(left) == self.meaning(right)

    def meaning(self, fields: Fields) -> Value:
        """What fields stand for, in one spelling: the last transforms undone and normalised."""
        value = self._gathered(fields)
        for step in reversed(self.transforms):
            if step.inverse is None:
                break
            value = step.normal(step.inverse(value))
        if not self.transforms and self.choices is None and self.value_type is ValueType.PHONE:
            value = self.shaped(value)
        return value

    def canonical(self, row: Fields) -> Fields:
        """The line's own fields of a row, reshaped; fields the row does not have stay absent."""
        if self.lookup is not None:
            return {name: row[name] for name in self.fields if name in row}
        return {name: shape(row[name]) for name, shape, _ in self._keeping if name in row}

    def gathered(self, row: Fields) -> Value:
        """The line's fields of a row as one value; None where all are blank."""
        return self._gathered(self.canonical(row))

    def shaped(self, value: Value) -> Value:
        """The value as the record keeps it."""
        return value if self.value_type is None else record_shape(self.value_type, value)

    def _filled(self, value: Value) -> Value:
        return self.default if value in _BLANK else value

    def _chosen(self, value: Value) -> Value:
        if self.choices is None or value is None:
            return value
        return self._named(self.choices.forward, value, "The record")

    def _chosen_here(self, value: Value) -> Value:
        return (
            value
            if self.choices is None
            else self._named(self.choices.inverse, value, "Salesforce")
        )

    def _named(self, convert: Callable[[Value], Value], value: Value, side: str) -> Value:
        try:
            return convert(value)
        except KeyError:
            reason = f"{side} holds {value!r}, which the line's values do not name"
            step = "Name it under values, or give the line an otherwise, publish, then redrive."
            raise LineProblem(self.fields[0], value, reason, step) from None

    def _spread(self, value: Value) -> Fields:
        if len(self.fields) == 1:
            return {self.fields[0]: value}
        parts = value if isinstance(value, list) else [value]
        padded = [*parts, *[None] * len(self.fields)]
        return dict(zip(self.fields, padded, strict=False))

    def _gathered(self, fields: Fields) -> Value:
        if len(self.fields) == 1:
            return fields.get(self.fields[0])
        parts = [fields.get(name) for name in self.fields]
        return None if all(part is None for part in parts) else parts

    @cached_property
    def _forth(self) -> tuple[Callable[[Value], Value], ...]:
        """What is done to a value that is not blank."""
        return tuple(conversion.run for conversion in self.outward[1:])

    @cached_property
    def _keeping(self) -> tuple[tuple[str, Shape, Refusing], ...]:
        """How each field keeps a value, and what it does not take."""
        known = zip(self.fields, self.schemas, strict=True)
        return tuple((name, shape_of(schema), refusal_of(schema)) for name, schema in known)


_BLANK: tuple[Value, ...] = (None, "", [])
_NEXT_STEP = (
    "Correct the value, or give the line a transform or values that make it fit, then redrive."
)
_NEXT_STEP_REQUIRED = "Fill the value, or give the line a default, publish, then redrive."


def input_names(expression: CheckedExpression) -> frozenset[str]:
    """The record values an expression looks at, without the `line.` before them."""
    return frozenset(name.removeprefix("line.") for name in expression.inputs)


def evaluated(expression: CheckedExpression, view: Values, field_name: str) -> Value:
    """An expression over a view; raises `LineProblem` naming expression and values."""
    names = expression.rootless
    try:
        return expression.evaluate(lambda name: look_up(view, names[name]))
    except ExpressionFailed as failed:
        raise LineProblem(field_name, dict(failed.values), failed.message, failed.fix) from failed


def _alike(one: Value, other: Value) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other or plain_text(one) == plain_text(other)
    return one == other
