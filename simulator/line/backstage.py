"""The control endpoints of the LINE side: credentials, people, events, chats, tokens, texts."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from simulator.line.accounts import OfficialAccount
from simulator.line.answers import answer, refused
from simulator.line.events import InvalidEvent, happen, wanted
from simulator.line.platform import Platform
from simulator.line.webhooks import Courier
from simulator.line.world import ChatItem, Person

DEFAULT_LANGUAGE = "zh-TW"
ID_TOKEN_SECONDS = 3600


class Backstage:
    """`/_simulator/*` of the LINE simulator."""

    def __init__(self, platform: Platform, courier: Courier) -> None:
        self._platform = platform
        self._world = platform.world
        self._courier = courier

    def routes(self) -> list[BaseRoute]:
        """The routes beside those that both simulators share."""
        user = "/_simulator/users/{user_id}"
        return [
            Route("/_simulator/credentials", self.credentials, methods=["GET"]),
            Route("/_simulator/users", self.add_user, methods=["POST"]),
            Route(f"{user}/events", self.send_event, methods=["POST"]),
            Route(f"{user}/chat", self.chat, methods=["GET"]),
            Route(f"{user}/id-token", self.id_token, methods=["POST"]),
            Route("/_simulator/sms", self.sms, methods=["GET"]),
        ]

    async def credentials(self, _: Request) -> Response:
        """Everything a connector needs to know of this provider."""
        provider = self._platform.provider
        accounts = [self._credentials_of(account) for account in provider.accounts]
        return answer(
            {
                "provider_id": provider.provider_id,
                "official_accounts": accounts,
                "sms_token": provider.sms_token,
            }
        )

    async def add_user(self, request: Request) -> Response:
        """Make a person who is not yet a friend."""
        body = await _object(request)
        name, language = body.get("display_name"), body.get("language") or DEFAULT_LANGUAGE
        if not isinstance(name, str) or not name.strip() or not isinstance(language, str):
            raise refused(422, "a user needs a display_name")
        return answer({"user_id": self._world.add_person(name.strip(), language).user_id}, 201)

    async def send_event(self, request: Request) -> Response:
        """Let something happen on the phone, and deliver its webhook."""
        person = self._person(request)
        try:
            event = wanted(await _object(request))
        except InvalidEvent as problem:
            raise refused(422, str(problem)) from problem
        account = self._account(event.oa)
        written = happen(self._world, account, person.user_id, event)
        deliveries = await self._courier.deliver(
            account, person.user_id, written, duplicate=event.duplicate, delay_ms=event.delay_ms
        )
        shown = [one.to_json() for one in deliveries or []]
        body = {"webhook_event_id": written["webhookEventId"], "deliveries": shown}
        return answer(body, 202 if deliveries is None else 200)

    async def chat(self, request: Request) -> Response:
        """The message objects of a person's chat, oldest first."""
        person = self._person(request)
        account = self._account(request.query_params.get("oa"))
        items = self._world.chat(account.bot_user_id, person.user_id)
        return answer([item for item in items if _is_message(item)])

    async def id_token(self, request: Request) -> Response:
        """An ID token as a LIFF page of that person holds it; negative `expires_in` is expired."""
        person = self._person(request)
        body = await _object(request) if await request.body() else {}
        seconds = body.get("expires_in", ID_TOKEN_SECONDS)
        if isinstance(seconds, bool) or not isinstance(seconds, int):
            raise refused(422, "expires_in must be a whole number of seconds")
        account = self._account(body.get("oa"))
        token = self._platform.identity.id_token(
            account, person.user_id, person.display_name, expires_in=seconds
        )
        return answer({"id_token": token})

    async def sms(self, request: Request) -> Response:
        """The text messages of a phone number, oldest first; of all numbers without one."""
        # An unescaped "+" arrives as a space.
        phone = request.query_params.get("phone", "").replace(" ", "+")
        return answer([one for one in self._world.state.sms if phone in ("", one["to"])])

    def _credentials_of(self, account: OfficialAccount) -> dict[str, Any]:
        return {
            "bot_user_id": account.bot_user_id,
            "basic_id": account.basic_id,
            "channel_id": account.channel_id,
            "channel_secret": account.channel_secret,
            "login_channel_id": account.login_channel_id,
            "login_channel_secret": account.login_channel_secret,
            "liff_id": account.liff_id,
            "webhook_url": self._platform.webhook_url(account),
        }

    def _person(self, request: Request) -> Person:
        person = self._world.person(request.path_params["user_id"])
        if person is None:
            raise refused(404, "No such user")
        return person

    def _account(self, bot_user_id: Any) -> OfficialAccount:
        account = self._platform.provider.account(bot_user_id)
        if account is None:
            raise refused(422, "No such official account")
        return account


async def _object(request: Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as problem:
        raise refused(422, f"not JSON: {problem}") from problem
    if not isinstance(body, dict):
        raise refused(422, "a JSON object is expected")
    return body


def _is_message(item: ChatItem) -> bool:
    return item.via != "note"
