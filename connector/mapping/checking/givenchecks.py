"""Whether owner and record type can be given, by what the document says and by what the org has."""

from __future__ import annotations

from connector.domain.lines import Direction
from connector.mapping.documents.document import QueueSpec
from connector.mapping.documents.reading import did_you_mean
from connector.mapping.parts.given import OWNER, RECORD_TYPE, given
from connector.mapping.parts.scene import Scene
from connector.mapping.rules import Rule
from connector.mapping.schema import ObjectSchema

_KEYS = {OWNER: "owner", RECORD_TYPE: "record_type"}


def alone(scene: Scene) -> None:
    """Note what the document contradicts by itself."""
    owner = scene.document.owner
    if owner is not None and (owner.queue is None) == (owner.user is None):
        scene.problem(("owner",), "names a queue or a user, one of the two", rule=Rule.OWNER)
    if owner is not None and owner.queue is not None:
        _queue(scene, owner.queue)
    if owner is not None and scene.document.assignment_rule:
        message = "the assignment rule chooses the owner, so the mapping cannot name one as well"
        scene.problem(("owner",), message, "take out owner or assignment_rule", rule=Rule.OWNER)
    elsewhere = {
        name.lower()
        for spec in scene.document.fields
        if spec.direction is not Direction.FROM_SALESFORCE
        for name in spec.salesforce
    }
    for each in given(scene.document):
        if each.field.lower() in elsewhere:
            key = _KEYS[each.field]
            scene.problem((key,), f"a field line fills {each.field} as well", rule=Rule.FIELD_TWICE)


def _queue(scene: Scene, queue: QueueSpec) -> None:
    """A queue is named, or chosen by one of the record's own values."""
    path = ("owner", "queue")
    if (queue.name is None) == (queue.line is None):
        scene.problem(
            path, "gives the queue's name, or the line and values that choose it", rule=Rule.OWNER
        )
    elif queue.line is not None and queue.line not in scene.schema.values:
        scene.unknown_value((*path, "line"), queue.line, scene.schema.values)
    elif queue.line is not None and not queue.values:
        scene.problem(
            path,
            "names no queue for any value",
            "write value: queue lines under values",
            rule=Rule.OWNER,
        )
    for pair in queue.values:
        if len(pair.salesforce) != 1 or not isinstance(pair.salesforce[0], str):
            message = f"{pair.line} chooses one queue, by its developer name"
            scene.problem((*path, "values", pair.line), message, rule=Rule.OWNER)


def in_org(scene: Scene, org: ObjectSchema) -> None:
    """Note what the org does not have; queues and users are looked for when a row is made."""
    for each in given(scene.document):
        key, field = _KEYS[each.field], org.field(each.field)
        if field is None or not field.createable:
            scene.problem(
                (key,),
                f"{org.name} has no {each.field} that this user may set",
                rule=Rule.NOT_WRITABLE,
            )
        elif each.object == "RecordType" and not _has_type(org, each.name):
            message = f"{org.name} has no active record type {each.name!r} that this user may use"
            scene.problem(
                (key,), message, did_you_mean(each.name, org.record_types), rule=Rule.RECORD_TYPE
            )
        elif each.object == "Group" and "Group" not in field.reference_to:
            scene.problem(
                (key, "queue"), f"{org.name} rows cannot be owned by a queue", rule=Rule.OWNER
            )


def _has_type(org: ObjectSchema, name: str) -> bool:
    return name.lower() in {known.lower() for known in org.record_types}
