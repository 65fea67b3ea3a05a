"""Whether owner and record type can be given, by what the document says and by what the org has."""

from __future__ import annotations

from connector.domain.lines import Direction
from connector.mapping.given import OWNER, RECORD_TYPE, given
from connector.mapping.reading import did_you_mean
from connector.mapping.scene import Scene
from connector.mapping.schema import ObjectSchema

_KEYS = {OWNER: "owner", RECORD_TYPE: "record_type"}


def alone(scene: Scene) -> None:
    """Note what the document contradicts by itself."""
    owner = scene.document.owner
    if owner is not None and (owner.queue is None) == (owner.user is None):
        scene.problem(("owner",), "names a queue or a user, one of the two")
    if owner is not None and scene.document.assignment_rule:
        message = "the assignment rule chooses the owner, so the mapping cannot name one as well"
        scene.problem(("owner",), message, "take out owner or assignment_rule")
    elsewhere = {
        name.lower()
        for spec in scene.document.fields
        if spec.direction is not Direction.FROM_SALESFORCE
        for name in spec.salesforce
    }
    for each in given(scene.document):
        if each.field.lower() in elsewhere:
            key = _KEYS[each.field]
            scene.problem((key,), f"a field line fills {each.field} as well")


def in_org(scene: Scene, org: ObjectSchema) -> None:
    """Note what the org does not have; queues and users are looked for when a row is made."""
    for each in given(scene.document):
        key, field = _KEYS[each.field], org.field(each.field)
        if field is None or not field.createable:
            scene.problem((key,), f"{org.name} has no {each.field} that this user may set")
        elif each.object == "RecordType" and not _has_type(org, each.name):
            message = f"{org.name} has no active record type {each.name!r} that this user may use"
            scene.problem((key,), message, did_you_mean(each.name, org.record_types))
        elif each.object == "Group" and "Group" not in field.reference_to:
            scene.problem((key, "queue"), f"{org.name} rows cannot be owned by a queue")


def _has_type(org: ObjectSchema, name: str) -> bool:
    return name.lower() in {known.lower() for known in org.record_types}
