"""`POST /webhooks/line`: verify the signature on raw bytes, store every event, answer 200."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from connector.line.accounts import OfficialAccount
from connector.line.events import NotADelivery, read_delivery
from connector.line.signature import signed_by
from webhooks.bodies import TooLarge, read_at_most, size_at_most
from webhooks.group_commit import GroupCommit
from webhooks.room import Room

MOST_BYTES = 2 * 1024 * 1024
ROOM_BYTES = 16 * 1024 * 1024  # some 20,000 deliveries of one event
_WAIT = {"Retry-After": "1"}


class Receiver:
    """Accepts LINE's deliveries; the checks come in a fixed order."""

    def __init__(self, accounts: tuple[OfficialAccount, ...], group: GroupCommit) -> None:
        self._accounts = accounts
        self._group = group
        self._room = Room(ROOM_BYTES)

    async def receive(self, request: Request) -> Response:
        """413 too long, 401 signed by no known secret, 400 not a delivery, else 200 once stored."""
        async with self._room.of(size_at_most(request, MOST_BYTES)):
            return await self._receive(request)

    async def _receive(self, request: Request) -> Response:
        try:
            body = await read_at_most(request, MOST_BYTES)
        except TooLarge:
            return Response(status_code=413)
        except ClientDisconnect:
            return Response(status_code=400)
        account = signed_by(self._accounts, body, request.headers.get("x-line-signature", ""))
        if account is None:
            return Response(status_code=401)
        try:
            delivery = read_delivery(body)
        except NotADelivery:
            return Response(status_code=400)
        if delivery.events:
            try:
                await self._group.store(account, delivery)
            except Exception:  # noqa: BLE001 - logged where it arose; LINE may deliver again
                return Response(status_code=503, headers=_WAIT)
        return Response(b"{}", media_type="application/json")
