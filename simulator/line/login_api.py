"""LINE Login: ID token verification, keys, profile and friendship of a LIFF access token."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from simulator.line.accounts import OfficialAccount
from simulator.line.answers import answer, bearer, form, oauth_refused, refused
from simulator.line.identity import InvalidIdToken
from simulator.line.liff_tokens import liff_token
from simulator.line.platform import Platform
from simulator.line.seals import ExpiredToken
from simulator.line.world import Friendship, Person


class LoginApi:
    """The endpoints that servers and LIFF pages use to know who someone is."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> list[BaseRoute]:
        """The routes of LINE Login v2.1."""
        return [
            Route("/oauth2/v2.1/verify", self.verify, methods=["POST"]),
            Route("/oauth2/v2.1/certs", self.certs, methods=["GET"]),
            Route("/oauth2/v2.1/userinfo", self.userinfo, methods=["GET", "POST"]),
            Route("/v2/profile", self.profile, methods=["GET"]),
            Route("/friendship/v1/status", self.friendship, methods=["GET"]),
        ]

    async def verify(self, request: Request) -> Response:
        """The claims of an ID token."""
        fields = await form(request)
        token, client_id = fields.get("id_token"), fields.get("client_id")
        if not token or not client_id:
            raise oauth_refused(400, "invalid_request", "id_token and client_id are required")
        try:
            claims = self._platform.identity.verify(
                token, client_id, nonce=fields.get("nonce"), user_id=fields.get("user_id")
            )
        except InvalidIdToken as problem:
            raise oauth_refused(400, "invalid_request", str(problem)) from problem
        return answer(claims)

    async def certs(self, _: Request) -> Response:
        """The keys to check ID tokens with."""
        return answer(self._platform.identity.certs())

    async def userinfo(self, request: Request) -> Response:
        """OpenID Connect user information."""
        _, person = self._holder(request)
        return answer({"sub": person.user_id, "name": person.display_name})

    async def profile(self, request: Request) -> Response:
        """The profile of the token's person."""
        _, person = self._holder(request)
        return answer({"userId": person.user_id, "displayName": person.display_name})

    async def friendship(self, request: Request) -> Response:
        """Whether the token's person is a friend of the linked account."""
        account, person = self._holder(request)
        friendship = self._platform.world.friendship(account.bot_user_id, person.user_id)
        return answer({"friendFlag": friendship is Friendship.FRIEND})

    def _holder(self, request: Request) -> tuple[OfficialAccount, Person]:
        return token_holder(self._platform, request)


def token_holder(platform: Platform, request: Request) -> tuple[OfficialAccount, Person]:
    """Account and person behind the LIFF access token of a request, else LINE's 401."""
    try:
        token = liff_token(platform, bearer(request))
    except ExpiredToken as problem:
        raise refused(401, "The access token expired") from problem
    if token is None:
        raise refused(401, "The access token is invalid")
    account = platform.provider.account(token.facts["oa"])
    person = platform.world.person(token.facts["user_id"])
    if account is None or person is None:
        raise refused(401, "The access token is invalid")
    return account, person
