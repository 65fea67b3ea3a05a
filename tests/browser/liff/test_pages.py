"""All LIFF pages: languages, looks, headers, and every visible word from a locale file."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import orjson
import pytest

import webhooks.pages
from tests.browser.liff.conftest import MEMBER, StandInApi, registration, repair, until

PAGES = Path(webhooks.pages.__file__).parent
LOCALES = {
    file.stem: orjson.loads(file.read_bytes()) for file in (PAGES / "locales").glob("*.json")
}
SCRIPTS = sorted((PAGES / "static").rglob("*.js"))
TEMPLATES = sorted((PAGES / "templates").glob("*.html"))
PATHS = ("/liff", "/liff/bind", "/liff/register/7KQ2M9XR4TBD", "/liff/repair", "/liff/requests")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
KEY = re.compile(r"""(?<![\w.])t\(['"`]([a-z]+[.\w]*)['"`]""")
CJK = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")

Visit = Callable[..., Any]
LooksRight = Callable[[Any], None]


def fetch(site: str, path: str, **headers: str) -> Any:
    return urlopen(Request(site + path, headers=headers), timeout=5)  # noqa: S310  (localhost only)


def settled(page: Any) -> None:
    page.locator("[data-view=loading]").wait_for(state="hidden")


@pytest.fixture
def looks_right(axe: Callable[[Any], list[str]], sideways: Callable[[Any], int]) -> LooksRight:
    """Fails on a page that scrolls sideways or keeps someone out."""

    def look(page: Any) -> None:
        assert sideways(page) == 0
        assert axe(page) == []

    return look


@pytest.fixture
def busy_member(api: StandInApi) -> StandInApi:
    """Someone with products and repairs, so that every page is full."""
    api.member = MEMBER
    api.following = False
    long_name = {"sku": "WF-10", "name": "RO 淨水器 WF-10 家用廚下型 " * 3}
    api.registrations = [registration(1), registration(2, product=long_name, serial="S" * 40)]
    api.repairs = [
        repair(1),
        repair(2, symptom="漏水" * 60, status="working", case_number="00001024"),
    ]
    return api


def test_every_locale_has_the_same_keys_and_placeholders() -> None:
    assert set(LOCALES) == {"zh-TW", "en", "ja"}
    holes = {
        name: {key: sorted(re.findall(r"\{\w+\}", text)) for key, text in strings.items()}
        for name, strings in LOCALES.items()
    }
    assert holes["en"] == holes["zh-TW"]
    assert holes["ja"] == holes["zh-TW"]


def test_no_string_is_empty() -> None:
    assert [
        key for strings in LOCALES.values() for key, text in strings.items() if not text.strip()
    ] == []


@pytest.mark.parametrize("file", SCRIPTS + TEMPLATES, ids=lambda file: file.name)
def test_every_key_that_is_named_exists(file: Path) -> None:
    named = set(KEY.findall(file.read_text()))
    assert {key for key in named if not key.endswith((".", "_"))} <= set(LOCALES["en"])


def test_no_string_is_left_over() -> None:
    code = "".join(file.read_text() for file in SCRIPTS + TEMPLATES)
    begun = set(re.findall(r"""['"`]([a-z]+[._](?:[a-z]+_)?)(?:\$\{|['"] ~)""", code))
    titles = {f"{file.stem}.title" for file in TEMPLATES}
    unused = {
        key
        for key in LOCALES["en"]
        if key not in code and key not in titles and not key.startswith(tuple(begun))
    }
    assert unused == set()


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_a_template_holds_no_words(file: Path) -> None:
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", "", file.read_text(), flags=re.DOTALL)
    words = re.sub(r"<[^>]*>", " ", text).split()
    spoken = re.findall(r'(?:aria-label|title|alt)="([^"]+)"', text)
    assert words == []
    assert spoken == []


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_a_script_holds_no_words(file: Path) -> None:
    code = COMMENT.sub("", file.read_text())
    assert CJK.findall(code) == []
    assert re.findall(r"""["'`][A-Z][a-z]+ [a-z]""", code) == []


@pytest.mark.usefixtures("busy_member")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("lang", "width"), [("zh-TW", 360), ("en", 360), ("ja", 360), ("zh-TW", 1280), ("en", 1280)]
)
def test_a_page_fits_and_is_accessible(
    visit: Visit, looks_right: LooksRight, path: str, lang: str, width: int
) -> None:
    page = visit(f"{path}?lang={lang}", width=width)
    settled(page)
    looks_right(page)
    assert page.oddities == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_form_full_of_errors_is_accessible(
    visit: Visit, looks_right: LooksRight, scheme: str
) -> None:
    page = visit("/liff/bind", color_scheme=scheme)
    page.get_by_role("button", name="傳送驗證碼").click()
    looks_right(page)


