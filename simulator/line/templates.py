"""Template messages: buttons, confirm, carousel, image carousel, with LINE's limits."""

from typing import Any

from simulator.line.actions import check_action
from simulator.line.problems import REQUIRED, Problems

KINDS = ("buttons", "confirm", "carousel", "image_carousel")
ALT_TEXT = 1500
TITLE = 40
BUTTONS_TEXT, CAROUSEL_TEXT, TEXT_BESIDE_PICTURE = 160, 120, 60
CONFIRM_TEXT = 240
BUTTONS_ACTIONS, CAROUSEL_ACTIONS, COLUMNS = 4, 3, 10
IMAGE_LABEL = 12


def check_template(problems: Problems, message: dict[str, Any], where: str) -> None:
    """Note what is wrong with a template message."""
    problems.text(message, "altText", where, ALT_TEXT)
    template, place = message.get("template"), f"{where}.template"
    if not isinstance(template, dict):
        problems.add(place, REQUIRED)
        return
    kind = problems.one_of(template, "type", place, KINDS)
    if kind is not None:
        CHECKS[kind](problems, template, place)


def _buttons(problems: Problems, template: dict[str, Any], where: str) -> None:
    _card(problems, template, where, BUTTONS_TEXT)
    _actions(problems, template, where, 1, BUTTONS_ACTIONS)
    if template.get("defaultAction") is not None:
        check_action(
            problems, template["defaultAction"], f"{where}.defaultAction", label_required=False
        )


def _confirm(problems: Problems, template: dict[str, Any], where: str) -> None:
    problems.text(template, "text", where, CONFIRM_TEXT, graphemes=True)
    _actions(problems, template, where, 2, 2)


def _carousel(problems: Problems, template: dict[str, Any], where: str) -> None:
    counts = set()
    for place, column in problems.objects(template, "columns", where, 1, COLUMNS):
        _card(problems, column, place, CAROUSEL_TEXT)
        counts.add(_actions(problems, column, place, 1, CAROUSEL_ACTIONS))
    if len(counts) > 1:
        problems.add(f"{where}.columns", "the number of actions must be the same in all columns")


def _image_carousel(problems: Problems, template: dict[str, Any], where: str) -> None:
    for place, column in problems.objects(template, "columns", where, 1, COLUMNS):
        problems.media_url(column, "imageUrl", place)
        check_action(
            problems,
            column.get("action"),
            f"{place}.action",
            label=IMAGE_LABEL,
            label_required=False,
        )


def _card(problems: Problems, card: dict[str, Any], where: str, longest: int) -> None:
    problems.text(card, "title", where, TITLE, required=False, graphemes=True)
    problems.media_url(card, "thumbnailImageUrl", where, required=False)
    beside = card.get("title") or card.get("thumbnailImageUrl")
    problems.text(card, "text", where, TEXT_BESIDE_PICTURE if beside else longest, graphemes=True)


def _actions(problems: Problems, card: dict[str, Any], where: str, least: int, most: int) -> int:
    found = problems.objects(card, "actions", where, least, most)
    for place, action in found:
        check_action(problems, action, place)
    return len(found)


CHECKS = {
    "buttons": _buttons,
    "confirm": _confirm,
    "carousel": _carousel,
    "image_carousel": _image_carousel,
}
