"""The layer around a simulated platform: call log, common faults, control routes."""

import asyncio
import inspect
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from email.utils import formatdate
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.control.calls import CallLog
from simulator.control.faults import COMMON_FAULTS, ActiveFault, FaultBoard, InvalidFault
from simulator.control.reset import reset_connection

Headers = list[tuple[bytes, bytes]]
UNLOGGED = ("/_simulator/", "/_page/")


class Controlled:
    """An ASGI app with call log and common faults around it.

    The app may put `records`, `client` and `fault` into `request.state`; they go into the log.
    `headers` gives headers for every answer, `error_body` the body of a `status` fault without one.
    """

    def __init__(
        self,
        app: ASGIApp,
        board: FaultBoard,
        calls: CallLog,
        *,
        unlogged: Iterable[str] = UNLOGGED,
        headers: Callable[[], Headers] = list,
        error_body: Callable[[int], Any] = lambda status: {"message": f"status {status}"},
    ) -> None:
        self._app = app
        self._board = board
        self._calls = calls
        self._unlogged = tuple(unlogged)
        self._headers = headers
        self._error_body = error_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        send = _with_headers(send, self._headers)
        if scope["path"] == "/" or scope["path"].startswith(self._unlogged):
            await self._app(scope, receive, send)
            return
        await self._logged(scope, receive, send)

    async def _logged(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        answer = _Answer(send)
        headers = _header_map(scope)
        client = calling_client(headers.get("sforce-call-options", ""))
        faults = self._board.take(scope["method"], scope["path"], client, COMMON_FAULTS)
        try:
            await self._answer(faults, scope, receive, answer)
        finally:
            state = scope["state"]
            names = [*dict.fromkeys(fault.name for fault in faults), state.get("fault")]
            self._calls.record(
                scope["method"],
                scope["path"],
                query=scope["query_string"].decode("latin-1"),
                status=answer.status,
                ms=round((time.perf_counter() - started) * 1000),
                client=state.get("client", client),
                user_agent=headers.get("user-agent"),
                records=state.get("records"),
                fault=",".join(name for name in names if name) or None,
            )

    async def _answer(
        self, faults: Sequence[ActiveFault], scope: Scope, receive: Receive, answer: "_Answer"
    ) -> None:
        by_name = {fault.name: fault for fault in faults}
        for fault in faults:
            if fault.name == "latency":
                await asyncio.sleep(_seconds(fault.params))
        if "reset_before" in by_name:
            await reset_connection(scope, receive)
        elif "status" in by_name:
            await self._refusal(by_name["status"].params)(scope, receive, answer.send)
        elif "reset_after_commit" in by_name:
            await self._app(scope, receive, _swallow)
            await reset_connection(scope, receive)
        else:
            await self._app(scope, receive, answer.send)

    def _refusal(self, params: dict[str, Any]) -> Response:
        status: int = params["status"]
        body = params["body"] if "body" in params else self._error_body(status)
        if isinstance(body, str):
            return Response(body, status, media_type="text/plain")
        return Response(orjson.dumps(body), status, media_type="application/json")


class _Answer:
    """Passes an answer on and remembers its status."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


def control_routes(
    board: FaultBoard, calls: CallLog, reset: Callable[[], Awaitable[None] | None]
) -> list[BaseRoute]:
    """The `/_simulator` routes that both simulators serve alike; `reset` restores the rest."""

    async def list_calls(request: Request) -> Response:
        since = request.query_params.get("since", "0")
        if not since.isdecimal():
            return JSONResponse({"message": "since must be a whole number"}, 422)
        return Response(orjson.dumps(calls.since(int(since))), media_type="application/json")

    async def add_fault(request: Request) -> Response:
        try:
            return JSONResponse({"id": board.add(orjson.loads(await request.body()))}, 201)
        except (InvalidFault, orjson.JSONDecodeError) as problem:
            return JSONResponse({"message": str(problem), "known": sorted(board.known)}, 422)

    async def clear_faults(_: Request) -> Response:
        board.clear()
        return Response(status_code=204)

    async def start_over(_: Request) -> Response:
        outcome = reset()
        if inspect.isawaitable(outcome):
            await outcome
        board.clear()
        calls.clear()
        return Response(status_code=204)

    return [
        Route("/_simulator/calls", list_calls, methods=["GET"]),
        Route("/_simulator/faults", add_fault, methods=["POST"]),
        Route("/_simulator/faults", clear_faults, methods=["DELETE"]),
        Route("/_simulator/reset", start_over, methods=["POST"]),
    ]


def calling_client(call_options: str) -> str | None:
    """The `client` of a Sforce-Call-Options header (`client=SampleCaller/100, …`)."""
    for option in call_options.split(","):
        name, _, value = option.strip().partition("=")
        if name.strip().lower() == "client" and value:
            return value.strip()
    return None


def _header_map(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _with_headers(send: Send, headers: Callable[[], Headers]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", []))
            names = {name.lower() for name, _ in given}
            # The server's own Date is up to a second old; the connector compares it with commits.
            added: Headers = [(b"date", formatdate(usegmt=True).encode()), *headers()]
            message = {
                **message,
                "headers": given + [pair for pair in added if pair[0].lower() not in names],
            }
        await send(message)

    return sending


async def _swallow(_: Message) -> None:
    """Stand for an answer that never reached the caller."""


def _seconds(params: dict[str, Any]) -> float:
    jitter = float(params.get("jitter_ms") or 0)
    return (float(params["ms"]) + random.uniform(0, jitter)) / 1000
