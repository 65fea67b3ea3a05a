"""Who a token belongs to: the identity address and userinfo, with the key sets as recorded."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from simulator.salesforce.errors import Refusal
from simulator.salesforce.ids import SHORT, is_id, long_form
from simulator.salesforce.oauth import bearer
from simulator.salesforce.org import SalesforceOrg
from simulator.salesforce.store import Row

BAD_TOKEN = "Bad_OAuth_Token"
REST_URLS = {
    "rest": "",
    "sobjects": "sobjects/",
    "search": "search/",
    "query": "query/",
    "recent": "recent/",
    "tooling_rest": "tooling/",
}
SOAP_URLS = {"enterprise": "c", "metadata": "m", "partner": "u", "tooling_soap": "T"}
CHATTER_URLS = {
    "feeds": "feeds",
    "groups": "groups",
    "users": "users",
    "feed_items": "feed-items",
    "feed_elements": "feed-elements",
}


def identity_routes(org: SalesforceOrg) -> list[BaseRoute]:
    """The routes that tell who is signed in."""
    endpoints = IdentityEndpoints(org)
    return [
        Route("/services/oauth2/userinfo", endpoints.userinfo, methods=["GET", "POST"]),
        Route("/id/{organization_id}/{user_id}", endpoints.identity, methods=["GET"]),
    ]


class IdentityEndpoints:
    """The two addresses that describe a user."""

    def __init__(self, org: SalesforceOrg) -> None:
        self._org = org

    async def userinfo(self, request: Request) -> Response:
        """`/services/oauth2/userinfo`, in the words of OpenID Connect."""
        user = self._user(request)
        if user is None:
            return Response(BAD_TOKEN, 403, media_type="text/html")
        pictures = self._pictures(request, user)
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
                "given_name": user.get("FirstName"),
                "family_name": user["LastName"],
                "zoneinfo": user["TimeZoneSidKey"],
                "photos": pictures,
                "profile": f"{self._base(request)}/{user['Id']}",
                "picture": pictures["picture"],
                "address": {},
                "urls": self._urls(request, user),
                "active": user["IsActive"],
                "user_type": "STANDARD",
                "language": user["LanguageLocaleKey"],
                "locale": user["LocaleSidKey"],
                "utcOffset": _offset(user),
                "updated_at": user["LastModifiedDate"].replace(".000+0000", "Z"),
            }
        )

    async def identity(self, request: Request) -> Response:
        """The address that a token answer calls `id`."""
        user = self._user(request)
        known = request.path_params
        if user is None or not _same(known["user_id"], user["Id"]):
            return Response(BAD_TOKEN, 403, media_type="text/html")
        if not _same(known["organization_id"], self._org.organization_id):
            return Response("Bad_Id", 404, media_type="text/html")
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
                "photos": self._pictures(request, user),
                "addr_street": None,
                "addr_city": None,
                "addr_state": None,
                "addr_country": None,
                "addr_zip": None,
                "mobile_phone": user.get("MobilePhone"),
                "mobile_phone_verified": False,
                "is_lightning_login_user": False,
                "status": {"created_date": None, "body": None},
                "urls": self._urls(request, user),
                "active": user["IsActive"],
                "user_type": "STANDARD",
                "language": user["LanguageLocaleKey"],
                "locale": user["LocaleSidKey"],
                "utcOffset": _offset(user),
                "last_modified_date": user["LastModifiedDate"].replace(".000+0000", "Z"),
                "is_app_installed": True,
            }
        )

    def _user(self, request: Request) -> Row | None:
        asked = request.query_params
        token = bearer(request.headers) or asked.get("access_token") or asked.get("oauth_token", "")
        try:
            return self._org.user(self._org.accounts.username_of(token))
        except Refusal:
            return None

    def _base(self, request: Request) -> str:
        return self._org.base_url(request.url.scheme)

    def _pictures(self, request: Request, user: Row) -> dict[str, str]:
        folder = f"{self._base(request)}/profilephoto/{user['Id'][:SHORT]}"
        return {"picture": f"{folder}/F", "thumbnail": f"{folder}/T"}

    def _urls(self, request: Request, user: Row) -> dict[str, Any]:
        base, short = self._base(request), self._org.organization_id[:SHORT]
        rest = f"{base}/services/data/v{{version}}/"
        urls = {
            name: f"{base}/services/Soap/{kind}/{{version}}/{short}"
            for name, kind in SOAP_URLS.items()
        }
        urls |= {name: rest + path for name, path in REST_URLS.items()}
        urls |= {name: f"{rest}chatter/{path}" for name, path in CHATTER_URLS.items()}
        return {**urls, "profile": f"{base}/{user['Id']}", "custom_domain": base}


def _same(one: str, other: str) -> bool:
    return is_id(one) and long_form(one) == other


def _offset(user: Row) -> int:
    """Milliseconds from UTC to the user's clock, without daylight saving as the API has it."""
    offset = datetime(2026, 1, 1, tzinfo=ZoneInfo(user["TimeZoneSidKey"])).utcoffset()
    return 0 if offset is None else int(offset.total_seconds() * 1000)
