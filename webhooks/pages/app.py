"""Routes of the LIFF pages.

Owns how a page is rendered and which headers guard it. Holds no personal data: the pages are the
same for everyone, and their scripts fetch what is personal from the LIFF JSON API.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import jinja2
import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from webhooks.pages.assets import Assets
from webhooks.pages.guard import content_security_policy, guarded
from webhooks.pages.locales import Locale, choose, load_locales

HERE = Path(__file__).parent
# Only these travel along when the language changes: LIFF's own query parameters carry tokens.
KEPT_QUERY = ("next", "registration")


@dataclass(frozen=True)
class PageSettings:
    """What the pages need to know of the world; `frame_ancestor` is the origin of the LIFF base."""

    sdk_url: str
    liff_id: str
    frame_ancestor: str
    default_locale: str = "zh-TW"
    friend_url: str | None = None


class Pages:
    """Renders the pages in the visitor's language."""

    def __init__(self, settings: PageSettings, assets: Assets) -> None:
        self._settings = settings
        self._assets = assets
        self._locales = load_locales(HERE / "locales", settings.default_locale)
        self._policy = content_security_policy(settings.sdk_url, settings.frame_ancestor)
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def endpoint(self, page: str) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that serves the page of this name."""

        async def serve(request: Request) -> Response:
            return self.render(page, request)

        return serve

    def render(self, page: str, request: Request) -> Response:
        """The page for this request, with the headers that guard it."""
        asked = request.query_params.get("lang")
        accepted = request.headers.get("accept-language", "")
        locale = choose(self._locales, asked, accepted, self._settings.default_locale)
        body = self._templates.get_template(f"{page}.html").render(
            page=page,
            locale=locale,
            t=locale.text,
            asset=self._assets.url,
            settings=self._settings,
            page_settings=self._page_settings(page, locale, request),
            languages=self._languages(locale, request),
            link=_link(asked, locale),
        )
        answer = HTMLResponse(body, headers={"Content-Language": locale.name})
        return guarded(answer, self._policy)

    def _page_settings(self, page: str, locale: Locale, request: Request) -> str:
        known = {
            "page": page,
            "locale": locale.name,
            "locales": list(self._locales),
            "language_chosen": "lang" in request.query_params,
            "liff_id": self._settings.liff_id,
            "code": request.path_params.get("code", ""),
            "form": request.path_params.get("kind", ""),
            "strings": locale.strings,
        }
        return orjson.dumps(known).decode()

    def _languages(self, current: Locale, request: Request) -> list[dict[str, object]]:
        kept = {key: request.query_params[key] for key in KEPT_QUERY if key in request.query_params}
        return [
            {
                "name": locale.name,
                "label": locale.text("language.name"),
                "current": locale is current,
                "href": f"{request.url.path}?{urlencode({**kept, 'lang': locale.name})}",
            }
            for locale in self._locales.values()
        ]


def page_routes(settings: PageSettings) -> list[BaseRoute]:
    """The routes of every LIFF page and of the files they load, all under `/liff`."""
    assets = Assets(HERE / "static", "/liff/static")
    pages = Pages(settings, assets)
    return [
        Route("/liff/static/{version}/{path:path}", assets.serve, name="liff-static"),
        Route("/liff", pages.endpoint("menu"), name="liff-menu"),
        Route("/liff/", pages.endpoint("menu")),
        Route("/liff/bind", pages.endpoint("bind"), name="liff-bind"),
        Route("/liff/register", pages.endpoint("register"), name="liff-register"),
        Route("/liff/register/{code}", pages.endpoint("register")),
        Route("/liff/repair", pages.endpoint("repair"), name="liff-repair"),
        Route("/liff/requests", pages.endpoint("requests"), name="liff-requests"),
        Route("/liff/forms/{kind}", pages.endpoint("answers"), name="liff-forms"),
    ]


def _link(asked: str | None, locale: Locale) -> Callable[[str], str]:
    """A chosen language stays chosen on the next page; otherwise the address stays plain."""

    def link(path: str) -> str:
        if asked != locale.name:
            return path
        return f"{path}{'&' if '?' in path else '?'}{urlencode({'lang': asked})}"

    return link
