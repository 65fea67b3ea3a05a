"""What the phone page loads: itself, its assets, the state of a chat, and word of changes."""

import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from simulator.line.accounts import OfficialAccount
from simulator.line.answers import answer, refused
from simulator.line.bot_api import BotApi
from simulator.line.pages import Pages
from simulator.line.picture import picture
from simulator.line.platform import Platform

KEEP_ALIVE_SECONDS = 15.0
MOST_ITEMS = 200
MOST_TEXTS = 20


class PageApi:
    """`/` and `/_page/*`."""

    def __init__(self, platform: Platform, pages: Pages, bot: BotApi) -> None:
        self._platform = platform
        self._world = platform.world
        self._pages = pages
        self._bot = bot

    def routes(self) -> list[BaseRoute]:
        """The phone and what it needs."""
        return [
            Route("/", self.phone, methods=["GET"]),
            Route("/_page/state", self.state, methods=["GET"]),
            Route("/_page/stream", self.stream, methods=["GET"]),
            Route("/_page/picture/{message_id}", self.picture, methods=["GET"]),
            Route("/_page/{name}", self.asset, methods=["GET"]),
        ]

    async def phone(self, request: Request) -> Response:
        """The phone."""
        liff = [account.liff_id for account in self._platform.provider.accounts]
        return self._pages.phone(request, {"liff_ids": liff})

    async def asset(self, request: Request) -> Response:
        """A script or style sheet."""
        return self._pages.asset(request, request.path_params["name"])

    async def picture(self, request: Request) -> Response:
        """The picture of an image message a person sent."""
        return Response(picture(request.path_params["message_id"]), media_type="image/png")

    async def state(self, request: Request) -> Response:
        """People, the chat of one of them, and the phone's text messages."""
        account = self._platform.provider.account(request.query_params.get("oa"))
        if account is None:
            raise refused(404, "No such official account")
        user_id = request.query_params.get("user", "")
        return answer(
            {
                "version": self._world.bell.version,
                "account": {"name": account.display_name, "basic_id": account.basic_id},
                "people": self._people(account),
                **self._chat(account, user_id),
                "sms": self._world.state.sms[-MOST_TEXTS:],
            }
        )

    async def stream(self, request: Request) -> Response:
        """Server-sent events: the version of the world whenever it changed."""
        since = request.query_params.get("version", "0")
        version = int(since) if since.isdecimal() else 0
        return StreamingResponse(
            self._versions(version),
            media_type="text/event-stream",
            headers={"cache-control": "no-store"},
        )

    async def _versions(self, version: int) -> AsyncIterator[str]:
        bell = self._world.bell
        # A smaller number than the page's own means that the simulator was started anew.
        yield f"data: {bell.version}\n\n"
        version = bell.version
        while True:
            latest = await bell.after(version, KEEP_ALIVE_SECONDS)
            yield f"data: {latest}\n\n" if latest != version else ": still here\n\n"
            version = latest

    def _people(self, account: OfficialAccount) -> list[dict[str, Any]]:
        return [
            {
                **asdict(person),
                "friendship": self._world.friendship(account.bot_user_id, person.user_id),
            }
            for person in self._world.state.people.values()
        ]

    def _chat(self, account: OfficialAccount, user_id: str) -> dict[str, Any]:
        chat = (account.bot_user_id, user_id)
        loading = self._bot.loading_until.get(chat, 0) - time.time()
        items = self._world.chat(*chat)[-MOST_ITEMS:]
        answered = bool(items) and items[-1].direction == "out"
        return {
            "items": items,
            "read_to": self._world.state.read_to.get(chat, 0),
            "loading_seconds": 0 if answered else max(0, loading),
        }
