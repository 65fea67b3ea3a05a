"""A stand-in for an SMS gateway: takes text messages and shows them on the phone."""

import hmac
import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from simulator.line.answers import answer, bearer, json_object, refused
from simulator.line.platform import Platform

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
TEXT_LENGTH = 1000


class SmsApi:
    """`POST /sms/v1/messages` with the gateway's own bearer token."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> list[BaseRoute]:
        """The one route of the gateway."""
        return [Route("/sms/v1/messages", self.send, methods=["POST"])]

    async def send(self, request: Request) -> Response:
        """Accept a text message for one phone number (E.164)."""
        expected = self._platform.provider.sms_token
        if not hmac.compare_digest(bearer(request).encode(), expected.encode()):
            raise refused(401, "Unknown token")
        body = await json_object(request)
        to, text = body.get("to"), body.get("text")
        if not isinstance(to, str) or not E164.fullmatch(to):
            raise refused(400, "to must be an E.164 phone number")
        if not isinstance(text, str) or not 1 <= len(text) <= TEXT_LENGTH:
            raise refused(400, f"text must have 1 to {TEXT_LENGTH} characters")
        return answer({"message_id": f"sms-{self._platform.world.add_sms(to, text)}"}, 202)
