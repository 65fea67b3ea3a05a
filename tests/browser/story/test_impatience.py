"""The same pages in hurried hands: taps twice, goes back, reloads, errs, loses the network."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.acceptance.waiting import until
from tests.acceptance.world import World
from tests.browser.conftest import BrowserPage
from tests.browser.story.conftest import STILL
from tests.browser.story.desk import Desk
from tests.browser.story.eye import Eye
from tests.browser.story.phone import BIND, REGISTER, REPAIR, Phone, fill_bind, fill_repair

numbers = (f"09{number:08d}" for number in itertools.count(55_000_100))


@pytest.fixture
def ann(phone: Phone) -> Phone:
    """The phone of somebody who has just agreed."""
    phone.is_taken_by("安安")
    phone.follows()
    phone.consents()
    return phone


def test_a_button_tapped_twice_acts_once(ann: Phone, world: World, eye: Eye) -> None:
    number = next(numbers)
    ann.chat.locator(".card-buttons button", has_text="同意並開始").dblclick()
    form = ann.opens(BIND)
    fill_bind(form, "安安", number)
    form.locator("#details [type=submit]").dblclick()
    form.locator("#code").fill(ann.code_from_banner())
    form.locator("#confirm [type=submit]").dblclick()
    form.get_by_role("heading", name="綁定完成！").wait_for()
    texts = world.line.control("GET", "/sms", params={"phone": f"+886{number[1:]}"})
    assert len(texts) == 1
    until(lambda: world.org.contacts(ann.customer.user_id), "the Contact")
    ann.closes()
    form = ann.opens(REPAIR)
    form.locator("#product").fill("舊冰箱")
    fill_repair(form)
    form.locator("#repair [type=submit]").dblclick()
    form.get_by_role("heading", name="收到您的報修了！").wait_for()
    ann.closes()
    ann.hears("案件編號")
    world.settled()
    (contact,) = world.org.contacts(ann.customer.user_id)
    assert len(world.org.leads(ann.customer.user_id)) == 1
    assert len(world.org.cases(contact["Id"])) == 1
    assert (eye.oddities, eye.refusals) == ([], [])


def test_back_closes_the_form_and_leaves_the_chat(ann: Phone, eye: Eye) -> None:
    form = ann.opens(BIND)
    form.locator("#name").fill("安安")
    ann.page.go_back()
    ann.page.locator("#sheet").wait_for(state="hidden")
    form = ann.opens(BIND)
    assert form.locator("#name").input_value() == "安安"
    ann.page.locator("#sheet-close").click()
    ann.page.locator("#sheet").wait_for(state="hidden")
    assert ann.page.locator("#menu-buttons button").first.is_visible()
    assert (eye.oddities, eye.refusals) == ([], [])


def test_a_reload_in_the_middle_loses_nothing(ann: Phone, eye: Eye) -> None:
    form = ann.opens(BIND)
    fill_bind(form, "安安", next(numbers))
    ann.page.reload()
    form = ann.opens(BIND)
    assert form.locator("#name").input_value() == "安安"
    form.locator("#details [type=submit]").click()
    code = ann.code_from_banner()
    ann.page.reload()
    form = ann.opens(BIND)
    form.locator("#code").fill(code)
    form.locator("#confirm [type=submit]").click()
    form.get_by_role("heading", name="綁定完成！").wait_for()
    assert (eye.oddities, eye.refusals) == ([], [])


def test_a_code_mistyped_thrice_can_still_be_typed_right(ann: Phone, eye: Eye) -> None:
    form = ann.opens(BIND)
    fill_bind(form, "安安", next(numbers))
    form.locator("#details [type=submit]").click()
    code = ann.code_from_banner()
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    said = set()
    for _ in range(3):
        form.locator("#code").fill(wrong)
        form.locator("#confirm [type=submit]").click()
        form.locator("#code-error:not([hidden])").wait_for()
        said.add(form.locator("#code-error").inner_text())
    eye.sees(ann.page, "phone-20-wrong-code", ann.frame)
    form.locator("#code").fill(code)
    form.locator("#confirm [type=submit]").click()
    form.get_by_role("heading", name="綁定完成！").wait_for()
    assert eye.oddities == []
    assert [refusal[:4] for refusal in eye.refusals] == ["422 "] * 3
    assert len(said) == 3, "each time it says how many tries are left"


def test_a_code_that_another_has_claimed_is_refused_under_its_field(
    ann: Phone, world: World, eye: Eye
) -> None:
    (made,) = world.cli.codes("AC-100")
    other = world.line.customer("早鳥")
    other.follows()
    other.registers(made["code"], "2026-01-05")
    form = ann.opens(REGISTER)
    form.locator("#code").fill(made["code"].lower())
    form.locator("#registration [type=submit]").click()
    form.locator("#code-error:not([hidden])").wait_for()
    eye.sees(ann.page, "phone-21-claimed", ann.frame)
    assert eye.oddities == []
    assert eye.refusals == ["409 POST /liff/api/registrations"]


def test_a_moment_without_network_costs_one_more_tap(ann: Phone, world: World, eye: Eye) -> None:
    number = next(numbers)
    form = ann.opens(BIND)
    fill_bind(form, "安安", number)
    ann.page.context.set_offline(True)
    form.locator("#details [type=submit]").click()
    form.get_by_text("目前沒有網路").wait_for()
    eye.sees(ann.page, "phone-22-offline", ann.frame)
    ann.page.context.set_offline(False)
    form.get_by_role("button", name="再試一次").click()
    form.locator("#code").fill(ann.code_from_banner())
    form.locator("#confirm [type=submit]").click()
    form.get_by_role("heading", name="綁定完成！").wait_for()
    ann.closes()
    ann.customer.asks_for_repair(
        product="舊冰箱",
        symptom="不冷",
        description="",
        address="台北市信義區市府路 1 號",
        slots=["2030-01-02 AM"],
        contact_phone=number,
    )
    ann.hears("案件編號")
    lost = [what for what in eye.oddities if "ERR_INTERNET_DISCONNECTED" not in what]
    assert (lost, eye.refusals) == ([], [])


def test_a_phone_on_its_side_is_still_of_use(
    world: World, browser_page: BrowserPage, eye: Eye
) -> None:
    lying = Phone(eye.watch(browser_page(740, 360, **STILL)), world)
    lying.is_taken_by("躺躺")
    lying.follows()
    eye.sees(lying.page, "phone-23-lying-greeting")
    lying.consents()
    eye.sees(lying.page, "phone-24-lying-menu")
    form = lying.opens(BIND)
    fill_bind(form, "躺躺", next(numbers))
    form.locator("#details [type=submit]").click()
    code = lying.code_from_banner()
    eye.sees(lying.page, "phone-25-lying-code", lying.frame)
    form.locator("#code").fill(code)
    form.locator("#confirm [type=submit]").click()
    form.get_by_role("heading", name="綁定完成！").wait_for()
    assert (eye.oddities, eye.refusals) == ([], [])


def test_an_agent_in_a_hurry_keeps_what_was_typed(desk: Desk, world: World, eye: Eye) -> None:
    contact = world.org.create("Contact", LastName="周", FirstName="急急")
    desk.page.goto(f"{desk.url}/?tab=Contact&id={contact}")
    desk.page.locator("#f-Title").fill("經理")
    world.org.edit("Contact", contact, FirstName="慢慢", Title="主任")
    until_value(desk.page, "#f-FirstName", "慢慢")
    assert desk.page.locator("#meanwhile").is_visible()
    eye.sees(desk.page, "desk-20-meanwhile")
    assert desk.page.locator("#f-Title").input_value() == "經理"
    desk.page.locator("#save").dblclick()
    desk.saved()
    assert world.org.row("Contact", contact)["Title"] == "經理"
    assert (eye.oddities, eye.refusals) == ([], [])


def until_value(page: Any, field: str, value: str) -> None:
    """Wait for a field to hold a value."""
    until(lambda: page.locator(field).input_value() == value, f"{field} holds {value}")
