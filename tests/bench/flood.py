"""Webhooks in great number: signed deliveries of one event each, over connections that are kept open.

The deliveries are made before the clock starts, and the answers are only looked at for their status: on two
cores every microsecond of the sender is taken from the server.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import uvloop

CONNECTIONS = 64
USERS = 500
OK = b"HTTP/1.1 200"


@dataclass(frozen=True)
class Sent:
    """How a flood went."""

    seconds: float
    latencies: Sequence[float]  # seconds, of each request, from the moment at which it was due

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies) / self.seconds


def deliveries(url: str, account: dict[str, Any], count: int) -> list[bytes]:
    """So many different deliveries, as they go over the wire."""
    return [_request(url, account, number) for number in range(count)]


def _request(url: str, account: dict[str, Any], number: int) -> bytes:
    event = {
        "type": "message",
        "webhookEventId": uuid4().hex[:26].upper(),
        "deliveryContext": {"isRedelivery": False},
        "timestamp": int(time.time() * 1000),
        "mode": "active",
        "replyToken": uuid4().hex,
        "source": {"type": "user", "userId": f"U{number % USERS:032x}"},
        "message": {
            "type": "text",
            "id": str(10**17 + number),
            "text": "冷氣不冷了，請問什麼時候可以來看？",
        },
    }
    content = {"destination": account["bot_user_id"], "events": [event]}
    body = json.dumps(content, ensure_ascii=False).encode()
    seal = base64.b64encode(hmac.digest(account["channel_secret"].encode(), body, "sha256"))
    head = (
        f"POST /webhooks/line HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"x-line-signature: {seal.decode()}\r\n\r\n"
    )
    return head.encode() + body


def pour(url: str, wire: Sequence[bytes], a_second: float | None = None) -> Sent:
    """Send all: as fast as they are answered, or so many a second whether they are answered or not."""
    return uvloop.run(_Flood(url, wire, a_second).run())


@dataclass
class _Flood:
    url: str
    wire: Sequence[bytes]
    a_second: float | None
    latencies: list[float] = field(default_factory=list)
    began: float = 0.0

    async def run(self) -> Sent:
        place = urlsplit(self.url)
        streams = [
            await asyncio.open_connection(place.hostname, place.port) for _ in range(CONNECTIONS)
        ]
        self.began = time.perf_counter()
        order = iter(enumerate(self.wire))
        await asyncio.gather(*(self._one(order, *each) for each in streams))
        seconds = time.perf_counter() - self.began
        for _, writer in streams:
            writer.close()
        return Sent(seconds, self.latencies)

    async def _one(
        self,
        order: Iterator[tuple[int, bytes]],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        for number, request in order:
            due = time.perf_counter()
            if self.a_second:
                # late ones are sent at once and count from when they were due
                due = self.began + number / self.a_second
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(request)
            await _answered(reader)
            self.latencies.append(time.perf_counter() - due)


async def _answered(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(OK), head
    length = next(
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length")
    )
    await reader.readexactly(length)
