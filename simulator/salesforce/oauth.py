"""`/services/oauth2`: the flows that give tokens, and what may be asked of tokens (facts 1)."""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from simulator.salesforce.accounts import JWT_BEARER, SignInRefused
from simulator.salesforce.credentials import App
from simulator.salesforce.org import SalesforceOrg

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
SCOPE, LASTING_SCOPE = "api", "refresh_token web api"
CLIENT_CREDENTIALS, PASSWORD = "client_credentials", "password"
AUTHORIZATION_CODE, REFRESH_TOKEN = "authorization_code", "refresh_token"
SECRET_GRANTS = frozenset({CLIENT_CREDENTIALS, PASSWORD, AUTHORIZATION_CODE})
Form = Mapping[str, str]


def oauth_routes(org: SalesforceOrg) -> list[BaseRoute]:
    """The routes of signing in and out."""
    endpoints = OauthEndpoints(org)
    base = "/services/oauth2"
    return [
        Route(f"{base}/token", endpoints.token, methods=["GET", "POST"]),
        Route(f"{base}/revoke", endpoints.revoke, methods=["GET", "POST"]),
        Route(f"{base}/introspect", endpoints.introspect, methods=["POST"]),
    ]


def bearer(headers: Mapping[str, str]) -> str:
    """The token of an Authorization header; `OAuth` is an old spelling of `Bearer`."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in {"bearer", "oauth"} else ""


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form-encoded body."""
    text = (await request.body()).decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True))


class OauthEndpoints:
    """Tokens: given, ended, looked into."""

    def __init__(self, org: SalesforceOrg) -> None:
        self._org = org
        self._accounts = org.accounts

    async def token(self, request: Request) -> Response:
        """`POST /services/oauth2/token`."""
        if request.method != "POST":
            return _error(SignInRefused("invalid_request", "must be POST"))
        form = await form_of(request)
        try:
            answer = self._granted(form, request)
        except SignInRefused as refused:
            return _error(refused)
        return JSONResponse(answer, headers=NO_STORE)

    async def revoke(self, request: Request) -> Response:
        """`/services/oauth2/revoke`: end a session, or what a refresh token allows."""
        token = (await form_of(request)).get("token") or request.query_params.get("token", "")
        if self._org.grants.owner(token) is not None:
            self._org.grants.end(token)
        elif self._accounts.is_open(token):
            self._accounts.end_session(token)
        else:
            return _error(
                SignInRefused("unsupported_token_type", "this token type is not supported")
            )
        return Response(status_code=200, headers=NO_STORE)

    async def introspect(self, request: Request) -> Response:
        """`POST /services/oauth2/introspect`: whether a token is good, and whose."""
        form = await form_of(request)
        client_id, secret = _client(form, request)
        try:
            app = self._accounts.app(client_id)
            self._accounts.check_secret(app, secret)
        except SignInRefused as refused:
            return _error(refused, status=401)
        return JSONResponse(self._inside(app, form.get("token", "")), headers=NO_STORE)

    def _inside(self, app: App, token: str) -> dict[str, object]:
        owner = self._org.grants.owner(token)
        if owner is not None:
            client_id, username = owner
            known: dict[str, object] = {"token_type": "refresh_token", "scope": LASTING_SCOPE}
        elif self._accounts.is_open(token):
            client_id, username = app.client_id, self._accounts.username_of(token)
            issued = self._accounts.issued_at(token)
            ends = issued + self._accounts.switches.session_seconds
            known = {"token_type": "access_token", "scope": SCOPE}
            known |= {"exp": ends, "iat": issued, "nbf": issued}
        else:
            return {"active": False}
        whose = {"client_id": client_id, "username": username}
        return {"active": True, **whose, "sub": self._org.identity_url(username), **known}

    def _granted(self, form: Form, request: Request) -> dict[str, str]:
        grant = form.get("grant_type", "")
        if grant == JWT_BEARER:
            app = self._accounts.by_assertion(form.get("assertion", ""), self._org.audiences)
            return self._answer(app, app.username, request)
        if grant not in SECRET_GRANTS | {REFRESH_TOKEN}:
            raise SignInRefused("unsupported_grant_type", "grant type not supported")
        client_id, secret = _client(form, request)
        app = self._accounts.app(client_id)
        if secret or grant in SECRET_GRANTS:
            self._accounts.check_secret(app, secret)
        if grant == REFRESH_TOKEN:
            return self._refreshed(app, form, request)
        if grant == AUTHORIZATION_CODE:
            return self._redeemed(app, form, request)
        if grant == PASSWORD:
            self._accounts.by_password(app, form.get("username", ""), form.get("password", ""))
        answer = self._answer(app, app.username, request)
        if grant == CLIENT_CREDENTIALS:
            answer["api_instance_url"] = answer["instance_url"]
        return answer

    def _redeemed(self, app: App, form: Form, request: Request) -> dict[str, str]:
        code, place = form.get("code", ""), form.get("redirect_uri", "")
        username = self._org.grants.redeem(app, code, place, form.get("code_verifier", ""))
        answer = self._answer(app, username, request)
        refresh_token = self._org.grants.refresh_token(app, username)
        return {**answer, "refresh_token": refresh_token, "scope": LASTING_SCOPE}

    def _refreshed(self, app: App, form: Form, request: Request) -> dict[str, str]:
        username, following = self._org.grants.refresh(app, form.get("refresh_token", ""))
        answer = {**self._answer(app, username, request), "scope": LASTING_SCOPE}
        return answer if following is None else {**answer, "refresh_token": following}

    def _answer(self, app: App, username: str, request: Request) -> dict[str, str]:
        identity = self._org.identity_url(username)
        issued_at = str(int(time.time() * 1000))
        seal = hmac.new(app.client_secret.encode(), (identity + issued_at).encode(), hashlib.sha256)
        return {
            "access_token": self._accounts.start_session(username),
            "signature": base64.b64encode(seal.digest()).decode(),
            "scope": SCOPE,
            "instance_url": self._org.base_url(request.url.scheme),
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued_at,
        }


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
