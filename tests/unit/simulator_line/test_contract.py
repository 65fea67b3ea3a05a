"""The simulator's answers and webhooks against LINE's own specifications and parser."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from linebot.v3 import WebhookParser
from linebot.v3.webhooks import (
    AccountLinkEvent,
    FollowEvent,
    ImageMessageContent,
    MessageEvent,
    PostbackEvent,
    StickerMessageContent,
    TextMessageContent,
    UnfollowEvent,
    UnsendEvent,
)

from .stage import Line, Receiver

SPEC = Path(__file__).parents[4] / "shared" / "contracts" / "line" / "messaging-api.yml"
STICKER = {
    "type": "sticker",
    "packageId": "1",
    "stickerId": "1",
    "stickerResourceType": "STATIC",
}


@pytest.fixture(scope="module")
def spec() -> Any:
    if not SPEC.exists():
        pytest.skip(f"LINE's specification is not at {SPEC}")
    return yaml.load(SPEC.read_bytes(), Loader=yaml.CSafeLoader)


def schema(spec: Any, path: str, method: str, status: int) -> Any:
    content = spec["paths"][path][method]["responses"][str(status)]["content"]
    found = next(iter(content.values()))["schema"]
    return resolved(spec, found)


def resolved(spec: Any, found: Any) -> Any:
    if "$ref" in found:
        return spec["components"]["schemas"][found["$ref"].rsplit("/", 1)[1]]
    return found


def assert_fits(spec: Any, body: Any, expected: Any) -> None:
    assert set(expected.get("required", [])) <= body.keys()
    known = expected.get("properties", {})
    assert body.keys() <= known.keys()
    types = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
    for name, value in body.items():
        assert isinstance(value, types[resolved(spec, known[name]).get("type", "object")]), name


@pytest.mark.parametrize(
    "path",
    [
        "/v2/bot/info",
        "/v2/bot/followers/ids",
        "/v2/bot/message/quota",
        "/v2/bot/message/quota/consumption",
        "/v2/bot/channel/webhook/endpoint",
    ],
)
def test_what_is_read_fits_the_specification(line: Line, spec: Any, path: str) -> None:
    line.user()
    assert_fits(spec, line.bot("GET", path).json(), schema(spec, path, "get", 200))


def test_a_profile_fits_the_specification(line: Line, spec: Any) -> None:
    answer = line.bot("GET", f"/v2/bot/profile/{line.user()}")
    assert_fits(spec, answer.json(), schema(spec, "/v2/bot/profile/{userId}", "get", 200))


def test_a_webhook_test_fits_the_specification(line: Line, spec: Any) -> None:
    path = "/v2/bot/channel/webhook/test"
    assert_fits(spec, line.bot("POST", path, {}).json(), schema(spec, path, "post", 200))


def test_pushes_and_their_errors_fit_the_specification(line: Line, spec: Any) -> None:
    path, key = "/v2/bot/message/push", {"X-Line-Retry-Key": "123e4567-e89b-12d3-a456-426614174000"}
    user = line.user()
    for status, answer in [
        (200, line.push(user, **key)),
        (409, line.push(user, **key)),
        (400, line.push(user, "")),
    ]:
        assert answer.status_code == status
        assert_fits(spec, answer.json(), schema(spec, path, "post", status))


@pytest.mark.parametrize(
    ("event", "kind", "content"),
    [
        ({"type": "follow"}, FollowEvent, None),
        ({"type": "unfollow"}, UnfollowEvent, None),
        ({"type": "message", "text": "你好"}, MessageEvent, TextMessageContent),
        ({"type": "message", "message": {"type": "image"}}, MessageEvent, ImageMessageContent),
        ({"type": "message", "message": STICKER}, MessageEvent, StickerMessageContent),
        ({"type": "postback", "data": "a=1"}, PostbackEvent, None),
        ({"type": "unsend", "message_id": "1"}, UnsendEvent, None),
        ({"type": "accountLink", "link": {"result": "ok", "nonce": "n"}}, AccountLinkEvent, None),
    ],
)
def test_the_sdk_parses_every_webhook(
    line: Line, receiver: Receiver, event: dict[str, Any], kind: type, content: type | None
) -> None:
    line.happens(line.user(friend=False), **event)
    headers, body = receiver.requests[0]
    parser = WebhookParser(line.account["channel_secret"])
    parsed: Any
    (parsed,) = parser.parse(body.decode(), headers["x-line-signature"])
    assert type(parsed) is kind
    assert content is None or type(parsed.message) is content


def test_an_unknown_address_is_not_found_in_lines_words(line: Line) -> None:
    answer = line.get("/v2/bot/nothing")
    assert (answer.status_code, answer.json()) == (404, {"message": "Not found"})
