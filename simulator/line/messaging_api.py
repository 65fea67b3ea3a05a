"""Sending: reply, push, multicast, and their validation twins."""

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from simulator.line import ids
from simulator.line.access import caller
from simulator.line.accounts import OfficialAccount
from simulator.line.answers import answer, invalid_property, json_object, refused
from simulator.line.messages import check_messages
from simulator.line.platform import Platform
from simulator.line.world import Accepted

MOST_RECIPIENTS = 500
OVER_QUOTA = "You have reached your monthly limit."
ALREADY_ACCEPTED = "The retry key is already accepted"
Sent = list[dict[str, str]]


class MessagingApi:
    """`/v2/bot/message/*` of the Messaging API."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._world = platform.world

    def routes(self) -> list[BaseRoute]:
        """The routes under `/v2/bot/message`."""
        return [
            Route("/v2/bot/message/reply", self.reply, methods=["POST"]),
            Route("/v2/bot/message/push", self.push, methods=["POST"]),
            Route("/v2/bot/message/multicast", self.multicast, methods=["POST"]),
            Route(
                "/v2/bot/message/validate/{kind:str}",
                self.validate,
                methods=["POST"],
            ),
            Route("/v2/bot/message/quota", self.quota, methods=["GET"]),
            Route("/v2/bot/message/quota/consumption", self.consumption, methods=["GET"]),
        ]

    async def reply(self, request: Request) -> Response:
        """Answer an event with its reply token; free, once, within a minute."""
        account = caller(self._platform, request)
        body = await json_object(request)
        if "x-line-retry-key" in request.headers:
            raise refused(400, "The retry key is not supported by this API")
        messages = _checked(body)
        token = body.get("replyToken")
        if not isinstance(token, str):
            raise invalid_property("replyToken")
        user_id = self._redeemed(request, account, token)
        blocked = self._blocks(request, account, user_id)
        sent = self._deliver(account, user_id, "reply", messages, shown=not blocked)
        return answer({"sentMessages": sent})

    def _redeemed(self, request: Request, account: OfficialAccount, token: str) -> str:
        if self._platform.fault("expire_reply_tokens", request.method, request.url.path):
            request.state.fault = "expire_reply_tokens"
            self._world.expire_reply_tokens()
        user_id = self._world.use_reply_token(token, account.bot_user_id)
        if user_id is None:
            raise refused(400, "Invalid reply token")
        return user_id

    async def push(self, request: Request) -> Response:
        """Send to one person at any time; silent when they do not receive."""
        account = caller(self._platform, request)
        body = await json_object(request)
        key, repeated = self._retry(request, account)
        if repeated is not None:
            return _already(repeated)
        messages, to = _checked(body), body.get("to")
        if not isinstance(to, str):
            raise invalid_property("to")
        if self._world.person(to) is None:
            raise refused(400, "Failed to send messages")
        shown = self._reaches(request, account, to)
        self._within_quota(request, account, int(shown))
        sent = self._deliver(account, to, "push", messages, shown=shown)
        return self._accepted(account, key, {"sentMessages": sent}, sent)

    async def multicast(self, request: Request) -> Response:
        """Send to up to 500 people; silent about those who do not receive."""
        account = caller(self._platform, request)
        body = await json_object(request)
        key, repeated = self._retry(request, account)
        if repeated is not None:
            return _already(repeated)
        messages, to = _checked(body), _recipients(body)
        reached = [user_id for user_id in to if self._reaches(request, account, user_id)]
        self._within_quota(request, account, len(reached))
        for user_id in reached:
            self._deliver(account, user_id, "multicast", messages, shown=True)
        return self._accepted(account, key, {}, None)

    async def validate(self, request: Request) -> Response:
        """Check messages without sending them."""
        caller(self._platform, request)
        kinds = ("reply", "push", "multicast", "narrowcast", "broadcast")
        if request.path_params["kind"] not in kinds:
            raise refused(404, "Not found")
        _checked(await json_object(request))
        return answer({})

    async def quota(self, request: Request) -> Response:
        """The monthly quota."""
        caller(self._platform, request)
        return answer({"type": "limited", "value": self._platform.settings.monthly_quota})

    async def consumption(self, request: Request) -> Response:
        """What the month's messages used so far."""
        account = caller(self._platform, request)
        used = self._world.state.used_quota.get(account.bot_user_id, 0)
        return answer({"totalUsage": used})

    def _retry(
        self, request: Request, account: OfficialAccount
    ) -> tuple[str | None, Accepted | None]:
        key = request.headers.get("x-line-retry-key")
        if key is None:
            return None, None
        try:
            key = str(uuid.UUID(key))
        except ValueError as problem:
            raise refused(400, "The retry key is not in a valid format") from problem
        return key, self._world.accepted(account.bot_user_id, key)

    def _accepted(
        self, account: OfficialAccount, key: str | None, body: dict[str, Any], sent: Sent | None
    ) -> Response:
        request_id = ids.request_id()
        if key is not None:
            self._world.accept(account.bot_user_id, key, request_id, sent)
        return answer(body, headers={"x-line-request-id": request_id})

    def _within_quota(self, request: Request, account: OfficialAccount, recipients: int) -> None:
        used = self._world.state.used_quota.get(account.bot_user_id, 0)
        struck = self._platform.fault("quota_429", request.method, request.url.path)
        if struck:
            request.state.fault = "quota_429"
        if struck or used + recipients > self._platform.settings.monthly_quota:
            raise refused(429, OVER_QUOTA)
        if recipients:
            self._world.spend_quota(account.bot_user_id, recipients)

    def _reaches(self, request: Request, account: OfficialAccount, user_id: str) -> bool:
        receives = self._world.receives_push(account.bot_user_id, user_id)
        return receives and not self._blocks(request, account, user_id)

    def _blocks(self, request: Request, account: OfficialAccount, user_id: str) -> bool:
        return self._platform.blocks(account, user_id, request.method, request.url.path)

    def _deliver(
        self,
        account: OfficialAccount,
        user_id: str,
        via: str,
        messages: list[dict[str, Any]],
        *,
        shown: bool,
    ) -> Sent:
        sent: Sent = []
        for message in messages:
            given = {"id": ids.message_id(), "quoteToken": ids.long_token()}
            sent.append(given)
            if shown:
                self._world.show(account.bot_user_id, user_id, "out", via, message)
        return sent


def _checked(body: dict[str, Any]) -> list[dict[str, Any]]:
    problems = check_messages(body)
    if problems.details:
        raise refused(400, problems.message, problems.details)
    messages: list[dict[str, Any]] = body["messages"]
    return messages


def _recipients(body: dict[str, Any]) -> list[str]:
    to = body.get("to")
    if not isinstance(to, list) or not 1 <= len(to) <= MOST_RECIPIENTS:
        details = [{"message": f"Size must be between 1 and {MOST_RECIPIENTS}", "property": "to"}]
        raise refused(400, "The request body has 1 error(s)", details)
    for index, user_id in enumerate(to):
        if not (isinstance(user_id, str) and user_id.startswith("U")):
            raise invalid_property(f"to[{index}]")
    return list(dict.fromkeys(to))


def _already(accepted: Accepted) -> Response:
    body: dict[str, Any] = {"message": ALREADY_ACCEPTED}
    if accepted.sent is not None:
        body["sentMessages"] = accepted.sent
    return answer(body, 409, {"x-line-accepted-request-id": accepted.request_id})
