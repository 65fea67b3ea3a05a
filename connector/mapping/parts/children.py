"""Child rows that field lines read from: rows that name the mapping's row, one of which counts.

A field of such a row is written `name.Field`. It stands in the fields of the mapping's own row under
that name, blank where no child row fits, and is never written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from connector.domain.lines import Direction
from connector.mapping.documents.document import ChildSpec, FieldLine, Scalar
from connector.mapping.documents.places import Path
from connector.mapping.documents.reading import did_you_mean
from connector.mapping.parts.scene import Scene
from connector.mapping.rules import Rule
from connector.mapping.schema import FieldSchema, ObjectSchema

_DOT = "."


@dataclass(frozen=True)
class Child:
    """Which row of an object counts, and the fields that lines read of it."""

    name: str
    object: str
    by: str
    where: tuple[tuple[str, tuple[Scalar, ...]], ...]
    order: str
    descending: bool
    fields: tuple[str, ...]

    @property
    def told_fields(self) -> tuple[str, ...]:
        """Every field that decides which row counts, or that lines read."""
        deciding = (self.by, *(field for field, _ in self.where), self.order)
        return tuple(dict.fromkeys((*deciding, *self.fields)))

    def seen_as(self, field: str) -> str:
        """What a field of the child row is called in the mapping's own row."""
        return f"{self.name}{_DOT}{field}"


def names_child(field: str) -> bool:
    """Whether a field of a line is one of a child row."""
    return _DOT in field


def own_fields(fields: Sequence[str]) -> tuple[str, ...]:
    """Those of a line's fields that the mapping's own row has."""
    return tuple(name for name in fields if not names_child(name))


def compile_children(scene: Scene) -> Iterator[Child]:
    """The children that a document names, with every problem noted."""
    for name, spec in scene.document.children.items():
        if scene.org is not None and spec.object not in scene.org:
            message = f"the org has no object {spec.object!r} that this user may see"
            scene.problem(("children", name, "object"), message, rule=Rule.UNKNOWN_OBJECT)
        read = _read_of(scene, name)
        _check_choice(scene, name, spec)
        if not read:
            message = f"no field line reads {name}.Field"
            scene.problem(("children", name), message, key=True, rule=Rule.CHILDREN)
        order = spec.first or spec.last or "Id"
        yield _Fields(scene, name, spec).child(order, read)
    for at, line in enumerate(scene.document.fields):
        for field in line.salesforce:
            _check_line(scene, at, line, field)


def field_of(scene: Scene, path: Path, field: str) -> FieldSchema | None:
    """The schema of `name.Field`, which nobody writes; None, with a problem noted, where there is none."""
    name, _, rest = field.partition(_DOT)
    spec = scene.document.children.get(name)
    if spec is None:
        return None  # the line's own check says so
    found = _Fields(scene, name, spec).find(path, rest)
    if found is None:
        return None
    full = f"{name}{_DOT}{found.name}"
    return replace(found, name=full, createable=False, updateable=False)


def _read_of(scene: Scene, name: str) -> tuple[str, ...]:
    fields = [field for line in scene.document.fields for field in line.salesforce]
    mine = [field.partition(_DOT) for field in fields]
    return tuple(dict.fromkeys(rest for child, dot, rest in mine if dot and child == name))


def _check_choice(scene: Scene, name: str, spec: ChildSpec) -> None:
    if not name.isidentifier():
        message = f"{name!r} is no name: letters, digits and _"
        scene.problem(("children", name), message, key=True, rule=Rule.CHILDREN)
    if (spec.first is None) == (spec.last is None):
        message = "several rows may fit, and it does not say which one counts"
        hint = "give it first: or last:, one of the two"
        scene.problem(("children", name), message, hint, rule=Rule.CHILDREN)


def _check_line(scene: Scene, at: int, line: FieldLine, field: str) -> None:
    name, dot, _ = field.partition(_DOT)
    if not dot:
        return
    if name not in scene.document.children:
        hint = did_you_mean(name, scene.document.children) or "name the rows under children:"
        message = f"there is no child {name!r}"
        scene.problem(("fields", at, "salesforce"), message, hint, rule=Rule.CHILDREN)
    elif line.direction is not Direction.FROM_SALESFORCE:
        message = f"{field} is read from a child row and never written"
        scene.problem(
            ("fields", at, "direction"),
            message,
            "give the line direction: from_salesforce",
            rule=Rule.CHILDREN,
        )


class _Fields:
    """The fields of one child's object, as far as the org tells of it."""

    def __init__(self, scene: Scene, name: str, spec: ChildSpec) -> None:
        self._scene = scene
        self._path: Path = ("children", name)
        self._name = name
        self._spec = spec
        self._org = self._object()

    def child(self, order: str, read: Sequence[str]) -> Child:
        """The child with its fields spelt as the org does."""
        by = self.find((*self._path, "by"), self._spec.by)
        if by is not None and self._org is not None:
            self._check_reference(by)
        key = "first" if self._spec.first is not None else "last"
        where = tuple(
            (self._spelt(field, ("where", field)), wanted)
            for field, wanted in self._spec.where.items()
        )
        return Child(
            name=self._name,
            object=self._spec.object,
            by=self._spec.by if by is None else by.name,
            where=where,
            order=self._spelt(order, (key,)),
            descending=self._spec.last is not None,
            fields=tuple(self._known(field) for field in read),
        )

    def find(self, path: Path, field: str) -> FieldSchema | None:
        """A field of the child's object; what the org does not tell is taken as it is written."""
        if self._org is None:
            return FieldSchema(field)
        found = self._org.field(field)
        if found is None:
            message = f"{self._org.name} has no field {field!r} that this user may see"
            self._scene.problem(
                path, message, did_you_mean(field, self._org.fields), rule=Rule.UNKNOWN_FIELD
            )
        return found

    def _object(self) -> ObjectSchema | None:
        return (self._scene.org or {}).get(self._spec.object)

    def _spelt(self, field: str, at: Path) -> str:
        found = self.find((*self._path, *at), field)
        return field if found is None else found.name

    def _known(self, field: str) -> str:
        """A field that a line reads; the line tells where it is not there."""
        found = None if self._org is None else self._org.field(field)
        return field if found is None else found.name

    def _check_reference(self, by: FieldSchema) -> None:
        to = self._scene.document.to
        if to not in by.reference_to:
            names = f"names {' or '.join(by.reference_to)}" if by.reference_to else "names no rows"
            self._scene.problem(
                (*self._path, "by"), f"{by.name} {names}, not {to}", rule=Rule.CHILDREN
            )
