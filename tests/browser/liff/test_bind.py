"""Binding: details, the one-time code, and what a person in a hurry does to a form."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.liff.conftest import MEMBER, StandInApi, problem, until

Visit = Callable[..., Any]


def fill_details(page: Any, phone: str = "0912-345-678") -> None:
    page.get_by_label("姓名").fill("王小明")
    page.get_by_label("手機號碼").fill(phone)
    page.get_by_label("我已閱讀並同意").check()


def ask_for_code(page: Any) -> None:
    fill_details(page)
    page.get_by_role("button", name="傳送驗證碼").click()
    page.get_by_label("6 位數驗證碼").wait_for()


def test_a_person_binds_with_a_one_time_code(visit: Visit, api: StandInApi) -> None:
    page = visit("/liff/bind")
    ask_for_code(page)
    assert page.get_by_text("+886 912 *** 678").is_visible()
    page.get_by_label("6 位數驗證碼").fill("123456")
    page.get_by_role("button", name="確認").click()
    page.get_by_role("heading", name="綁定完成！").wait_for()
    (asked,) = api.made("POST /bindings")
    assert asked.body == {
        "name": "王小明",
        "phone": "0912345678",
        "consents": [{"purpose": "service", "version": "1"}],
    }
    assert asked.headers["authorization"] == "Bearer an-id-token"
    assert asked.headers["accept-language"] == "zh-TW"
    assert page.oddities == []


def test_errors_stand_under_their_fields_and_the_first_is_focused(visit: Visit) -> None:
    page = visit("/liff/bind")
    page.get_by_role("button", name="傳送驗證碼").click()
    name = page.get_by_label("姓名")
    assert page.evaluate("document.activeElement.id") == "name"
    assert name.get_attribute("aria-invalid") == "true"
    described = str(name.get_attribute("aria-describedby")).split()
    assert page.locator(f"#{described[-1]}").inner_text() == "請填寫姓名。"
    assert page.get_by_text("請填寫手機號碼。").is_visible()
    assert page.get_by_text("需要您同意").is_visible()


def test_an_error_goes_when_its_field_is_mended(visit: Visit) -> None:
    page = visit("/liff/bind")
    page.get_by_role("button", name="傳送驗證碼").click()
    page.get_by_label("姓名").fill("王")
    assert page.get_by_text("請填寫姓名。").is_hidden()
    assert page.get_by_text("請填寫手機號碼。").is_visible()


def test_an_error_of_the_api_stands_under_its_field_in_the_words_of_the_api(
    visit: Visit, api: StandInApi
) -> None:
    wrong = {"field": "phone", "code": "phone", "message": "這個號碼收不到簡訊。"}
    api.next("POST /bindings", problem(422, "invalid", "資料有誤", wrong))
    page = visit("/liff/bind")
    fill_details(page)
    page.get_by_role("button", name="傳送驗證碼").click()
    page.locator("#phone-error", has_text="這個號碼收不到簡訊。").wait_for()
    assert page.evaluate("document.activeElement.id") == "phone"


@pytest.mark.parametrize(
    "phone", ["0912 345 678", "+886912345678", "886-912-345-678", "０９１２３４５６７８"]
)
def test_a_mobile_number_is_taken_in_every_spelling(
    visit: Visit, api: StandInApi, phone: str
) -> None:
    page = visit("/liff/bind")
    fill_details(page, phone)
    page.get_by_role("button", name="傳送驗證碼").click()
    page.get_by_label("6 位數驗證碼").wait_for()
    assert api.made("POST /bindings")[0].body["phone"] in {"0912345678", "+886912345678"}


def test_a_double_tap_is_one_request(visit: Visit, api: StandInApi) -> None:
    page = visit("/liff/bind")
    fill_details(page)
    page.get_by_role("button", name="傳送驗證碼").dblclick()
    page.get_by_label("6 位數驗證碼").wait_for()
    assert len(api.made("POST /bindings")) == 1


def test_a_second_submit_event_is_no_second_request(visit: Visit, api: StandInApi) -> None:
    page = visit("/liff/bind")
    fill_details(page)
    page.evaluate("[1, 2].forEach(() => document.forms.details.requestSubmit())")
    page.get_by_label("6 位數驗證碼").wait_for()
    assert len(api.made("POST /bindings")) == 1


def test_a_lost_answer_is_retried_with_the_same_key(visit: Visit, api: StandInApi) -> None:
    api.next("POST /bindings", "lost")
    page = visit("/liff/bind")
    fill_details(page)
    page.get_by_role("button", name="傳送驗證碼").click()
    page.get_by_role("button", name="再試一次").click()
    page.get_by_label("6 位數驗證碼").wait_for()
    first, second = api.made("POST /bindings")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_another_content_has_another_key(visit: Visit, api: StandInApi) -> None:
    api.next("POST /bindings", "lost")
    page = visit("/liff/bind")
    fill_details(page)
    page.get_by_role("button", name="傳送驗證碼").click()
    page.get_by_role("button", name="再試一次").wait_for()
    page.get_by_label("姓名").fill("王大明")
    page.get_by_role("button", name="傳送驗證碼").click()
    page.get_by_label("6 位數驗證碼").wait_for()
    first, second = api.made("POST /bindings")
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


def test_what_was_typed_outlives_a_reload(visit: Visit) -> None:
    page = visit("/liff/bind")
    fill_details(page)
    page.reload()
    page.get_by_label("姓名").wait_for()
    assert page.get_by_label("姓名").input_value() == "王小明"
    assert page.get_by_label("我已閱讀並同意").is_checked()


def test_the_code_step_outlives_a_reload(visit: Visit) -> None:
    page = visit("/liff/bind")
    ask_for_code(page)
    page.reload()
    page.get_by_label("6 位數驗證碼").wait_for()


def test_the_draft_is_gone_after_success(visit: Visit) -> None:
    page = visit("/liff/bind")
    ask_for_code(page)
    page.get_by_label("6 位數驗證碼").fill("123456")
    page.get_by_role("button", name="確認").click()
    page.get_by_role("heading", name="綁定完成！").wait_for()
    assert page.evaluate("Object.keys(sessionStorage)") == []


def test_a_wrong_code_is_said_under_the_code(visit: Visit, api: StandInApi) -> None:
    api.next("POST /bindings/ID/confirm", problem(422, "wrong_code", "驗證碼不對，還有 4 次機會。"))
    page = visit("/liff/bind")
    ask_for_code(page)
    page.get_by_label("6 位數驗證碼").fill("000000")
    page.get_by_role("button", name="確認").click()
    page.locator("#code-error", has_text="還有 4 次機會").wait_for()


def test_an_expired_code_can_be_sent_anew_at_once(visit: Visit, api: StandInApi) -> None:
    api.next("POST /bindings/ID/confirm", problem(410, "challenge_expired", "驗證碼過期了。"))
    page = visit("/liff/bind")
    ask_for_code(page)
    page.get_by_label("6 位數驗證碼").fill("123456")
    page.get_by_role("button", name="確認").click()
    page.get_by_text("驗證碼過期了。").wait_for()
    page.get_by_role("button", name="重新傳送驗證碼").click()
    page.get_by_text("已傳送新的驗證碼。").wait_for()
    first, second = api.made("POST /bindings")
    assert first.body == second.body
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


def test_resending_waits_for_its_countdown(visit: Visit) -> None:
    page = visit("/liff/bind")
    ask_for_code(page)
    button = page.locator("#resend")
    assert button.is_disabled()
    assert "秒後可重新傳送" in button.inner_text()


def test_changing_the_number_goes_back_with_everything_kept(visit: Visit) -> None:
    page = visit("/liff/bind")
    ask_for_code(page)
    page.get_by_role("button", name="更改手機號碼").click()
    assert page.get_by_label("手機號碼").input_value() == "0912-345-678"
    assert page.evaluate("document.activeElement.id") == "phone"


def test_too_many_tries_count_down_to_the_next(visit: Visit, api: StandInApi) -> None:
    api.next("POST /bindings", problem(429, "too_many", "請晚一點再試。", retry_after=2))
    page = visit("/liff/bind")
    fill_details(page)
    page.get_by_role("button", name="傳送驗證碼").click()
    page.get_by_text("請晚一點再試。").wait_for()
    assert page.get_by_role("button", name="請稍候").is_disabled()
    page.get_by_role("button", name="傳送驗證碼").click()
    page.get_by_label("6 位數驗證碼").wait_for()


def test_who_is_bound_sees_a_masked_profile(visit: Visit, api: StandInApi) -> None:
    api.member = MEMBER
    page = visit("/liff/bind")
    page.get_by_role("heading", name="您已綁定會員").wait_for()
    seen = page.locator("main").inner_text()
    assert "王小明" in seen
    assert "0912-***-678" in seen
    assert "m***@example.com" in seen


def test_unbinding_asks_first(visit: Visit, api: StandInApi) -> None:
    api.member = MEMBER
    page = visit("/liff/bind")
    page.get_by_role("button", name="解除綁定").click()
    page.get_by_role("button", name="保留綁定").click()
    assert api.made("DELETE /bindings/me") == []
    page.get_by_role("button", name="解除綁定").click()
    page.locator("#unbind-form [type=submit]").click()
    page.get_by_role("heading", name="已解除綁定").wait_for()
    assert len(api.made("DELETE /bindings/me")) == 1


def test_marketing_can_be_switched_off_later(visit: Visit, api: StandInApi) -> None:
    api.member = MEMBER
    api.consents = [
        {"purpose": "marketing", "version": "1", "given": True, "at": "2026-03-01T00:00:00.000Z"}
    ]
    page = visit("/liff/bind")
    page.locator("#marketing-now").uncheck()
    page.get_by_text("已儲存").wait_for()
    (told,) = api.made("POST /consents")
    assert told.body == {"purpose": "marketing", "version": "1", "given": False}


def test_an_expired_token_leads_to_a_new_login(visit: Visit, api: StandInApi) -> None:
    api.next("GET /me", problem(401, "token_expired", "登入過期"))
    page = visit("/liff/bind")
    until(page, "window.liffCalls?.some(([name]) => name === 'login')")


def test_a_second_expired_token_is_said_instead_of_going_round(
    visit: Visit, api: StandInApi
) -> None:
    expired = problem(401, "token_expired", "登入過期")
    api.next("GET /me", expired, expired)
    page = visit("/liff/bind")
    until(page, "window.liffCalls?.some(([name]) => name === 'login')")
    page.reload()
    page.get_by_text("登入已過期").wait_for()


def test_binding_on_the_way_to_a_repair_leads_back(visit: Visit) -> None:
    page = visit("/liff/bind?next=repair&registration=r1")
    ask_for_code(page)
    page.get_by_label("6 位數驗證碼").fill("123456")
    page.get_by_role("button", name="確認").click()
    onward = page.get_by_role("link", name="繼續報修")
    onward.wait_for()
    assert onward.get_attribute("href") == "/liff/repair?registration=r1"
