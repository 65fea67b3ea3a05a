"""`/services/Soap/m/XX.0`: deployments over SOAP, which most clients prefer to REST."""

import base64
import binascii
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from simulator.salesforce.errors import Refusal
from simulator.salesforce.metadata.deployments import CANCELED, Deployment
from simulator.salesforce.metadata.results import shown
from simulator.salesforce.org import SalesforceOrg
from simulator.salesforce.soap import envelope
from simulator.salesforce.soap.envelope import BadEnvelope, SoapCall
from simulator.salesforce.store import Row

KIND = "m"


def metadata_soap_routes(org: SalesforceOrg) -> list[BaseRoute]:
    """The routes of the Metadata API; they come before those of the other SOAP APIs."""
    endpoint = MetadataSoapEndpoint(org)
    base = "/services/Soap/m/{version}"
    return [
        Route(base, endpoint.handle, methods=["POST"]),
        Route(base + "/{organization_id}", endpoint.handle, methods=["POST"]),
    ]


class MetadataSoapEndpoint:
    """Deployments: started, looked at, cancelled."""

    def __init__(self, org: SalesforceOrg) -> None:
        self._org = org

    async def handle(self, request: Request) -> Response:
        """Answer one call."""
        try:
            call = envelope.read(await request.body())
            result = self._result(call)
        except BadEnvelope as problem:
            return _xml(envelope.fault(KIND, "INVALID_SOAP", str(problem)), 500)
        except Refusal as refusal:
            return _xml(envelope.fault(KIND, refusal.code, refusal.message), 500)
        return _xml(envelope.answer(KIND, call.operation, [result]), 200)

    def _result(self, call: SoapCall) -> dict[str, Any]:
        user = self._org.user(self._org.accounts.username_of(call.session_id))
        self._org.usage.count(1)
        if call.operation == "deploy":
            return self._started(call, user)
        if call.operation == "checkDeployStatus":
            details = call.text("includeDetails").lower() == "true"
            found = self._deployment(call.text("asyncProcessId"))
            result: dict[str, Any] = shown(found, details=details)["deployResult"]
            return result
        if call.operation == "cancelDeploy":
            found = self._deployment(call.text("id") or call.text("String"))
            if not found.is_done:
                self._org.deployments.cancel(found)
            return {"done": found.status == CANCELED, "id": found.id}
        message = f"No operation available for request {call.operation}"
        raise Refusal("UNKNOWN_EXCEPTION", message)

    def _started(self, call: SoapCall, user: Row) -> dict[str, Any]:
        try:
            content = base64.b64decode(call.text("ZipFile"))
        except binascii.Error:
            raise Refusal("INVALID_TYPE", "ZipFile is not base64") from None
        told = envelope.child(call.arguments, "DeployOptions")
        options = {envelope.local(each): _option(each.text) for each in told or ()}
        made = self._org.deployments.start(user["Id"], user["Name"], options, content)
        return {"done": False, "id": made.id, "state": "Queued"}

    def _deployment(self, deployment_id: str) -> Deployment:
        found = self._org.deployments.get(deployment_id) if deployment_id else None
        if found is None:
            message = f"INVALID_CROSS_REFERENCE_KEY: invalid id: {deployment_id}"
            raise Refusal("INVALID_CROSS_REFERENCE_KEY", message)
        return found


def _option(text: str | None) -> bool | str | None:
    truths = {"true": True, "false": False}
    return truths.get(text or "", text)


def _xml(text: str, status: int) -> Response:
    return Response(text.encode(), status, headers={"Content-Type": "text/xml; charset=utf-8"})
