"""The executable form of a mapping: what sync calls for every record and every row.

A `view` is a record's values (None for every declared blank one) plus one dict for each relation,
for example `{"name": "王小明", "person": {"user_id": "U…"}}`. Fields are canonical (see
`connector.mapping.canonical`) wherever they come out of a line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from connector.domain.lines import Direction, Lane, Policy, Write
from connector.domain.records import RecordSchema, ValueType
from connector.domain.values import Fields, Value, Values
from connector.errors import ConnectorError
from connector.mapping.canonical import canonical, plain_text, refusal
from connector.mapping.cel import CheckedExpression, ExpressionFailed
from connector.mapping.document import Create, Missing, OnDelete
from connector.mapping.given import Given
from connector.mapping.matching import MatchRule
from connector.mapping.places import Place
from connector.mapping.recordshape import record_shape
from connector.mapping.schema import FieldSchema
from connector.mapping.transforms import Transform
from connector.mapping.views import look_up

__all__ = [
    "KEY_FIELD",
    "Adoption",
    "Choices",
    "CompiledMapping",
    "Line",
    "LineProblem",
    "Lookup",
    "MatchRule",
    "Parent",
]

KEY_FIELD = "LINE_Key__c"
OWN_PREFIX = "LINE_"


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

    def _otherwise(self, value: Value) -> Value:
        if self.otherwise is None:
            raise KeyError(value)
        return self.otherwise


@dataclass(frozen=True)
class Lookup:
    """A reference filled by another field: the line gives the value to look for, not the Id."""

    object: str
    by: str
    value: str | None
    missing: Missing


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
        if self.expression is not None:
            return self.to_fields(evaluated(self.expression, view, self.fields[0]))
        return self.to_fields(self.constant if self.source is None else look_up(view, self.source))

    def to_fields(self, value: Value) -> Fields:
        """What Salesforce should hold for a source value; raises `LineProblem`."""
        if value in (None, "", []):
            value = self.default
        if self.choices is not None and value is not None:
            value = self._named(self.choices.forward, value, "The record")
        for step in self.transforms:
            value = step.forward(value)
        fields = self.canonical(self._spread(value))
        if self.lookup is None:
            self._refuse(fields)
        return fields

    def inverse(self, fields: Fields) -> Value:
        """The record value that these fields stand for; raises `LineProblem`."""
        value = self._gathered(self.canonical(fields))
        if value is None:
            return self._shape(
                self.default if self.direction is Direction.FROM_SALESFORCE else None
            )
        for step in reversed(self.transforms):
            if step.inverse is not None:
                value = step.inverse(value)
        if self.choices is not None:
            value = self._named(self.choices.inverse, value, "Salesforce")
        return self._shape(value)

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
            value = self._shape(value)
        return value

    def canonical(self, row: Fields) -> Fields:
        """The line's own fields of a row, reshaped; fields the row does not have stay absent."""
        known = zip(self.fields, self.schemas, strict=True)
        if self.lookup is not None:
            return {name: row[name] for name, _ in known if name in row}
        return {name: canonical(schema, row[name]) for name, schema in known if name in row}

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

    def _shape(self, value: Value) -> Value:
        return value if self.value_type is None else record_shape(self.value_type, value)

    def _refuse(self, fields: Fields) -> None:
        for name, schema in zip(self.fields, self.schemas, strict=True):
            reason = refusal(schema, fields[name])
            if reason is not None:
                step = _NEXT_STEP_REQUIRED if fields[name] is None else _NEXT_STEP
                raise LineProblem(name, fields[name], reason, step)


_NEXT_STEP = (
    "Correct the value, or give the line a transform or values that make it fit, then redrive."
)
_NEXT_STEP_REQUIRED = "Fill the value, or give the line a default, publish, then redrive."


@dataclass(frozen=True)
class Parent:
    """A reference to a row of another pair. `mapping` is None only where nothing fits it offline."""

    field: str
    via: str
    mapping: str | None
    optional: bool
    write: Write
    object: str
    relationship_name: str


@dataclass(frozen=True)
class Adoption:
    """The record's row is the one that `field` of that mapping's matched row names."""

    mapping: str
    field: str


