"""The whole story: a LINE user's tap becomes Salesforce rows, Salesforce's edit becomes a message.

The steps build on each other, so they are one test, read from top to bottom.
"""

from __future__ import annotations

import time
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.acceptance.waiting import until
from tests.acceptance.world import World, assert_balanced

BOUGHT = date.today() - timedelta(days=10)
VISIT_DAY = date.today() + timedelta(days=3)
SLOTS = [f"{VISIT_DAY} AM", f"{VISIT_DAY + timedelta(days=1)} PM"]
CLEARED = ("LINE_Key__c", "LINE_User_Id__c", "LINE_Display_Name__c")


@pytest.mark.timeout(420)
def test_the_story_from_the_first_tap_to_the_last_message(world: World) -> None:
    story = Story(world)
    story.a_follow_is_greeted_by_a_reply_and_makes_no_lead()
    story.a_tap_on_the_consent_button_makes_exactly_one_lead()
    story.a_second_consent_changes_nothing()
    story.binding_finds_the_contact_that_the_agent_entered()
    story.an_unknown_customer_gets_a_contact_and_an_account()
    story.a_printed_code_leads_to_the_form_and_the_form_to_an_asset()
    story.a_second_person_cannot_claim_the_same_code()
    story.a_registration_before_the_binding_waits_and_then_goes_on()
    story.a_repair_asked_for_from_the_chat_is_answered_by_a_reply()
    story.a_repair_asked_for_elsewhere_is_answered_by_a_push()
    story.the_agents_edits_of_case_and_visit_become_messages()
    story.the_agents_correction_of_the_name_reaches_the_customer()
    story.whoever_blocks_the_account_gets_nothing()
    story.an_admin_changes_a_mapping_sees_it_and_takes_it_back()
    story.unbinding_clears_our_fields_and_nothing_else()
    story.at_the_end_all_is_in_step_and_accounted_for()
    story.tell()


