"""The core of the story, to be lived through while something goes wrong between its steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tests.acceptance.line import Customer
from tests.acceptance.waiting import now, until
from tests.acceptance.world import World, assert_balanced

PATIENCE = 120
MESSAGES = ("歡迎加入", "同意並開始", "綁定會員", "案件編號", "已開始處理")


@dataclass
class Core:
    """One customer's way from the follow to the repair."""

    world: World
    phone: str
    customer: Customer = field(init=False)
    code: str = ""

    def __post_init__(self) -> None:
        self.customer = self.world.line.customer("小明")

    def run(self) -> None:
        """Every step, each waited for before the next."""
        self.consents()
        self.is_bound()
        self.registers()
        self.asks()
        self.is_told()
        self.is_corrected()

    def consents(self) -> None:
        """Follow, greeting, consent, Lead."""
        self.customer.follows()
        self.customer.received("歡迎加入", seconds=PATIENCE)
        self.customer.consents()
        self._wait(lambda: self.world.org.leads(self.customer.user_id), "the Lead")

    def is_bound(self) -> None:
        """The agent enters a Contact, the customer proves the phone."""
        self.world.org.create(
            "Contact", LastName="王", FirstName="小明", MobilePhone=spaced(self.phone)
        )
        self.customer.binds("王小明", self.phone)
        self._wait(lambda: self._contacts_with_account(), "the Contact with its Account")

    def registers(self) -> None:
        """A code becomes an Asset."""
        (made,) = self.world.cli.codes("AC-200")
        self.code = made["code"]
        self.customer.registers(self.code, str(date.today() - timedelta(days=3)))
        self._wait(lambda: self.world.org.assets(self.code), "the Asset")

    def asks(self) -> None:
        """A repair request becomes a Case, and its number a message."""
        registered = self.customer.api("GET", "/registrations").json()[0]["registration_id"]
        self.customer.asks_for_repair(
            registration_id=registered,
            symptom="漏水",
            description="",
            address="高雄市前金區中正四路 211 號",
            slots=[f"{date.today() + timedelta(days=2)} EVENING"],
            contact_phone=self.phone,
        )
        self.customer.received("案件編號", seconds=PATIENCE)

    def is_told(self) -> None:
        """The agent works on the Case, the customer hears of it."""
        self.world.org.edit("Case", self.case()["Id"], Status="Working")
        self.customer.received("已開始處理", seconds=PATIENCE)

    def is_corrected(self) -> None:
        """The agent mends the name."""
        after = self.world.org.edit("Contact", self.contact()["Id"], FirstName="大明")
        self.world.settled(after, seconds=PATIENCE)
        assert self.customer.me()["member"]["name"] == "王大明"

    def contact(self) -> dict[str, Any]:
        """The one Contact."""
        (contact,) = self.world.org.contacts(self.customer.user_id)
        return contact

    def case(self) -> dict[str, Any]:
        """The one Case."""
        (case,) = self.world.org.cases(self.contact()["Id"])
        return case

    def check(self) -> None:
        """The rows are those of a day on which all went well, each once, each message once."""
        self.world.settled(now(), seconds=PATIENCE)
        assert_balanced(self.world.cli.status())
        org = self.world.org
        contact, case = self.contact(), self.case()
        assert len(org.leads(self.customer.user_id)) == 1
        same_phone = f"SELECT Id FROM Contact WHERE MobilePhone = '{spaced(self.phone)}'"
        assert [row["Id"] for row in org.rows(same_phone)] == [contact["Id"]]
        (asset,) = org.assets(self.code)
        (order,) = org.work_orders(case["Id"])
        for row in (asset, case, order):
            assert (row["ContactId"], row["AccountId"]) == (contact["Id"], contact["AccountId"])
        assert case["AssetId"] == order["AssetId"] == asset["Id"]
        self._check_messages()

    def _check_messages(self) -> None:
        texts = [item["text"] for item in self.customer.chat()]
        seen = Counter(words for words in MESSAGES for text in texts if words in text)
        assert seen == dict.fromkeys(MESSAGES, 1), texts

    def _contacts_with_account(self) -> list[dict[str, Any]]:
        found = self.world.org.contacts(self.customer.user_id)
        return [row for row in found if row["AccountId"]]

    def _wait(self, look: Callable[[], Any], what: str) -> None:
        until(look, what, PATIENCE)


def spaced(phone: str) -> str:
    """A mobile number as an agent may type it: 0912 345 678."""
    return f"{phone[:4]} {phone[4:7]} {phone[7:]}"
