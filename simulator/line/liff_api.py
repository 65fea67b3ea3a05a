"""LIFF, imitated: the address that opens our pages as LINE would, and what the SDK talks to."""

from urllib.parse import parse_qsl, quote, urlencode

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from simulator.line.accounts import OfficialAccount
from simulator.line.answers import answer, bearer, json_object, refused
from simulator.line.events import happen, wanted
from simulator.line.liff_tokens import Opening, liff_token
from simulator.line.login_api import token_holder
from simulator.line.messages import check_messages
from simulator.line.pages import Pages
from simulator.line.platform import Platform
from simulator.line.webhooks import Courier
from simulator.line.world import Person

USER_COOKIE = "sim_user"
OURS = ("user", "from", "lang", "redirect_uri")
# LINE sends no webhook for these when a LIFF page posts them.
UNHEARD = ("template", "flex")


class LiffApi:
    """`/liff/*` of the simulator."""

    def __init__(self, platform: Platform, courier: Courier, pages: Pages) -> None:
        self._platform = platform
        self._courier = courier
        self._pages = pages

    def routes(self) -> list[BaseRoute]:
        """The stand-ins of liff.line.me, of the SDK's address and of its message API."""
        return [
            Route("/liff/sdk.js", self.sdk, methods=["GET"]),
            Route("/liff/messages", self.send_messages, methods=["POST"]),
            Route("/liff/{liff_id}", self.open, methods=["GET"]),
            Route("/liff/{liff_id}/{path:path}", self.open, methods=["GET"]),
        ]

    async def sdk(self, request: Request) -> Response:
        """The stand-in of the LIFF SDK."""
        return self._pages.asset(request, "liff-sdk.js")

    async def open(self, request: Request) -> Response:
        """Send a person to our page, tokens in the fragment; ask who it is when unknown."""
        account = self._platform.provider.by_liff(request.path_params["liff_id"])
        if account is None:
            raise refused(404, "No such LIFF app")
        target = self._target(request)
        person = self._chosen(request)
        if person is None:
            people = list(self._platform.world.state.people.values())
            return self._pages.choose(request, people)
        from_chat = request.query_params.get("from") == "chat"
        response = RedirectResponse(
            f"{target}#{self._fragment(account, person, from_chat=from_chat)}", 302
        )
        response.set_cookie(USER_COOKIE, person.user_id, samesite="lax")
        response.headers["cache-control"] = "no-store"
        return response

    async def send_messages(self, request: Request) -> Response:
        """What `liff.sendMessages` calls: the person says something in the chat they came from."""
        token = liff_token(self._platform, bearer(request))
        account, person = token_holder(self._platform, request)
        if token is None or not token.facts["from_chat"]:
            raise refused(403, "user doesn't grant required permissions yet")
        body = await json_object(request)
        problems = check_messages(body)
        if problems.details:
            raise refused(400, problems.message, problems.details)
        for message in body["messages"]:
            self._say(account, person, message)
        return answer({})

    def _say(self, account: OfficialAccount, person: Person, message: dict[str, object]) -> None:
        world = self._platform.world
        if message["type"] in UNHEARD:
            world.show(account.bot_user_id, person.user_id, "in", "webhook", message)
            return
        heard = dict(message)
        if "originalContentUrl" in heard:
            urls = ("originalContentUrl", "previewImageUrl")
            given = {name: heard.pop(name) for name in urls if name in heard}
            heard["contentProvider"] = {"type": "external", **given}
        event = wanted({"type": "message", "message": heard})
        written = happen(world, account, person.user_id, event)
        self._courier.deliver_soon(account, person.user_id, written)

    def _target(self, request: Request) -> str:
        """Endpoint plus `liff.state`, or the page `liff.login` wants to come back to."""
        settings = self._platform.settings
        back = request.query_params.get("redirect_uri")
        if back is not None:
            if not f"{back}/".startswith(f"{settings.liff_origin}/"):
                raise refused(400, "redirect_uri is not under the endpoint URL")
            return back.partition("#")[0]
        state = f"/{request.path_params['path']}" if request.path_params.get("path") else ""
        pairs = parse_qsl(request.url.query, keep_blank_values=True)
        kept = urlencode([(name, value) for name, value in pairs if name not in OURS])
        state += f"?{kept}" if kept else ""
        return settings.liff_endpoint + (f"?liff.state={quote(state, safe='')}" if state else "")

    def _chosen(self, request: Request) -> Person | None:
        named = request.query_params.get("user")
        if named is not None:
            return self._platform.world.person(named)
        return self._platform.world.person(request.cookies.get(USER_COOKIE, ""))

    def _fragment(self, account: OfficialAccount, person: Person, *, from_chat: bool) -> str:
        handed = Opening(account, person, from_chat).handed_over(self._platform)
        handed["context"] = orjson.dumps(handed["context"]).decode()
        return urlencode(handed, quote_via=quote)