class Story:
    """Its people, and what later steps need of earlier ones."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.line, self.org = world.line, world.org
        self.began = self._calls()
        self.wang = self.line.customer("小明")
        self.chen = self.line.customer("美玲")
        self.lin = self.line.customer("志明")
        self.contact: dict[str, Any] = {}
        self.asset: dict[str, Any] = {}
        self.case: dict[str, Any] = {}
        self.chens_case: dict[str, Any] = {}
        self.code = ""
        self.registration = ""
        self.request = ""

    def a_follow_is_greeted_by_a_reply_and_makes_no_lead(self) -> None:
        self.wang.follows()
        greeting = self.wang.received("歡迎加入")
        assert greeting["via"] == "reply"
        assert "同意並開始" in self.wang.chat()[-1]["text"]
        self.world.settled()
        assert self.org.leads(self.wang.user_id) == []
        assert self.org.counts()["Lead"] == 0

    def a_tap_on_the_consent_button_makes_exactly_one_lead(self) -> None:
        began = time.monotonic()
        self.wang.consents()
        leads = until(lambda: self.org.leads(self.wang.user_id), "the Lead stands in the org")
        self.world.figures["seconds consent to Lead"] = time.monotonic() - began
        menu = self.wang.received("申請報修")
        assert menu["via"] == "reply"
        self.world.settled()
        (lead,) = self.org.leads(self.wang.user_id)
        assert lead == leads[0]
        assert len(lead["LINE_Key__c"]) == 36
        assert (lead["LastName"], lead["LINE_Display_Name__c"]) == ("小明", "小明")
        assert (lead["Company"], lead["LeadSource"]) == ("LINE", "LINE")
        assert lead["LINE_Following__c"] is True

    def a_second_consent_changes_nothing(self) -> None:
        before = self.org.leads(self.wang.user_id)
        self.wang.consents()
        self.world.settled()
        assert self.org.leads(self.wang.user_id) == before
        assert self.org.counts()["Lead"] == 1

    def binding_finds_the_contact_that_the_agent_entered(self) -> None:
        contact_id = self.org.create(
            "Contact", LastName="王", FirstName="小明", MobilePhone="0912 345 678"
        )
        self.wang.binds("王小明", "+886912345678")
        found = until(lambda: self.org.contacts(self.wang.user_id), "the Contact is tied")
        assert [row["Id"] for row in found] == [contact_id]
        self.world.settled()
        (self.contact,) = self.org.contacts(self.wang.user_id)
        assert len(self.contact["LINE_Key__c"]) == 36
        assert (self.contact["LastName"], self.contact["FirstName"]) == ("王", "小明")
        assert self.contact["MobilePhone"] == "0912 345 678", "another spelling is not an edit"
        assert self.contact["AccountId"], "a Contact without an Account is given one"
        assert self.org.counts()["Contact"] == 1
        assert self.org.counts()["Account"] == 1
        assert self.wang.me()["member"]["name"] == "王小明"
        assert self.wang.me()["member"]["phone"] == "+886912345678"

    def an_unknown_customer_gets_a_contact_and_an_account(self) -> None:
        self.chen.follows()
        self.chen.consents()
        self.chen.binds("陳美玲", "0922333444", "meiling@example.com")
        until(lambda: self.org.contacts(self.chen.user_id), "her Contact is made")
        self.world.settled()
        (contact,) = self.org.contacts(self.chen.user_id)
        assert (contact["LastName"], contact["FirstName"]) == ("陳", "美玲")
        assert contact["MobilePhone"] == "+886922333444"
        assert contact["Email"] == "meiling@example.com"
        assert contact["AccountId"] not in {None, self.contact["AccountId"]}
        assert self.org.counts()["Contact"] == 2

    def a_printed_code_leads_to_the_form_and_the_form_to_an_asset(self) -> None:
        (made,) = self.world.cli.codes("AC-100")
        self.code = made["code"]
        self._opens_the_form(made["url"])
        began = time.monotonic()
        self.registration = self.wang.registers(self.code, str(BOUGHT))["registration_id"]
        again = self.wang.registers(self.code, str(BOUGHT), status=200)
        assert again["registration_id"] == self.registration
        until(lambda: self.org.assets(self.code), "the Asset stands in the org")
        self.world.figures["seconds registration to Asset"] = time.monotonic() - began
        self.world.settled()
        (self.asset,) = self.org.assets(self.code)
        product = self.org.rows("SELECT Id FROM Product2 WHERE ProductCode = 'AC-100'")
        assert self.asset["Product2Id"] == product[0]["Id"]
        assert self.asset["PurchaseDate"] == str(BOUGHT)
        assert self.asset["UsageEndDate"] == str(months_later(BOUGHT, 36))
        assert self.asset["ContactId"] == self.contact["Id"]
        assert self.asset["AccountId"] == self.contact["AccountId"]
        shown = self.wang.api("GET", "/registrations").json()
        assert [one["warranty_until"] for one in shown] == [self.asset["UsageEndDate"]]

    def _opens_the_form(self, url: str) -> None:
        scanned = requests.get(url, allow_redirects=False, timeout=10)
        assert scanned.status_code == 302
        liff_id = self.line.account()["liff_id"]
        path = f"/liff/{liff_id}/register/{self.code.replace('-', '')}"
        assert scanned.headers["location"] == self.world.up.line_url + path
        assert urlsplit(url).path == f"/r/{self.code.replace('-', '')}"

    def a_second_person_cannot_claim_the_same_code(self) -> None:
        refused = self.chen.registers(self.code, str(BOUGHT), status=409)
        assert refused["code"] == "code_claimed"
        self.world.settled()
        assert self.org.assets(self.code) == [self.asset]

    def a_registration_before_the_binding_waits_and_then_goes_on(self) -> None:
        (made,) = self.world.cli.codes("WF-10")
        self.lin.follows()
        self.lin.consents()
        registration = self.lin.registers(made["code"], str(BOUGHT))["registration_id"]
        self.world.settled()
        assert self.org.assets(made["code"]) == []
        why = self.world.cli.explain(f"registration:{registration}")["cause"]
        assert why, "a held registration has a cause"
        assert {"rule", "field", "value"} <= set(why), why
        self.lin.binds("林志明", "0933555666")
        until(lambda: self.org.assets(made["code"]), "the Asset follows the binding")
        self.world.settled()
        (asset,) = self.org.assets(made["code"])
        (contact,) = self.org.contacts(self.lin.user_id)
        assert (asset["ContactId"], asset["AccountId"]) == (contact["Id"], contact["AccountId"])
        self.world.in_step(f"registration:{registration}")

    def a_repair_asked_for_from_the_chat_is_answered_by_a_reply(self) -> None:
        form = repair_form(registration_id=self.registration, from_chat=True, urgency="high")
        last, began = self.wang.last(), time.monotonic()
        self.request = self.wang.asks_for_repair(**form)
        self.wang.writes("我已送出報修：不冷")
        answer = self.wang.received("案件編號", after=last)
        self.world.figures["seconds repair to case number"] = time.monotonic() - began
        assert answer["via"] == "reply"
        self.world.settled()
        (self.case,) = self.org.cases(self.contact["Id"])
        assert self.case["CaseNumber"] in answer["text"]
        assert (self.case["Status"], self.case["Priority"]) == ("New", "High")
        (order,) = self.org.work_orders(self.case["Id"])
        for row in (self.case, order):
            assert row["ContactId"] == self.contact["Id"]
            assert row["AccountId"] == self.contact["AccountId"]
            assert row["AssetId"] == self.asset["Id"]
        (shown,) = self.wang.requests()
        assert shown["case_number"] == self.case["CaseNumber"]
        assert shown["status"] == "received"

    def a_repair_asked_for_elsewhere_is_answered_by_a_push(self) -> None:
        last, began = self.chen.last(), time.monotonic()
        self.chen.asks_for_repair(**repair_form(product="舊的濾水器", contact_phone="0922333444"))
        answer = self.chen.received("案件編號", after=last)
        self.world.figures["seconds repair to case number (push)"] = time.monotonic() - began
        # a reply only where an earlier tap of hers left a token unused: it is free, and as quick
        assert answer["via"] in ("push", "reply")
        self.world.settled()
        (contact,) = self.org.contacts(self.chen.user_id)
        (self.chens_case,) = self.org.cases(contact["Id"])
        assert self.chens_case["CaseNumber"] in answer["text"]
        assert len(self.org.work_orders(self.chens_case["Id"])) == 1

    def the_agents_edits_of_case_and_visit_become_messages(self) -> None:
        last, began = self.wang.last(), time.monotonic()
        self.org.edit("Case", self.case["Id"], Status="Working")
        working = self.wang.received("已開始處理", after=last)
        self.world.figures["seconds edit to message"] = time.monotonic() - began
        assert self.case["CaseNumber"] in working["text"]
        (order,) = self.org.work_orders(self.case["Id"])
        self.org.edit("WorkOrder", order["Id"], StartDate=f"{VISIT_DAY}T06:30:00.000+0000")
        visit = self.wang.received("到府時間已安排", after=last)
        assert "14:30" in visit["text"] or "2:30" in visit["text"], "Taipei is eight hours ahead"
        self.world.settled()
        (shown,) = self.wang.requests()
        assert (shown["status"], shown["visit_at"][:16]) == ("working", f"{VISIT_DAY}T06:30")
        texts = [item["text"] for item in self.wang.chat() if item["seq"] > last]
        assert len(texts) == 2, texts

    def the_agents_correction_of_the_name_reaches_the_customer(self) -> None:
        after = self.org.edit("Contact", self.contact["Id"], FirstName="大明")
        self.world.settled(after)
        assert self.wang.me()["member"]["name"] == "王大明"
        assert self.org.row("Contact", self.contact["Id"])["FirstName"] == "大明"

    def whoever_blocks_the_account_gets_nothing(self) -> None:
        self.chen.blocks()
        self.world.settled()
        sent, last = len(self.line.sends()), self.chen.last()
        after = self.org.edit("Case", self.chens_case["Id"], Status="Working")
        self.world.settled(after)
        assert self.chen.requests()[0]["status"] == "working"
        assert self.chen.last() == last
        assert len(self.line.sends()) == sent, "nothing is sent to who has blocked us"
        (contact,) = self.org.contacts(self.chen.user_id)
        assert self.org.row("Contact", contact["Id"])["LINE_Following__c"] is False

    def an_admin_changes_a_mapping_sees_it_and_takes_it_back(self) -> None:
        cli, before = self.world.cli, self._subjects()
        with TemporaryDirectory() as folder:
            cli.ask("mappings", "export", folder)
            case = Path(folder) / "repair_request-case.yaml"
            text = case.read_text("utf-8")
            case.write_text(text.replace("{truncate: 255}", "{truncate: 1}", 1), "utf-8")
            assert cli.ask("mappings", "check", folder, "--org")["ok"]
            request = f"repair_request:{self.request}"
            preview = ("mappings", "preview", "repair_request-case", request, "--from", folder)
            assert "不" in cli.run(*preview, "--reveal", as_json=False).out
            plan = cli.ask("mappings", "plan", folder)
        tally = plan["mappings"]["repair_request-case"]
        assert tally["update"] == tally["fields"]["Subject"] == len(before), plan
        number = str(plan["plan"])
        rows = cli.ask("mappings", "planned", number, "--reveal")["rows"]
        told = {row["salesforce_id"]: row["fields"]["Subject"] for row in rows}
        assert told == {row: [subject, subject[:1]] for row, subject in before.items()}
        assert self._subjects() == before
        cli.ask("mappings", "publish", "--plan", number, "--reason", "one letter is enough")
        until(lambda: set(self._subjects().values()) == {"不"}, "the rows have changed")
        self.world.settled()
        cli.ask("mappings", "undo", number, "--reason", "it is not")
        until(lambda: self._subjects() == before, "the rows are as they were")
        self.world.settled()

    def _subjects(self) -> dict[str, str]:
        rows = self.org.rows("SELECT Id, Subject FROM Case WHERE LINE_Key__c != null")
        return {row["Id"]: row["Subject"] for row in rows}

    def unbinding_clears_our_fields_and_nothing_else(self) -> None:
        (lead,) = self.org.leads(self.wang.user_id)
        self.wang.unbinds()
        self.world.settled()
        for name, row_id in (("Contact", self.contact["Id"]), ("Lead", lead["Id"])):
            row = self.org.row(name, row_id)
            assert {field: row[field] for field in CLEARED} == dict.fromkeys(CLEARED), name
            assert not row["LINE_Following__c"], name
            assert not row["LINE_Bound_At__c"], name
        contact = self.org.row("Contact", self.contact["Id"])
        assert (contact["LastName"], contact["FirstName"]) == ("王", "大明")
        assert contact["AccountId"] == self.contact["AccountId"]
        assert len(self.org.row("Asset", self.asset["Id"])["LINE_Key__c"]) == 36
        assert len(self.org.row("Case", self.case["Id"])["LINE_Key__c"]) == 36
        assert self.wang.me()["member"] is None

    def at_the_end_all_is_in_step_and_accounted_for(self) -> None:
        self.world.settled()
        status = self.world.cli.status()
        assert_balanced(status)
        assert status["ledger"]["parked"] == 0, status["ledger"]
        self.world.in_step(f"repair_request:{self.request}")
        (contact,) = self.org.contacts(self.lin.user_id)
        self.world.in_step(contact["LINE_Key__c"])
        self.world.in_step(self.case["Id"])
        doctor = self.world.cli.run("doctor")
        assert [each for each in doctor.json["findings"] if not each["ok"]] == []
        assert doctor.code == 0
        self.world.figures["API calls of the story"] = len(self.org.calls(self.began))

    def tell(self) -> None:
        """Print the figures of the closing note."""
        cold = self.world.up.cold_seconds or 0
        print(f"\ncold start to /readyz: {cold:.1f} s")
        for name, value in self.world.figures.items():
            print(f"{name}: {value:.2f}" if name.startswith("seconds") else f"{name}: {value}")

    def _calls(self) -> int:
        calls = self.org.calls()
        return calls[-1]["seq"] if calls else 0


def repair_form(**more: Any) -> dict[str, Any]:
    """A repair form filled in."""
    return {
        "symptom": "不冷",
        "description": "開機十分鐘後仍是熱風",
        "address": "台北市信義區市府路 1 號",
        "slots": SLOTS,
        "contact_phone": "0912345678",
        **more,
    }


def months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError(day)