@dataclass(frozen=True)
class CompiledMapping:
    """One mapping, ready to run."""

    name: str
    version: int
    kind: str
    object: str
    schema: RecordSchema
    create: Create
    lane: Lane
    on_delete: OnDelete
    assignment_rule: bool
    enabled: bool
    match: tuple[MatchRule, ...]
    adopt: Adoption | None
    parents: tuple[Parent, ...]
    lines: tuple[Line, ...]
    given: tuple[Given, ...] = ()
    when: CheckedExpression | None = None
    named_for_others: tuple[str, ...] = ()
    """Reference fields from which other mappings of the same record adopt their rows."""
    mates: tuple[str, ...] = ()
    """Other mappings of the same record whose new rows are made together with this one's."""

    def active(self, view: Values) -> bool:
        """Whether the record is to be written; raises `LineProblem` when `when` cannot be worked out."""
        return self.when is None or evaluated(self.when, view, "when") is True

    def line(self, line_id: str) -> Line | None:
        """The line of that id."""
        return self._by_id.get(line_id)

    @cached_property
    def outbound(self) -> tuple[Line, ...]:
        """Lines that carry values to Salesforce."""
        return tuple(line for line in self.lines if line.outbound)

    @cached_property
    def inbound(self) -> tuple[Line, ...]:
        """Lines that carry values from Salesforce."""
        return tuple(line for line in self.lines if line.inbound)

    @cached_property
    def read_fields(self) -> tuple[str, ...]:
        """Fields to poll and to read back: inbound ones, and those written only while blank."""
        lines = [line for line in self.lines if line.inbound or line.write is Write.BLANK]
        parents = [parent.field for parent in self.parents if parent.write is Write.BLANK]
        return _distinct([name for line in lines for name in line.fields] + parents)

    @cached_property
    def held_fields(self) -> tuple[str, ...]:
        """Fields of computed values, which are sent only while Salesforce still holds the base."""
        lines = [line for line in self.outbound if line.is_expression]
        return _distinct(name for line in lines for name in line.fields)

    @cached_property
    def match_fields(self) -> tuple[str, ...]:
        """Fields to read of rows that may match."""
        agreeing = [line for rule in self.match for line in rule.agree]
        agreed = [name for line in agreeing for name in line.fields]
        return _distinct([name for rule in self.match for name in rule.fields] + agreed)

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Every field the mapping names."""
        own = [name for line in self.lines for name in line.fields]
        return _distinct([*own, *(parent.field for parent in self.parents), *self.match_fields])

    @cached_property
    def inputs(self) -> frozenset[str]:
        """The record's values and relations that decide what is written, and whether."""
        sources = {name for line in self.outbound for name in line.inputs}
        sources |= {rule.source for rule in self.match} | self.when_inputs
        relations = {parent.via for parent in self.parents} - {"self"}
        return frozenset(sources | relations | {*self.dotted_relations})

    @cached_property
    def dotted_relations(self) -> Mapping[str, str]:
        """Relations that dotted paths follow, each with the kind it leads to."""
        inputs = {name for line in self.lines for name in line.inputs} | self.when_inputs
        dotted = {name.partition(".")[0] for name in inputs if name not in self.schema.values}
        return {name: self.schema.relations[name] for name in sorted(dotted)}

    @cached_property
    def marks(self) -> tuple[str, ...]:
        """Our own fields, the key included, to clear when a person lets go; none where only the key is ours."""
        own = [
            name for line in self.outbound for name in line.fields if name.startswith(OWN_PREFIX)
        ]
        return _distinct([*own, KEY_FIELD]) if own else ()

    @cached_property
    def when_inputs(self) -> frozenset[str]:
        """The record values `when` looks at."""
        return frozenset() if self.when is None else input_names(self.when)

    @cached_property
    def _by_id(self) -> dict[str, Line]:
        return {line.id: line for line in self.lines}


def input_names(expression: CheckedExpression) -> frozenset[str]:
    """The record values an expression looks at, without the `line.` before them."""
    return frozenset(name.removeprefix("line.") for name in expression.inputs)


def evaluated(expression: CheckedExpression, view: Values, field_name: str) -> Value:
    """An expression over a view; raises `LineProblem` naming expression and values."""
    try:
        return expression.evaluate(lambda name: look_up(view, name.removeprefix("line.")))
    except ExpressionFailed as failed:
        raise LineProblem(field_name, dict(failed.values), failed.message, failed.fix) from failed


def _alike(one: Value, other: Value) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other or plain_text(one) == plain_text(other)
    return one == other


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
