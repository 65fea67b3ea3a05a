"""Requests read and answers written the way LINE's APIs do."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response

UNAUTHORISED = "Authentication failed due to the following reason: "
INVALID = f"{UNAUTHORISED}invalid token. Confirm that the access token in the authorization header"
INVALID += " is valid."
EXPIRED = f"{UNAUTHORISED}access token expired"
MISSING = (
    "Authorization header required. Must follow the scheme, 'Authorization: Bearer <ACCESS TOKEN>'"
)
TOO_LARGE = 2 * 1024 * 1024


class Refusal(Exception):
    """An answer other than success, with LINE's status and body."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status}")
        self.status = status
        self.body = body
        self.headers = headers or {}


def refused(status: int, message: str, details: Sequence[dict[str, str]] = ()) -> Refusal:
    """The Messaging API's error shape."""
    body: dict[str, Any] = {"message": message}
    if details:
        body["details"] = list(details)
    return Refusal(status, body)


def oauth_refused(status: int, error: str, description: str) -> Refusal:
    """The OAuth endpoints' error shape."""
    return Refusal(status, {"error": error, "error_description": description})


def invalid_property(name: str) -> Refusal:
    """LINE's answer when a property cannot be read at all."""
    return refused(
        400, f"The property, '{name}', in the request body is invalid (line: -, column: -)"
    )


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


async def answer_refusal(_: Request, problem: Exception) -> Response:
    """Turn a `Refusal` into its answer."""
    if not isinstance(problem, Refusal):
        raise problem
    return answer(problem.body, problem.status, problem.headers)


async def answer_not_found(_: Request, __: Exception) -> Response:
    """Say of an unknown address what LINE says."""
    return answer({"message": "Not found"}, 404)


async def json_object(request: Request) -> dict[str, Any]:
    """The JSON object of a request body, else LINE's 400 or 413."""
    raw = await request.body()
    if len(raw) > TOO_LARGE:
        raise refused(413, "Payload Too Large")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise refused(400, f"The content type, {kind or 'null'}, is not supported")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as problem:
        at = f"(line: {problem.lineno}, column: {problem.colno})"
        text = f"The request body could not be parsed as JSON {at}"
        raise refused(400, text) from problem
    if not isinstance(body, dict):
        raise refused(400, "The request body could not be parsed as JSON (line: 1, column: 1)")
    return body


async def form(request: Request) -> dict[str, str]:
    """The fields of a form body."""
    body = (await request.body()).decode("utf-8", "replace")
    return dict(parse_qsl(body, keep_blank_values=True))


def bearer(request: Request) -> str:
    """The token of the Authorization header, else LINE's 401."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise refused(401, MISSING)
    return token.strip()
