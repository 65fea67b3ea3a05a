"""One field line: its source, its conversions, its fields, and whether they fit each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connector.domain.lines import Direction, Write
from connector.domain.records import ValueType
from connector.domain.values import Value
from connector.mapping.canonical import NUMBERS
from connector.mapping.checking.fits import guessed_type
from connector.mapping.checking.linechecks import LineChecks
from connector.mapping.documents.document import FieldLine
from connector.mapping.documents.places import Path
from connector.mapping.documents.reading import did_you_mean
from connector.mapping.expressions.cel import CheckedExpression
from connector.mapping.parts import children
from connector.mapping.parts.lines import Choices, Line, Lookup, input_names
from connector.mapping.parts.scene import Scene
from connector.mapping.rules import Rule
from connector.mapping.schema import FieldSchema
from connector.mapping.transforms import (
    Transform,
    UnknownTransform,
    WrongArgument,
    transform,
    transform_names,
)

CompileExpression = Callable[[str, Path], CheckedExpression | None]


@dataclass(frozen=True)
class _Source:
    """Where a line's values come from, and what they are where that is known."""

    name: str | None
    expression: CheckedExpression | None
    constant: Value
    type: ValueType | None
    inputs: frozenset[str]


class LineCompiler:
    """Compiles the field lines of one document."""

    def __init__(self, scene: Scene, expression: CompileExpression) -> None:
        self._scene = scene
        self._expression = expression
        self._sent = {
            _lowered(spec.salesforce)
            for spec in scene.document.fields
            if spec.direction is not Direction.FROM_SALESFORCE
        }

    def compile(self, at: int, spec: FieldLine) -> Line | None:
        """The line, or None where too little of it could be understood; problems are noted."""
        path: Path = ("fields", at)
        source = self._source(path, spec)
        transforms = self._transforms(path, spec)
        schemas = self._schemas(path, spec, source, transforms)
        if source is None or transforms is None or schemas is None:
            return None
        line = self._line(path, spec, source, transforms, schemas)
        LineChecks(self._scene, path, spec, line).run(source.type)
        return line

    def _line(
        self,
        path: Path,
        spec: FieldLine,
        source: _Source,
        transforms: tuple[Transform, ...],
        schemas: tuple[FieldSchema, ...],
    ) -> Line:
        fields = spec.salesforce if self._scene.object is None else tuple(s.name for s in schemas)
        pairs = tuple((pair.line, pair.salesforce) for pair in spec.values)
        return Line(
            id=self._id(fields, spec.direction),
            source=source.name,
            fields=fields,
            direction=spec.direction,
            policy=spec.conflict,
            first_meeting=spec.first_meeting,
            write=spec.write or (Write.CREATE if spec.constant is not None else Write.CHANGE),
            inputs=source.inputs,
            place=self._scene.read.at(*path),
            schemas=schemas,
            value_type=self._scene.schema.values.get(source.name or ""),
            constant=source.constant,
            expression=source.expression,
            default=spec.default,
            choices=Choices(pairs, spec.otherwise) if pairs else None,
            transforms=transforms,
            lookup=self._lookup(spec),
            personal=spec.personal,
        )

    def _id(self, fields: tuple[str, ...], direction: Direction) -> str:
        shared = direction is Direction.FROM_SALESFORCE and _lowered(fields) in self._sent
        return ",".join(fields) + (":in" if shared else "")

    def _source(self, path: Path, spec: FieldLine) -> _Source | None:
        given = [
            key for key in ("line", "constant", "expression") if getattr(spec, key) is not None
        ]
        looked_for = spec.lookup.value if spec.lookup is not None else None
        if looked_for is not None:
            return self._named_source((*path, "lookup", "value"), looked_for)
        if len(given) != 1:
            message = (
                f"the line has {' and '.join(given)}; only one can say where the value comes from"
                if given
                else "the line says nothing of where the value comes from"
            )
            self._scene.problem(
                path, message, "give line:, constant: or expression:", rule=Rule.ONE_SOURCE
            )
            return None
        if spec.line is not None:
            return self._named_source((*path, "line"), spec.line)
        if spec.expression is not None:
            return self._computed_source(path, spec.expression)
        return _Source(None, None, spec.constant, None, frozenset())

    def _computed_source(self, path: Path, text: str) -> _Source | None:
        compiled = self._expression(text, (*path, "expression"))
        if compiled is None:
            return None
        return _Source(None, compiled, None, compiled.returns, input_names(compiled))

    def _named_source(self, path: Path, name: str) -> _Source | None:
        schema = self._scene.schema
        kind = schema.values.get(name)
        if kind is None:
            relation, _, rest = name.partition(".")
            related = self._scene.records.get(schema.relations.get(relation, ""))
            kind = related.values.get(rest) if related is not None else None
        if kind is None:
            self._scene.unknown_value(path, name, self._known_names())
            return None
        return _Source(name, None, None, kind, frozenset({name}))

    def _known_names(self) -> list[str]:
        schema = self._scene.schema
        dotted = [
            f"{relation}.{name}"
            for relation, kind in schema.relations.items()
            for name in self._scene.records[kind].values
        ]
        return [*schema.values, *dotted]

    def _transforms(self, path: Path, spec: FieldLine) -> tuple[Transform, ...] | None:
        made: list[Transform] = []
        for at, call in enumerate(spec.transform):
            here = (*path, "transform", at)
            try:
                made.append(transform(call.name, call.argument))
            except UnknownTransform:
                hint = did_you_mean(call.name, transform_names())
                self._scene.problem(
                    here, f"there is no transform {call.name!r}", hint, rule=Rule.UNKNOWN_TRANSFORM
                )
            except WrongArgument as wrong:
                self._scene.problem(here, str(wrong), rule=Rule.WRONG_ARGUMENT)
        return tuple(made) if len(made) == len(spec.transform) else None

    def _schemas(
        self,
        path: Path,
        spec: FieldLine,
        source: _Source | None,
        transforms: tuple[Transform, ...] | None,
    ) -> tuple[FieldSchema, ...] | None:
        if self._scene.object is None:
            gives = source.type if source is not None else None
            gives = transforms[-1].gives if transforms else gives
            kind = "reference" if spec.lookup else guessed_type(None if spec.values else gives)
            return tuple(_guessed(name, kind) for name in spec.salesforce)
        many = len(spec.salesforce) > 1
        paths = [
            (*path, "salesforce", at) if many else (*path, "salesforce")
            for at in range(len(spec.salesforce))
        ]
        found = [self._field(name, here) for name, here in zip(spec.salesforce, paths, strict=True)]
        known = tuple(field for field in found if field is not None)
        return known if len(known) == len(found) else None

    def _lookup(self, spec: FieldLine) -> Lookup | None:
        named = spec.lookup
        if named is None:
            return None
        found = (self._scene.org or {}).get(named.object)
        by = found.field(named.by) if found is not None else None
        by_number = by is not None and by.type in NUMBERS
        return Lookup(named.object, named.by, named.missing, by_number)

    def _field(self, name: str, path: Path) -> FieldSchema | None:
        if children.names_child(name):
            return children.field_of(self._scene, path, name)
        return self._scene.field(name, path)


def _guessed(name: str, kind: str) -> FieldSchema:
    """What a field is taken to be where no org is asked."""
    written = not children.names_child(name)
    return FieldSchema(name, type=kind, createable=written, updateable=written)


def _lowered(fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.lower() for name in fields)
