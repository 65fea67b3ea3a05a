"""`/services/Soap/u/XX.0` (partner) and `/services/Soap/c/XX.0` (enterprise)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from simulator.salesforce.errors import Refusal
from simulator.salesforce.faults import CallState, event_faults
from simulator.salesforce.org import SalesforceOrg
from simulator.salesforce.router import Router
from simulator.salesforce.soap import envelope, operations, signing
from simulator.salesforce.soap.envelope import NAMESPACES, BadEnvelope, SoapCall
from simulator.salesforce.store import Row
from simulator.salesforce.values import stamp

NO_CACHE = "no-cache,must-revalidate,max-age=0,no-store,private"
FAULT_NAMES = {"INVALID_LOGIN": "LoginFault"}


def soap_routes(org: SalesforceOrg, router: Router) -> list[BaseRoute]:
    """The routes of the SOAP API."""
    endpoint = SoapEndpoint(org, router)
    base = "/services/Soap/{kind}/{version}"
    return [
        Route(base, endpoint.handle, methods=["POST"]),
        Route(base + "/{organization_id}", endpoint.handle, methods=["POST"]),
    ]


class SoapEndpoint:
    """Reads an envelope, does what it asks, and answers with another."""

    def __init__(self, org: SalesforceOrg, router: Router) -> None:
        self._org = org
        self._router = router

    async def handle(self, request: Request) -> Response:
        """Answer one call."""
        kind = request.path_params["kind"]
        if kind not in NAMESPACES:
            return Response(status_code=404)
        try:
            call = envelope.read(await request.body())
            results = self._results(call, request)
        except BadEnvelope as problem:
            return _xml(envelope.fault(kind, "INVALID_SOAP", str(problem)), 500)
        except Refusal as refusal:
            name = FAULT_NAMES.get(refusal.code, "UnexpectedErrorFault")
            return _xml(envelope.fault(kind, refusal.code, refusal.message, name), 500)
        return _xml(envelope.answer(kind, call.operation, list(results)), 200)

    def _results(self, call: SoapCall, request: Request) -> Sequence[Any]:
        if call.operation == "login":
            kind, version = request.path_params["kind"], request.path_params["version"]
            address = f"{self._org.base_url(request.url.scheme)}/services/Soap/{kind}/{version}"
            username, password = call.text("username"), call.text("password")
            return [signing.login(self._org, username, password, address)]
        user = self._user(call)
        self._org.usage.count()
        if call.operation == "logout":
            self._org.accounts.end_session(call.session_id)
            return []
        if call.operation == "getUserInfo":
            return [signing.user_info(self._org, user)]
        if call.operation == "getServerTimestamp":
            return [{"timestamp": stamp(datetime.now(UTC)).replace("+0000", "Z")}]
        return self._rows(call, user, request)

    def _rows(self, call: SoapCall, user: Row, request: Request) -> Sequence[Any]:
        operation = operations.OPERATIONS.get(call.operation)
        if operation is None:
            message = f"No operation available for request {call.operation}"
            raise Refusal("UNKNOWN_EXCEPTION", message)
        client = call.headers.get("CallOptions", {}).get("client")
        request.scope["state"]["client"] = client
        state, path = CallState(), request.url.path
        origin = self._router.origin(
            "soap", request.path_params["version"], client, "POST", path, state
        )
        with self._org.store.transaction(user["Id"], origin) as transaction:
            transaction.event_fault = event_faults(self._org.board, client, state)
            session = self._router.session(transaction, [("POST", path)], client, state)
            results = operation(session, call)
        request.scope["state"]["records"] = len(results)
        request.scope["state"]["fault"] = state.fault
        return results

    def _user(self, call: SoapCall) -> Row:
        try:
            return self._org.user(self._org.accounts.username_of(call.session_id))
        except Refusal as refusal:
            message = (
                "Invalid Session ID found in SessionHeader: Illegal Session. Session not found, "
                "missing session hash"
            )
            raise Refusal(refusal.code, message) from None


def _xml(text: str, status: int) -> Response:
    headers = {"Content-Type": "text/xml; charset=utf-8", "Cache-Control": NO_CACHE}
    return Response(text.encode(), status, headers=headers)
