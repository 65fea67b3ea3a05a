"""From a document that was read to a mapping that runs, with every problem found on the way."""

from __future__ import annotations

from collections.abc import Mapping

from connector.domain.records import RecordSchema, ValueType
from connector.mapping.checking.checks import check_whole
from connector.mapping.documents.document import MappingDocument, MatchSpec, ParentSpec
from connector.mapping.documents.places import Path, Problem, problem_at
from connector.mapping.documents.reading import MappingProblems, Read, did_you_mean
from connector.mapping.expressions.cel import (
    CheckedExpression,
    ExpressionRefused,
    Scope,
    compile_expression,
    function_names,
    record_names,
)
from connector.mapping.linecompiler import LineCompiler
from connector.mapping.parts.attachments import compile_files
from connector.mapping.parts.bonds import mates_of
from connector.mapping.parts.children import compile_children
from connector.mapping.parts.compiled import Adoption, CompiledMapping, Line, Parent
from connector.mapping.parts.given import given, record_type_of
from connector.mapping.parts.joining import row_of
from connector.mapping.parts.matching import MatchRule
from connector.mapping.parts.scene import Scene, guessed_object, guessed_relationship
from connector.mapping.rules import Rule
from connector.mapping.schema import ObjectSchema
from connector.mapping.words import kind_named, type_named

_FILTERABLE_TEXTAREA = 255


def compile_mapping(
    document: Read[MappingDocument],
    record_schemas: Mapping[str, RecordSchema],
    object_schema: ObjectSchema | None,
    version: int = 0,
    others: Mapping[str, MappingDocument] | None = None,
    org: Mapping[str, ObjectSchema] | None = None,
) -> CompiledMapping:
    """Compile one document; raises `MappingProblems` with all of them.

    Without `object_schema` nothing that the org decides is checked. `others` are the documents of
    the whole set by name, in which parents and adoptions are found; `org` are all objects by name, in
    which the fields of child rows are.
    """
    compiled, problems = try_compile(document, record_schemas, object_schema, version, others, org)
    if compiled is None or problems:
        raise MappingProblems(problems)
    return compiled


def try_compile(
    document: Read[MappingDocument],
    record_schemas: Mapping[str, RecordSchema],
    object_schema: ObjectSchema | None,
    version: int = 0,
    others: Mapping[str, MappingDocument] | None = None,
    org: Mapping[str, ObjectSchema] | None = None,
) -> tuple[CompiledMapping | None, list[Problem]]:
    """As `compile_mapping`, giving what could be compiled and the problems side by side."""
    problems = list(document.problems)
    written = document.document
    if written is None:
        return None, problems
    schema = record_schemas.get(written.from_)
    if schema is None:
        hint = did_you_mean(written.from_, record_schemas)
        message = f"there is no record kind {written.from_!r}"
        return None, [
            *problems,
            problem_at(document.at("from"), message, hint, rule=Rule.UNKNOWN_KIND),
        ]
    known = others or {}
    rows = object_schema and object_schema.under(record_type_of(written, known))
    scene = Scene(document, written, schema, record_schemas, rows, known, problems, org)
    compiled = _Compiler(scene).compile(version)
    check_whole(scene, compiled)
    return compiled, sorted(set(problems))


