"""Message objects: the checks LINE makes before it accepts them."""

from collections.abc import Callable
from typing import Any

from simulator.line.actions import QUICK_REPLY, check_action
from simulator.line.flex import check_flex
from simulator.line.problems import REQUIRED, Problems
from simulator.line.templates import check_template

MOST_MESSAGES = 5
TEXT_LENGTH = 5000
QUICK_REPLIES = 13
SENDER_NAME = 20
PLACE_LENGTH = 100
TRACKING_LENGTH = 100


def check_messages(body: dict[str, Any]) -> Problems:
    """Everything wrong with the `messages` of a request body."""
    problems = Problems()
    for where, message in problems.objects(body, "messages", "", 1, MOST_MESSAGES):
        kind = problems.one_of(message, "type", where, tuple(CHECKS))
        if kind is not None:
            CHECKS[kind](problems, message, where)
            _common(problems, message, where)
    return problems


def _common(problems: Problems, message: dict[str, Any], where: str) -> None:
    quick = message.get("quickReply")
    if isinstance(quick, dict):
        place = f"{where}.quickReply"
        for at, item in problems.objects(quick, "items", place, 1, QUICK_REPLIES):
            check_action(problems, item.get("action"), f"{at}.action", kinds=QUICK_REPLY)
            problems.media_url(item, "imageUrl", at, required=False)
    sender = message.get("sender")
    if isinstance(sender, dict):
        problems.text(sender, "name", f"{where}.sender", SENDER_NAME, required=False)
        problems.media_url(sender, "iconUrl", f"{where}.sender", required=False)


def _text(problems: Problems, message: dict[str, Any], where: str) -> None:
    problems.text(message, "text", where, TEXT_LENGTH)


def _sticker(problems: Problems, message: dict[str, Any], where: str) -> None:
    for name in ("packageId", "stickerId"):
        problems.text(message, name, where, TEXT_LENGTH)


def _image(problems: Problems, message: dict[str, Any], where: str) -> None:
    problems.media_url(message, "originalContentUrl", where)
    problems.media_url(message, "previewImageUrl", where)


def _video(problems: Problems, message: dict[str, Any], where: str) -> None:
    _image(problems, message, where)
    problems.text(message, "trackingId", where, TRACKING_LENGTH, required=False)


def _audio(problems: Problems, message: dict[str, Any], where: str) -> None:
    problems.media_url(message, "originalContentUrl", where)
    if not isinstance(message.get("duration"), int):
        problems.add(f"{where}.duration", REQUIRED)


def _location(problems: Problems, message: dict[str, Any], where: str) -> None:
    for name in ("title", "address"):
        problems.text(message, name, where, PLACE_LENGTH)
    for name in ("latitude", "longitude"):
        if not isinstance(message.get(name), int | float):
            problems.add(f"{where}.{name}", REQUIRED)


def _imagemap(problems: Problems, message: dict[str, Any], where: str) -> None:
    problems.text(message, "altText", where, 1500)
    problems.media_url(message, "baseUrl", where)
    problems.objects(message, "actions", where, 0, 50)


CHECKS: dict[str, Callable[[Problems, dict[str, Any], str], None]] = {
    "text": _text,
    "textV2": _text,
    "sticker": _sticker,
    "image": _image,
    "video": _video,
    "audio": _audio,
    "location": _location,
    "imagemap": _imagemap,
    "template": check_template,
    "flex": check_flex,
}
