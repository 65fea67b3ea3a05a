"""Who calls the Messaging API: channel access tokens and the faults of the rate limiter."""

from starlette.requests import Request

from simulator.line.accounts import OfficialAccount
from simulator.line.answers import EXPIRED, INVALID, bearer, refused
from simulator.line.platform import Platform
from simulator.line.seals import ExpiredToken, Token

CHANNEL_TOKEN = "channel"
RATE_LIMITED = "The API rate limit has been exceeded. Try again later."


def caller(platform: Platform, request: Request) -> OfficialAccount:
    """The account whose channel access token a request carries, else LINE's 401 or 429."""
    token = bearer(request)
    try:
        opened = channel_token(platform, token)
    except ExpiredToken as problem:
        raise refused(401, EXPIRED) from problem
    account = None if opened is None else platform.provider.account(opened.facts["oa"])
    if account is None:
        raise refused(401, INVALID)
    if platform.fault("rate_429", request.method, request.url.path):
        request.state.fault = "rate_429"
        raise refused(429, RATE_LIMITED)
    return account


def channel_token(platform: Platform, token: str) -> Token | None:
    """An opened channel access token, None when it is unknown or revoked."""
    if token in platform.world.state.revoked:
        return None
    return platform.seal.open(token, CHANNEL_TOKEN)
