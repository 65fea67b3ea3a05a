"""The LINE simulator as one ASGI app."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from simulator.control.app import Controlled, Headers, control_routes
from simulator.line import ids
from simulator.line.answers import Refusal, answer_not_found, answer_refusal
from simulator.line.backstage import Backstage
from simulator.line.bot_api import BotApi
from simulator.line.liff_api import LiffApi
from simulator.line.login_api import LoginApi
from simulator.line.messaging_api import MessagingApi
from simulator.line.oauth_api import OauthApi
from simulator.line.page_api import PageApi
from simulator.line.pages import Pages
from simulator.line.platform import Platform
from simulator.line.sms_api import SmsApi
from simulator.line.webhooks import Courier

LOCAL_ORIGINS = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"


def line_app(platform: Platform) -> ASGIApp:
    """Every route of the simulated platform, with the call log and the faults around them."""
    courier, pages = Courier(platform), Pages()
    bot = BotApi(platform, courier)

    def reset() -> None:
        courier.forget()
        bot.loading_until.clear()
        platform.world.reset()

    routes = [
        *control_routes(platform.board, platform.calls, reset),
        *Backstage(platform, courier).routes(),
        *PageApi(platform, pages, bot).routes(),
        *OauthApi(platform).routes(),
        *LoginApi(platform).routes(),
        *MessagingApi(platform).routes(),
        *bot.routes(),
        *SmsApi(platform).routes(),
        *LiffApi(platform, courier, pages).routes(),
    ]
    # LIFF pages call from their own origin, as they do at LINE.
    cors = Middleware(
        CORSMiddleware,
        allow_origins=[platform.settings.liff_origin],
        allow_origin_regex=LOCAL_ORIGINS,
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type"],
    )
    handlers = {Refusal: answer_refusal, 404: answer_not_found, 405: answer_not_found}
    app = Starlette(routes=routes, middleware=[cors], exception_handlers=handlers)
    return Controlled(app, platform.board, platform.calls, headers=_request_id)


def _request_id() -> Headers:
    return [(b"x-line-request-id", ids.request_id().encode())]
