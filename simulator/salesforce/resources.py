"""`/sobjects`: describe and single rows (facts sections 3 to 5)."""

from collections.abc import Sequence
from typing import Any

from simulator.salesforce.calls import Answer, Call
from simulator.salesforce.conditional import (
    check_write,
    http_date,
    row_headers,
    tag_of,
    unchanged,
    unchanged_row,
)
from simulator.salesforce.describe import describe, describe_global, summary
from simulator.salesforce.errors import Refusal, method_not_allowed, no_such_column, not_found
from simulator.salesforce.ids import is_id, long_form
from simulator.salesforce.record_types import record_type_infos
from simulator.salesforce.rendering import render
from simulator.salesforce.retrieval import blob, recent_items
from simulator.salesforce.schema import Field, ObjectType
from simulator.salesforce.session import Session
from simulator.salesforce.store import Row
from simulator.salesforce.writes import ManyMatches

# From this version on an upsert says whether it created the row, and answers 200 to an update.
SAYS_CREATED = 46.0


def list_objects(session: Session, call: Call) -> Answer:
    """`GET /sobjects`."""
    return _described(session, call, describe_global(session.schema, call.version))


def one_object(session: Session, call: Call, name: str) -> Answer:
    """`GET /sobjects/X`: the object and its latest rows; `POST`: a new row."""
    kind = session.store.schema.get(name)
    if call.method == "POST":
        return _created(call, kind, session.writer.create(kind, call.object_body()))
    recent = recent_items(session, call, kind)
    return Answer(200, {"objectDescribe": summary(kind, call.version), "recentItems": recent})


def describe_object(session: Session, call: Call, name: str) -> Answer:
    """`GET /sobjects/X/describe`."""
    kind = session.store.schema.get(name)
    infos = record_type_infos(session, call, kind)
    body = describe(session.schema, kind, call.version, session.org.instance_url, infos)
    return _described(session, call, body)


def _described(session: Session, call: Call, body: dict[str, Any]) -> Answer:
    """A describe, or the 304 of one that the caller has."""
    changed = session.org.visibility.changed_at(session.transaction.user_id)
    tag = tag_of(f"{call.full_path} {changed}")
    headers = {"Last-Modified": http_date(changed), "ETag": tag}
    return unchanged(call, changed, headers) or Answer(200, body, headers)


def one_row(session: Session, call: Call, name: str, row_id: str) -> Answer:
    """`GET`, `PATCH` and `DELETE` of `/sobjects/X/{id}`; `POST /sobjects/X/Id` creates."""
    kind = session.store.schema.get(name)
    if call.method == "POST" and row_id.lower() == "id":
        return _created(call, kind, session.writer.create(kind, call.object_body()))
    if call.method == "GET":
        row = _visible(session, kind, row_id)
        return unchanged_row(call, kind, row) or _shown(session, call, kind, row)
    if not is_id(row_id):
        raise method_not_allowed(call.method, "HEAD,GET,POST")
    check_write(call, kind, session.transaction.row(kind.name, long_form(row_id)))
    if call.method == "PATCH":
        body = call.object_body()
        _refuse_keys(kind, body, ("Id",))
        session.writer.update(kind, row_id, body)
        return Answer(204, records=1)
    if call.method == "DELETE":
        session.writer.delete(kind, row_id)
        return Answer(204, records=1)
    raise method_not_allowed(call.method, "HEAD,GET,PATCH,DELETE")


def row_by_key(session: Session, call: Call, name: str, field_name: str, value: str) -> Answer:
    """`PATCH` (upsert), `GET` and `DELETE` of `/sobjects/X/{Field}/{value}`."""
    kind = session.store.schema.get(name)
    if call.method == "GET" and is_id(field_name):
        content = blob(session, name, field_name, value)
        if content is not None:
            return content
    field = key_field(kind, field_name)
    if call.method == "PATCH":
        return _upserted(session, call, kind, field, value)
    ids = session.writer.matches(kind, field, value)
    if len(ids) > 1:
        raise ManyMatches(kind.name, ids)
    if not ids:
        raise not_found()
    return one_row(session, call, name, ids[0])


def key_field(kind: ObjectType, name: str) -> Field:
    """The field of an upsert, which must be a key."""
    field = kind.find(name)
    if field is None or not field.is_key:
        message = f"Provided external ID field does not exist or is not accessible: {name}"
        raise not_found(message)
    return field


def chosen_fields(kind: ObjectType, names: Sequence[str]) -> list[Field]:
    """Fields by name, as the `fields` parameter lists them."""
    fields = []
    for name in names:
        field = kind.find(name.strip())
        if field is None:
            raise no_such_column(name.strip(), kind.name)
        fields.append(field)
    return fields


def _upserted(session: Session, call: Call, kind: ObjectType, field: Field, value: str) -> Answer:
    body = call.object_body()
    _refuse_keys(kind, body, ("Id", field.name))
    row_id, created = session.writer.upsert(
        kind,
        field,
        value,
        body,
        update_only=call.query.get("updateOnly", "").lower() == "true",
    )
    result: dict[str, Any] = {"id": row_id, "success": True, "errors": []}
    if call.number >= SAYS_CREATED:
        result["created"] = created
    elif not created:
        return Answer(204, records=1)
    answer = Answer(201 if created else 200, result, records=1)
    if created:
        answer.headers["Location"] = _address(call, kind, row_id)
    return answer


def _created(call: Call, kind: ObjectType, row_id: str) -> Answer:
    body = {"id": row_id, "success": True, "errors": []}
    return Answer(201, body, {"Location": _address(call, kind, row_id)}, records=1)


def _shown(session: Session, call: Call, kind: ObjectType, row: Row) -> Answer:
    names = call.query.get("fields")
    fields = chosen_fields(kind, names.split(",")) if names else None
    body = render(session.store, kind, row, call.version, fields)
    return Answer(200, body, row_headers(kind, row), records=1)


def _visible(session: Session, kind: ObjectType, row_id: str) -> Row:
    row = session.transaction.row(kind.name, long_form(row_id)) if is_id(row_id) else None
    if row is None:
        raise not_found()
    return row


def _refuse_keys(kind: ObjectType, body: dict[str, Any], keys: Sequence[str]) -> None:
    lower = {key.lower() for key in keys}
    for name in body:
        if name.lower() in lower:
            field = kind.find(name)
            shown = name if field is None else field.name
            message = f"The {shown} field should not be specified in the sobject data."
            raise Refusal("INVALID_FIELD", message)


def _address(call: Call, kind: ObjectType, row_id: str) -> str:
    return f"/services/data/{call.version}/sobjects/{kind.name}/{row_id}"
