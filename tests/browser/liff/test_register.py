"""Registering a product by its code."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.liff.conftest import MEMBER, StandInApi, problem, registration, until

Visit = Callable[..., Any]


def send(page: Any) -> None:
    page.locator("#registration [type=submit]").click()


def test_the_code_of_the_address_is_registered_with_two_taps(visit: Visit, api: StandInApi) -> None:
    api.member = MEMBER
    api.registrations = [registration()]
    page = visit("/liff/register/7KQ2M9XR4TBD")
    page.get_by_label("產品登錄碼").wait_for()
    assert page.get_by_label("產品登錄碼").input_value() == "7KQ2-M9XR-4TBD"
    assert page.get_by_label("購買日期").input_value() == page.get_by_label(
        "購買日期"
    ).get_attribute("max")
    send(page)
    page.get_by_text("2029年3月1日").wait_for()
    (made,) = api.made("POST /registrations")
    assert made.body["code"] == "7KQ2M9XR4TBD"
    assert made.body["from_chat"] is True
    assert page.oddities == []


@pytest.mark.parametrize(
    "typed", ["7kq2m9xr4tbd", "7KQ2 M9XR 4TBD", "https://shop.example/r/7KQ2M9XR4TBD"]
)
def test_a_typed_code_is_forgiven_its_spelling(visit: Visit, api: StandInApi, typed: str) -> None:
    page = visit("/liff/register")
    page.get_by_label("產品登錄碼").fill(typed)
    send(page)
    page.get_by_role("heading", name="登錄完成！").wait_for()
    assert api.made("POST /registrations")[0].body["code"] == "7KQ2M9XR4TBD"


def test_letters_that_look_like_digits_are_read_as_digits(visit: Visit, api: StandInApi) -> None:
    page = visit("/liff/register")
    page.get_by_label("產品登錄碼").fill("oil2-m9xr-4tbd")
    send(page)
    page.get_by_role("heading", name="登錄完成！").wait_for()
    assert api.made("POST /registrations")[0].body["code"] == "0112M9XR4TBD"


def test_hyphens_come_while_typing(visit: Visit) -> None:
    page = visit("/liff/register")
    page.get_by_label("產品登錄碼").press_sequentially("7kq2m9xr4")
    assert page.get_by_label("產品登錄碼").input_value() == "7KQ2-M9XR-4"


def test_a_scanned_address_fills_the_code(visit: Visit) -> None:
    page = visit("/liff/register", phone={"scanned": "https://shop.example/r/7KQ2M9XR4TBD"})
    page.get_by_role("button", name="掃描").click()
    until(page, "document.getElementById('code').value === '7KQ2-M9XR-4TBD'")


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [(404, "unknown_code", "查不到這個登錄碼。"), (409, "code_claimed", "這個產品已由別人登錄。")],
)
def test_a_refused_code_is_said_under_the_code(
    visit: Visit, api: StandInApi, status: int, code: str, words: str
) -> None:
    api.next("POST /registrations", problem(status, code, words))
    page = visit("/liff/register/7KQ2M9XR4TBD")
    send(page)
    page.locator("#code-error", has_text=words).wait_for()
    assert page.evaluate("document.activeElement.id") == "code"


def test_a_purchase_tomorrow_is_refused(visit: Visit, api: StandInApi) -> None:
    page = visit("/liff/register/7KQ2M9XR4TBD")
    page.get_by_label("購買日期").fill("2099-01-01")
    send(page)
    page.get_by_text("購買日期不能晚於今天。").wait_for()
    assert api.made("POST /registrations") == []


def test_the_warranty_is_waited_for(visit: Visit, api: StandInApi) -> None:
    api.member = MEMBER
    api.registrations = [registration()]
    api.next("GET /registrations", (200, [registration(warranty_until=None)]))
    page = visit("/liff/register/7KQ2M9XR4TBD")
    send(page)
    page.get_by_text("計算中…").wait_for()
    page.get_by_text("2029年3月1日").wait_for()


def test_who_is_not_bound_is_invited_to_bind(visit: Visit) -> None:
    page = visit("/liff/register/7KQ2M9XR4TBD")
    send(page)
    invitation = page.get_by_role("link", name="綁定會員")
    invitation.wait_for()
    assert invitation.get_attribute("href") == "/liff/bind?next=requests"


def test_the_chat_hears_of_it_once(visit: Visit, api: StandInApi) -> None:
    api.registrations = [registration()]
    page = visit("/liff/register/7KQ2M9XR4TBD")
    send(page)
    until(page, "window.liffCalls.some(([name]) => name === 'sendMessages')")
    said = page.evaluate("window.liffCalls.filter(([name]) => name === 'sendMessages')")
    assert said == [
        ["sendMessages", [{"type": "text", "text": "我登錄了產品：靜音變頻冷氣 AC-100"}]]
    ]


def test_a_chat_that_refuses_the_line_does_no_harm(visit: Visit) -> None:
    page = visit("/liff/register/7KQ2M9XR4TBD", phone={"mute": True})
    send(page)
    page.get_by_role("heading", name="登錄完成！").wait_for()
    until(page, "window.liffCalls.some(([name]) => name === 'sendMessages')")
    assert page.oddities == []


def test_outside_a_chat_nothing_is_said(visit: Visit, api: StandInApi) -> None:
    page = visit("/liff/register/7KQ2M9XR4TBD", phone={"inClient": False, "context": "external"})
    send(page)
    page.locator("#done-product", has_text="7KQ2").wait_for()
    assert api.made("POST /registrations")[0].body["from_chat"] is False
    assert page.evaluate("window.liffCalls.filter(([name]) => name === 'sendMessages')") == []
