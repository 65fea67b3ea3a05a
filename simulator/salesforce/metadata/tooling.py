"""`/tooling`: fields and channels one by one, and queries about what the org is made of."""

from collections.abc import Callable
from typing import Any

from simulator.salesforce import queries, resources
from simulator.salesforce.calls import Answer, Call
from simulator.salesforce.describe import describe, describe_global
from simulator.salesforce.errors import Refusal, method_not_allowed, not_found
from simulator.salesforce.ids import is_id, long_form
from simulator.salesforce.metadata.catalog import CUSTOM_FIELD
from simulator.salesforce.metadata.channels import (
    CHANNEL,
    MEMBER,
    channel_metadata,
    member_metadata,
    shown_channel,
)
from simulator.salesforce.metadata.deployments import carry_out, staging
from simulator.salesforce.metadata.fields import metadata_of
from simulator.salesforce.metadata.identity import component_id
from simulator.salesforce.metadata.package import Component
from simulator.salesforce.rendering import render
from simulator.salesforce.schema import ObjectType, Schema
from simulator.salesforce.session import Session
from simulator.salesforce.soql.columns import columns
from simulator.salesforce.soql.parse import parse
from simulator.salesforce.soql.run import run
from simulator.salesforce.store import Row

NAMES = ("query", "sobjects")
# What can be made, changed and removed here; other components are only shown.
MADE = frozenset({CUSTOM_FIELD, CHANNEL, MEMBER})


def names(_: Session, call: Call) -> Answer:
    """`GET /tooling`."""
    return Answer(200, {name: f"/services/data/{call.version}/tooling/{name}" for name in NAMES})


def list_objects(session: Session, call: Call) -> Answer:
    """`GET /tooling/sobjects`."""
    return Answer(200, describe_global(_kinds(session), call.version))


def describe_object(session: Session, call: Call, name: str) -> Answer:
    """`GET /tooling/sobjects/X/describe`."""
    kind = _kinds(session).find(name)
    if kind is None:
        return resources.describe_object(session, call, name)
    return Answer(200, describe(_kinds(session), kind, call.version, session.org.instance_url))


def query(session: Session, call: Call) -> Answer:
    """`GET /tooling/query?q=…`."""
    text = call.query.get("q")
    kind = _kinds(session).find(parse(text).source.name) if text else None
    if text and kind is not None:
        if kind.name == MEMBER:
            text = _with_channel_ids(session, text)
        store = session.org.catalog.store(call.user_id)
        if call.query.get("columns", "").lower() == "true":
            return Answer(200, columns(store, text))
        found = run(store, text, call.version)
        records = [_at_tooling(each) for each in found.records]
        body = {
            "size": found.total,
            "totalSize": found.total,
            "done": True,
            "queryLocator": None,
            "entityTypeName": kind.name,
            "records": records,
        }
        return Answer(200, body, records=len(records))
    return queries.query(session, call, "query")


def one_object(session: Session, call: Call, name: str) -> Answer:
    """`POST /tooling/sobjects/X`: a new component."""
    kind = _kinds(session).find(name)
    if kind is None:
        return resources.one_object(session, call, name)
    if call.method != "POST" or kind.name not in MADE:
        raise method_not_allowed(call.method, "HEAD,GET")
    body = call.object_body()
    full_name = str(body.get("FullName", ""))
    if kind.name == CUSTOM_FIELD:
        full_name = _new_field(session, full_name)
    elif component_id(kind.name, full_name) in _rows(session, call, kind):
        message = f"This {kind.label} already exists: {full_name}"
        raise Refusal("DUPLICATE_DEVELOPER_NAME", message, ["DeveloperName"])
    _stage(session, kind.name, full_name, body)
    made = {"id": component_id(kind.name, full_name), "success": True}
    return Answer(201, {**made, "errors": [], "warnings": [], "infos": []}, records=1)


