"""The verdict of a chaos run can condemn: what is missing, doubled, reverted or out of order is named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.chaos.agent import visit
from tests.chaos.diary import Diary, Edit, Person, Repair
from tests.chaos.findings import Findings, Wrong
from tests.chaos.messages import Messages
from tests.chaos.rows import Rows

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
FORM = {
    "symptom": "報修00001",
    "description": "異音",
    "address": "台北市信義區報修00001號",
    "contact_phone": "0910000000",
    "urgency": "low",
}
GREETING = ("您好，歡迎加入！", "請按「同意並開始」，就能登錄產品與報修")
MENU = "可以開始使用了：綁定會員、登錄產品"
NUMBER = "已收到您的報修，案件編號 00001001。"
WORKING = "您的報修案件 00001001 已開始處理，"
CLOSED = "您的報修案件 00001001 已處理完成，"
VISITS = ("到府時間已安排：1/1（三）08:00\n地址：台北市信義區報修00001號", "到府時間已安排：1/1（三）08:01\n地址：台北市信義區報修00001號")  # fmt: skip


@pytest.fixture
def person() -> Person:
    return Person(
        0,
        "林大明",
        "0910000000",
        "p0@example.com",
        user_id="U0",
        followed=1,
        follows=True,
        consented_at=NOON,
        bound_at=NOON,
        repairs=[Repair("報修00001", FORM, None)],
    )


def edits(*values: tuple[str, str, str], apart: float = 10) -> list[Edit]:
    """What the agent set, so many seconds apart."""
    ids = {"Case": "500", "WorkOrder": "0WO", "Contact": "003"}
    times = (NOON + timedelta(seconds=apart * number) for number in range(len(values)))
    return [
        Edit(name, ids[name], field, value, at)
        for (name, field, value), at in zip(values, times, strict=True)
    ]


def judged(person: Person, history: Sequence[Edit], *texts: str) -> Findings:
    """What the verdict says of a chat with these messages, all of a later time."""
    found = Findings()
    orders = {"報修00001": {"Id": "0WO"}}
    cases = {"報修00001": {"Id": "500", "CaseNumber": "00001001"}}
    later = (NOON + timedelta(hours=1)).isoformat()
    chat = [{"text": text, "time": later} for text in (*GREETING, MENU, *texts)]
    Messages(Diary([person], list(history)), cases, orders, found).check(person, chat)
    return found


WORKED = [("Case", "Status", "Working"), ("Case", "Status", "Closed")]
VISITED = [("WorkOrder", "StartDate", visit(0)), ("WorkOrder", "StartDate", visit(1))]


@pytest.mark.parametrize(
    ("history", "texts"),
    [
        ([], (NUMBER,)),
        (WORKED, (NUMBER, WORKING, CLOSED)),
        (WORKED, (NUMBER, CLOSED)),
        (VISITED, (NUMBER, *VISITS)),
        (VISITED, (NUMBER, VISITS[1])),
    ],
)
def test_whoever_was_told_everything_or_its_last_state_was_told_rightly(
    person: Person, history: list[Any], texts: tuple[str, ...]
) -> None:
    assert judged(person, edits(*history), *texts).clean


@pytest.mark.parametrize(
    ("history", "texts", "kind"),
    [
        ([], (), Wrong.LOST),
        ([], (NUMBER, NUMBER), Wrong.TOLD_TWICE),
        ([], (NUMBER, MENU), Wrong.TOLD_TWICE),
        ([], (NUMBER, "誰寫的？"), Wrong.TOLD_TWICE),
        (WORKED, (NUMBER, WORKING), Wrong.LOST),
        (WORKED, (NUMBER, WORKING, CLOSED, CLOSED), Wrong.TOLD_TWICE),
        (WORKED, (NUMBER, CLOSED, WORKING), Wrong.TOLD_TWICE),
        (VISITED, (NUMBER, VISITS[0]), Wrong.LOST),
        (VISITED, (NUMBER, VISITS[1], VISITS[0]), Wrong.TOLD_TWICE),
    ],
)
def test_a_message_too_few_or_too_many_is_named(
    person: Person, history: list[Any], texts: tuple[str, ...], kind: Wrong
) -> None:
    assert judged(person, edits(*history), *texts).wrong[kind]


@pytest.mark.parametrize(("followed", "clean"), [(1, False), (2, True)])
def test_whoever_has_not_agreed_is_greeted_at_each_return(
    person: Person, followed: int, clean: bool
) -> None:
    person.consented_at, person.followed, person.repairs = None, followed, []
    found = judged(person, [], *GREETING)
    assert (not found.wrong[Wrong.TOLD_TWICE]) is clean


def test_a_state_that_stood_long_must_have_been_told_whatever_came_after(person: Person) -> None:
    told = judged(person, edits(*VISITED, apart=600), NUMBER, VISITS[1])
    assert "stood for" in told.wrong[Wrong.LOST][0]


class Org:
    """An org with one member's rows, as an agent reads them."""

    def __init__(self, **changed: list[dict[str, Any]]) -> None:
        at = {"ContactId": "003", "AccountId": "001", "AssetId": None}
        case = {"Id": "500", "CaseNumber": "00001001", "Subject": "報修00001", "Status": "New"}
        said = {"Priority": "Low", "SuppliedPhone": "+886910000000", "Description": "異音"}
        contact = {
            "Id": "003",
            "LINE_User_Id__c": "U0",
            "LastName": "林",
            "FirstName": "大明",
            "MobilePhone": "+886910000000",
            "Email": "p0@example.com",
            "AccountId": "001",
            "LINE_Display_Name__c": "顧客0",
            "LINE_Following__c": True,
            "LINE_Marketing_Consent__c": False,
        }
        order = {"Id": "0WO", "CaseId": "500", "Subject": "報修00001", "StartDate": None}
        self.kept = {
            "Lead": [{"Id": "00Q", "LINE_User_Id__c": "U0"}],
            "Contact": [contact],
            "Account": [{"Id": "001"}],
            "Case": [{**case, **said, **at}],
            "WorkOrder": [{**order, "Street": FORM["address"], **at}],
            **changed,
        }

    def rows(self, soql: str) -> list[dict[str, Any]]:
        return self.kept.get(soql.partition(" FROM ")[2].split()[0], [])


