"""Describe many objects in one call, for what is looked at every hour."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import orjson
import requests

from connector.mapping.schema import ObjectSchema
from connector.salesforce.faults import CallFailed, faults_of
from connector.salesforce.gateway import Gateway
from connector.salesforce.picklists import with_types

MOST = 25  # subrequests of one composite call
_FOUND, _HIDDEN = 200, 404


def describe_all(
    gateway: Gateway, names: Sequence[str], types: Mapping[str, Collection[str]]
) -> Mapping[str, ObjectSchema | None]:
    """What the org says of these objects; None for one that it does not show to this user.

    `types` are the record types to ask about, by object.
    """
    found: dict[str, ObjectSchema | None] = {}
    for at in range(0, len(names), MOST):
        for name, body in _together(gateway, names[at : at + MOST]).items():
            found[name] = None if body is None else with_types(gateway, body, types.get(name, ()))
    return found


def _together(gateway: Gateway, names: Sequence[str]) -> Mapping[str, dict[str, Any] | None]:
    version = gateway.api_version
    wanted = [
        {
            "method": "GET",
            "url": f"/services/data/v{version}/sobjects/{name}/describe",
            "referenceId": f"s{at}",
        }
        for at, name in enumerate(names)
    ]
    body = orjson.dumps({"allOrNone": False, "compositeRequest": wanted})
    told = gateway.exchange("POST", "composite", _parts, body, {"Content-Type": "application/json"})
    return {name: _body(told[f"s{at}"]) for at, name in enumerate(names)}


def _parts(answer: requests.Response) -> dict[str, dict[str, Any]]:
    parts = orjson.loads(answer.content)["compositeResponse"]
    return {part["referenceId"]: part for part in parts}


def _body(part: Mapping[str, Any]) -> dict[str, Any] | None:
    if part["httpStatusCode"] == _FOUND:
        return cast("dict[str, Any]", part["body"])
    if part["httpStatusCode"] == _HIDDEN:
        return None
    raise CallFailed(faults_of(part["body"], part["httpStatusCode"])[0])
