"""`/services/oauth2` and the identity address (facts section 1)."""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from simulator.salesforce.accounts import IDLE_SECONDS, JWT_BEARER, SignInRefused
from simulator.salesforce.credentials import App
from simulator.salesforce.errors import Refusal
from simulator.salesforce.org import SalesforceOrg

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
SCOPE = "api"
Form = Mapping[str, str]


def oauth_routes(org: SalesforceOrg) -> list[BaseRoute]:
    """The routes of signing in."""
    endpoints = OauthEndpoints(org)
    base = "/services/oauth2"
    return [
        Route(f"{base}/token", endpoints.token, methods=["GET", "POST"]),
        Route(f"{base}/revoke", endpoints.revoke, methods=["GET", "POST"]),
        Route(f"{base}/introspect", endpoints.introspect, methods=["POST"]),
        Route(f"{base}/userinfo", endpoints.userinfo, methods=["GET", "POST"]),
        Route("/id/{organization_id}/{user_id}", endpoints.identity, methods=["GET"]),
    ]


def bearer(headers: Mapping[str, str]) -> str:
    """The token of an Authorization header; `OAuth` is an old spelling of `Bearer`."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in {"bearer", "oauth"} else ""


class OauthEndpoints:
    """Signing in, out, and asking who one is."""

    def __init__(self, org: SalesforceOrg) -> None:
        self._org = org
        self._accounts = org.accounts

    async def token(self, request: Request) -> Response:
        """`POST /services/oauth2/token`."""
        if request.method != "POST":
            return _error(SignInRefused("invalid_request", "must be POST"))
        form = await _form(request)
        try:
            app = self._signed_in(form, request)
        except SignInRefused as refused:
            return _error(refused)
        return JSONResponse(self._answer(app, form, request), headers=NO_STORE)

    async def revoke(self, request: Request) -> Response:
        """`/services/oauth2/revoke`: end a session."""
        token = (await _form(request)).get("token") or request.query_params.get("token", "")
        if not self._accounts.is_open(token):
            return _error(SignInRefused("invalid_token", "invalid token"))
        self._accounts.end_session(token)
        return Response(status_code=200, headers=NO_STORE)

    async def introspect(self, request: Request) -> Response:
        """`POST /services/oauth2/introspect`: whether a token is good, and whose."""
        form = await _form(request)
        try:
            app = self._accounts.app(form.get("client_id", ""))
            self._accounts.check_secret(app, form.get("client_secret", ""))
        except SignInRefused as refused:
            return _error(refused, status=401)
        token = form.get("token", "")
        if not self._accounts.is_open(token):
            return JSONResponse({"active": False}, headers=NO_STORE)
        username, issued = self._accounts.username_of(token), self._accounts.issued_at(token)
        return JSONResponse(
            {
                "active": True,
                "scope": SCOPE,
                "client_id": app.client_id,
                "username": username,
                "sub": self._org.identity_url(username),
                "token_type": "access_token",
                "exp": issued + IDLE_SECONDS,
                "iat": issued,
                "nbf": issued,
            },
            headers=NO_STORE,
        )

    async def userinfo(self, request: Request) -> Response:
        """`/services/oauth2/userinfo`."""
        user = self._user(request)
        if user is None:
            return Response("Bad_OAuth_Token", 403, media_type="text/html")
        return JSONResponse(
            {
                "sub": self._org.identity_url(user["Username"]),
                "user_id": user["Id"],
                "organization_id": self._org.organization_id,
                "preferred_username": user["Username"],
                "nickname": user["CommunityNickname"],
                "name": user["Name"],
                "email": user["Email"],
                "email_verified": True,
                "urls": self._urls(request),
            }
        )

    async def identity(self, request: Request) -> Response:
        """The address that a token answer calls `id`."""
        user = self._user(request)
        wanted = request.path_params["user_id"]
        if user is None or wanted != user["Id"]:
            return Response("Bad_OAuth_Token", 403, media_type="text/html")
        return JSONResponse(
            {
                "id": self._org.identity_url(user["Username"]),
                "asserted_user": True,
                "user_id": user["Id"],
                "organization_id": self._org.organization_id,
                "username": user["Username"],
                "nick_name": user["CommunityNickname"],
                "display_name": user["Name"],
                "email": user["Email"],
                "email_verified": True,
                "first_name": user.get("FirstName"),
                "last_name": user["LastName"],
                "timezone": user["TimeZoneSidKey"],
                "urls": self._urls(request),
                "active": True,
                "user_type": "STANDARD",
                "language": user["LanguageLocaleKey"],
                "locale": user["LocaleSidKey"],
                "last_modified_date": user["LastModifiedDate"].replace(".000+0000", "Z"),
            }
        )

    def _signed_in(self, form: Form, request: Request) -> App:
        grant = form.get("grant_type", "")
        if grant == JWT_BEARER:
            return self._accounts.by_assertion(form.get("assertion", ""), self._org.audiences)
        if grant not in {"client_credentials", "password"}:
            raise SignInRefused("unsupported_grant_type", "grant type not supported")
        client_id, secret = _client(form, request)
        app = self._accounts.app(client_id)
        self._accounts.check_secret(app, secret)
        if grant == "password":
            self._accounts.by_password(app, form.get("username", ""), form.get("password", ""))
        return app

    def _answer(self, app: App, form: Form, request: Request) -> dict[str, str]:
        identity = self._org.identity_url(app.username)
        issued_at = str(int(time.time() * 1000))
        seal = hmac.new(app.client_secret.encode(), (identity + issued_at).encode(), hashlib.sha256)
        answer = {
            "access_token": self._accounts.start_session(app.username),
            "signature": base64.b64encode(seal.digest()).decode(),
            "scope": SCOPE,
            "instance_url": self._instance_url(request),
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued_at,
        }
        if form.get("grant_type") == "client_credentials":
            answer["api_instance_url"] = answer["instance_url"]
        return answer

    def _user(self, request: Request) -> dict[str, Any] | None:
        token = bearer(request.headers) or request.query_params.get("access_token", "")
        try:
            return self._org.user(self._accounts.username_of(token))
        except Refusal:
            return None

    def _instance_url(self, request: Request) -> str:
        return self._org.tls_url if request.url.scheme == "https" else self._org.instance_url

    def _urls(self, request: Request) -> dict[str, str]:
        base = f"{self._instance_url(request)}/services/data/v{{version}}/"
        return {
            "rest": base,
            "sobjects": f"{base}sobjects/",
            "query": f"{base}query/",
            "custom_domain": self._instance_url(request),
        }


async def _form(request: Request) -> dict[str, str]:
    text = (await request.body()).decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True))


def _client(form: Form, request: Request) -> tuple[str, str]:
    """Client id and secret, from the form or from HTTP Basic."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise SignInRefused("invalid_client", "invalid client credentials") from None
    return client_id, secret


def _error(refused: SignInRefused, status: int = 400) -> Response:
    body = {"error": refused.error, "error_description": refused.description}
    return JSONResponse(body, status, headers=NO_STORE)
