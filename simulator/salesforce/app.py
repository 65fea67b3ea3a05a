"""The HTTP face of the org: REST, sign-in, control endpoints and the page."""

import asyncio
import gzip
import re
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from simulator.control.app import Controlled, calling_client, control_routes
from simulator.salesforce.authorize import authorize_routes
from simulator.salesforce.calls import Answer, Call
from simulator.salesforce.controls import org_routes
from simulator.salesforce.errors import Refusal, bad_json
from simulator.salesforce.faults import CALL_FAULTS, CallState
from simulator.salesforce.identity import identity_routes
from simulator.salesforce.metadata.endpoint import metadata_routes
from simulator.salesforce.metadata.soap import metadata_soap_routes
from simulator.salesforce.multipart import FORM_DATA
from simulator.salesforce.oauth import bearer, oauth_routes
from simulator.salesforce.org import SalesforceOrg
from simulator.salesforce.page import page_routes
from simulator.salesforce.pubsub.routes import managed_subscription_routes
from simulator.salesforce.router import Router, check_version
from simulator.salesforce.slashes import single_slashes
from simulator.salesforce.soap import soap_routes

METHODS = ["GET", "POST", "PATCH", "DELETE", "PUT"]
NO_CACHE = "no-cache,must-revalidate,max-age=0,no-store,private"
SEASONS = ("Spring", "Summer", "Winter")
OLDEST, NEWEST = 31, 66
# The bodies of jobs are taken apart by those who know the job.
JOBS = re.compile(r"/services/data/[^/]+/jobs/", re.IGNORECASE)
UNPARSED = frozenset({"text/csv", FORM_DATA})
BODILESS = frozenset({204, 304})
WORTH_ZIPPING = 1000
# The largest window, with the header and trailer of gzip.
GZIP_WINDOW = zlib.MAX_WBITS | 16
MAINTENANCE = (
    "<html><head><title>Salesforce</title></head><body><p>We are down for maintenance. "
    "Sorry for the inconvenience. We'll be back shortly.</p></body></html>"
)
STATUS_CODES = {
    401: "INVALID_SESSION_ID",
    403: "REQUEST_LIMIT_EXCEEDED",
    404: "NOT_FOUND",
    503: "SERVER_UNAVAILABLE",
}


def make_app(org: SalesforceOrg) -> ASGIApp:
    """The ASGI app of an org."""
    router = Router(org, org.board)
    rest = RestEndpoint(org, router)
    routes: list[BaseRoute] = [
        Route("/_simulator/credentials", _credentials(org), methods=["GET"]),
        *control_routes(org.board, org.calls, org.reset),
        *org_routes(org),
        *managed_subscription_routes(org),
        *oauth_routes(org),
        *authorize_routes(org),
        *identity_routes(org),
        *metadata_soap_routes(org),
        *soap_routes(org, router),
        Route("/services/data", _versions, methods=["GET"]),
        Route("/services/data/", _versions, methods=["GET"]),
        *metadata_routes(org),
        Route("/services/data/{version}", rest.handle, methods=METHODS),
        Route("/services/data/{version}{path:path}", rest.handle, methods=METHODS),
        *page_routes(org),
    ]
    controlled = Controlled(
        Starlette(routes=routes),
        org.board,
        org.calls,
        headers=lambda: [(b"sforce-limit-info", org.usage.header().encode())],
        error_body=_error_body,
    )
    return single_slashes(controlled)


