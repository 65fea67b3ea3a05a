"""The rest of the Messaging API: profiles, followers, bot info, chat extras, webhook, content."""

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from simulator.control.clock import now, stamp
from simulator.line.access import caller
from simulator.line.answers import answer, invalid_property, json_object, refused
from simulator.line.picture import picture
from simulator.line.platform import Platform
from simulator.line.problems import is_uri
from simulator.line.webhooks import Courier
from simulator.line.world import Friendship

MOST_FOLLOWERS = 1000
LOADING_SECONDS = range(5, 61, 5)
LOADING_DEFAULT = 20
URL_LENGTH = 500


class BotApi:
    """What an official account asks and tells besides messages."""

    def __init__(self, platform: Platform, courier: Courier) -> None:
        self._platform = platform
        self._world = platform.world
        self._courier = courier
        # Only the open chat shows this, so it is neither kept nor reset.
        self.loading_until: dict[tuple[str, str], float] = {}

    def routes(self) -> list[BaseRoute]:
        """The routes under `/v2/bot`."""
        webhook = "/v2/bot/channel/webhook"
        return [
            Route("/v2/bot/profile/{user_id}", self.profile, methods=["GET"]),
            Route("/v2/bot/info", self.info, methods=["GET"]),
            Route("/v2/bot/followers/ids", self.followers, methods=["GET"]),
            Route("/v2/bot/chat/loading/start", self.loading, methods=["POST"]),
            Route("/v2/bot/chat/markAsRead", self.mark_as_read, methods=["POST"]),
            Route(f"{webhook}/endpoint", self.webhook_endpoint, methods=["GET"]),
            Route(f"{webhook}/endpoint", self.set_webhook_endpoint, methods=["PUT"]),
            Route(f"{webhook}/test", self.webhook_test, methods=["POST"]),
            Route("/v2/bot/message/{message_id}/content", self.content, methods=["GET"]),
            Route("/v2/bot/message/{message_id}/content/preview", self.content, methods=["GET"]),
        ]

    async def profile(self, request: Request) -> Response:
        """Name and language of a friend, or of a stranger who wrote."""
        account = caller(self._platform, request)
        user_id = request.path_params["user_id"]
        person = self._world.person(user_id)
        path = request.url.path
        if (
            person is None
            or not self._world.receives_push(account.bot_user_id, user_id)
            or self._platform.blocks(account, user_id, request.method, path)
        ):
            raise refused(404, "Not found")
        name, language = person.display_name, person.language
        return answer({"userId": user_id, "displayName": name, "language": language})

    async def info(self, request: Request) -> Response:
        """The account itself."""
        account = caller(self._platform, request)
        return answer(
            {
                "userId": account.bot_user_id,
                "basicId": account.basic_id,
                "displayName": account.display_name,
                "chatMode": "chat",
                "markAsReadMode": "manual",
            }
        )

    async def followers(self, request: Request) -> Response:
        """User ids of friends, in pages; `start` is where the last page ended."""
        account = caller(self._platform, request)
        limit = _whole(request.query_params.get("limit", "300"))
        start = _whole(request.query_params.get("start", "0"))
        if limit is None or not 1 <= limit <= MOST_FOLLOWERS or start is None:
            raise refused(400, "The value for the 'limit' parameter is invalid")
        friends = self._world.friends(account.bot_user_id)
        page: dict[str, Any] = {"userIds": friends[start : start + limit]}
        if start + limit < len(friends):
            page["next"] = str(start + limit)
        return answer(page)

    async def loading(self, request: Request) -> Response:
        """Show the loading animation to a friend."""
        account = caller(self._platform, request)
        body = await json_object(request)
        chat, seconds = body.get("chatId"), body.get("loadingSeconds", LOADING_DEFAULT)
        if not isinstance(chat, str) or self._world.person(chat) is None:
            raise invalid_property("chatId")
        if seconds not in LOADING_SECONDS:
            details = [{"message": "Must be between 5 and 60", "property": "loadingSeconds"}]
            raise refused(400, "The request body has 1 error(s)", details)
        if self._world.friendship(account.bot_user_id, chat) is Friendship.FRIEND:
            self.loading_until[account.bot_user_id, chat] = time.time() + seconds
            self._world.bell.ring()
        return answer({}, 202)

    async def mark_as_read(self, request: Request) -> Response:
        """Mark a message and all before it as read."""
        account = caller(self._platform, request)
        token = (await json_object(request)).get("markAsReadToken")
        for (oa, user_id), items in self._world.state.chats.items():
            for item in items:
                if oa == account.bot_user_id and item.message.get("markAsReadToken") == token:
                    self._world.mark_read(oa, user_id, item.seq)
                    return answer({})
        raise refused(400, "Invalid markAsReadToken")

    async def webhook_endpoint(self, request: Request) -> Response:
        """Where the webhooks go."""
        account = caller(self._platform, request)
        return answer({"endpoint": self._platform.webhook_url(account), "active": True})

    async def set_webhook_endpoint(self, request: Request) -> Response:
        """Send the webhooks elsewhere; plain http is fine here, at LINE it is not."""
        account = caller(self._platform, request)
        endpoint = (await json_object(request)).get("endpoint")
        if not is_uri(endpoint, ("http", "https")) or len(str(endpoint)) > URL_LENGTH:
            raise refused(400, "Invalid webhook endpoint URL")
        self._world.set_webhook_url(account.bot_user_id, str(endpoint))
        return answer({})

    async def webhook_test(self, request: Request) -> Response:
        """Post a body without events and say how that went."""
        account = caller(self._platform, request)
        body = await json_object(request) if await request.body() else {}
        url = body.get("endpoint") or self._platform.webhook_url(account)
        if not is_uri(url, ("http", "https")):
            raise refused(400, "Invalid webhook endpoint URL")
        delivery = await self._courier.probe(account, url)
        return answer(
            {
                "success": delivery.reason == "OK",
                "timestamp": stamp(now()),
                "statusCode": delivery.status or 0,
                "reason": delivery.reason,
                "detail": str(delivery.status or delivery.reason.lower()),
            }
        )

    async def content(self, request: Request) -> Response:
        """The picture a person sent."""
        account = caller(self._platform, request)
        message_id = request.path_params["message_id"]
        if message_id in self._world.state.gone:
            raise refused(410, "The content is gone")
        if not self._has_picture(account.bot_user_id, message_id):
            raise refused(404, "Not found")
        return Response(picture(message_id), media_type="image/png")

    def _has_picture(self, oa: str, message_id: str) -> bool:
        return any(
            item.message.get("id") == message_id
            and item.type == "image"
            and item.message["contentProvider"]["type"] == "line"
            for (account, _), items in self._world.state.chats.items()
            if account == oa
            for item in items
            if item.direction == "in"
        )


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else None
