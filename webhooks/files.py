"""`POST /liff/api/files`: one picture, kept until a form names it."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from tempfile import TemporaryFile

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connector.domain.changes import Change
from connector.domain.values import Value
from connector.members import files
from connector.members.refusals import FieldProblem, Refused
from connector.store.tables import Person
from webhooks.bodies import ClientDisconnect, TooLarge, spool_at_most
from webhooks.calls import Call, Calls
from webhooks.multipart import NotMultipart, Part, part_of
from webhooks.problems import Answer, Problem
from webhooks.room import Room
from webhooks.submissions import Submissions
from webhooks.web import Web

_FIELD = "file"
_ENVELOPE = 64 * 1024  # of the multipart form around it
_MOST_BYTES = files.MOST_BYTES + _ENVELOPE
_COPIES = 5  # of a body at once: as it came, taken out, cleaned, on its way to the database
ROOM_BYTES = _COPIES * 2 * _MOST_BYTES
_SECONDS = 120  # for a body to arrive: 10 MB at less than 1 Mbit/s


class Files:
    """Takes uploads, as many at a time as there is room for."""

    def __init__(self, web: Web, calls: Calls, submissions: Submissions) -> None:
        self._web = web
        self._calls = calls
        self._submissions = submissions
        self._room = Room(ROOM_BYTES)

    def route(self) -> Route:
        """The call."""
        return Route("/liff/api/files", self.serve, methods=["POST"])

    async def serve(self, request: Request) -> Response:
        """Nothing of a body is read before its sender is known.

        It comes in through a file on disk: senders on a slow line keep nobody out of the room.
        """
        refused = await self._calls.stranger(request)
        if refused is not None:
            return refused
        with TemporaryFile() as spool:
            try:
                async with asyncio.timeout(_SECONDS):
                    size = await spool_at_most(request, _MOST_BYTES, spool)
            except TooLarge:
                return await self._calls.answer(request, self.upload, Problem("too_large"))
            except TimeoutError:
                return await self._calls.answer(request, self.upload, Problem("try_later"))
            except ClientDisconnect:
                return Response(status_code=400)
            async with self._room.of(_COPIES * size):
                spool.seek(0)
                return await self._calls.answer(request, self.upload, spool.read(), read_form)

    def upload(self, call: Call) -> Answer:
        """Keep one picture without its metadata."""
        part = call.upload or Part(None, b"")
        taken = files.read(part.filename, part.content)

        def act(session: Session, person: Person) -> tuple[Answer, list[Change]]:
            kept = files.keep(session, person, taken, self._web.clock(), self._web.limits)
            told: dict[str, Value] = {
                "file_id": str(kept.id),
                "name": kept.name,
                "content_type": kept.content_type,
                "size": kept.size,
            }
            return Answer(201, told), []

        body = {"content_type": taken.content_type, "size": len(taken.content)}
        return self._submissions.accept(call, "files", body, act)


def read_form(request: Request, body: bytes) -> tuple[dict[str, object], Part | None]:
    """What an upload asks for, in a form whose fingerprint tells one picture from another."""
    try:
        part = part_of(body, request.headers.get("content-type", ""), _FIELD)
    except NotMultipart:
        raise Refused("invalid", [FieldProblem(_FIELD, "required")]) from None
    if part is not None and len(part.content) > files.MOST_BYTES:
        raise Problem("too_large")
    content = part.content if part is not None else b""
    return {"name": part and part.filename, "sha256": sha256(content).hexdigest()}, part
