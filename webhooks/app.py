"""The web application: routes, what surrounds them, and what runs beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from connector.sync.incoming.intake import receive_events
from connector.sync.incoming.turns import Turns
from webhooks.group_commit import GroupCommit, Signed
from webhooks.health import Health
from webhooks.liff_api import LiffApi
from webhooks.metrics import Metrics, Timed
from webhooks.pages.app import PageSettings, page_routes
from webhooks.problems import Problem, Words
from webhooks.receiver import Receiver
from webhooks.redirects import Redirects
from webhooks.web import Web

_CODES = {404: "not_found", 405: "method_not_allowed"}


def make_app(web: Web) -> Starlette:
    """The application over these parts."""
    words = Words(web.settings.default_locale)
    metrics = Metrics(web.store)

    turns = Turns()

    def save(deliveries: Sequence[Signed]) -> int:
        new = receive_events(web.store, deliveries, turns)
        metrics.took_in(sum(len(delivery.events) for _, delivery in deliveries), new)
        return new

    group = GroupCommit(save)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        storing = asyncio.create_task(group.run())
        yield
        storing.cancel()
        with suppress(asyncio.CancelledError):
            await storing

    return Starlette(
        routes=_routes(web, words, metrics, group),
        middleware=[Middleware(Timed, metrics=metrics)],
        exception_handlers={HTTPException: _handler(words)},
        lifespan=lifespan,
    )


def _routes(web: Web, words: Words, metrics: Metrics, group: GroupCommit) -> list[BaseRoute]:
    health = Health(web)
    return [
        Route("/webhooks/line", Receiver(web.accounts, group).receive, methods=["POST"]),
        Route("/livez", health.live),
        Route("/readyz", health.ready),
        Route("/metrics", metrics.show),
        Route("/r/{code}", Redirects(web, words).redirect),
        *LiffApi(web, words).routes(),
        *page_routes(_page_settings(web)),
    ]


def _page_settings(web: Web) -> PageSettings:
    base = urlsplit(web.settings.liff_base)
    account = web.accounts[0] if web.accounts else None
    basic_id = account.basic_id if account else ""
    return PageSettings(
        sdk_url=web.settings.liff_sdk_url,
        liff_id=account.liff_id if account else "",
        frame_ancestor=f"{base.scheme}://{base.netloc}",
        default_locale=web.settings.default_locale,
        friend_url=f"https://line.me/R/ti/p/{basic_id}" if basic_id else None,
    )


def _handler(words: Words) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        if not request.url.path.startswith("/liff/api"):
            return PlainTextResponse(getattr(error, "detail", ""), status)
        locale = words.locale(request.headers.get("accept-language", ""))
        return words.answer(Problem(_CODES.get(status, "failed")), locale).response()

    return handle