@pytest.mark.usefixtures("busy_member")
def test_targets_are_big_enough_for_a_thumb(visit: Visit) -> None:
    page = visit("/liff/repair")
    settled(page)
    small = page.evaluate(
        """[...document.querySelectorAll("a, button, .chip, .choice, .field > input")]
        .filter((target) => target.offsetParent && target.getBoundingClientRect().height < 44)
        .map((target) => target.outerHTML)"""
    )
    assert small == []


@pytest.mark.parametrize(
    ("accept", "lang"),
    [
        ("zh-TW,zh;q=0.9", "zh-TW"),
        ("ja-JP", "ja"),
        ("de, en;q=0.5", "en"),
        ("de", "zh-TW"),
        ("", "zh-TW"),
        ("en;q=0, ja;q=x", "zh-TW"),
    ],
)
def test_the_language_follows_accept_language(site: str, accept: str, lang: str) -> None:
    body = fetch(site, "/liff/bind", **{"Accept-Language": accept}).read().decode()
    assert f'<html lang="{lang}">' in body


def test_the_language_asked_for_wins_and_stays_on_the_next_page(visit: Visit) -> None:
    page = visit("/liff?lang=ja", phone={"language": "en"})
    page.get_by_role("link", name="会員連携").click()
    page.get_by_role("heading", name="会員連携").wait_for()
    assert "lang=ja" in page.url


def test_the_language_of_the_line_app_refines_the_browsers(visit: Visit) -> None:
    page = visit("/liff/bind", locale="en-US", phone={"language": "ja"})
    page.get_by_role("heading", name="会員連携").wait_for()


def test_switching_the_language_keeps_what_was_typed(visit: Visit) -> None:
    page = visit("/liff/bind?next=repair")
    page.get_by_label("姓名").fill("王小明")
    page.get_by_role("link", name="English").click()
    page.get_by_label("Name").wait_for()
    assert page.get_by_label("Name").input_value() == "王小明"
    assert "next=repair" in page.url


def test_who_is_outside_line_is_asked_to_log_in(visit: Visit) -> None:
    page = visit("/liff/bind", phone={"loggedIn": False, "inClient": False})
    until(page, "window.liffCalls?.some(([name]) => name === 'login')")


def test_a_missing_sdk_is_said_with_a_way_on(visit: Visit, site: str) -> None:
    page = visit("/liff")
    page.route("https://sdk.line.test/**", lambda route: route.abort())
    page.goto(f"{site}/liff/bind")
    page.get_by_text("無法連上 LINE").wait_for()
    assert page.get_by_role("button", name="再試一次").is_visible()


def test_who_is_no_friend_is_invited(visit: Visit, api: StandInApi) -> None:
    api.following = False
    page = visit("/liff")
    page.get_by_role("link", name="加入好友").wait_for()


def test_a_page_carries_the_headers_that_guard_it(site: str) -> None:
    headers = fetch(site, "/liff/bind").headers
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self' https://sdk.line.test;" in policy
    assert "frame-ancestors https://liff.line.me" in policy
    assert "unsafe" not in policy
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_nothing_stands_inline(site: str) -> None:
    for path in PATHS:
        body = fetch(site, path).read().decode()
        assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", body) == []


def test_a_code_in_the_address_cannot_break_out_of_the_page(site: str) -> None:
    body = fetch(site, "/liff/register/%22%3E%3Cscript%3Ealert(1)%3C").read().decode()
    assert "<script>alert" not in body


def test_a_file_is_kept_for_ever_under_its_version_only(site: str) -> None:
    body = fetch(site, "/liff").read().decode()
    (address,) = re.findall(r'href="(/liff/static/\w+/pages\.css)"', body)
    assert "immutable" in fetch(site, address).headers["Cache-Control"]
    stale = re.sub(r"static/\w+/", "static/000000000000/", address)
    assert fetch(site, stale).headers["Cache-Control"] == "no-cache"


def test_a_file_is_sent_packed_to_who_takes_that(site: str) -> None:
    body = fetch(site, "/liff").read().decode()
    (address,) = re.findall(r'href="(/liff/static/\w+/pages\.css)"', body)
    assert fetch(site, address, **{"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
