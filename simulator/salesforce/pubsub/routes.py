"""`/_simulator/managed-subscriptions`: what an administrator sets up for `ManagedSubscribe`."""

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from simulator.salesforce.org import SalesforceOrg
from simulator.salesforce.pubsub.managed_subscriptions import InvalidSubscription


def managed_subscription_routes(org: SalesforceOrg) -> list[BaseRoute]:
    """The route of managed subscriptions."""

    async def answer(request: Request) -> Response:
        known = org.managed_subscriptions
        if request.method == "GET":
            return JSONResponse(known.listed())
        try:
            made = known.add(orjson.loads(await request.body()))
        except (InvalidSubscription, orjson.JSONDecodeError) as problem:
            return JSONResponse({"message": str(problem)}, 422)
        return JSONResponse({"id": made.id}, 201)

    return [Route("/_simulator/managed-subscriptions", answer, methods=["GET", "POST"])]
