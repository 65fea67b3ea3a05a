"""`/metadata/deployRequest`: packages deployed over REST (facts section 18)."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from simulator.salesforce.errors import Refusal, bad_json, method_not_allowed, not_found
from simulator.salesforce.metadata.deployments import CANCELING, Deployment
from simulator.salesforce.metadata.results import shown
from simulator.salesforce.multipart import parts_of
from simulator.salesforce.oauth import bearer
from simulator.salesforce.org import SalesforceOrg
from simulator.salesforce.store import Row

BASE = "/services/data/{version}/metadata/deployRequest"
METHODS = ["GET", "POST", "PATCH", "DELETE", "PUT"]


def metadata_routes(org: SalesforceOrg) -> list[BaseRoute]:
    """The routes of deployments; they come before those of the other resources."""
    endpoint = MetadataEndpoint(org)
    return [
        Route(BASE, endpoint.start, methods=METHODS),
        Route(BASE + "/{deployment_id}", endpoint.one, methods=METHODS),
    ]


class MetadataEndpoint:
    """Deployments: started, looked at, cancelled."""

    def __init__(self, org: SalesforceOrg) -> None:
        self._org = org

    async def start(self, request: Request) -> Response:
        """`POST`: a multipart body with the options and the zip file."""
        try:
            user = self._user(request)
            if request.method != "POST":
                raise method_not_allowed(request.method, "POST")
            kind = request.headers.get("content-type", "")
            parts = {each.name: each.content for each in parts_of(await _body(request), kind)}
            options = _options(parts.get("json", b"{}"))
            if "file" not in parts:
                raise Refusal("MISSING_ARGUMENT", "A zip file is required in the part 'file'.")
            made = self._org.deployments.start(user["Id"], user["Name"], options, parts["file"])
        except Refusal as refusal:
            return _answer(refusal.body(), refusal.status)
        return _answer(shown(made, details=False), 201)

    async def one(self, request: Request) -> Response:
        """`GET` and `PATCH` (which can only cancel) of one deployment."""
        try:
            self._user(request)
            found = self._org.deployments.get(request.path_params["deployment_id"])
            if found is None:
                raise not_found()
            if request.method == "PATCH":
                self._cancel(found, await _body(request))
                return _answer(shown(found, details=False), 202)
            if request.method != "GET":
                raise method_not_allowed(request.method, "GET,PATCH")
        except Refusal as refusal:
            return _answer(refusal.body(), refusal.status)
        details = request.query_params.get("includeDetails", "").lower() == "true"
        return _answer(shown(found, details=details), 200)

    def _cancel(self, deployment: Deployment, body: bytes) -> None:
        wanted = _json(body).get("deployResult")
        if not isinstance(wanted, dict) or wanted.get("status") != CANCELING:
            raise Refusal("INVALID_INPUT", "deployResult.status can only be set to Canceling")
        if deployment.is_done:
            raise Refusal("INVALID_ID_FIELD", "Deployment already completed")
        self._org.deployments.cancel(deployment)

    def _user(self, request: Request) -> Row:
        self._org.usage.count(1)
        return self._org.user(self._org.accounts.username_of(bearer(request.headers)))


async def _body(request: Request) -> bytes:
    return await request.body()


def _options(content: bytes) -> dict[str, Any]:
    options = _json(content).get("deployOptions", {})
    if not isinstance(options, dict):
        raise bad_json("deployOptions must be an object")
    return options


def _json(content: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as problem:
        message = f"Unexpected character at [line:{problem.lineno}, column:{problem.colno}]"
        raise bad_json(message) from None
    if not isinstance(found, dict):
        raise bad_json("The body must be an object")
    return found


def _answer(body: Any, status: int) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json;charset=UTF-8")
