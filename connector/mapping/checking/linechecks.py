"""Whether a field line's source, conversions and fields fit each other and the org."""

from __future__ import annotations

from connector.domain.lines import Direction, Policy, Write
from connector.domain.records import ValueType
from connector.domain.values import Value
from connector.mapping.checking import lookupchecks, namedchecks, picklistchecks
from connector.mapping.checking.fits import fits
from connector.mapping.checking.roundtrip import first_loss
from connector.mapping.documents.document import FieldLine
from connector.mapping.documents.places import Path
from connector.mapping.documents.reading import did_you_mean
from connector.mapping.parts.compiled import Line, LineProblem
from connector.mapping.parts.scene import Scene
from connector.mapping.rules import Rule
from connector.mapping.words import kind_named, kinds_named, type_named


class LineChecks:
    """What the parts of one compiled line must not be together."""

    def __init__(self, scene: Scene, path: Path, spec: FieldLine, line: Line) -> None:
        self._scene = scene
        self._path = path
        self._spec = spec
        self._line = line

    def run(self, kind: ValueType | None) -> None:
        """Note every problem; `kind` is what the line's source gives, where that is known."""
        before = len(self._scene.problems)
        self._targets()
        self._direction()
        self._choices()
        if self._line.source is not None and kind is not None:
            namedchecks.check(self._scene, self._path, self._line.source, self._spec.values, kind)
        self._both_ways()
        self._lookup()
        self._access()
        self._types(kind)
        self._fixed_values()
        if len(self._scene.problems) == before:
            self._round_trip()
        picklistchecks.check(self._scene, self._path, self._line)

    def _problem(self, key: str, message: str, hint: str = "", *, rule: Rule) -> None:
        self._scene.problem((*self._path, key) if key else self._path, message, hint, rule=rule)

    def _targets(self) -> None:
        """As many fields as the last transform fills, and no earlier one that fills several."""
        filled = self._line.transforms[-1].targets if self._line.transforms else 1
        if len(self._line.fields) != filled:
            message = f"the line names {_counted(self._line.fields)}, its transform fills {filled}"
            hint = "a list of two fields goes with transform: person_name"
            self._problem("salesforce", message, hint, rule=Rule.FIELDS_FILLED)
        for at, step in enumerate(self._line.transforms[:-1]):
            if step.targets > 1:
                here = (*self._path, "transform", at)
                self._scene.problem(
                    here,
                    f"{step.name} fills several fields, so it must come last",
                    rule=Rule.FIELDS_FILLED,
                )

    def _direction(self) -> None:
        """Only a value of the record itself can be filled from Salesforce."""
        if not self._line.inbound:
            return
        if self._line.source is None:
            what = "an expression" if self._line.is_expression else "a constant"
            self._problem(
                "direction", f"{what} goes to Salesforce only", rule=Rule.ONLY_TO_SALESFORCE
            )
        elif self._line.value_type is None:
            message = (
                f"{self._line.source} belongs to another record, so it goes to Salesforce only"
            )
            self._problem("direction", message, rule=Rule.ONLY_TO_SALESFORCE)

    def _choices(self) -> None:
        """`values` one to one where they go out, `otherwise` one of them where they come in."""
        spec = self._spec
        if spec.otherwise is not None and not spec.values:
            self._problem(
                "otherwise", "otherwise means nothing without values", rule=Rule.OTHERWISE
            )
        if not spec.values:
            return
        if self._line.outbound:
            for pair in spec.values:
                if len(pair.salesforce) > 1:
                    message = (
                        f"{pair.line} stands for several values, which only works from Salesforce"
                    )
                    self._scene.problem(
                        (*self._path, "values", pair.line), message, rule=Rule.VALUES_OUTBOUND
                    )
        known = [pair.line for pair in spec.values]
        inbound_only = self._line.direction is Direction.FROM_SALESFORCE
        if inbound_only and spec.otherwise is not None and spec.otherwise not in known:
            hint = did_you_mean(str(spec.otherwise), map(str, known))
            self._problem(
                "otherwise",
                f"{spec.otherwise!r} is not one of the line's values",
                hint,
                rule=Rule.OTHERWISE,
            )
        self._twice(inbound_only=inbound_only)

    def _twice(self, *, inbound_only: bool) -> None:
        if not (inbound_only or self._line.direction is Direction.BOTH):
            return
        seen: set[Value] = set()
        for pair in self._spec.values:
            for theirs in pair.salesforce:
                if theirs in seen:
                    message = f"{theirs!r} stands for two values, so it cannot be read back"
                    self._scene.problem(
                        (*self._path, "values", pair.line), message, rule=Rule.VALUES_TWICE
                    )
                seen.add(theirs)

    def _both_ways(self) -> None:
        """What goes both ways must come back as it went."""
        if self._line.direction is not Direction.BOTH:
            return
        for at, step in enumerate(self._line.transforms):
            if step.inverse is None:
                message = f"{step.name} cannot be undone, so the line cannot go both ways"
                self._scene.problem(
                    (*self._path, "transform", at), message, rule=Rule.NOT_INVERTIBLE
                )
        for key in ("default", "otherwise"):
            if getattr(self._spec, key) is not None:
                message = f"{key} makes several values one, so the line cannot go both ways"
                self._problem(key, message, rule=Rule.NOT_INVERTIBLE)

    def _round_trip(self) -> None:
        """What only shows when it is tried; the other rules have said what they can."""
        loss = first_loss(self._line) if self._line.direction is Direction.BOTH else None
        if loss is not None:
            hint = "let one line send it and another read it, or take a field that holds it whole"
            self._problem(
                "direction", f"{loss}, so the line cannot go both ways", hint, rule=Rule.ROUND_TRIP
            )

    def _lookup(self) -> None:
        """A lookup fills a reference, and only goes out."""
        lookup = self._line.lookup
        if lookup is None:
            return
        if self._line.inbound:
            self._problem(
                "lookup", "a lookup goes to Salesforce only", rule=Rule.ONLY_TO_SALESFORCE
            )
        lookupchecks.check(self._scene, (*self._path, "lookup"), lookup)
        for field in self._line.schemas if self._scene.object is not None else ():
            if field.type != "reference":
                self._problem(
                    "salesforce",
                    f"{field.name} is a {type_named(field.type)} field, not a reference",
                    rule=Rule.LOOKUP,
                )
            elif lookup.object not in field.reference_to:
                message = (
                    f"{field.name} names {' or '.join(field.reference_to)}, not {lookup.object}"
                )
                hint = did_you_mean(lookup.object, field.reference_to)
                self._scene.problem(
                    (*self._path, "lookup", "object"), message, hint, rule=Rule.LOOKUP
                )

    def _access(self) -> None:
        """Fields that are written must be writable."""
        if not self._line.outbound or self._scene.object is None:
            return
        for field in self._line.schemas:
            if field.calculated:
                self._problem(
                    "salesforce",
                    f"{field.name} is a formula and cannot be written",
                    rule=Rule.NOT_WRITABLE,
                )
            elif not field.createable and not field.updateable:
                message = f"{field.name} cannot be written by this user"
                hint = "read it with direction: from_salesforce, or give the user edit permission"
                self._problem("salesforce", message, hint, rule=Rule.NOT_WRITABLE)
            elif not field.createable and self._line.write is Write.CREATE:
                self._problem(
                    "salesforce",
                    f"{field.name} cannot be set when a row is made",
                    rule=Rule.NOT_WRITABLE,
                )
            elif not field.updateable and self._line.write is not Write.CREATE:
                message = f"{field.name} can only be set when a row is made"
                self._problem(
                    "salesforce", message, "give the line write: create", rule=Rule.SET_ONCE
                )

    def _types(self, kind: ValueType | None) -> None:
        """Each step takes what the one before gives, and the field holds what comes out."""
        if self._line.policy is Policy.NO_WINS and kind not in (ValueType.BOOLEAN, None):
            self._problem(
                "conflict", "no_wins is for values that are true or false", rule=Rule.NO_WINS
            )
        if self._spec.values or self._line.lookup is not None:
            return
        for at, step in enumerate(self._line.transforms):
            if kind is not None and kind not in step.takes:
                takes = kinds_named(step.takes)
                message = f"{step.name} takes {takes}, and gets {kind_named(kind)}"
                self._scene.problem((*self._path, "transform", at), message, rule=Rule.WRONG_TYPE)
            kind = step.gives
        if self._scene.object is not None and kind is not None:
            self._held(kind)

    def _held(self, kind: ValueType) -> None:
        for field in self._line.schemas:
            dated = self._line.is_expression and field.type in ("date", "datetime")
            if fits(kind, field.type) or (dated and kind is ValueType.TEXT):
                continue  # what an expression gives for a date is ISO text
            message = f"{field.name} is a {type_named(field.type)} field and cannot hold {kind_named(kind)}"
            self._problem(
                "salesforce", message, "give the line a transform or values", rule=Rule.WRONG_TYPE
            )

    def _fixed_values(self) -> None:
        """Values the document itself names must be ones that the fields take."""
        for key, value in (("constant", self._line.constant), ("default", self._line.default)):
            if value is not None and self._line.outbound:
                self._try((*self._path, key), value)
        for pair in self._spec.values:
            here = (*self._path, "values", pair.line)
            if self._line.outbound:
                self._try(here, pair.line)
            else:
                self._known_choice(here, pair.salesforce)
        self._cut_short()

    def _try(self, path: Path, value: Value) -> None:
        try:
            self._line.to_fields(value)
        except LineProblem as problem:
            message = f"{problem.field} does not take it: {problem.reason}"
            field = next(each for each in self._line.schemas if each.name == problem.field)
            strange = field.restricted and field.choices and problem.value not in field.choices
            hint = did_you_mean(str(problem.value), field.choices) if strange else ""
            rule = Rule.PICKLIST_VALUE if strange else Rule.VALUE_REFUSED
            self._scene.problem(path, message, hint, rule=rule)

    def _known_choice(self, path: Path, values: tuple[Value, ...]) -> None:
        """Rows may be given another record type by people, so any value of the field may come in."""
        field = self._line.schemas[0]
        for value in values if field.restricted else ():
            if value not in field.picklist:
                hint = did_you_mean(str(value), field.picklist)
                self._scene.problem(
                    path, f"{field.name} has no value {value!r}", hint, rule=Rule.PICKLIST_VALUE
                )

    def _cut_short(self) -> None:
        for at, call in enumerate(self._spec.transform):
            for field in self._line.schemas if call.name == "truncate" else ():
                if field.length and call.argument > field.length:
                    message = f"{field.name} holds {field.length} characters, fewer than are kept"
                    self._scene.problem(
                        (*self._path, "transform", at), message, rule=Rule.TRUNCATE_BEYOND
                    )


def _counted(fields: tuple[str, ...]) -> str:
    return "one field" if len(fields) == 1 else f"{len(fields)} fields"
