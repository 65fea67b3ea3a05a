"""What only shows when a mapping is seen whole, beside the org and beside the other mappings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connector.domain.lines import Direction, Write
from connector.mapping.checking import givenchecks, loops, optionchecks, sharing
from connector.mapping.documents.document import Create, MappingDocument, OnDelete
from connector.mapping.parts import bonds
from connector.mapping.parts.compiled import KEY_FIELD, CompiledMapping, Parent
from connector.mapping.parts.given import given
from connector.mapping.parts.scene import Scene
from connector.mapping.rules import Rule
from connector.mapping.schema import FieldSchema, ObjectSchema


def check_whole(scene: Scene, compiled: CompiledMapping) -> None:
    """Note every problem of the mapping as a whole."""
    _fields_given_twice(scene)
    _sources_filled_twice(scene)
    _parent_cycles(scene)
    loops.check(scene)
    sharing.check(scene)
    _erases_nobody(scene)
    givenchecks.alone(scene)
    optionchecks.check(scene)
    bonds.check(scene)
    if scene.object is not None:
        _parents_writable(scene, scene.object, compiled.parents)
        givenchecks.in_org(scene, scene.object)
        if compiled.create is not Create.SALESFORCE and compiled.row_of is None:
            _key(scene, scene.object)
            _required(scene, scene.object)


def _fields_given_twice(scene: Scene) -> None:
    """A field is written by one line and read by one; computed and read back may be two lines."""
    ways: dict[tuple[str, str], int] = {}
    parents = {name.lower() for name in scene.document.parents}
    for at, spec in enumerate(scene.document.fields):
        for way in _ways(spec.direction):
            for name in spec.salesforce:
                if ways.setdefault((way, name.lower()), at) != at:
                    scene.problem(
                        ("fields", at, "salesforce"),
                        f"{name} is given twice",
                        rule=Rule.FIELD_TWICE,
                    )
                elif way == "out" and name.lower() in parents:
                    scene.problem(
                        ("fields", at, "salesforce"),
                        f"{name} is a parent as well",
                        rule=Rule.FIELD_TWICE,
                    )


def _erases_nobody(scene: Scene) -> None:
    if scene.document.on_delete is OnDelete.ERASE and not scene.schema.personal:
        message = f"a {scene.document.from_} belongs to no person who could be erased"
        scene.problem(("on_delete",), message, "say unpair or recreate", rule=Rule.ON_DELETE)


def _ways(direction: Direction) -> tuple[str, ...]:
    return {
        Direction.TO_SALESFORCE: ("out",),
        Direction.FROM_SALESFORCE: ("in",),
        Direction.BOTH: ("out", "in"),
    }[direction]


def _sources_filled_twice(scene: Scene) -> None:
    """One record value has one inbound source, over all mappings of its kind."""
    elsewhere = dict(_inbound_elsewhere(scene))
    here: set[str] = set()
    for at, spec in enumerate(scene.document.fields):
        if spec.line is None or spec.direction is Direction.TO_SALESFORCE:
            continue
        if spec.line in here:
            scene.problem(
                ("fields", at, "line"),
                f"{spec.line} is filled from two fields",
                rule=Rule.SOURCE_TWICE,
            )
        elif spec.line in elsewhere and scene.document.enabled:
            message = f"{spec.line} is filled by {elsewhere[spec.line]} already"
            scene.problem(("fields", at, "line"), message, rule=Rule.SOURCE_TWICE)
        here.add(spec.line)


def _inbound_elsewhere(scene: Scene) -> Iterable[tuple[str, str]]:
    """Record values that mappings earlier in the alphabet fill, so that a clash is shown once."""
    for name, other in scene.others.items():
        if name < scene.read.name and other.enabled and other.from_ == scene.document.from_:
            for spec in other.fields:
                if spec.line is not None and spec.direction is not Direction.TO_SALESFORCE:
                    yield spec.line, name


def _parent_cycles(scene: Scene) -> None:
    """Parents go first, so no mapping may be its own ancestor; a cycle is shown at its first name."""
    own = scene.read.name
    documents = {**scene.others, own: scene.document}
    cycle = _way_back(own, own, documents, ())
    if cycle and own == min(cycle):
        shown = " -> ".join((*cycle, own))
        scene.problem(
            ("parents",),
            f"each of these waits for the next: {shown}",
            key=True,
            rule=Rule.PARENTS_CYCLE,
        )


def _way_back(
    start: str, here: str, documents: Mapping[str, MappingDocument], seen: tuple[str, ...]
) -> tuple[str, ...]:
    for name in _parent_mappings(here, documents):
        if name == start:
            return (*seen, here)
        if name not in seen and name != here:
            found = _way_back(start, name, documents, (*seen, here))
            if found:
                return found
    return ()


def _parent_mappings(name: str, documents: Mapping[str, MappingDocument]) -> list[str]:
    """Mappings of the same kind that this one waits for; relations between kinds have no cycles."""
    document = documents[name]
    named = [each.mapping for each in document.parents.values() if each.mapping in documents]
    own = [
        other
        for field, each in document.parents.items()
        if each.via == "self" and each.mapping is None
        for other, found in documents.items()
        if other != name and found.from_ == document.from_ and field == f"{found.to}Id"
    ]
    return [other for other in (*named, *own) if other is not None]


def _parents_writable(scene: Scene, org: ObjectSchema, parents: Iterable[Parent]) -> None:
    for parent in parents:
        field = org.field(parent.field)
        if field is None:
            continue
        if not field.createable:
            scene.problem(
                ("parents", parent.field),
                f"{field.name} cannot be written by this user",
                rule=Rule.NOT_WRITABLE,
            )
        elif parent.write is not Write.CREATE and not field.updateable:
            message = f"{field.name} can only be set when a row is made"
            scene.problem(
                ("parents", parent.field),
                message,
                "give the parent write: create",
                rule=Rule.SET_ONCE,
            )


def _key(scene: Scene, org: ObjectSchema) -> None:
    """Creates are upserts by our key, so the field must be there and tell rows apart."""
    field = org.field(KEY_FIELD)
    hint = "install it with `connector salesforce install`"
    if field is None:
        scene.problem(("to",), f"{org.name} has no field {KEY_FIELD}", hint, rule=Rule.KEY_FIELD)
        return
    wrong = [word for word, right in _key_needs(field) if not right]
    if wrong:
        scene.problem(
            ("to",),
            f"{org.name}.{KEY_FIELD} must be {' and '.join(wrong)}",
            hint,
            rule=Rule.KEY_FIELD,
        )


def _key_needs(field: FieldSchema) -> tuple[tuple[str, bool], ...]:
    return (
        ("an external id", field.external_id),
        ("unique", field.unique),
        ("writable", field.createable and field.updateable),
    )


def _required(scene: Scene, org: ObjectSchema) -> None:
    filled = {name.lower() for name in _filled(scene.document)}
    if "lastname" in filled:
        filled.add("name")  # of a person account it is made from its parts
    for field in org.fields.values():
        if field.required and field.name.lower() not in filled:
            message = f"{org.name} cannot be made without {field.name}, and no line fills it"
            scene.problem(("to",), message, rule=Rule.REQUIRED_FIELD)


def _filled(document: MappingDocument) -> Iterable[str]:
    for spec in document.fields:
        if spec.direction is not Direction.FROM_SALESFORCE:
            yield from spec.salesforce
    yield from document.parents
    yield from (each.field for each in given(document))