class Pages:
    """What the member's own pages show."""

    def __init__(self, name: str = "林大明") -> None:
        self.name = name

    def get(self, person: Person, path: str) -> Any:
        request = {"symptom": "報修00001", "status": "received", "case_number": "00001001"}
        me = {"member": {"name": self.name, "email": person.email}}
        return {"/me": me, "/repair-requests": [{**request, "visit_at": None}]}.get(path, [])


def compared(
    person: Person, org: Org, pages: Pages | None = None, history: Sequence[Edit] = ()
) -> Findings:
    """What the verdict says of these rows."""
    found = Findings()
    Rows(org, pages or Pages(), Diary([person], list(history)), found).check()  # type: ignore[arg-type]
    return found


def test_rows_that_say_what_was_said_are_in_order(person: Person) -> None:
    assert compared(person, Org()).clean


@pytest.mark.parametrize("name", ["Lead", "Contact", "Case", "WorkOrder", "Account"])
def test_a_row_too_few_or_too_many_is_named(person: Person, name: str) -> None:
    assert compared(person, Org(**{name: []})).wrong[Wrong.LOST]
    twice = [*Org().kept[name], {**Org().kept[name][0], "Id": "again"}]
    assert compared(person, Org(**{name: twice})).wrong[Wrong.ROW_TWICE]


def test_a_value_that_was_not_brought_or_was_turned_back_is_named(person: Person) -> None:
    (contact,) = Org().kept["Contact"]
    unmarked = Org(Contact=[{**contact, "LINE_Display_Name__c": None}])
    assert compared(person, unmarked).wrong[Wrong.LOST]
    renamed = edits(("Contact", "FirstName", "小華"))
    assert compared(person, Org(), history=renamed).wrong[Wrong.REVERTED]
    assert compared(person, Org(), Pages("林小華")).wrong[Wrong.REVERTED]
