"""`GET /r/{code}`: what a unit's QR code says. Print stays, LIFF ids may change."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from connector.members import codes
from webhooks.problems import Words
from webhooks.web import Web

_PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title></head><body><main><h1>{title}</h1><p>{text}</p></main></body></html>
"""
_GUARD = {"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff"}


class Redirects:
    """Sends a scanned code to the LIFF page that registers its unit."""

    def __init__(self, web: Web, words: Words) -> None:
        self._base = web.settings.liff_base.rstrip("/")
        self._liff_id = web.accounts[0].liff_id if web.accounts else None
        self._words = words

    async def redirect(self, request: Request) -> Response:
        """302 for whatever has a code's shape; the page tells whether there is such a unit."""
        code = codes.normalise(request.path_params["code"])
        if code is None or self._liff_id is None:
            return self._not_found(request)
        address = f"{self._base}/{self._liff_id}/register/{code}"
        return RedirectResponse(address, 302, {"Referrer-Policy": "no-referrer"})

    def _not_found(self, request: Request) -> Response:
        locale = self._words.locale(request.headers.get("accept-language", ""))
        page = _PAGE.format(
            lang=locale.name,
            title=escape(locale.text("redirect.unknown_title")),
            text=escape(locale.text("redirect.unknown_text")),
        )
        return HTMLResponse(page, 404, {**_GUARD, "Content-Language": locale.name})
