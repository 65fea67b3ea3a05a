"""Describe many objects in one call, for what is looked at every hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import requests

from connector.mapping.schema import ObjectSchema, from_describe
from connector.salesforce.faults import CallFailed, faults_of
from connector.salesforce.gateway import Gateway

MOST = 25  # subrequests of one composite call
_FOUND, _HIDDEN = 200, 404


def describe_all(gateway: Gateway, names: Sequence[str]) -> Mapping[str, ObjectSchema | None]:
    """What the org says of these objects; None for one that it does not show to this user."""
    found: dict[str, ObjectSchema | None] = {}
    for at in range(0, len(names), MOST):
        found |= _together(gateway, names[at : at + MOST])
    return found


def _together(gateway: Gateway, names: Sequence[str]) -> Mapping[str, ObjectSchema | None]:
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
    return {name: _schema(told[f"s{at}"]) for at, name in enumerate(names)}


def _parts(answer: requests.Response) -> dict[str, dict[str, Any]]:
    parts = orjson.loads(answer.content)["compositeResponse"]
    return {part["referenceId"]: part for part in parts}


def _schema(part: Mapping[str, Any]) -> ObjectSchema | None:
    if part["httpStatusCode"] == _FOUND:
        return from_describe(part["body"])
    if part["httpStatusCode"] == _HIDDEN:
        return None
    raise CallFailed(faults_of(part["body"], part["httpStatusCode"])[0])
