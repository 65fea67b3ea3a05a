"""`/composite/tree/X`: rows with their children, all created or none (facts section 8)."""

from collections.abc import Iterator
from typing import Any

from simulator.salesforce.calls import Answer, Call
from simulator.salesforce.errors import Refusal, bad_json
from simulator.salesforce.schema import ObjectType
from simulator.salesforce.session import Session

MOST_ROWS, MOST_LEVELS = 200, 5
Item = dict[str, Any]
# An item, its object, the reference to its parent by field name and reference id, its level.
Node = tuple[Item, ObjectType, tuple[str, str] | None, int]


def create_tree(session: Session, call: Call, name: str) -> Answer:
    """`POST /composite/tree/X`."""
    records = call.object_body().get("records")
    if not isinstance(records, list):
        raise bad_json("The request body must hold a list of records.")
    nodes = [node for item in records for node in _nodes(session, item, name, None, 1)]
    _check(nodes)
    start = session.transaction.savepoint()
    ids: dict[str, str] = {}
    errors = []
    for item, kind, parent, _ in nodes:
        reference = item["attributes"]["referenceId"]
        values = {name: each for name, each in item.items() if not _is_children(each)}
        if parent is not None:
            if parent[1] not in ids:
                continue
            values[parent[0]] = ids[parent[1]]
        before = session.transaction.savepoint()
        try:
            ids[reference] = session.writer.create(kind, values)
        except Refusal as refusal:
            session.transaction.rollback(before)
            errors.append({"referenceId": reference, "errors": refusal.result()["errors"]})
    if errors:
        session.transaction.rollback(start)
        return Answer(400, {"hasErrors": True, "results": errors})
    results = [{"referenceId": reference, "id": row_id} for reference, row_id in ids.items()]
    return Answer(201, {"hasErrors": False, "results": results}, records=len(results))


def _nodes(
    session: Session, item: Any, name: str, parent: tuple[str, str] | None, level: int
) -> Iterator[Node]:
    """An item and what hangs on it, parents first."""
    attributes = item.get("attributes") if isinstance(item, dict) else None
    if not isinstance(attributes, dict) or not attributes.get("referenceId"):
        raise Refusal("INVALID_INPUT", "Every record needs attributes with a referenceId.")
    kind = session.schema.get(name)
    if str(attributes.get("type", "")).lower() != kind.name.lower():
        message = f"The record type must be {kind.name}, not {attributes.get('type')}."
        raise Refusal("INVALID_INPUT", message)
    yield item, kind, parent, level
    for key, value in item.items():
        if not _is_children(value):
            continue
        for link in session.schema.children(kind.name):
            if (link.field.children or "").lower() == key.lower():
                above = (link.field.name, attributes["referenceId"])
                for child in value["records"]:
                    yield from _nodes(session, child, link.child, above, level + 1)
                break
        else:
            raise Refusal("INVALID_FIELD", f"No such column '{key}' on sobject of type {kind.name}")


def _check(nodes: list[Node]) -> None:
    references = [item["attributes"]["referenceId"] for item, *_ in nodes]
    if len(nodes) > MOST_ROWS:
        message = f"record limit reached. cannot submit more than {MOST_ROWS} records in this call"
        raise Refusal("EXCEEDED_ID_LIMIT", message)
    if any(level > MOST_LEVELS for *_, level in nodes):
        raise Refusal("INVALID_INPUT", f"Trees have at most {MOST_LEVELS} levels.")
    if len(set(references)) < len(references):
        raise Refusal("INVALID_INPUT", "Duplicate ReferenceId provided in the request.")


def _is_children(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("records"), list)
