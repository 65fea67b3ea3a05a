"""One call of the LIFF JSON API: who asks, in which language, for what; refusals become answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import anyio
import anyio.to_thread
import orjson
import sqlalchemy as sa
import structlog
from starlette.requests import Request
from starlette.responses import Response

from connector.errors import ConnectorError
from connector.line.identity import Identity
from connector.members.refusals import FieldProblem, Refused
from webhooks.bodies import TooLarge, read_at_most
from webhooks.idempotency import LONGEST_KEY
from webhooks.multipart import Part
from webhooks.pages.locales import Locale
from webhooks.problems import Answer, Problem, Words
from webhooks.tokens import identify
from webhooks.web import Web

MOST_BYTES = 64 * 1024
THREADS = 16  # no more than the pool of connections holds

_KNOWN = Answer(204)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Call:
    """A call whose caller is known."""

    identity: Identity
    locale: Locale
    path: str
    parameters: Mapping[str, str]
    form: Mapping[str, object]
    key: str | None
    address: str
    upload: Part | None = None

    @property
    def oa(self) -> str:
        """The official account whose LIFF app is open."""
        return self.identity.account.bot_user_id


Work: TypeAlias = Callable[[Call], Answer]
Read: TypeAlias = Callable[[Request, bytes], tuple[Mapping[str, object], Part | None]]


class Calls:
    """Makes endpoints of plain functions that run in a thread of their own."""

    def __init__(self, web: Web, words: Words) -> None:
        self._web = web
        self._words = words
        self._threads: anyio.CapacityLimiter | None = None

    def endpoint(self, work: Work) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that verifies the caller, then does the work."""

        async def serve(request: Request) -> Response:
            body: bytes | Problem
            try:
                body = await read_at_most(request, MOST_BYTES)
            except TooLarge:
                body = Problem("too_large")
            return await self.answer(request, work, body)

        return serve

    async def answer(
        self, request: Request, work: Work, body: bytes | Problem, read: Read | None = None
    ) -> Response:
        """Verify the caller, then do the work on a body, or say what is wrong with it."""
        return await self._in_thread(
            request, lambda locale: self._do(work, request, locale, body, read)
        )

    async def stranger(self, request: Request) -> Response | None:
        """The refusal of a caller who is not vouched for, before anything of the body is read."""

        def vouch(_locale: Locale) -> Answer:
            identify(self._web.verifier, request.headers.get("authorization", ""))
            return _KNOWN

        answer = await self._in_thread(request, vouch)
        return None if answer.status_code == _KNOWN.status else answer

    async def _in_thread(self, request: Request, work: Callable[[Locale], Answer]) -> Response:
        locale = self._words.locale(request.headers.get("accept-language", ""))
        limiter = self._threads = self._threads or anyio.CapacityLimiter(THREADS)
        answer = await anyio.to_thread.run_sync(
            self._answer, work, request, locale, limiter=limiter
        )
        return answer.response()

    def _answer(self, work: Callable[[Locale], Answer], request: Request, locale: Locale) -> Answer:
        try:
            return work(locale)
        except ConnectorError as refusal:
            return self._words.answer(refusal, locale)
        except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as trouble:
            _log.warning("database_unavailable", error=type(trouble).__name__)
            return self._words.answer(Problem("try_later"), locale)
        except Exception:  # noqa: BLE001 - logged; the caller gets a problem like any other
            _log.exception("call_failed", path=request.url.path)
            return self._words.answer(Problem("failed"), locale)

    def _do(
        self,
        work: Work,
        request: Request,
        locale: Locale,
        body: bytes | Problem,
        read: Read | None,
    ) -> Answer:
        identity = identify(self._web.verifier, request.headers.get("authorization", ""))
        if isinstance(body, Problem):
            raise body
        form, upload = (read or _read)(request, body)
        call = Call(
            identity=identity,
            locale=locale,
            path=request.url.path,
            parameters=request.path_params,
            form=form,
            key=_key(request),
            address=request.client.host if request.client else "",
            upload=upload,
        )
        return work(call)


def _read(request: Request, body: bytes) -> tuple[Mapping[str, object], Part | None]:
    return _form(body) if request.method == "POST" else {}, None


def _form(body: bytes) -> Mapping[str, object]:
    try:
        form = orjson.loads(body)
    except orjson.JSONDecodeError:
        form = None
    if not isinstance(form, dict):
        raise Refused("invalid", [FieldProblem("", "json")])
    return form


def _key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key", "").strip()
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise Refused("invalid", [FieldProblem("Idempotency-Key", "text")])
    return key or None
