"""What LINE takes as a message: the limits of the message objects the templates use.

Source: LINE Messaging API reference, "Message objects" and "Action objects".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

Step: TypeAlias = str | int
Found: TypeAlias = tuple[str, tuple[Step, ...]]

_TEXT = 5_000
_ALT_TEXT = 400
_LABEL = 20
_FLEX_LABEL = 40
_POSTBACK = 300
_URI = 1_000
_QUICK_REPLIES = 13
_TEMPLATES: Mapping[str, Mapping[str, int]] = {
    "buttons": {"title": 40, "text": 160, "actions": 4},
    "confirm": {"text": 240, "actions": 2},
}
_TEXT_BESIDE_TITLE = 60
_TYPES = frozenset(
    {
        "text",
        "textV2",
        "sticker",
        "image",
        "video",
        "audio",
        "location",
        "imagemap",
        "template",
        "flex",
    }
)
_ACTION_TYPES = frozenset(
    {
        "postback",
        "message",
        "uri",
        "datetimepicker",
        "camera",
        "cameraRoll",
        "location",
        "clipboard",
    }
)
_SCHEMES = ("http://", "https://", "line://", "tel:")


def message_problems(messages: Sequence[Any]) -> Iterator[Found]:
    """What LINE would refuse, each with the path of the part."""
    for at, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("type") not in _TYPES:
            yield f"a message needs a type: {', '.join(sorted(_TYPES))}", (at,)
            continue
        yield from _message(message, (at,))
        in_flex = message["type"] == "flex"
        yield from _actions(message, (at,), _FLEX_LABEL if in_flex else _LABEL)


def units(text: str) -> int:
    """The length in UTF-16 units, as LINE counts texts."""
    return len(text.encode("utf-16-le")) // 2


def graphemes(text: str) -> int:
    """The number of letters a person sees, as LINE counts labels."""
    count, joined, flags = 0, False, 0
    for letter in text:
        flag = 0x1F1E6 <= ord(letter) <= 0x1F1FF
        flags = flags + 1 if flag else 0
        second_of_flag = flag and flags % 2 == 0
        if not (joined or second_of_flag or _extends(letter)):
            count += 1
        joined = letter == "\u200d"
    return count


def _extends(letter: str) -> bool:
    tone = 0x1F3FB <= ord(letter) <= 0x1F3FF
    return tone or letter in "\u200d\ufe0e\ufe0f\u20e3" or unicodedata.combining(letter) != 0


def _message(message: Mapping[str, Any], path: tuple[Step, ...]) -> Iterator[Found]:
    if message["type"] in ("text", "textV2"):
        yield from _text(message, "text", _TEXT, path)
    if message["type"] in ("template", "flex", "imagemap"):
        yield from _text(message, "altText", _ALT_TEXT, path)
    if message["type"] == "template":
        yield from _template(message.get("template"), (*path, "template"))
    replies = message.get("quickReply")
    if isinstance(replies, dict) and len(replies.get("items") or ()) > _QUICK_REPLIES:
        yield f"at most {_QUICK_REPLIES} quick replies", (*path, "quickReply")


def _template(template: Any, path: tuple[Step, ...]) -> Iterator[Found]:
    if not isinstance(template, dict) or "type" not in template:
        yield "a template message needs a template with a type", path
        return
    limits = _TEMPLATES.get(template["type"])
    if limits is None:
        return
    beside = template["type"] == "buttons" and (
        "title" in template or "thumbnailImageUrl" in template
    )
    yield from _text(template, "text", _TEXT_BESIDE_TITLE if beside else limits["text"], path)
    if "title" in template:
        yield from _text(template, "title", limits.get("title", 0), path)
    actions = template.get("actions")
    if not isinstance(actions, list) or not 1 <= len(actions) <= limits["actions"]:
        yield f"needs one to {limits['actions']} actions", (*path, "actions")


def _text(
    holder: Mapping[str, Any], key: str, most: int, path: tuple[Step, ...]
) -> Iterator[Found]:
    text = holder.get(key)
    if not isinstance(text, str) or not text.strip():
        yield f"{key} is missing", path
    elif units(text) > most:
        yield f"{key} has {units(text)} characters, LINE takes {most}", (*path, key)


def _actions(part: Any, path: tuple[Step, ...], label: int) -> Iterator[Found]:
    if isinstance(part, dict):
        if part.get("type") in _ACTION_TYPES and ("label" in part or path[-1] == "action"):
            yield from _action(part, path, label)
        for key, value in part.items():
            yield from _actions(value, (*path, key), label)
    if isinstance(part, list):
        for at, value in enumerate(part):
            yield from _actions(value, (*path, at), label)


def _action(action: Mapping[str, Any], path: tuple[Step, ...], most: int) -> Iterator[Found]:
    label = str(action.get("label") or "")
    if graphemes(label) > most:
        yield f"the label has {graphemes(label)} letters, LINE takes {most}", (*path, "label")
    if action["type"] == "postback":
        yield from _text(action, "data", _POSTBACK, path)
        if "displayText" in action:
            yield from _text(action, "displayText", _POSTBACK, path)
    if action["type"] == "uri":
        yield from _uri(action, path)


def _uri(action: Mapping[str, Any], path: tuple[Step, ...]) -> Iterator[Found]:
    uri = action.get("uri")
    yield from _text(action, "uri", _URI, path)
    if isinstance(uri, str) and uri not in ("", "x") and not uri.startswith((*_SCHEMES, "x")):
        yield "uri must begin with https://, http://, line:// or tel:", (*path, "uri")
