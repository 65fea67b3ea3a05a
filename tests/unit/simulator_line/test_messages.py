"""LINE's limits for message objects."""

from typing import Any

import pytest

from simulator.line.messages import check_messages
from simulator.line.problems import grapheme_length, utf16_length


def places(*messages: dict[str, Any]) -> list[str]:
    return [detail["property"] for detail in check_messages({"messages": list(messages)}).details]


def uri(label: str = "開啟", address: str = "https://liff.line.me/1") -> dict[str, Any]:
    return {"type": "uri", "label": label, "uri": address}


def template(kind: str, **parts: Any) -> dict[str, Any]:
    return {"type": "template", "altText": "alt", "template": {"type": kind, **parts}}


def flex(contents: Any) -> dict[str, Any]:
    bubble = {"type": "box", "layout": "vertical", "contents": contents}
    return {"type": "flex", "altText": "alt", "contents": {"type": "bubble", "body": bubble}}


GOOD_ACTIONS = [
    uri(),
    uri(address="tel:0912345678"),
    uri(address="http://127.0.0.1:8402/liff/1234567890-AbcdEfgh/bind"),
    {"type": "postback", "label": "同意", "data": "consent:service", "displayText": "我同意"},
    {"type": "message", "label": "說", "text": "嗨"},
    {"type": "datetimepicker", "label": "日期", "data": "d", "mode": "date"},
]


@pytest.mark.parametrize("action", GOOD_ACTIONS)
def test_a_good_button_is_taken(action: dict[str, Any]) -> None:
    assert places(template("buttons", text="選單", actions=[action])) == []


@pytest.mark.parametrize(
    ("action", "place"),
    [
        (uri(label="二十" * 11), "label"),
        (uri(label=""), "label"),
        (uri(address="ftp://x"), "uri"),
        (uri(address="https://例 子"), "uri"),
        ({"type": "uri", "label": "x"}, "uri"),
        ({"type": "postback", "label": "x", "data": "d" * 301}, "data"),
        ({"type": "postback", "label": "x"}, "data"),
        ({"type": "message", "label": "x", "text": "t" * 301}, "text"),
        ({"type": "teleport", "label": "x"}, "type"),
    ],
)
def test_a_bad_button_is_named(action: dict[str, Any], place: str) -> None:
    found = places(template("buttons", text="選單", actions=[action]))
    assert found == [f"messages[0].template.actions[0].{place}"]


@pytest.mark.parametrize(
    ("message", "place"),
    [
        (template("buttons", text="t" * 161, actions=[uri()]), "text"),
        (template("buttons", title="t", text="t" * 61, actions=[uri()]), "text"),
        (template("buttons", title="t" * 41, text="t", actions=[uri()]), "title"),
        (template("buttons", text="t", actions=[uri()] * 5), "actions"),
        (template("confirm", text="t", actions=[uri()]), "actions"),
        (template("confirm", text="t" * 241, actions=[uri()] * 2), "text"),
        (template("carousel", columns=[{"text": "t", "actions": [uri()]}] * 11), "columns"),
        (template("pyramid"), "type"),
    ],
)
def test_a_template_over_its_limits_is_named(message: dict[str, Any], place: str) -> None:
    assert places(message) == [f"messages[0].template.{place}"]


def test_carousel_columns_have_equally_many_actions() -> None:
    columns = [{"text": "t", "actions": [uri()] * count} for count in (1, 2)]
    assert places(template("carousel", columns=columns)) == ["messages[0].template.columns"]


def test_flex_names_the_place_inside() -> None:
    contents = [{"type": "text", "text": ""}, {"type": "button", "action": uri(label="l" * 41)}]
    assert places(flex(contents)) == [
        "messages[0].contents.body.contents[0].text",
        "messages[0].contents.body.contents[1].action.label",
    ]


def test_flex_needs_alt_text_and_stays_under_its_size() -> None:
    big = flex([{"type": "text", "text": "x" * 31_000}])
    big["altText"] = ""
    assert places(big) == ["messages[0].altText", "messages[0].contents"]


def test_quick_replies_are_thirteen_at_most() -> None:
    item = {"type": "action", "action": {"type": "cameraRoll", "label": "照片"}}
    message = {"type": "text", "text": "t", "quickReply": {"items": [item] * 13}}
    assert places(message) == []
    message["quickReply"] = {"items": [item] * 14}
    assert places(message) == ["messages[0].quickReply.items"]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "image", "originalContentUrl": "http://x.tw/a", "previewImageUrl": "https://x/b"},
        {"type": "location", "title": "t", "address": "a", "latitude": 25.0},
        {"type": "sticker", "packageId": "1"},
        {"type": "audio", "originalContentUrl": "https://x.tw/a.mp3"},
        {"type": "hologram"},
    ],
)
def test_an_incomplete_message_is_refused(message: dict[str, Any]) -> None:
    assert len(places(message)) == 1


@pytest.mark.parametrize(
    ("text", "utf16", "graphemes"),
    [
        ("abc", 3, 3),
        ("你好", 2, 2),
        ("😀", 2, 1),
        ("👩‍👩‍👧", 8, 1),
        ("🇹🇼🇯🇵", 8, 2),
        ("e\u0301", 2, 1),
    ],
)
def test_lengths_are_counted_as_line_counts(text: str, utf16: int, graphemes: int) -> None:
    assert (utf16_length(text), grapheme_length(text)) == (utf16, graphemes)
