"""Channel access tokens: issue, verify, revoke."""

import hmac

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from simulator.line.access import CHANNEL_TOKEN, channel_token
from simulator.line.accounts import OfficialAccount
from simulator.line.answers import answer, form, oauth_refused
from simulator.line.liff_tokens import liff_token
from simulator.line.platform import Platform
from simulator.line.seals import ExpiredToken, Token

STATELESS_SECONDS = 900
SHORT_LIVED_SECONDS = 30 * 24 * 3600


class OauthApi:
    """The token endpoints; JWT assertions are not offered, as no console registers keys here."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> list[BaseRoute]:
        """The routes under `/oauth2` and `/v2/oauth`."""
        return [
            Route("/oauth2/v3/token", self.issue_stateless, methods=["POST"]),
            Route("/v2/oauth/accessToken", self.issue_short_lived, methods=["POST"]),
            Route("/v2/oauth/verify", self.verify_posted, methods=["POST"]),
            Route("/v2/oauth/revoke", self.revoke, methods=["POST"]),
            Route("/oauth2/v2.1/verify", self.verify_queried, methods=["GET"]),
        ]

    async def issue_stateless(self, request: Request) -> Response:
        """A token of 15 minutes that cannot be revoked."""
        return await self._issue(request, STATELESS_SECONDS)

    async def issue_short_lived(self, request: Request) -> Response:
        """A token of 30 days."""
        return await self._issue(request, SHORT_LIVED_SECONDS)

    async def verify_posted(self, request: Request) -> Response:
        """Facts of a short-lived token."""
        return self._verified((await form(request)).get("access_token", ""))

    async def verify_queried(self, request: Request) -> Response:
        """Facts of a channel access token or of a LIFF access token."""
        return self._verified(request.query_params.get("access_token", ""))

    async def revoke(self, request: Request) -> Response:
        """End a short-lived token; an unknown one is fine too."""
        token = (await form(request)).get("access_token")
        if not token:
            raise oauth_refused(400, "invalid_request", "access_token is required")
        self._platform.world.revoke(token)
        return answer({})

    async def _issue(self, request: Request, lifetime: int) -> Response:
        fields = await form(request)
        if fields.get("grant_type") != "client_credentials":
            raise oauth_refused(400, "unsupported_grant_type", "grant_type is not supported")
        account = self._client(fields.get("client_id", ""), fields.get("client_secret", ""))
        token = self._platform.seal.token(
            CHANNEL_TOKEN, lifetime, oa=account.bot_user_id, channel_id=account.channel_id
        )
        return answer({"token_type": "Bearer", "access_token": token, "expires_in": lifetime})

    def _client(self, client_id: str, client_secret: str) -> OfficialAccount:
        account = self._platform.provider.by_channel(client_id)
        known = "" if account is None else account.channel_secret
        if account is None or not hmac.compare_digest(known.encode(), client_secret.encode()):
            raise oauth_refused(400, "invalid_client", "invalid client_id or client_secret")
        return account

    def _verified(self, token: str) -> Response:
        try:
            opened = self._opened(token)
        except ExpiredToken as problem:
            raise oauth_refused(400, "invalid_request", "access token expired") from problem
        if opened is None:
            raise oauth_refused(400, "invalid_request", "invalid access token")
        facts, left = opened.facts, opened.expires_in
        scope = facts.get("scope", "P CM")
        return answer({"client_id": facts["channel_id"], "expires_in": left, "scope": scope})

    def _opened(self, token: str) -> Token | None:
        return channel_token(self._platform, token) or liff_token(self._platform, token)
