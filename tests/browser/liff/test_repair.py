"""Asking for a repair, and following it."""

import re
from collections.abc import Callable
from typing import Any

from tests.browser.liff.conftest import MEMBER, StandInApi, problem, registration, repair, until

Visit = Callable[..., Any]


def fill(page: Any) -> None:
    page.get_by_label("故障狀況").fill("冷氣不冷")
    page.get_by_label("到府地址").fill("台北市信義區市府路 1 號")
    page.locator("#slots .chip").first.click()


def send(page: Any) -> None:
    page.get_by_role("button", name="送出報修").click()


def test_a_member_asks_for_the_repair_of_a_registered_product(
    visit: Visit, api: StandInApi
) -> None:
    api.member = MEMBER
    api.registrations = [registration(1), registration(2)]
    page = visit("/liff/repair?registration=r2")
    fill(page)
    page.get_by_text("很急").click()
    send(page)
    page.get_by_role("heading", name="收到您的報修了！").wait_for()
    (made,) = api.made("POST /repair-requests")
    slots = made.body.pop("slots")
    assert made.body == {
        "registration_id": "r2",
        "symptom": "冷氣不冷",
        "description": "",
        "address": "台北市信義區市府路 1 號",
        "contact_phone": "0912345678",
        "urgency": "high",
        "from_chat": True,
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\d AM", slots[0])
    assert page.oddities == []


def test_another_product_is_described_in_words(visit: Visit, api: StandInApi) -> None:
    api.member = MEMBER
    page = visit("/liff/repair")
    page.get_by_label("產品名稱或型號").fill("舊冰箱")
    fill(page)
    send(page)
    page.get_by_role("heading", name="收到您的報修了！").wait_for()
    body = api.made("POST /repair-requests")[0].body
    assert body["product"] == "舊冰箱"
    assert "registration_id" not in body


def test_every_missing_answer_is_said_at_once(visit: Visit, api: StandInApi) -> None:
    api.member = MEMBER
    api.registrations = [registration(1), registration(2)]
    page = visit("/liff/repair")
    send(page)
    said = page.locator(".error:visible").all_inner_texts()
    assert said == [
        "請選擇要報修的產品。",
        "請填寫故障狀況。",
        "請填寫到府地址。",
        "請至少選一個時段。",
    ]
    assert api.made("POST /repair-requests") == []


def test_a_fourth_time_is_refused(visit: Visit, api: StandInApi) -> None:
    api.member = MEMBER
    page = visit("/liff/repair")
    chips = page.locator("#slots .chip")
    for number in range(4):
        chips.nth(number).click()
    page.get_by_text("最多選 3 個時段。").wait_for()
    assert page.locator("#slots :checked").count() == 3


def test_the_times_begin_tomorrow_in_taipei_and_cover_fourteen_days(
    visit: Visit, api: StandInApi
) -> None:
    api.member = MEMBER
    page = visit("/liff/repair", timezone_id="America/Los_Angeles")
    page.get_by_role("button", name="顯示更多日期").click()
    values = page.locator("#slots input").evaluate_all("boxes => boxes.map((box) => box.value)")
    tomorrow = page.evaluate(
        "new Date(Date.now() + 32 * 3600e3).toISOString().slice(0, 10)"  # 8 h to Taipei, 24 h more
    )
    assert len(values) == 14 * 3
    assert values[:3] == [f"{tomorrow} AM", f"{tomorrow} PM", f"{tomorrow} EVENING"]


def test_a_draft_brings_back_product_words_and_times(visit: Visit, api: StandInApi) -> None:
    api.member = MEMBER
    api.registrations = [registration(1), registration(2)]
    page = visit("/liff/repair")
    page.get_by_label("其他產品").check()
    page.get_by_label("產品名稱或型號").fill("舊冰箱")
    fill(page)
    page.reload()
    page.get_by_label("產品名稱或型號").wait_for()
    assert page.get_by_label("產品名稱或型號").input_value() == "舊冰箱"
    assert page.locator("#slots :checked").count() == 1


def test_who_is_not_bound_is_led_to_binding_and_back(visit: Visit) -> None:
    page = visit("/liff/repair?registration=r1")
    way = page.get_by_role("link", name="綁定會員")
    way.wait_for()
    assert way.get_attribute("href") == "/liff/bind?next=repair&registration=r1"


def test_a_binding_lost_meanwhile_is_asked_for_kindly(visit: Visit, api: StandInApi) -> None:
    api.member = MEMBER
    api.registrations = [registration()]
    api.next("POST /repair-requests", problem(403, "binding_required", "請先綁定"))
    page = visit("/liff/repair")
    fill(page)
    send(page)
    page.get_by_role("heading", name="先綁定會員").wait_for()


def test_a_busy_service_is_tried_again_with_the_same_key(visit: Visit, api: StandInApi) -> None:
    api.member = MEMBER
    api.registrations = [registration()]
    api.next("POST /repair-requests", problem(503, "try_later", "系統忙碌中。", retry_after=1))
    page = visit("/liff/repair")
    fill(page)
    send(page)
    page.get_by_text("系統忙碌中。").wait_for()
    send(page)
    page.get_by_role("heading", name="收到您的報修了！").wait_for()
    first, second = api.made("POST /repair-requests")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_a_double_tap_is_one_repair(visit: Visit, api: StandInApi) -> None:
    api.member = MEMBER
    api.registrations = [registration()]
    page = visit("/liff/repair")
    fill(page)
    page.get_by_role("button", name="送出報修").dblclick()
    page.get_by_role("heading", name="收到您的報修了！").wait_for()
    assert len(api.made("POST /repair-requests")) == 1


def test_the_chat_hears_of_the_repair_after_it_was_accepted(visit: Visit, api: StandInApi) -> None:
    api.member = MEMBER
    api.registrations = [registration()]
    api.next("POST /repair-requests", "lost")
    page = visit("/liff/repair")
    fill(page)
    send(page)
    page.get_by_role("button", name="再試一次").wait_for()
    assert page.evaluate("window.liffCalls.filter(([name]) => name === 'sendMessages')") == []
    page.get_by_role("button", name="再試一次").click()
    until(page, "window.liffCalls.some(([name]) => name === 'sendMessages')")
    (said,) = page.evaluate("window.liffCalls.filter(([name]) => name === 'sendMessages')")
    assert said[1][0]["text"] == "我要報修：靜音變頻冷氣 AC-100，冷氣不冷"


def test_my_requests_show_status_case_and_visit(visit: Visit, api: StandInApi) -> None:
    api.repairs = [
        repair(1, status="working", case_number="00001024", visit_at="2026-03-04T06:30:00.000Z")
    ]
    api.registrations = [registration()]
    page = visit("/liff/requests")
    card = page.locator("#repairs .card")
    card.wait_for()
    seen = card.inner_text()
    assert "處理中" in seen
    assert "案件 00001024" in seen
    assert "14:30" in seen
    assert "靜音變頻冷氣 AC-100" in page.locator("#products").inner_text()


def test_my_requests_follow_a_change_by_themselves(visit: Visit, api: StandInApi) -> None:
    api.repairs = [repair()]
    page = visit("/liff/requests")
    page.get_by_text("已收到").wait_for()
    api.repairs = [repair(status="closed", case_number="00001024")]
    page.get_by_text("已結案").wait_for()


def test_an_empty_list_says_what_to_do(visit: Visit) -> None:
    page = visit("/liff/requests")
    page.get_by_text("目前沒有報修紀錄。").wait_for()
    assert page.get_by_role("link", name="申請報修").is_visible()


def test_who_is_not_bound_sees_products_and_an_invitation(visit: Visit, api: StandInApi) -> None:
    api.registrations = [registration()]
    api.next("GET /repair-requests", problem(403, "binding_required", "請先綁定"))
    page = visit("/liff/requests")
    page.get_by_role("link", name="綁定會員").wait_for()
    assert "靜音變頻冷氣 AC-100" in page.locator("#products").inner_text()


def test_a_list_that_cannot_be_refreshed_stays_and_says_so(visit: Visit, api: StandInApi) -> None:
    api.repairs = [repair()]
    page = visit("/liff/requests")
    page.get_by_text("已收到").wait_for()
    api.next("GET /repair-requests", "lost")
    page.get_by_text("暫時無法更新").wait_for()
    assert page.get_by_text("已收到").is_visible()
