"""Filling in a form that an admin wrote."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector.bootstrap import STARTER
from connector.mapping.loader import load, read_folder
from tests.browser.liff.conftest import StandInApi, problem
from tests.browser.liff.test_bind import ask_for_code
from webhooks.forms import told

PATH = "/liff/forms/franchise_application"
FORM = "/forms/franchise_application"
AGREED = [{"purpose": "service", "version": "1", "given": True, "at": "2026-03-01T00:00:00.000Z"}]

Visit = Callable[..., Any]


def definition(locale: str = "zh-TW", **changed: Any) -> dict[str, Any]:
    """The form we ship, as the API tells it."""
    form = load(read_folder(STARTER)).forms["franchise_application"]
    shown = told(form, locale)
    assert isinstance(shown, dict)
    return {**shown, **changed}


@pytest.fixture
def open_form(visit: Visit, api: StandInApi) -> Visit:
    """Opens the form we ship."""

    def opened(changed: dict[str, Any] | None = None, path: str = PATH, **phone: Any) -> Any:
        api.next(f"GET {FORM}", *[(200, definition(**(changed or {})))] * 2)
        api.next(f"POST {FORM}", *[(201, {"id": "0193-f"})] * 2)
        page = visit(path, **phone)
        page.locator("[data-view=loading]").wait_for(state="hidden")
        return page

    return opened


def fill(page: Any) -> None:
    page.get_by_label("姓名").fill("陳大文")
    page.get_by_label("聯絡電話").fill("０９８７-654-321")
    page.get_by_text("台南・嘉義").click()
    page.get_by_text("維修").click()
    page.get_by_label("預算").fill("1,200")
    page.get_by_label("我有家電業經驗").check()


def send(page: Any) -> None:
    page.get_by_role("button", name="送出").click()


def test_answers_are_sent_in_the_shape_of_their_questions(
    open_form: Visit, api: StandInApi
) -> None:
    page = open_form()
    fill(page)
    page.get_by_label("我已閱讀並同意").check()
    send(page)
    page.get_by_role("heading", name="已送出！").wait_for()
    assert page.get_by_text("感謝您的申請").is_visible()
    (made,) = api.made(f"POST {FORM}")
    assert made.body == {
        "answers": {
            "applicant": "陳大文",
            "phone": "0987654321",
            "email": None,
            "company": None,
            "city": "Tainan",
            "interests": ["Repair"],
            "budget": 1200,
            "opens_on": None,
            "experience": True,
            "story": None,
        },
        "consents": [{"purpose": "service", "version": "1"}],
        "from_chat": True,
    }
    assert made.headers["idempotency-key"]
    said = page.evaluate("window.liffCalls.filter(([name]) => name === 'sendMessages')")
    assert said[0][1][0]["text"] == "我送出了表單：加盟申請"
    assert page.oddities == []


def test_all_that_is_missing_is_said_at_once_and_consent_is_asked_for(
    open_form: Visit, api: StandInApi
) -> None:
    page = open_form()
    page.get_by_label("預算").fill("很多")
    send(page)
    assert page.locator(".error:visible").all_inner_texts() == [
        "這一欄必填。",
        "這一欄必填。",
        "請選擇一項。",
        "請填寫數字。",
        "需要您同意，才能為您服務。",
    ]
    assert page.evaluate("document.activeElement.name") == "applicant"
    assert api.made(f"POST {FORM}") == []


def test_what_the_server_refuses_stands_under_its_question(
    open_form: Visit, api: StandInApi
) -> None:
    api.consents = AGREED
    wrong = {"field": "phone", "code": "phone", "message": "電話號碼好像不對。"}
    api.next(f"POST {FORM}", problem(422, "invalid", "請修改", wrong))
    page = open_form()
    assert not page.get_by_label("我已閱讀並同意").is_visible()
    fill(page)
    send(page)
    page.locator("#phone-error", has_text="電話號碼好像不對。").wait_for()
    send(page)
    page.get_by_role("heading", name="已送出！").wait_for()
    assert "consents" not in api.made(f"POST {FORM}")[1].body


def test_a_draft_outlives_a_reload(open_form: Visit) -> None:
    page = open_form()
    fill(page)
    page.reload()
    page.get_by_label("姓名").wait_for()
    assert page.get_by_label("姓名").input_value() == "陳大文"
    assert page.locator(".choice :checked").count() == 2


def test_a_form_for_members_leads_to_binding_and_back(open_form: Visit) -> None:
    page = open_form({"requires": "member"})
    way = page.get_by_role("link", name="綁定會員")
    assert way.get_attribute("href") == "/liff/bind?next=forms%2Ffranchise_application"
    way.click()
    ask_for_code(page)
    page.get_by_label("6 位數驗證碼").fill("123456")
    page.get_by_role("button", name="確認").click()
    page.get_by_role("link", name="繼續填寫表單").click()
    page.get_by_label("姓名").wait_for()
    assert not page.get_by_label("我已閱讀並同意").is_visible()


def test_a_form_that_was_taken_down_says_so(visit: Visit, api: StandInApi) -> None:
    api.next(f"GET {FORM}", problem(404, "not_found", "找不到"))
    page = visit(PATH)
    page.get_by_role("heading", name="這份表單目前沒有開放").wait_for()


@pytest.mark.parametrize(
    ("locale", "scheme"), [("zh-TW", "light"), ("ja", "dark"), ("en", "light")]
)
def test_it_keeps_nobody_out(
    open_form: Visit,
    axe: Callable[[Any], list[str]],
    sideways: Callable[[Any], int],
    locale: str,
    scheme: str,
    tmp_path: Path,
) -> None:
    phone = {"phone": {"language": locale}, "color_scheme": scheme}
    page = open_form({"locale": locale}, f"{PATH}?lang={locale}", **phone)
    page.locator("button[type=submit]").click()
    page.locator(".error:visible").first.wait_for()
    assert page.title() == page.locator("h1").inner_text() == definition(locale)["title"]
    assert sideways(page) == 0
    assert axe(page) == []
    shots = Path(os.environ.get("SCREENSHOTS", tmp_path))
    page.screenshot(path=shots / f"form.{locale}.png", full_page=True)
