"""Where a live mapping names fields of its object: what a change in the org may touch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connector.domain.lines import Write
from connector.domain.values import Value
from connector.mapping.documents.document import Create, FieldLine, MappingDocument
from connector.mapping.documents.places import Place, Problem
from connector.mapping.documents.reading import Read, read_mapping
from connector.mapping.parts.compiled import KEY_FIELD, CompiledMapping, Line


@dataclass(frozen=True)
class Live:
    """A live mapping, its document with the places in it, and what the fresh schema finds wrong with it."""

    path: str
    mapping: CompiledMapping
    read: Read[MappingDocument]
    document: MappingDocument
    problems: tuple[Problem, ...] = ()

    @property
    def makes_rows(self) -> bool:
        """Whether new rows are made through it."""
        return self.mapping.create is not Create.SALESFORCE

    def at(self, *path: str | int) -> int:
        """The line on which a part of the document stands."""
        return self.read.at(*path).line


@dataclass(frozen=True)
class Use:
    """One place that names a field of some object, and when the field is written from there."""

    object: str
    field: str
    place: int
    what: str
    on_create: bool = False
    on_update: bool = False
    spec: FieldLine | None = None  # of a field line, with what was made of it
    line: Line | None = None

    @property
    def written(self) -> bool:
        """Whether the field is written from here at all."""
        return self.on_create or self.on_update

    @property
    def passes_through(self) -> bool:
        """Whether the field is written with whatever the record holds."""
        line = self.line
        if line is None or not line.outbound:
            return False
        return line.choices is None and not line.is_constant and line.lookup is None

    @property
    def named_values(self) -> tuple[Value, ...]:
        """The Salesforce values that the line names itself."""
        if self.line is None:
            return ()
        if self.line.choices is not None:
            return tuple(value for _, theirs in self.line.choices.pairs for value in theirs)
        return tuple(
            value for value in (self.line.constant, self.line.default) if value is not None
        )


def open_document(
    path: str, text: str, mapping: CompiledMapping, problems: tuple[Problem, ...]
) -> Live | None:
    """The document behind a compiled mapping."""
    read = read_mapping(text, mapping.name, path)
    return None if read.document is None else Live(path, mapping, read, read.document, problems)


def uses(live: Live) -> Iterator[Use]:
    """Every place that names a field."""
    own = live.mapping.object
    yield from _lines(live)
    yield from _children(live)
    for name, parent in live.document.parents.items():
        place, later = live.read.key("parents", name).line, parent.write is not Write.CREATE
        yield Use(own, name, place, f"the parent {name}", live.makes_rows, later)
    for at, rule in enumerate(live.document.match):
        for name in rule.salesforce:
            yield Use(own, name, live.at("match", at, "salesforce"), f"the match by {name}")
    if live.makes_rows and live.mapping.row_of is None:
        what = "the key of every row"
        yield Use(own, KEY_FIELD, live.at("to"), what, on_create=True, on_update=True)


def _lines(live: Live) -> Iterator[Use]:
    by_place: Mapping[Place, Line] = {line.place: line for line in live.mapping.lines}
    for at, spec in enumerate(live.document.fields):
        line, place = by_place.get(live.read.at("fields", at)), live.at("fields", at)
        for name in line.fields if line is not None else ():
            yield Use(
                *_object_and_field(live, name),
                place,
                f"the line for {name}",
                on_create=line is not None and line.outbound and live.makes_rows,
                on_update=line is not None and line.writes_after_creation,
                spec=spec,
                line=line,
            )
        if line is not None and line.lookup is not None:
            what = f"the look-up for {line.fields[0]}"
            yield Use(line.lookup.object, line.lookup.by, place, what)


def _children(live: Live) -> Iterator[Use]:
    for child in live.mapping.children:
        place = live.read.key("children", child.name).line
        for name in (child.by, *(field for field, _ in child.where), child.order):
            yield Use(child.object, name, place, f"the child {child.name}")


def _object_and_field(live: Live, name: str) -> tuple[str, str]:
    """Whose field a line names: the mapping's object's, or that of a child row (`visit.Status`)."""
    child, dot, rest = name.partition(".")
    objects = {each.name: each.object for each in live.mapping.children}
    return (objects.get(child, live.mapping.object), rest) if dot else (live.mapping.object, name)
