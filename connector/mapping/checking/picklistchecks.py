"""Whether `values` names every value that a picklist of the org may send us."""

from __future__ import annotations

from connector.mapping.canonical import plain_text
from connector.mapping.documents.places import Path
from connector.mapping.parts.compiled import Line
from connector.mapping.parts.scene import Scene
from connector.mapping.rules import Rule


def check(scene: Scene, path: Path, line: Line) -> None:
    """Note the choices that would hold a line back as soon as somebody picks them."""
    choices = line.choices
    if not line.inbound or choices is None or choices.otherwise is not None:
        return
    (field, *_) = line.schemas
    if field.type != "picklist":
        return
    named = {plain_text(each) for _, theirs in choices.pairs for each in theirs}
    left = [value for value in field.choices if value not in named]
    if left:
        message = f"{field.name}{field.of_type} may also hold {', '.join(left)}, which values does not name"
        hint = "name them" if line.outbound else "name them, or give the line an otherwise"
        scene.problem((*path, "values"), message, hint, rule=Rule.PICKLIST_UNMAPPED)
