"""Two mappings of one record that write the same field of the same object: each would undo the other."""

from __future__ import annotations

from collections.abc import Iterator

from connector.domain.lines import Direction
from connector.mapping.documents.document import MappingDocument
from connector.mapping.parts.scene import Scene
from connector.mapping.rules import Rule


def check(scene: Scene) -> None:
    """Note fields that a mapping earlier in the alphabet writes already, so that a clash is shown once."""
    for name, other in sorted(scene.others.items()):
        if name < scene.read.name and _meet(scene.document, other):
            written = {field.lower() for _, field in _written(other)}
            for at, field in _written(scene.document):
                if field.lower() in written:
                    message = f"{name} writes {field} of a {other.from_}'s {other.to} as well"
                    hint = "take it out of one, or give both a when that only one fulfils"
                    path = ("fields", at, "salesforce")
                    scene.problem(path, message, hint, rule=Rule.SAME_ROW)


def _meet(one: MappingDocument, other: MappingDocument) -> bool:
    """Whether both may run for one record; two conditions are taken to leave each other room.

    A mapping that joins the other's row is looked at where it joins.
    """
    same = (one.from_, one.to) == (other.from_, other.to)
    apart = one.when is not None and other.when is not None
    joined = one.row_of is not None or other.row_of is not None
    return same and one.enabled and other.enabled and not (apart or joined)


def _written(document: MappingDocument) -> Iterator[tuple[int, str]]:
    for at, spec in enumerate(document.fields):
        if spec.direction is not Direction.FROM_SALESFORCE:
            for field in spec.salesforce:
                yield at, field
