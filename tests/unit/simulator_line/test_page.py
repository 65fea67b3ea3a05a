"""The phone page in a real browser, and its texts."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from simulator.line import pages
from tests.browser.conftest import ONLY_FINDINGS

from .stage import Line, Receiver

WIDTHS = (360, 1280)
MENU = {
    "type": "template",
    "altText": "選單",
    "template": {
        "type": "buttons",
        "text": "需要什麼服務",
        "actions": [
            {"type": "postback", "label": "同意", "data": "consent:service", "displayText": "好"},
            {"type": "message", "label": "說嗨", "text": "嗨"},
            {
                "type": "uri",
                "label": "綁定",
                "uri": "https://liff.line.me/1234567890-AbcdEfgh/bind",
            },
        ],
    },
}


def chromium() -> str | None:
    named = os.environ.get("CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None and os.environ.get("CI") != "true":
        pytest.skip("no chromium on PATH")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-dev-shm-usage"]
        launched = playwright.chromium.launch(executable_path=path, args=flags)
        yield launched
        launched.close()


@pytest.fixture(params=WIDTHS)
def page(browser: Browser, line: Line, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": request.param, "height": 800}, reduced_motion="reduce"
    )
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda problem: problems.append(str(problem)))
    opened.goto(line.url)
    yield opened
    context.close()
    assert problems == []


def sms(line: Line, text: str) -> None:
    token = line.get("/_simulator/credentials").json()["sms_token"]
    body = {"to": "+886912345678", "text": text}
    line.post("/sms/v1/messages", body, headers={"Authorization": f"Bearer {token}"})


def assert_is_sound(page: Page) -> None:
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wider) == 0
    found = Axe().run(page, options=ONLY_FINDINGS)["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


def joined(page: Page, receiver: Receiver) -> str:
    page.locator("#welcome-new").click()
    page.locator("#person-form button[type=submit]").click()
    page.locator("#follow").click()
    page.locator("#composer").wait_for()
    return str(receiver.heard(1)[0]["source"]["userId"])


def test_a_person_is_made_and_becomes_a_friend(page: Page, receiver: Receiver) -> None:
    page.locator("#welcome").wait_for()
    assert_is_sound(page)
    joined(page, receiver)
    assert [event["type"] for event in receiver.heard(1)] == ["follow"]
    assert_is_sound(page)


def test_what_is_typed_is_said_and_answers_show_by_themselves(
    page: Page, line: Line, receiver: Receiver
) -> None:
    user = joined(page, receiver)
    page.locator("#text").fill("你好")
    page.keyboard.press("Enter")
    page.locator("#chat").get_by_text("你好").wait_for()
    line.push(user, "收到了")
    page.locator("#chat").get_by_text("收到了").wait_for()
    assert receiver.heard(2)[1]["message"]["text"] == "你好"


def test_buttons_do_what_they_say(page: Page, line: Line, receiver: Receiver) -> None:
    user = joined(page, receiver)
    line.bot("POST", "/v2/bot/message/push", {"to": user, "messages": [MENU]})
    page.locator(".card-buttons").get_by_text("同意").click()
    page.locator("#chat").get_by_text("好", exact=True).wait_for()
    page.locator("#menu-buttons").get_by_text("說嗨").click()
    page.locator("#chat").get_by_text("嗨", exact=True).wait_for()
    postback, said = receiver.heard(3)[1:]
    assert postback["postback"] == {"data": "consent:service"}
    assert said["message"]["text"] == "嗨"
    assert_is_sound(page)


def test_a_liff_page_opens_over_the_chat_as_that_person(
    page: Page, line: Line, receiver: Receiver
) -> None:
    user = joined(page, receiver)
    line.bot("POST", "/v2/bot/message/push", {"to": user, "messages": [MENU]})
    page.locator("#menu-buttons").get_by_text("綁定").click()
    page.locator("#sheet").wait_for()
    address = page.locator("#sheet-page").get_attribute("src") or ""
    assert address.endswith(f"/liff/1234567890-AbcdEfgh/bind?user={user}&from=chat")
    page.keyboard.press("Escape")
    page.locator("#sheet").wait_for(state="hidden")


def test_a_text_message_comes_as_a_notification(page: Page, line: Line, receiver: Receiver) -> None:
    joined(page, receiver)
    sms(line, "驗證碼 482913")
    page.locator("#sms").get_by_text("482913").first.wait_for()
    assert_is_sound(page)


def test_blocking_is_told_and_can_be_undone(page: Page, receiver: Receiver) -> None:
    joined(page, receiver)
    page.locator("#block").click()
    page.locator("#follow").click()
    page.locator("#composer").wait_for()
    assert [event["type"] for event in receiver.heard(3)] == ["follow", "unfollow", "follow"]


def texts(locale: str) -> dict[str, str]:
    kept: dict[str, str] = json.loads((pages.FOLDER / "locales" / f"{locale}.json").read_bytes())
    return kept


@pytest.mark.parametrize("locale", pages.LOCALES)
def test_every_language_has_every_text(line: Line, locale: str) -> None:
    assert texts(locale).keys() == texts("en").keys()
    assert all(texts(locale).values())
    html = line.get(f"/?lang={locale}").text
    assert f'<html lang="{locale}">' in html
    assert texts(locale)["heading"] in html


def test_no_text_stands_outside_the_locale_files() -> None:
    for path in sorted((pages.FOLDER / "page").iterdir()):
        source = path.read_text()
        assert not re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", source), path.name
    for path in (pages.FOLDER / "page").glob("*.html"):
        words = re.sub(r"{[{%].*?[%}]}|<[^>]*>", " ", path.read_text(), flags=re.DOTALL)
        assert words.split() == [], path.name


def test_every_text_is_used() -> None:
    sources = "".join(path.read_text() for path in (pages.FOLDER / "page").iterdir())
    used = set(re.findall(r"\bt\.(\w+)", sources)) | {"friend", "stranger", "blocked"}
    assert used == set(texts("en"))


def test_a_versioned_asset_may_be_kept(line: Line) -> None:
    html = line.get("/").text
    address = re.search(r"/_page/phone\.css\?v=\w+", html)
    assert address is not None
    kept: Any = line.get(address.group()).headers["cache-control"]
    assert "immutable" in kept
    assert line.get("/_page/phone.css").headers["cache-control"] == "no-cache"
    assert line.get("/_page/secrets.json").status_code == 404
