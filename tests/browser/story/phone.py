"""The phone in a person's hand: the chat, its buttons, the forms that open over it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.acceptance.line import Customer
from tests.acceptance.world import World

PATIENCE_MS = 30_000
BIND, REGISTER, REPAIR, REQUESTS = range(4)


@dataclass
class Phone:
    """The LINE simulator's page, used as a person uses it."""

    page: Any
    world: World

    @property
    def chat(self) -> Any:
        """The bubbles."""
        return self.page.locator("#items")

    @property
    def sheet(self) -> Any:
        """The form over the chat."""
        return self.page.frame_locator("#sheet-page")

    @property
    def frame(self) -> Any:
        """The same as a frame of its own, whose content can be judged."""
        return self.page.frames[-1]

    @property
    def customer(self) -> Customer:
        """Whoever holds it, as LINE knows them."""
        (user_id,) = parse_qs(urlsplit(self.page.url).query)["user"]
        name = self.page.locator("#person option:checked").inner_text()
        return Customer(self.world.line, user_id, name)

    def is_taken_by(self, name: str, locale: str = "zh-TW") -> None:
        """A new person; the page and LINE speak the language."""
        self.page.goto(f"{self.world.up.line_url}/?lang={locale}")
        self.page.locator("#new-person").click()
        form = self.page.locator("#person-form")
        form.locator("[name=display_name]").fill(name)
        form.locator("[name=language]").select_option(locale)
        form.locator("[type=submit]").click()
        self.page.locator("#follow").wait_for()

    def follows(self) -> None:
        """Adds the official account; the greeting comes with its consent button."""
        self.page.locator("#follow").click()
        self.chat.locator(".card-buttons button").wait_for(timeout=PATIENCE_MS)

    def consents(self) -> None:
        """Taps the greeting's button; the menu comes."""
        self.chat.locator(".card-buttons button").last.click()
        self.page.locator("#menu-buttons button").nth(REQUESTS).wait_for(timeout=PATIENCE_MS)

    def opens(self, which: int) -> Any:
        """A form, from the menu's button."""
        self.page.locator("#menu-buttons button").nth(which).click()
        self.sheet.locator("[data-view]:not([data-view=loading]):visible").wait_for()
        return self.sheet

    def closes(self) -> None:
        """Puts the form away with its own button."""
        self.sheet.locator("[data-close]:visible").click()
        self.page.locator("#sheet").wait_for(state="hidden")

    def code_from_banner(self) -> str:
        """The one-time code of the text message, copied with its button; the message leaves."""
        words = self.page.locator("#sms .sms-card p")
        words.wait_for()
        (code,) = re.findall(r"(?<!\d)\d{6}(?!\d)", words.inner_text())
        self.page.locator("#sms .sms-buttons button").first.click()
        words.wait_for(state="detached")
        return str(code)

    def hears(self, words: str | re.Pattern[str]) -> Any:
        """Wait for a bubble; nothing is tapped meanwhile."""
        bubble = self.chat.locator(".theirs", has_text=words).last
        bubble.wait_for(timeout=PATIENCE_MS)
        return bubble


def fill_bind(form: Any, name: str, phone: str) -> None:
    """Name, phone and consent."""
    form.locator("#name").fill(name)
    form.locator("#phone").fill(phone)
    form.locator("[name=service]").check()


def fill_repair(form: Any, symptom: str = "冷氣不冷") -> None:
    """What is broken, where, and two times."""
    form.locator("#symptom").fill(symptom)
    form.locator("#description").fill("開機十分鐘後仍是熱風，室外機有異音。")
    form.locator("#address").fill("台北市信義區市府路 1 號")
    form.locator("#slots .chip").nth(0).click()
    form.locator("#slots .chip").nth(4).click()
