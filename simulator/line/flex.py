"""Flex messages: containers, components and sizes as far as a wrong one would be refused."""

from typing import Any

import orjson

from simulator.line.actions import check_action
from simulator.line.problems import REQUIRED, Problems

ALT_TEXT = 1500
BUBBLE_BYTES, CAROUSEL_BYTES, BUBBLES = 30 * 1024, 50 * 1024, 12
BUTTON_LABEL = 40
BLOCKS = ("header", "hero", "body", "footer")
SIZES = ("nano", "micro", "deca", "hecto", "kilo", "mega", "giga")
COMPONENTS = (*("box", "button", "image", "video", "icon", "text", "span", "separator", "filler"),)
LAYOUTS = ("horizontal", "vertical", "baseline")


def check_flex(problems: Problems, message: dict[str, Any], where: str) -> None:
    """Note what is wrong with a flex message."""
    problems.text(message, "altText", where, ALT_TEXT)
    contents, place = message.get("contents"), f"{where}.contents"
    if not isinstance(contents, dict):
        problems.add(place, REQUIRED)
        return
    kind = problems.one_of(contents, "type", place, ("bubble", "carousel"))
    if kind == "bubble":
        _bubble(problems, contents, place)
    elif kind == "carousel":
        for at, bubble in problems.objects(contents, "contents", place, 1, BUBBLES):
            _bubble(problems, bubble, at)
        _size(problems, contents, place, CAROUSEL_BYTES)


def _bubble(problems: Problems, bubble: dict[str, Any], where: str) -> None:
    problems.one_of(bubble, "type", where, ("bubble",))
    if bubble.get("size") is not None:
        problems.one_of(bubble, "size", where, SIZES)
    for block in BLOCKS:
        if bubble.get(block) is not None:
            _component(problems, bubble[block], f"{where}.{block}")
    if not any(bubble.get(block) for block in BLOCKS):
        problems.add(where, "At least one block must be specified")
    _size(problems, bubble, where, BUBBLE_BYTES)


def _size(problems: Problems, container: dict[str, Any], where: str, most: int) -> None:
    if len(orjson.dumps(container)) > most:
        problems.add(where, f"Size must be {most // 1024} KB or less")


def _component(problems: Problems, component: Any, where: str) -> None:
    if not isinstance(component, dict):
        problems.add(where, REQUIRED)
        return
    kind = problems.one_of(component, "type", where, COMPONENTS)
    if kind in CHECKS:
        CHECKS[kind](problems, component, where)
    if kind != "button" and component.get("action") is not None:
        check_action(problems, component["action"], f"{where}.action", label_required=False)


def _box(problems: Problems, box: dict[str, Any], where: str) -> None:
    problems.one_of(box, "layout", where, LAYOUTS)
    contents = box.get("contents")
    if not isinstance(contents, list):
        problems.add(f"{where}.contents", REQUIRED)
        return
    for index, child in enumerate(contents):
        _component(problems, child, f"{where}.contents[{index}]")


def _text(problems: Problems, text: dict[str, Any], where: str) -> None:
    if text.get("contents"):
        for index, span in enumerate(text["contents"]):
            _component(problems, span, f"{where}.contents[{index}]")
    elif not isinstance(text.get("text"), str) or not text["text"]:
        problems.add(f"{where}.text", "must be non-empty text")


def _image(problems: Problems, image: dict[str, Any], where: str) -> None:
    problems.media_url(image, "url", where)


def _button(problems: Problems, button: dict[str, Any], where: str) -> None:
    check_action(problems, button.get("action"), f"{where}.action", label=BUTTON_LABEL)


CHECKS = {"box": _box, "text": _text, "image": _image, "icon": _image, "button": _button}
