"""The pages for people: templates, texts in three languages, and their assets."""

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from simulator.line.answers import refused
from simulator.line.world import Person

FOLDER = Path(__file__).parent
LOCALES = {"zh-TW": "繁體中文", "en": "English", "ja": "日本語"}
DEFAULT_LOCALE = "zh-TW"
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
POLICY = (
    "default-src 'self'; img-src * data:; media-src *; frame-src *; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)


class Pages:
    """Renders the phone and the small page that asks who one is."""

    def __init__(self) -> None:
        loader = jinja2.FileSystemLoader(FOLDER / "page")
        self._templates = jinja2.Environment(loader=loader, autoescape=True)
        self._assets = {
            path.name: path.read_bytes()
            for path in sorted((FOLDER / "page").iterdir())
            if path.suffix in MEDIA_TYPES
        }

    @cached_property
    def _texts(self) -> dict[str, dict[str, str]]:
        return {
            locale: json.loads((FOLDER / "locales" / f"{locale}.json").read_bytes())
            for locale in LOCALES
        }

    @cached_property
    def _version(self) -> str:
        return hashlib.sha256(b"".join(self._assets.values())).hexdigest()[:12]

    def phone(self, request: Request, facts: dict[str, Any]) -> Response:
        """The phone; `facts` is what its script must know at the start."""
        return self._page(request, "phone.html", facts=facts)

    def choose(self, request: Request, people: list[Person]) -> Response:
        """Ask which simulated person opens a LIFF page; each link is this address with `user`."""
        given = [pair for pair in request.query_params.multi_items() if pair[0] != "user"]
        links = [
            (person.display_name, f"?{urlencode([*given, ('user', person.user_id)])}")
            for person in people
        ]
        return self._page(request, "choose.html", links=links)

    def asset(self, request: Request, name: str) -> Response:
        """A script or style sheet; an address with the version is good for a year."""
        if name not in self._assets:
            raise refused(404, "Not found")
        versioned = request.query_params.get("v") == self._version
        caching = "public, max-age=31536000, immutable" if versioned else "no-cache"
        kind = MEDIA_TYPES[Path(name).suffix]
        return Response(self._assets[name], headers={"cache-control": caching}, media_type=kind)

    def _page(self, request: Request, template: str, **values: Any) -> Response:
        locale = request.query_params.get("lang", DEFAULT_LOCALE)
        locale = locale if locale in LOCALES else DEFAULT_LOCALE
        html = self._templates.get_template(template).render(
            t=self._texts[locale], locale=locale, locales=LOCALES, version=self._version, **values
        )
        headers = {"content-security-policy": POLICY, "cache-control": "no-store"}
        return HTMLResponse(html, headers=headers)
