"""The whole story in two windows: a customer's phone and, beside it, the agent's desk.

The steps build on each other, so they are one test, read from top to bottom.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from tests.acceptance.waiting import until
from tests.acceptance.world import World
from tests.browser.story.desk import Desk
from tests.browser.story.eye import Eye
from tests.browser.story.phone import (
    BIND,
    REGISTER,
    REPAIR,
    REQUESTS,
    Phone,
    fill_bind,
    fill_repair,
)

NUMBERS = {"en": "0922000001", "ja": "0922000002"}
VISIT = f"{date.today() + timedelta(days=3)}T14:30"


@pytest.mark.timeout(180)
def test_a_customer_and_an_agent_meet_in_two_windows(
    world: World, phone: Phone, desk: Desk, eye: Eye
) -> None:
    story = Story(world, phone, desk, eye)
    story.a_follow_is_greeted()
    story.a_consent_becomes_a_lead_on_the_desk()
    story.a_binding_becomes_a_contact_on_the_desk()
    story.the_printed_code_opens_the_form_and_becomes_an_asset()
    story.a_repair_is_answered_in_the_chat_and_appears_on_the_desk()
    story.the_agents_edits_arrive_in_the_chat()
    story.the_agents_correction_shows_on_the_bind_page()
    story.each_page_also_fits_the_other_screen()
    assert eye.oddities == []
    assert eye.refusals == []


@pytest.mark.parametrize(("locale", "name"), [("en", "Amy Lin"), ("ja", "佐藤花子")])
def test_the_same_screens_in_another_language(
    world: World, phone: Phone, desk: Desk, eye: Eye, locale: str, name: str
) -> None:
    phone.is_taken_by(name, locale)
    phone.follows()
    eye.sees(phone.page, f"{locale}-01-greeting")
    phone.consents()
    eye.sees(phone.page, f"{locale}-02-menu")
    (made,) = world.cli.codes("WF-10")
    phone.customer.registers(made["code"], "2026-02-28")
    form = phone.opens(BIND)
    assert phone.frame.locator("html").get_attribute("lang") == locale
    fill_bind(form, name, NUMBERS[locale])
    form.locator("#details [type=submit]").click()
    phone.page.locator("#sms .sms-card").wait_for()
    eye.sees(phone.page, f"{locale}-03-code", phone.frame)
    form.locator("#code").fill(phone.code_from_banner())
    form.locator("#confirm [type=submit]").click()
    form.locator("[data-view=done] h2").wait_for()
    phone.closes()
    contact = until(lambda: world.org.contacts(phone.customer.user_id), "the Contact")[0]
    phone.opens(REGISTER)
    eye.sees(phone.page, f"{locale}-04-register", phone.frame)
    phone.page.locator("#sheet-close").click()
    form = phone.opens(REPAIR)
    eye.sees(phone.page, f"{locale}-05-repair", phone.frame)
    fill_repair(form)
    form.locator("#repair [type=submit]").click()
    form.locator("[data-view=done] h2").wait_for()
    eye.sees(phone.page, f"{locale}-06-asked", phone.frame)
    phone.closes()
    phone.hears("0000")
    case = until(lambda: world.org.cases(contact["Id"]), "the Case")[0]
    (order,) = until(lambda: world.org.work_orders(case["Id"]), "the WorkOrder")
    world.org.edit("WorkOrder", order["Id"], StartDate=f"{VISIT[:10]}T06:30:00.000+0000")
    phone.hears(re.compile(r"\b(14|2):30"))
    eye.sees(phone.page, f"{locale}-07-visit")
    phone.opens(REQUESTS).locator(".status").wait_for()
    eye.sees(phone.page, f"{locale}-08-requests", phone.frame)
    desk.page.goto(f"{desk.url}/?tab=WorkOrder&id={order['Id']}&lang={locale}")
    eye.sees(desk.page, f"{locale}-09-desk")
    assert (eye.oddities, eye.refusals) == ([], [])


@dataclass
class Story:
    """The two windows, and what later steps need of earlier ones."""

    world: World
    phone: Phone
    desk: Desk
    eye: Eye
    case_number: str = ""

    def a_follow_is_greeted(self) -> None:
        self.desk.lists("Lead")
        self.eye.sees(self.desk.page, "desk-01-no-leads")
        self.phone.page.goto(self.world.up.line_url)
        self.eye.sees(self.phone.page, "phone-01-nobody")
        self.phone.is_taken_by("王小明")
        self.eye.sees(self.phone.page, "phone-02-stranger")
        self.phone.follows()
        self.phone.hears("歡迎加入")
        self.eye.sees(self.phone.page, "phone-03-greeting")

    def a_consent_becomes_a_lead_on_the_desk(self) -> None:
        self.phone.consents()
        self.desk.sees("王小明")
        self.eye.sees(self.phone.page, "phone-04-menu")
        self.eye.sees(self.desk.page, "desk-02-lead")

    def a_binding_becomes_a_contact_on_the_desk(self) -> None:
        self.desk.lists("Contact")
        form = self.phone.opens(BIND)
        fill_bind(form, "王小明", "0912-345-678")
        self.eye.sees(self.phone.page, "phone-05-bind", self.phone.frame)
        form.locator("#details [type=submit]").click()
        self.phone.page.locator("#sms .sms-card").wait_for()
        self.eye.sees(self.phone.page, "phone-06-code", self.phone.frame)
        form.locator("#code").fill(self.phone.code_from_banner())
        form.locator("#confirm [type=submit]").click()
        form.get_by_role("heading", name="綁定完成！").wait_for()
        self.eye.sees(self.phone.page, "phone-07-bound", self.phone.frame)
        self.phone.closes()
        assert "+886912345678" in self.desk.sees("王小明").inner_text()
        self.eye.sees(self.desk.page, "desk-03-contact")

    def the_printed_code_opens_the_form_and_becomes_an_asset(self) -> None:
        self.desk.lists("Asset")
        (made,) = self.world.cli.codes("AC-100")
        form = self.phone.page.context.new_page()
        form.goto(made["url"])
        form.locator("#shop").fill("台北門市")
        assert form.locator("#code").input_value() == made["code"]
        self.eye.sees(form, "phone-08-register")
        form.locator("#registration [type=submit]").click()
        form.locator("#done-title").wait_for()
        form.locator("#done-warranty:not(.waiting)").wait_for(timeout=30_000)
        self.eye.sees(form, "phone-09-registered")
        assert "AC-100" in form.locator("#done-product").inner_text()
        form.close()
        self.desk.sees(made["code"])
        self.eye.sees(self.desk.page, "desk-04-asset")

    def a_repair_is_answered_in_the_chat_and_appears_on_the_desk(self) -> None:
        self.desk.lists("Case")
        form = self.phone.opens(REPAIR)
        fill_repair(form)
        self.eye.sees(self.phone.page, "phone-10-repair", self.phone.frame)
        form.locator("#repair [type=submit]").click()
        form.get_by_role("heading", name="收到您的報修了！").wait_for()
        self.eye.sees(self.phone.page, "phone-11-asked", self.phone.frame)
        self.phone.closes()
        self.phone.hears("案件編號")
        self.eye.sees(self.phone.page, "phone-12-case-number")
        self.case_number = self.desk.sees("冷氣不冷").locator("a").first.inner_text()
        answer = self.phone.customer.received("案件編號")
        assert answer["via"] == "reply"
        assert self.case_number in answer["text"]
        self.eye.sees(self.desk.page, "desk-05-case")

    def the_agents_edits_arrive_in_the_chat(self) -> None:
        self.desk.opens(self.case_number)
        self.eye.sees(self.desk.page, "desk-06-case-open")
        self.desk.sets_status("Working")
        assert self.case_number in self.phone.hears("已開始處理").inner_text()
        self.desk.follows_to("WorkOrder")
        self.desk.appoints(VISIT)
        self.eye.sees(self.desk.page, "desk-07-work-order")
        assert "14:30" in self.phone.hears("到府時間已安排").inner_text()
        self.eye.sees(self.phone.page, "phone-13-visit")
        form = self.phone.opens(REQUESTS)
        form.locator(".status.working").wait_for()
        assert "14:30" in form.locator("#repairs").inner_text()
        self.eye.sees(self.phone.page, "phone-14-requests", self.phone.frame)
        self.phone.page.locator("#sheet-close").click()

    def the_agents_correction_shows_on_the_bind_page(self) -> None:
        self.desk.lists("Contact")
        self.desk.opens("王小明")
        self.desk.corrects("FirstName", "大明")
        self.eye.sees(self.desk.page, "desk-08-contact-open")
        until(lambda: self.phone.customer.me()["member"]["name"] == "王大明", "the correction")
        form = self.phone.opens(BIND)
        form.get_by_text("王大明").wait_for()
        self.eye.sees(self.phone.page, "phone-15-profile", self.phone.frame)

    def each_page_also_fits_the_other_screen(self) -> None:
        self.phone.page.set_viewport_size({"width": 1280, "height": 900})
        self.eye.sees(self.phone.page, "phone-16-wide-profile", self.phone.frame)
        self.phone.page.locator("#sheet-close").click()
        self.eye.sees(self.phone.page, "phone-17-wide-chat")
        self.desk.page.set_viewport_size({"width": 360, "height": 740})
        self.eye.sees(self.desk.page, "desk-09-narrow-contact")
        self.desk.lists("Case")
        self.desk.sees(self.case_number)
        self.eye.sees(self.desk.page, "desk-10-narrow-list")
        self.desk.opens(self.case_number)
        self.eye.sees(self.desk.page, "desk-11-narrow-case")
