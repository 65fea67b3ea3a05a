"""Webhook bodies, read tolerantly.

LINE adds event types, properties and values without notice, so nothing but the outer shape
(JSON, a list named `events`) is required; whatever else is missing or odd reads as absent
and stays in `raw`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NoReturn

import orjson

from connector.errors import ConnectorError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Live ids are U + 32 hex (68 characters for module channels); LINE's own samples are looser still.
_USER_ID = re.compile(r"[!-~]{1,100}")


class NotADelivery(ConnectorError):
    """A signed body that is not JSON, or has no list of events."""

    def __init__(self, message: str) -> None:
        super().__init__("not_a_delivery", message)


@dataclass(frozen=True)
class Event:
    """One webhook event; `raw` is all that LINE said, the rest what was understood of it."""

    raw: dict[str, Any]
    type: str
    event_id: str | None
    dedupe_key: str
    mode: str
    at: datetime | None
    source_type: str | None
    user_id: str | None
    reply_token: str | None
    is_redelivery: bool


@dataclass(frozen=True)
class Delivery:
    """One webhook body; `destination` is the bot's user id as LINE states it."""

    destination: str | None
    events: list[Event]


def read_delivery(body: bytes) -> Delivery:
    """The events of a webhook body, or `NotADelivery`."""
    try:
        document = _parsed(body)
    except (ValueError, RecursionError):
        raise NotADelivery("the body is not JSON") from None
    events = document.get("events") if isinstance(document, dict) else None
    if not isinstance(events, list):
        raise NotADelivery("the body has no list named events")
    return Delivery(_text(document, "destination"), [read_event(event) for event in events])


def read_event(raw: object) -> Event:
    """One event as far as it can be understood; anything is accepted."""
    event = raw if isinstance(raw, dict) else {"unreadable": raw}
    source = _part(event, "source")
    event_id = _text(event, "webhookEventId")
    return Event(
        raw=event,
        type=_text(event, "type") or "unknown",
        event_id=event_id,
        dedupe_key=event_id or _fingerprint(event),
        mode=_text(event, "mode") or "active",
        at=_moment(event.get("timestamp")),
        source_type=_text(source, "type"),
        user_id=_user_id(source),
        reply_token=_text(event, "replyToken"),
        is_redelivery=_part(event, "deliveryContext").get("isRedelivery") is True,
    )


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # The quick parser is the stricter one: LINE really sends halves of emoji.
        return json.loads(body, parse_constant=_refuse)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _text(owner: dict[str, Any], name: str) -> str | None:
    value = owner.get(name)
    return value if isinstance(value, str) and value else None


def _part(owner: dict[str, Any], name: str) -> dict[str, Any]:
    value = owner.get(name)
    return value if isinstance(value, dict) else {}


def _user_id(source: dict[str, Any]) -> str | None:
    # In groups and rooms a text belongs to several people, so it never names a person.
    user_id = _text(source, "userId") if source.get("type") == "user" else None
    return user_id if user_id and _USER_ID.fullmatch(user_id) else None


def _moment(milliseconds: object) -> datetime | None:
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


def _fingerprint(event: dict[str, Any]) -> str:
    """SHA-256, hexadecimal, of the event as JSON with sorted names and no spaces."""
    canonical = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()
