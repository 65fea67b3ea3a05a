"""Whether a lookup can find its row: in an object that the org shows, by a field that tells rows apart."""

from __future__ import annotations

from connector.mapping.documents.places import Path
from connector.mapping.documents.reading import did_you_mean
from connector.mapping.parts.compiled import Lookup
from connector.mapping.parts.scene import Scene
from connector.mapping.rules import Rule
from connector.mapping.schema import FieldSchema, ObjectSchema


def check(scene: Scene, path: Path, lookup: Lookup) -> None:
    """Note what the org says against it."""
    if scene.org is None:
        return
    found = scene.org.get(lookup.object)
    if found is None:
        message = f"the org has no object {lookup.object!r} that this user may see"
        hint = did_you_mean(lookup.object, scene.org)
        scene.problem((*path, "object"), message, hint, rule=Rule.UNKNOWN_OBJECT)
        return
    field = found.field(lookup.by)
    if field is None:
        message = f"{found.name} has no field {lookup.by!r} that this user may see"
        hint = did_you_mean(lookup.by, found.fields)
        scene.problem((*path, "by"), message, hint, rule=Rule.UNKNOWN_FIELD)
    elif not _tells_apart(field):
        message = f"several rows of {found.name} may hold the same {field.name}"
        hint = f"go by one that is unique or an external id: {_fitting(found)}"
        scene.problem((*path, "by"), message, hint, rule=Rule.LOOKUP_UNIQUE)


def _tells_apart(field: FieldSchema) -> bool:
    return field.unique or field.external_id or field.id_lookup or field.type == "id"


def _fitting(found: ObjectSchema) -> str:
    return ", ".join(sorted(f.name for f in found.fields.values() if _tells_apart(f))) or "none yet"