class _Compiler:
    """Compiles the parts of one document, noting problems in its scene."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._document = scene.document
        names = record_names("line", scene.schema, scene.records)
        self._scope = Scope(tuple(names))

    def compile(self, version: int) -> CompiledMapping:
        """The mapping as far as it can be compiled."""
        written = self._document
        lines = self._lines()
        return CompiledMapping(
            name=self._scene.read.name,
            version=version,
            kind=written.from_,
            object=written.to,
            schema=self._scene.schema,
            create=written.create,
            lane=written.lane,
            on_delete=written.on_delete,
            assignment_rule=written.assignment_rule,
            enabled=written.enabled,
            match=tuple(self._rule(at, rule, lines) for at, rule in enumerate(written.match)),
            adopt=self._adoption(),
            parents=tuple(self._parent(name, each) for name, each in written.parents.items()),
            lines=lines,
            children=tuple(compile_children(self._scene)),
            row_of=row_of(self._scene),
            files=tuple(compile_files(self._scene, self._expression)),
            given=tuple(given(written)),
            record_type=record_type_of(written, self._scene.others),
            when=self._when(),
            named_for_others=self._named_for_others(),
            mates=mates_of(self._scene.read.name, self._scene.documents),
        )

    def _when(self) -> CheckedExpression | None:
        if self._document.when is None:
            return None
        compiled = self._expression(self._document.when, ("when",))
        if compiled is not None and compiled.returns not in (ValueType.BOOLEAN, None):
            self._scene.problem(
                ("when",),
                f"must come to true or false, not to {kind_named(compiled.returns)}",
                rule=Rule.CONDITION,
            )
        return compiled

    def _expression(self, text: str, path: Path) -> CheckedExpression | None:
        try:
            return compile_expression(text, self._scope)
        except ExpressionRefused as refused:
            known = [*(name for name, _ in self._scope.names), *function_names()]
            for problem in refused.problems:
                self._scene.expression_problem(path, problem, known)
            return None

    def _lines(self) -> tuple[Line, ...]:
        compiler = LineCompiler(self._scene, self._expression)
        found = (compiler.compile(at, spec) for at, spec in enumerate(self._document.fields))
        return tuple(line for line in found if line is not None)

    def _rule(self, at: int, spec: MatchSpec, lines: tuple[Line, ...]) -> MatchRule:
        if spec.line not in self._scene.schema.values:
            self._scene.unknown_value(("match", at, "line"), spec.line, self._scene.schema.values)
        path = ("match", at, "salesforce")
        fields = tuple(self._searched(path, name) for name in spec.salesforce)
        sent = [line for line in lines if line.outbound and line.source]
        by_source = {line.source: line for line in reversed(sent)}  # of several the first
        for name in spec.agree:
            if name not in by_source:
                hint = did_you_mean(name, [source for source in by_source if source])
                message = f"no field line carries {name!r} to Salesforce, so nothing can agree"
                self._scene.problem(("match", at, "agree"), message, hint, rule=Rule.MATCH)
        agree = tuple(by_source[name] for name in spec.agree if name in by_source)
        return MatchRule(spec.line, fields, spec.normalise, agree)

    def _searched(self, path: Path, name: str) -> str:
        field = self._scene.field(name, path)
        if field is None:
            return name
        if field.type == "textarea" and field.length > _FILTERABLE_TEXTAREA:
            self._scene.problem(
                path, f"{name} is a long text, which cannot be searched", rule=Rule.MATCH
            )
        return field.name

    def _adoption(self) -> Adoption | None:
        spec = self._document.adopt
        if spec is None:
            return None
        other = self._scene.others.get(spec.from_)
        if other is None:
            if self._scene.others:
                hint = did_you_mean(spec.from_, self._scene.others)
                self._scene.problem(
                    ("adopt", "from"), f"there is no mapping {spec.from_!r}", hint, rule=Rule.ADOPT
                )
        elif other.from_ != self._document.from_:
            message = f"{spec.from_} maps {other.from_}, so its row cannot name the one of a {self._document.from_}"
            self._scene.problem(("adopt", "from"), message, rule=Rule.ADOPT)
        elif spec.field not in other.parents:
            hint = did_you_mean(spec.field, other.parents)
            self._scene.problem(
                ("adopt", "field"),
                f"{spec.field} is no parent of {spec.from_}",
                hint,
                rule=Rule.ADOPT,
            )
        return Adoption(spec.from_, spec.field)

    def _named_for_others(self) -> tuple[str, ...]:
        adopting = (other.adopt for other in self._scene.others.values() if other.adopt is not None)
        return tuple(adopt.field for adopt in adopting if adopt.from_ == self._scene.read.name)

    def _parent(self, name: str, spec: ParentSpec) -> Parent:
        field = self._scene.field(name, ("parents", name), key=True)
        if field is not None and field.type != "reference":
            self._scene.problem(
                ("parents", name),
                f"{name} is a {type_named(field.type)} field, not a reference",
                rule=Rule.PARENT,
            )
        targets = field.reference_to if field is not None else guessed_object(name)
        mapping = self._parent_mapping(name, spec, targets)
        known = self._scene.others.get(mapping) if mapping else None
        guessed = targets[0] if targets else ""
        return Parent(
            field=name if field is None else field.name,
            via=spec.via,
            mapping=mapping,
            optional=spec.optional,
            write=spec.write,
            object=known.to if known is not None else guessed,
            relationship_name=(field.relationship_name if field is not None else None)
            or guessed_relationship(name),
        )

    def _parent_mapping(self, name: str, spec: ParentSpec, targets: tuple[str, ...]) -> str | None:
        """The mapping whose row is the parent; None where the documents do not settle it."""
        kind = self._kind_of_parent(name, spec)
        if kind is None or not self._scene.others:
            return spec.mapping
        own = self._scene.read.name
        of_kind = {
            other: document
            for other, document in self._scene.others.items()
            if document.from_ == kind and other != own
        }
        if spec.mapping is not None:
            return self._named_parent(name, spec.mapping, of_kind, targets)
        fits = [
            other
            for other, document in of_kind.items()
            if document.enabled and (not targets or document.to in targets)
        ]
        if len(fits) == 1:
            return fits[0]
        wanted = " or ".join(targets) or "a row"
        message = (
            f"several mappings make {wanted} of a {kind}: {', '.join(sorted(fits))}"
            if fits
            else f"no mapping makes {wanted} of a {kind}"
        )
        self._scene.problem(
            ("parents", name), message, "name one with mapping:" if fits else "", rule=Rule.PARENT
        )
        return None

    def _named_parent(
        self,
        name: str,
        mapping: str,
        of_kind: Mapping[str, MappingDocument],
        targets: tuple[str, ...],
    ) -> str | None:
        other = of_kind.get(mapping)
        if other is None:
            hint = did_you_mean(mapping, of_kind)
            self._scene.problem(
                ("parents", name, "mapping"), f"no mapping {mapping!r} fits", hint, rule=Rule.PARENT
            )
            return None
        if targets and other.to not in targets:
            message = f"{name} names a {' or '.join(targets)}, {mapping} makes {other.to} rows"
            self._scene.problem(("parents", name, "mapping"), message, rule=Rule.PARENT)
        return mapping

    def _kind_of_parent(self, name: str, spec: ParentSpec) -> str | None:
        if spec.via == "self":
            return self._document.from_
        relations = self._scene.schema.relations
        if spec.via not in relations:
            message = f"a {self._document.from_} has no relation {spec.via!r}"
            hint = did_you_mean(spec.via, [*relations, "self"])
            self._scene.problem(("parents", name, "via"), message, hint, rule=Rule.PARENT)
            return None
        return relations[spec.via]
