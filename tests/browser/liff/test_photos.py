"""Photos of a repair and the proof of a registration, on a phone."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from connector.members.pictures import cleaned
from tests.browser.conftest import BrowserPage
from tests.browser.liff.conftest import MEMBER, StandInApi, problem, registration, until
from tests.browser.liff.test_repair import fill, send
from tests.pictures import PLACE, png, tiff

Visit = Callable[..., Any]
LARGE = 10 * 1024 * 1024 + 1


def photo(name: str = "冷氣.png", content: bytes = png(40)) -> dict[str, Any]:
    return {"name": name, "mimeType": "image/png", "buffer": content}


def choose(page: Any, *photos: dict[str, Any], field: str = "photos") -> None:
    page.locator(f"#{field}").set_input_files(list(photos))


def states(page: Any) -> Sequence[str]:
    return list(page.locator(".photo .state").all_inner_texts())


@pytest.fixture
def page(visit: Visit, api: StandInApi) -> Any:
    """The repair form of a member."""
    api.member = MEMBER
    api.registrations = [registration()]
    opened = visit("/liff/repair")
    opened.get_by_label("故障狀況").wait_for()
    return opened


def test_photos_are_uploaded_at_once_and_named_by_the_form(page: Any, api: StandInApi) -> None:
    choose(page, photo("一.png"), photo("二.png"))
    until(page, "document.querySelectorAll('.photo.ready').length === 2")
    assert states(page) == ["已上傳", "已上傳"]
    assert page.locator(".photo img").first.evaluate("image => image.naturalWidth") == 40
    fill(page)
    send(page)
    page.get_by_role("heading", name="收到您的報修了！").wait_for()
    assert sorted(api.made("POST /repair-requests")[0].body["photos"]) == ["f1", "f2"]
    assert all(call.headers["authorization"] for call in api.made("POST /files"))
    assert page.oddities == []


def test_there_are_five_and_no_more(page: Any, api: StandInApi) -> None:
    choose(page, *(photo(f"{number}.png") for number in range(6)))
    until(page, "document.querySelectorAll('.photo.ready').length === 5")
    assert page.locator("#photos-count").inner_text() == "最多 5 張照片。"
    assert not page.locator("#photos-add").is_visible()
    page.get_by_role("button", name="移除 0.png").click()
    assert page.locator("#photos-add").is_visible()
    assert len(api.made("POST /files")) == 5


def test_an_upload_without_an_answer_is_tried_again_under_the_same_key(
    page: Any, api: StandInApi
) -> None:
    api.next("POST /files", "lost")
    choose(page, photo())
    page.locator(".photo.failed").wait_for()
    fill(page)
    send(page)
    page.get_by_text("有照片沒有上傳成功，請重試或移除。").wait_for()
    page.get_by_role("button", name="再試一次").first.click()
    page.locator(".photo.ready").wait_for()
    first, second = api.made("POST /files")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert api.made("POST /repair-requests") == []


def test_each_photo_says_what_is_wrong_with_it(page: Any, api: StandInApi) -> None:
    told = {"field": "file", "code": "file_damaged", "message": "這張照片無法讀取，請換一張。"}
    api.next("POST /files", problem(422, "invalid", "部分內容需要修改", told))
    choose(page, photo("壞.png"), photo("大.png", bytes(LARGE)))
    until(page, "document.querySelectorAll('.photo.failed').length === 2")
    assert states(page) == ["這張照片無法讀取，請換一張。", "超過 10 MB，請換一張。"]
    assert page.get_by_role("button", name="再試一次").count() == 0


def test_a_reload_keeps_what_was_uploaded(page: Any, api: StandInApi) -> None:
    choose(page, photo())
    page.locator(".photo.ready").wait_for()
    page.reload()
    page.locator(".photo.ready").wait_for()
    fill(page)
    send(page)
    page.get_by_role("heading", name="收到您的報修了！").wait_for()
    assert api.made("POST /repair-requests")[0].body["photos"] == ["f1"]


def test_a_registration_takes_one_proof(visit: Visit, api: StandInApi) -> None:
    page = visit("/liff/register/7KQ2M9XR4TBD")
    page.get_by_label("購買店家").wait_for()
    choose(page, photo(), field="proof")
    page.locator(".photo.ready").wait_for()
    assert not page.locator("#proof-add").is_visible()
    page.get_by_role("button", name="登錄產品").click()
    page.get_by_role("heading", name="登錄完成！").wait_for()
    assert api.made("POST /registrations")[0].body["proof"] == "f1"


def test_a_cleaned_photo_is_seen_as_it_was_taken(browser_page: BrowserPage) -> None:
    page = browser_page()
    page.set_content("<img>")
    drawn = """() => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 20 });
      return canvas.toDataURL("image/jpeg").split(",")[1];
    }"""
    plain = b64decode(page.evaluate(drawn))
    turned = b"Exif\x00\x00" + tiff(6)
    noted = plain[:2] + b"\xff\xe1" + (len(turned) + 2).to_bytes(2, "big") + turned + plain[2:]
    sizes = [
        page.evaluate(SIZE_OF, f"data:{kind};base64,{b64encode(cleaned(content, kind)).decode()}")
        for kind, content in (("image/jpeg", noted), ("image/png", png(30)))
    ]
    assert PLACE not in cleaned(noted, "image/jpeg")
    assert sizes == [[20, 40], [30, 30]]


SIZE_OF = """async (address) => {
  const image = document.querySelector("img");
  image.src = address;
  await image.decode();
  return [image.naturalWidth, image.naturalHeight];
}"""
