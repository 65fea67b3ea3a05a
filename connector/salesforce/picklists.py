"""What a record type offers in an object's picklists, which `describe` does not tell (User Interface API)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson
import requests
import structlog

from connector.domain.faults import FaultKind
from connector.mapping.schema import ObjectSchema, from_describe, record_type_ids
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway

log = structlog.get_logger()

_PASSES = (FaultKind.RETRY, FaultKind.WAIT)


def described(gateway: Gateway, name: str, types: Collection[str] = ()) -> ObjectSchema:
    """What the org says of an object, and of these of its record types; raises `CallFailed`."""
    if not types:
        return gateway.describe(name)
    return with_types(gateway, gateway.describe_json(name), types)


def with_types(gateway: Gateway, answer: Mapping[str, Any], types: Collection[str]) -> ObjectSchema:
    """The object of a describe, and what these of its record types offer: a call for each.

    An org that has no User Interface API, or none for this object, is taken to offer every value.
    """
    schema = from_describe(answer)
    wanted = {each.lower() for each in types}
    for name, type_id in record_type_ids(answer).items():
        if name.lower() in wanted:
            lists = _offered(gateway, schema.name, type_id)
            schema = schema if lists is None else schema.offering(name, lists)
    return schema


def _offered(gateway: Gateway, name: str, type_id: str) -> dict[str, list[str]] | None:
    path = f"ui-api/object-info/{name}/picklist-values/{type_id}"
    try:
        return gateway.exchange("GET", path, _lists)
    except CallFailed as failed:
        if failed.fault.kind in _PASSES:
            raise
        log.warning("record type not asked about", object=name, code=failed.fault.code)
        return None


def _lists(answer: requests.Response) -> dict[str, list[str]]:
    lists = orjson.loads(answer.content)["picklistFieldValues"]
    return {name: [each["value"] for each in told["values"]] for name, told in lists.items()}
