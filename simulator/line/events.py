"""Webhook events as LINE writes them, from what the control endpoint was told."""

from dataclasses import dataclass
from typing import Any

from simulator.line import ids
from simulator.line.accounts import OfficialAccount
from simulator.line.world import Friendship, World

REPLIABLE = frozenset(
    {
        "accountLink",
        "beacon",
        "follow",
        "join",
        "memberJoined",
        "membership",
        "message",
        "messageEdited",
        "postback",
        "videoPlayComplete",
    }
)
CONTROLS = frozenset(
    {"type", "text", "data", "params", "display_text", "message_id", "message", "oa"}
    | {"duplicate", "delay_ms", "is_redelivery", "mode"}
)
QUOTABLE = frozenset({"image", "sticker", "text", "video"})
MEDIA = frozenset({"audio", "image", "video"})


class InvalidEvent(ValueError):
    """The event asked for cannot be made (HTTP 422)."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One event to send, checked: its LINE properties and how to deliver it (`delay_ms` ms)."""

    type: str
    properties: dict[str, Any]
    display_text: str | None
    oa: str | None
    duplicate: bool
    delay_ms: int
    is_redelivery: bool
    mode: str


def wanted(body: Any) -> Wanted:
    """The event a control call asks for, or `InvalidEvent`."""
    if not isinstance(body, dict) or not isinstance(body.get("type"), str):
        raise InvalidEvent("an event is a JSON object with a type")
    mode = body.get("mode", "active")
    if mode not in ("active", "standby"):
        raise InvalidEvent("mode must be active or standby")
    delay = body.get("delay_ms", 0)
    if isinstance(delay, bool) or not isinstance(delay, int) or delay < 0:
        raise InvalidEvent("delay_ms must be a whole number of at least 0")
    return Wanted(
        type=body["type"],
        properties=_properties(body),
        display_text=body.get("display_text"),
        oa=body.get("oa"),
        duplicate=bool(body.get("duplicate", False)),
        delay_ms=delay,
        is_redelivery=bool(body.get("is_redelivery", False)),
        mode=mode,
    )


def _properties(body: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in body.items() if name not in CONTROLS}
    make = MAKE.get(body["type"])
    return {**(make(body) if make else {}), **given}


def _message(body: dict[str, Any]) -> dict[str, Any]:
    if "message" in body:
        message = body["message"]
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise InvalidEvent("message must be an object with a type")
        return {"message": message}
    if not isinstance(body.get("text"), str):
        raise InvalidEvent("a message needs text, or message as LINE sends it")
    return {"message": {"type": "text", "text": body["text"]}}


def _postback(body: dict[str, Any]) -> dict[str, Any]:
    if "postback" in body:
        return {}
    if not isinstance(body.get("data"), str):
        raise InvalidEvent("a postback needs data")
    postback = {"data": body["data"]}
    if body.get("params") is not None:
        postback["params"] = body["params"]
    return {"postback": postback}


def _unsend(body: dict[str, Any]) -> dict[str, Any]:
    if "unsend" in body:
        return {}
    if not isinstance(body.get("message_id"), str):
        raise InvalidEvent("unsend needs message_id")
    return {"unsend": {"messageId": body["message_id"]}}


MAKE = {
    "message": _message,
    "messageEdited": _message,
    "postback": _postback,
    "unsend": _unsend,
}


def happen(world: World, account: OfficialAccount, user_id: str, event: Wanted) -> dict[str, Any]:
    """Let the event happen in the world and give it as LINE would send it."""
    oa = account.bot_user_id
    written = {"type": event.type, **_lived(world, oa, user_id, event)}
    written["webhookEventId"] = ids.webhook_event_id()
    written["deliveryContext"] = {"isRedelivery": event.is_redelivery}
    written["timestamp"] = ids.milliseconds()
    if not _failed_link(written):
        written.setdefault("source", {"type": "user", "userId": user_id})
        if event.type in REPLIABLE and event.mode == "active":
            written["replyToken"] = ids.reply_token()
    written["mode"] = event.mode
    return written


def _failed_link(written: dict[str, Any]) -> bool:
    link = written.get("link")
    return (
        written["type"] == "accountLink" and isinstance(link, dict) and link.get("result") != "ok"
    )


def _lived(world: World, oa: str, user_id: str, event: Wanted) -> dict[str, Any]:
    properties = dict(event.properties)
    if event.type == "follow":
        was = world.friendship(oa, user_id)
        properties.setdefault("follow", {"isUnblocked": was is Friendship.BLOCKED})
        world.befriend(oa, user_id, Friendship.FRIEND)
    elif event.type == "unfollow":
        world.befriend(oa, user_id, Friendship.BLOCKED)
    elif event.type == "message":
        properties["message"] = _spoken(properties["message"])
        world.show(oa, user_id, "in", "webhook", properties["message"])
        world.wrote(oa, user_id)
    elif event.type == "postback" and event.display_text:
        world.show(oa, user_id, "in", "note", {"type": "text", "text": event.display_text})
    elif event.type == "unsend":
        world.unsend(oa, user_id, properties["unsend"]["messageId"])
    return properties


def _spoken(message: dict[str, Any]) -> dict[str, Any]:
    spoken = {"type": message["type"], "id": ids.message_id(), **message}
    if message["type"] in QUOTABLE:
        spoken.setdefault("quoteToken", ids.long_token())
    if message["type"] in MEDIA:
        spoken.setdefault("contentProvider", {"type": "line"})
    spoken.setdefault("markAsReadToken", ids.long_token())
    return spoken
