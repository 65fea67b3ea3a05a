"""The org browser, as its HTML and as a person meets it in Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson
import pytest
import requests

from simulator.salesforce.page.layouts import LAYOUTS
from simulator.salesforce.page.texts import FOLDER, LANGUAGES
from simulator.salesforce.schema import load_schema
from tests.browser.conftest import axe, browser_page, chromium, sideways

from .stage import Client

__all__ = ["axe", "browser_page", "chromium", "sideways"]
SOON = 5_000
Browser = Callable[..., Any]


def html(url: str, path: str) -> str:
    return requests.get(url + path, timeout=10).text


def test_the_languages_say_the_same_things() -> None:
    files = [orjson.loads((FOLDER / f"{each}.json").read_bytes()) for each in LANGUAGES]
    for part in ("texts", "objects"):
        assert len({tuple(each[part]) for each in files}) == 1
    assert files[0]["fields"].keys() == files[2]["fields"].keys()


def test_every_editable_field_has_a_chinese_label() -> None:
    fields = orjson.loads((FOLDER / "zh-TW.json").read_bytes())["fields"]
    schema = load_schema()
    shown = {
        name for each in LAYOUTS.values() for names in each.sections.values() for name in names
    }
    assert shown - fields.keys() == set()
    assert {
        n for k in LAYOUTS for n in LAYOUTS[k].columns if n not in schema.objects[k].fields
    } == set()


def test_the_page_loads_nothing_from_elsewhere(url: str, agent: Client) -> None:
    contact = agent.create("Contact", LastName="王")
    for path in ("/", f"/?tab=Contact&id={contact}", "/?tab=Case&new=1"):
        sources = re.findall(r'(?:src|href)="([^"]+)"', html(url, path))
        assert sources
        assert [each for each in sources if not each.startswith(("/", "#", "data:"))] == []


def test_what_users_typed_is_shown_and_never_run(url: str, agent: Client) -> None:
    contact = agent.create("Contact", LastName="<script>alert(1)</script>")
    for path in ("/?tab=Contact", f"/?tab=Contact&id={contact}"):
        assert "<script>alert" not in html(url, path)


def test_search_finds_rows_by_any_column(url: str, agent: Client) -> None:
    agent.create("Contact", LastName="王", FirstName="小明", MobilePhone="0912-345-678")
    agent.create("Contact", LastName="李")
    found = html(url, "/?tab=Contact&q=345")
    assert "王小明" in found
    assert "李" not in found
    assert "王小明" in html(url, "/?tab=Contact&q=王小明")


def test_a_deleted_row_is_told_as_gone(url: str, agent: Client) -> None:
    contact = agent.create("Contact", LastName="王")
    agent.call("DELETE", f"/sobjects/Contact/{contact}")
    assert requests.get(f"{url}/?tab=Contact&id={contact}", timeout=10).status_code == 404


def test_looking_at_the_page_is_not_logged_as_calls(url: str, agent: Client) -> None:
    html(url, "/?tab=Contact")
    html(url, "/_page/page.js")
    assert requests.get(f"{url}/_simulator/calls", timeout=10).json() == []
    assert agent


@pytest.fixture
def family(agent: Client) -> dict[str, str]:
    """A contact with everything around it."""
    account = agent.create("Account", Name="王小明")
    contact = agent.create("Contact", LastName="王", FirstName="小明", AccountId=account)
    asset = agent.create("Asset", Name="AC-100", ContactId=contact, SerialNumber="S" * 80)
    case = agent.create("Case", Subject="冷氣不冷", ContactId=contact, AssetId=asset)
    order = agent.create("WorkOrder", Subject="到府維修", CaseId=case)
    lead = agent.create("Lead", LastName="W" * 80, Company="W" * 255)
    return {
        "Account": account,
        "Contact": contact,
        "Asset": asset,
        "Case": case,
        "WorkOrder": order,
        "Lead": lead,
    }


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_pages_fit_their_width_and_satisfy_axe(
    url: str,
    family: dict[str, str],
    browser_page: Browser,
    axe: Callable[[Any], list[str]],
    sideways: Callable[[Any], int],
    width: int,
) -> None:
    page = browser_page(width, 800)
    paths = [f"/?tab={kind}" for kind in LAYOUTS] + ["/?tab=Contact&new=1"]
    paths += [f"/?tab={kind}&id={row_id}" for kind, row_id in family.items()]
    for path in paths:
        page.goto(url + path)
        assert (path, sideways(page)) == (path, 0)
        assert (path, axe(page)) == (path, [])
    assert page.oddities == []


@pytest.mark.browser
def test_an_edit_is_saved_through_the_api_as_the_agent(
    url: str, agent: Client, family: dict[str, str], browser_page: Browser
) -> None:
    page = browser_page(1280, 900)
    page.goto(f"{url}/?tab=Contact&id={family['Contact']}")
    page.fill("#f-FirstName", "大明")
    page.check("#f-LINE_Following__c")
    page.fill("#f-LINE_Bound_At__c", "2026-01-02T08:30")
    page.click("#save")
    page.wait_for_selector("#save-bar", state="hidden", timeout=SOON)
    row = agent.row("Contact", family["Contact"])
    assert (row["FirstName"], row["LINE_Following__c"]) == ("大明", True)
    assert row["LINE_Bound_At__c"] == "2026-01-02T00:30:00.000+0000"
    assert page.inner_text("#title") == "王大明"


@pytest.mark.browser
def test_a_refusal_is_shown_where_it_belongs_in_the_words_of_the_api(
    url: str, family: dict[str, str], browser_page: Browser
) -> None:
    page = browser_page(1280, 900)
    page.goto(f"{url}/?tab=Contact&id={family['Contact']}")
    page.fill("#f-Email", "badone")
    page.click("#save")
    page.wait_for_selector("#e-Email:visible", timeout=SOON)
    assert page.inner_text("#e-Email") == "Email: invalid email address: badone"
    assert "INVALID_EMAIL_ADDRESS" in page.inner_text("#errors")
    assert page.input_value("#f-Email") == "badone"


@pytest.mark.browser
def test_chips_and_the_appointment_save_at_once(
    url: str, agent: Client, family: dict[str, str], browser_page: Browser
) -> None:
    page = browser_page(1280, 900)
    page.goto(f"{url}/?tab=Case&id={family['Case']}")
    page.click("[data-chip][value=Working]")
    page.wait_for_selector("[value=Working][aria-pressed=true]", timeout=SOON)
    assert agent.row("Case", family["Case"])["Status"] == "Working"
    assert page.input_value("#f-Status") == "Working"

    page.goto(f"{url}/?tab=WorkOrder&id={family['WorkOrder']}")
    page.fill("#appointment", "2026-12-01T09:00")
    page.click("#appoint")
    page.wait_for_function("document.querySelector('#f-StartDate').value !== ''", timeout=SOON)
    order = agent.row("WorkOrder", family["WorkOrder"])
    assert order["StartDate"] == "2026-12-01T01:00:00.000+0000"


@pytest.mark.browser
def test_a_new_row_is_made_from_the_page(url: str, agent: Client, browser_page: Browser) -> None:
    page = browser_page(360, 800)
    page.goto(f"{url}/?tab=Contact")
    page.click("main a.button.primary")
    page.fill("#f-LastName", "王")
    page.fill("#f-FirstName", "小明")
    page.fill("#f-MobilePhone", "0912-345-678")
    page.click("#save")
    page.wait_for_url("**/?tab=Contact&id=003*", timeout=SOON)
    assert page.inner_text("#title") == "王小明"
    assert agent.query("SELECT MobilePhone FROM Contact") == [{"MobilePhone": "0912-345-678"}]


@pytest.mark.browser
def test_what_others_change_appears_and_what_is_typed_stays(
    url: str, agent: Client, family: dict[str, str], browser_page: Browser
) -> None:
    page = browser_page(1280, 900)
    page.goto(f"{url}/?tab=Contact&id={family['Contact']}")
    page.fill("#f-Title", "typing")
    change = {"Title": "other", "Email": "ming@example.com"}
    agent.call("PATCH", f"/sobjects/Contact/{family['Contact']}", change)
    page.wait_for_function(
        "document.querySelector('#f-Email').value === 'ming@example.com'", timeout=SOON
    )
    assert page.input_value("#f-Title") == "typing"
    assert page.is_visible("#meanwhile")
    agent.create("Case", Subject="second", ContactId=family["Contact"])
    page.wait_for_selector("#related >> text=second", timeout=SOON)


@pytest.mark.browser
def test_a_list_shows_new_rows_by_itself(url: str, agent: Client, browser_page: Browser) -> None:
    page = browser_page(360, 800)
    page.goto(f"{url}/?tab=Lead")
    agent.create("Lead", LastName="陳", FirstName="美麗", Company="-")
    page.wait_for_selector("#rows >> text=陳美麗", timeout=SOON)
    assert page.inner_text("#count").startswith("1 ")


@pytest.mark.browser
def test_the_agent_can_go_on_after_the_session_expired(
    url: str, agent: Client, family: dict[str, str], browser_page: Browser
) -> None:
    page = browser_page(1280, 900)
    page.goto(f"{url}/?tab=Case&id={family['Case']}")
    agent.fault("expire_session", match={"client": "SfdcInternalAPI*"})
    page.click("[data-chip][value=Closed]")
    page.wait_for_selector("[value=Closed][aria-pressed=true]", timeout=SOON)


@pytest.mark.browser
def test_a_lead_is_converted_to_an_existing_contact_from_the_page(
    url: str, agent: Client, family: dict[str, str], browser_page: Browser
) -> None:
    page = browser_page(360, 800)
    page.goto(f"{url}/?tab=Lead&id={family['Lead']}")
    page.click("summary:has-text('轉換')")
    page.select_option("#convert-contact", family["Contact"])
    page.click("[data-operation=convert]")
    page.wait_for_url(f"**/?tab=Contact&id={family['Contact']}", timeout=SOON)
    assert agent.row("Lead", family["Lead"])["ConvertedContactId"] == family["Contact"]


@pytest.mark.browser
def test_a_contact_is_merged_into_another_from_the_page(
    url: str, agent: Client, family: dict[str, str], browser_page: Browser
) -> None:
    master = agent.create("Contact", LastName="王", FirstName="大明")
    page = browser_page(1280, 900)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{url}/?tab=Contact&id={family['Contact']}")
    page.click("summary:has-text('合併')")
    page.select_option("#merge-master", master)
    page.click("[data-operation=merge]")
    page.wait_for_url(f"**/?tab=Contact&id={master}", timeout=SOON)
    assert agent.row("Case", family["Case"])["ContactId"] == master
    page.goto(f"{url}/?tab=Contact&bin=1")
    assert "王大明" in page.inner_text("#rows")


@pytest.mark.browser
def test_a_deleted_row_comes_back_from_the_bin(
    url: str,
    agent: Client,
    browser_page: Browser,
    axe: Callable[[Any], list[str]],
    sideways: Callable[[Any], int],
) -> None:
    contact = agent.create("Contact", LastName="王" * 30)
    agent.call("DELETE", f"/sobjects/Contact/{contact}")
    page = browser_page(360, 800)
    page.goto(f"{url}/?tab=Contact&bin=1")
    assert (axe(page), sideways(page)) == ([], 0)
    page.click("[data-operation=undelete]")
    page.wait_for_url(f"**/?tab=Contact&id={contact}", timeout=SOON)
    assert agent.row("Contact", contact)["LastName"] == "王" * 30


@pytest.mark.browser
def test_a_refused_operation_says_why(url: str, agent: Client, browser_page: Browser) -> None:
    lead = agent.create("Lead", LastName="陳", Company="-")
    other = agent.create("Lead", LastName="陳", Company="-")
    page = browser_page(1280, 900)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{url}/?tab=Lead&id={lead}")
    agent.call("DELETE", f"/sobjects/Lead/{other}")
    page.evaluate(f"document.getElementById('merge-master').value = '{other}'")
    page.click("summary:has-text('合併')")
    page.click("[data-operation=merge]")
    page.wait_for_selector("#errors:visible", timeout=SOON)
    assert "ENTITY_IS_DELETED" in page.inner_text("#errors")
