"""The executable form of a mapping: what sync calls for every record and every row.

A `view` is a record's values (None for every declared blank one) plus one dict for each relation,
for example `{"name": "王小明", "person": {"user_id": "U…"}}`. Fields are canonical (see
`connector.mapping.canonical`) wherever they come out of a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from connector.domain.lines import Lane, Write
from connector.domain.records import RecordSchema
from connector.domain.values import Values
from connector.mapping.documents.document import Create, OnDelete
from connector.mapping.expressions.cel import CheckedExpression
from connector.mapping.parts.attachments import Attached
from connector.mapping.parts.children import Child, own_fields
from connector.mapping.parts.given import Given
from connector.mapping.parts.joining import RowOf
from connector.mapping.parts.lines import (
    Choices,
    Conversion,
    Line,
    LineProblem,
    Lookup,
    evaluated,
    input_names,
)
from connector.mapping.parts.matching import MatchRule

__all__ = [
    "KEY_FIELD",
    "Adoption",
    "Choices",
    "CompiledMapping",
    "Conversion",
    "Line",
    "LineProblem",
    "Lookup",
    "MatchRule",
    "Parent",
]

KEY_FIELD = "LINE_Key__c"
OWN_PREFIX = "LINE_"


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
    children: tuple[Child, ...] = ()
    row_of: RowOf | None = None
    files: tuple[Attached, ...] = ()
    given: tuple[Given, ...] = ()
    record_type: str | None = None
    """Of the rows that it makes, or joins where another mapping makes them."""
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
        return _distinct([name for line in lines for name in own_fields(line.fields)] + parents)

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
        """Every field of its own row that the mapping names."""
        named = [name for line in self.lines for name in own_fields(line.fields)]
        return _distinct([*named, *(parent.field for parent in self.parents), *self.match_fields])

    @cached_property
    def inputs(self) -> frozenset[str]:
        """The record's values and relations that decide what is written, and whether."""
        sources = {name for line in self.outbound for name in line.inputs}
        sources |= {rule.source for rule in self.match} | self.when_inputs
        sources |= {each.choice.line for each in self.given if each.choice is not None}
        joined = {self.row_of.via} if self.row_of is not None else frozenset[str]()
        relations = {parent.via for parent in self.parents} | joined
        return frozenset(sources | (relations - {"self"}) | {*self.dotted_relations})

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


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