def one_component(session: Session, call: Call, name: str, row_id: str) -> Answer:
    """`GET`, `PATCH` and `DELETE` of `/tooling/sobjects/X/{id}`."""
    kind = _kinds(session).find(name)
    if kind is None:
        return resources.one_row(session, call, name, row_id)
    row = _row(session, call, kind, row_id)
    if kind.name not in MADE:
        if call.method != "GET":
            raise method_not_allowed(call.method, "HEAD,GET")
        shown = render(session.org.catalog.store(call.user_id), kind, row, call.version)
        return Answer(200, _at_tooling(shown), records=1)
    if call.method == "GET":
        return _shown(session, call, kind, row)
    if call.method == "PATCH":
        _stage(session, kind.name, row["FullName"], call.object_body())
    else:
        _stage(session, kind.name, row["FullName"], None)
    return Answer(204, records=1)


def _row(session: Session, call: Call, kind: ObjectType, row_id: str) -> dict[str, Any]:
    row = _rows(session, call, kind).get(long_form(row_id)) if is_id(row_id) else None
    if row is None:
        raise not_found()
    return row


def _rows(session: Session, call: Call, kind: ObjectType) -> dict[str, Row]:
    return session.org.catalog.store(call.user_id).tables[kind.name].rows


def _new_field(session: Session, full_name: str) -> str:
    """The name of a field that is to be made, as the org spells it."""
    object_name, _, field_name = full_name.partition(".")
    kind = session.store.full_schema.find(object_name)
    if kind is None or not field_name:
        raise Refusal("INVALID_FIELD", "FullName: bad field name on create", ["FullName"])
    if kind.find(field_name) is not None:
        developer_name = field_name.removesuffix("__c")
        message = f"There is already a field named {developer_name} on {kind.label}."
        raise Refusal("DUPLICATE_DEVELOPER_NAME", message, ["DeveloperName"])
    return f"{kind.name}.{field_name}"


def _shown(session: Session, call: Call, kind: ObjectType, row: dict[str, Any]) -> Answer:
    shown = _at_tooling(render(session.org.catalog.store(call.user_id), kind, row, call.version))
    shown["Metadata"] = _metadata(session, kind.name, row["FullName"])
    return Answer(200, shown, records=1)


def _kinds(session: Session) -> Schema:
    """The objects that only the Tooling API knows."""
    return session.org.catalog.schema


def _metadata(session: Session, type_: str, full_name: str) -> dict[str, Any]:
    channels = session.store.channels
    if type_ == CHANNEL:
        return channel_metadata(channels.channels[full_name])
    if type_ == MEMBER:
        return member_metadata(channels.members[full_name])
    object_name, _, field_name = full_name.partition(".")
    return metadata_of(session.store.full_schema.objects[object_name].fields[field_name])


def _stage(session: Session, type_: str, full_name: str, body: dict[str, Any] | None) -> None:
    """Make, change or (without a body) remove one component."""
    metadata = (body or {}).get("Metadata")
    if body is not None and not isinstance(metadata, dict):
        raise Refusal("REQUIRED_FIELD_MISSING", "Required fields are missing: [Metadata]", [])
    stage = staging(session.store)
    component = Component(type_, full_name, "", metadata or {}, removed=body is None)
    outcome = stage.staged(component)
    if outcome.problem is not None:
        code = outcome.problem_code or "FIELD_INTEGRITY_EXCEPTION"
        raise Refusal(code, outcome.problem, ["FullName"])
    carry_out(session.transaction, stage)


def _with_channel_ids(session: Session, text: str) -> str:
    """A query in which channels are named by their ids, as the rows name them."""
    for name in session.store.channels.channels:
        text = text.replace(f"'{name}'", f"'{shown_channel(name)}'")
    return text


def _at_tooling(record: dict[str, Any]) -> dict[str, Any]:
    """A record with the address that the Tooling API gives it."""
    told = record.get("attributes", {})
    url = str(told.get("url", "")).replace("/sobjects/", "/tooling/sobjects/", 1)
    return {**record, "attributes": {**told, "url": url}} if told else record


# (methods, path, resource), as the router lists them.
ROUTES: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", r"/tooling", names),
    ("GET", r"/tooling/query", query),
    ("GET", r"/tooling/query/([^/]+)", queries.query_more),
    ("GET", r"/tooling/sobjects", list_objects),
    ("GET,POST", r"/tooling/sobjects/(\w+)", one_object),
    ("GET", r"/tooling/sobjects/(\w+)/describe", describe_object),
    ("GET,PATCH,DELETE", r"/tooling/sobjects/(\w+)/(\w+)", one_component),
)
