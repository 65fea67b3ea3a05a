"""Webhook delivery: signs a body, posts it, and says what came back within two seconds."""

import asyncio
import base64
import hmac
import ssl
import time
from collections import defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

from simulator.line.accounts import OfficialAccount
from simulator.line.platform import Platform

TIMEOUT_SECONDS = 2.0
# How long a held delivery waits for another one to overtake it.
OVERTAKE_SECONDS = 2.0
STATUS_LINE_PARTS = 2


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one attempt brought: the status (None: no answer), milliseconds, LINE's reason."""

    status: int | None
    ms: int
    reason: str

    def to_json(self) -> dict[str, Any]:
        """The attempt as the control endpoint shows it."""
        return {"status": self.status, "ms": self.ms}


def signature(secret: str, body: bytes) -> str:
    """The `x-line-signature` of a body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


async def post(url: str, account: OfficialAccount, body: bytes) -> Delivery:
    """Post a signed webhook body once."""
    started = time.perf_counter()
    status: int | None = None
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            status = await _exchange(url, body, signature(account.channel_secret, body))
        reason = "OK" if 200 <= status < 300 else "ERROR_STATUS_CODE"
    except TimeoutError:
        reason = "REQUEST_TIMEOUT"
    except OSError:
        reason = "COULD_NOT_CONNECT"
    except (ValueError, EOFError):
        reason = "UNCLASSIFIED"
    return Delivery(status, round((time.perf_counter() - started) * 1000), reason)


async def _exchange(url: str, body: bytes, signed: str) -> int:
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("the webhook URL has no host")
    tls = ssl.create_default_context() if parts.scheme == "https" else None
    port = parts.port or (443 if tls else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=tls)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        head = (
            f"POST {target} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            "Content-Type: application/json; charset=utf-8\r\nUser-Agent: LineBotWebhook/2.0\r\n"
            f"x-line-signature: {signed}\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)
        line = (await reader.readuntil(b"\r\n")).split(None, STATUS_LINE_PARTS)
        return int(line[1])
    finally:
        writer.close()


class Courier:
    """Carries events to webhooks; those of one person keep their order."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._overtaken: dict[str, asyncio.Event] = {}
        self._later: set[asyncio.Task[None]] = set()

    async def deliver(
        self,
        account: OfficialAccount,
        user_id: str,
        event: dict[str, Any],
        *,
        duplicate: bool = False,
        delay_ms: int = 0,
    ) -> list[Delivery] | None:
        """Deliver an event now, or later (None) when delayed or held back by `reorder`."""
        path = urlsplit(self._platform.webhook_url(account)).path
        if delay_ms:
            self._start(self._after(delay_ms / 1000, account, user_id, event, duplicate=duplicate))
            return None
        held = user_id in self._overtaken
        if not held and self._platform.fault("reorder", "POST", path):
            self._start(self._overtake(account, user_id, event, duplicate=duplicate))
            return None
        return await self._in_turn(account, user_id, event, duplicate=duplicate)

    def deliver_soon(self, account: OfficialAccount, user_id: str, event: dict[str, Any]) -> None:
        """Deliver an event in its person's turn without making the caller wait."""
        self._start(self._after(0, account, user_id, event, duplicate=False))

    async def probe(self, account: OfficialAccount, url: str) -> Delivery:
        """Send a body without events, as the console's verify button does."""
        return await post(url, account, _body(account, []))

    def forget(self) -> None:
        """Drop what has not been delivered yet."""
        for task in self._later:
            task.cancel()
        self._overtaken.clear()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _after(
        self,
        seconds: float,
        account: OfficialAccount,
        user_id: str,
        event: dict[str, Any],
        *,
        duplicate: bool,
    ) -> None:
        await asyncio.sleep(seconds)
        await self._in_turn(account, user_id, event, duplicate=duplicate)

    async def _overtake(
        self, account: OfficialAccount, user_id: str, event: dict[str, Any], *, duplicate: bool
    ) -> None:
        passed = self._overtaken.setdefault(user_id, asyncio.Event())
        try:
            async with asyncio.timeout(OVERTAKE_SECONDS):
                await passed.wait()
        except TimeoutError:
            self._overtaken.pop(user_id, None)
        await self._in_turn(account, user_id, event, duplicate=duplicate)

    async def _in_turn(
        self, account: OfficialAccount, user_id: str, event: dict[str, Any], *, duplicate: bool
    ) -> list[Delivery]:
        async with self._turns[user_id]:
            deliveries = await self._attempts(account, user_id, event, duplicate=duplicate)
        passed = self._overtaken.pop(user_id, None)
        if passed is not None:
            passed.set()
        return deliveries

    async def _attempts(
        self, account: OfficialAccount, user_id: str, event: dict[str, Any], *, duplicate: bool
    ) -> list[Delivery]:
        url = self._platform.webhook_url(account)
        events = [event, event] if duplicate else [event]
        if self._platform.fault("redeliver", "POST", urlsplit(url).path):
            events.append({**event, "deliveryContext": {"isRedelivery": True}})
        deliveries = []
        for one in events:
            if token := one.get("replyToken"):
                self._platform.world.give_reply_token(
                    token, account.bot_user_id, user_id, one["timestamp"]
                )
            deliveries.append(await post(url, account, _body(account, [one])))
        return deliveries


def _body(account: OfficialAccount, events: list[dict[str, Any]]) -> bytes:
    return orjson.dumps({"destination": account.bot_user_id, "events": events})