class RestEndpoint:
    """Everything under `/services/data/vXX.X`."""

    def __init__(self, org: SalesforceOrg, router: Router) -> None:
        self._org = org
        self._router = router

    async def handle(self, request: Request) -> Response:
        """Answer one call."""
        try:
            refused = self._call_fault(request)
            if refused is not None:
                return refused
            call = await self._call(request)
            answer, state = self._router.answer(call)
        except Refusal as refusal:
            answer, state = Answer(refusal.status, refusal.body()), CallState()
        self._org.usage.count(answer.cost)
        request.scope["state"]["records"] = answer.records
        request.scope["state"].setdefault("fault", state.fault)
        if state.lasts:
            await asyncio.sleep(state.lasts)
        return _response(answer, request)

    async def _call(self, request: Request) -> Call:
        headers = dict(request.headers.items())
        query = dict(parse_qsl(request.url.query, keep_blank_values=True))
        version = request.path_params["version"]
        if not _is_version(version):
            raise Refusal("NOT_FOUND", "The requested resource does not exist", status=404)
        check_version(version)
        if self._org.usage.is_spent:
            raise Refusal("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)
        user = self._org.user(self._org.accounts.username_of(bearer(headers)))
        return Call(
            method=_method(request, query),
            version=version,
            path=request.path_params.get("path", ""),
            user_id=user["Id"],
            query=query,
            headers=headers,
            body=await _body(request),
            client=calling_client(headers.get("sforce-call-options", "")),
        )

    def _call_fault(self, request: Request) -> Response | None:
        """The answer that a fault gives in place of the org."""
        client = calling_client(request.headers.get("sforce-call-options", ""))
        faults = self._org.board.take(request.method, request.url.path, client, CALL_FAULTS)
        if not faults:
            return None
        name = faults[0].name
        request.scope["state"]["fault"] = name
        if name == "maintenance":
            return Response(MAINTENANCE, 503, media_type="text/html")
        if name == "expire_session":
            self._org.accounts.end_session(bearer(request.headers))
            raise Refusal("INVALID_SESSION_ID", "Session expired or invalid", status=401)
        kind = "TotalRequests" if name == "daily_limit" else CONCURRENT
        raise Refusal("REQUEST_LIMIT_EXCEEDED", f"{kind} Limit exceeded.", status=403)


CONCURRENT = "ConcurrentRequests (Concurrent API Requests)"


def _credentials(org: SalesforceOrg) -> Any:
    async def answer(_: Request) -> Response:
        return JSONResponse(org.published_credentials())

    return answer


async def _versions(_: Request) -> Response:
    return JSONResponse(
        [
            {
                "label": _season(number),
                "url": f"/services/data/v{number}.0",
                "version": f"{number}.0",
            }
            for number in range(OLDEST, NEWEST + 1)
        ]
    )


def _season(number: int) -> str:
    """The release of an API version: 66 is Spring '26, three a year."""
    season = SEASONS[number % len(SEASONS)]
    year = 26 + (number - NEWEST + len(SEASONS) - 1) // len(SEASONS)
    return f"{season} '{year:02d}"


def _is_version(text: str) -> bool:
    return text[:1] == "v" and text[1:].replace(".", "", 1).isdecimal()


def _method(request: Request, query: Mapping[str, str]) -> str:
    method = query.get("_HTTP_METHOD", request.method).upper()
    return "GET" if method == "HEAD" else method


async def _body(request: Request) -> Any:
    raw = await request.body()
    if not raw:
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_zipped = request.headers.get("content-encoding", "").lower() == "gzip"
    if kind in UNPARSED and JOBS.match(request.url.path):
        return _unzipped(raw) if is_zipped else raw
    if kind != "application/json":
        message = f"Content type '{kind}' is not supported; use application/json"
        raise Refusal("UNSUPPORTED_MEDIA_TYPE", message, status=415)
    if is_zipped:
        raw = _unzipped(raw)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as problem:
        message = f"Unexpected character at [line:{problem.lineno}, column:{problem.colno}]"
        raise bad_json(message) from None


def _unzipped(raw: bytes) -> bytes:
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error):
        raise bad_json("The gzip content of the request cannot be read") from None


def _response(answer: Answer, request: Request) -> Response:
    headers = {"Cache-Control": NO_CACHE, **answer.headers, "Vary": "Accept-Encoding"}
    if answer.status in BODILESS:
        return Response(status_code=answer.status, headers=headers)
    if isinstance(answer.body, bytes):
        return Response(answer.body, answer.status, headers=headers)
    zips = "gzip" in request.headers.get("accept-encoding", "")
    if isinstance(answer.body, Iterator):
        headers |= {"Content-Encoding": "gzip"} if zips else {}
        return StreamingResponse(_flowing(answer.body, zips=zips), answer.status, headers=headers)
    pretty = request.headers.get("x-prettyprint") == "1"
    content = orjson.dumps(answer.body, option=orjson.OPT_INDENT_2 if pretty else 0)
    headers["Content-Type"] = "application/json;charset=UTF-8"
    if len(content) > WORTH_ZIPPING and zips:
        headers["Content-Encoding"] = "gzip"
        content = gzip.compress(content, compresslevel=1)
    return Response(content, answer.status, headers=headers)


async def _flowing(pieces: Iterator[bytes], *, zips: bool) -> AsyncIterator[bytes]:
    """A long body in pieces, between which other calls get their turn."""
    zipped = zlib.compressobj(1, wbits=GZIP_WINDOW)
    for piece in pieces:
        yield zipped.compress(piece) if zips else piece
    if zips:
        yield zipped.flush()


def _error_body(status: int) -> Any:
    code = STATUS_CODES.get(status, "UNKNOWN_EXCEPTION")
    return [{"message": f"The server answered {status}.", "errorCode": code}]
