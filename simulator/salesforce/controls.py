"""How tests and people set the org up: its switches, rules and clock, under `/_simulator`."""

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from simulator.salesforce.org import SalesforceOrg
from simulator.salesforce.rulebook.book import InvalidRule
from simulator.salesforce.switches import InvalidSwitch


def org_routes(org: SalesforceOrg) -> list[BaseRoute]:
    """The routes of setting up."""
    endpoints = OrgEndpoints(org)
    return [
        Route("/_simulator/switches", endpoints.switches, methods=["GET", "PATCH"]),
        Route("/_simulator/rules", endpoints.rules, methods=["GET", "POST", "DELETE"]),
        Route("/_simulator/rules/{rule_id}", endpoints.rule, methods=["DELETE"]),
        Route("/_simulator/clock", endpoints.clock, methods=["POST"]),
    ]


class OrgEndpoints:
    """Shows and changes how the org is set up."""

    def __init__(self, org: SalesforceOrg) -> None:
        self._org = org

    async def switches(self, request: Request) -> Response:
        """`GET` and `PATCH /_simulator/switches`."""
        if request.method == "PATCH":
            try:
                self._org.switch(orjson.loads(await request.body()))
            except (InvalidSwitch, orjson.JSONDecodeError) as problem:
                return JSONResponse({"message": str(problem)}, 422)
        return JSONResponse(self._org.switches.as_json())

    async def rules(self, request: Request) -> Response:
        """`GET`, `POST` and `DELETE /_simulator/rules`."""
        if request.method == "DELETE":
            self._org.remove_rules()
            return Response(status_code=204)
        if request.method == "GET":
            return JSONResponse(self._org.rulebook.listed())
        try:
            rule_id = self._org.add_rule(orjson.loads(await request.body()))
        except (InvalidRule, orjson.JSONDecodeError) as problem:
            return JSONResponse({"message": str(problem)}, 422)
        return JSONResponse({"id": rule_id}, 201)

    async def rule(self, request: Request) -> Response:
        """`DELETE /_simulator/rules/{id}`."""
        known = self._org.remove_rules(request.path_params["rule_id"])
        return Response(status_code=204 if known else 404)

    async def clock(self, request: Request) -> Response:
        """`POST /_simulator/clock {"hours": n}`: events grow older; nothing else does."""
        try:
            wanted = orjson.loads(await request.body())
        except orjson.JSONDecodeError as problem:
            return JSONResponse({"message": str(problem)}, 422)
        hours = wanted.get("hours") if isinstance(wanted, dict) else None
        if isinstance(hours, bool) or not isinstance(hours, int | float) or hours < 0:
            message = "the clock goes forward by a number of hours, at least 0"
            return JSONResponse({"message": message}, 422)
        self._org.events.forward(hours)
        return JSONResponse({"hours": self._org.events.clock.hours})
