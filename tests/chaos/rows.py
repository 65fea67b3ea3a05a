"""The org's rows against what was sent: each there once, with the values that were said last.

Everything is read as an agent reads it, by SOQL, and as members see it, on their own pages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import Any

from tests.acceptance.org import Org
from tests.chaos.agent import MEANS
from tests.chaos.diary import Diary, Person, Registration, Repair
from tests.chaos.findings import Findings, Wrong
from tests.chaos.phones import Phones

Row = dict[str, Any]
PRIORITY = {"low": "Low", "normal": "Medium", "high": "High"}
FIELDS = {
    "Lead": "LINE_User_Id__c, LINE_Display_Name__c",
    "Contact": "LastName, FirstName, MobilePhone, Email, AccountId, LINE_User_Id__c,"
    " LINE_Display_Name__c, LINE_Following__c, LINE_Marketing_Consent__c",
    "Account": "Name",
    "Asset": "Name, SerialNumber, Product2Id, PurchaseDate, UsageEndDate, Description,"
    " ContactId, AccountId",
    "Case": "CaseNumber, Subject, Status, Priority, SuppliedPhone, Description, ContactId,"
    " AccountId, AssetId",
    "WorkOrder": "Subject, CaseId, StartDate, Street, ContactId, AccountId, AssetId",
    "Product2": "Name, ProductCode, Warranty_Months__c",
}
# By which of its values a row is found.
KEYS = {
    "Lead": "LINE_User_Id__c",
    "Contact": "LINE_User_Id__c",
    "Asset": "SerialNumber",
    "Case": "Subject",
    "WorkOrder": "CaseId",
}


class Rows:
    """All rows of one run, and what members see of them."""

    def __init__(self, org: Org, phones: Phones, diary: Diary, findings: Findings) -> None:
        self._diary = diary
        self._findings = findings
        self._phones = phones
        self.rows = {name: _all(org, name, fields) for name, fields in FIELDS.items()}
        self._by = {name: _grouped(self.rows[name], key) for name, key in KEYS.items()}
        self._products = {row["ProductCode"]: row for row in self.rows["Product2"]}
        self.cases: dict[str, Row] = {}  # by the tag of the request
        self.orders: dict[str, Row] = {}

    def check(self) -> None:
        """Compare everything."""
        people = self._diary.people
        for person in people:
            self._lead(person, self._by["Lead"][person.user_id])
            self._contact(person, self._by["Contact"][person.user_id])
        self._none_more("Contact", sum(1 for each in people if each.bound_at))
        self._none_more("Account", sum(1 for each in people if each.bound_at))
        self._none_more("Lead", sum(1 for each in people if each.consented_at))
        self._none_more("Asset", sum(len(each.registrations) for each in people if each.bound_at))
        self._none_more("Case", sum(len(each.repairs) for each in people))
        self._none_more("WorkOrder", sum(len(each.repairs) for each in people))
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(self._pages, [each for each in people if each.bound_at]))

    def _lead(self, person: Person, rows: list[Row]) -> None:
        if person.consented_at:
            self._only("Lead", rows, person.display_name)

    def _contact(self, person: Person, rows: list[Row]) -> None:
        if person.bound_at is None:
            return
        row = self._only("Contact", rows, f"{person.display_name} ({person.phone})")
        if row is None:
            return
        set_last = lambda name: self._diary.last("Contact", row["Id"], name)  # noqa: E731
        wanted = {
            "LastName": person.name[0],
            "FirstName": set_last("FirstName") or person.name[1:],
            "MobilePhone": person.known_phone or f"+886{person.phone[1:]}",
            "Email": set_last("Email") or person.email or None,
            "LINE_Display_Name__c": person.display_name,
            "LINE_Following__c": person.follows,
            "LINE_Marketing_Consent__c": person.marketing,
        }
        self._compare("Contact", row, wanted)
        if row["AccountId"] is None:
            self._findings.add(Wrong.LOST, f"Contact {row['Id']} has no Account")
        for unit in person.registrations:
            self._asset(unit, row, self._by["Asset"][unit.code])
        for repair in person.repairs:
            self._case(repair, row, self._by["Case"][repair.tag])

    def _asset(self, unit: Registration, contact: Row, rows: list[Row]) -> None:
        row = self._only("Asset", rows, unit.code)
        if row is None:
            return
        product = self._products[unit.sku]
        wanted = {
            "Name": f"{product['Name']} {unit.code}",
            "Product2Id": product["Id"],
            "PurchaseDate": unit.bought,
            "UsageEndDate": self._ends(unit, row["Id"]),
            "Description": unit.shop,
            "ContactId": contact["Id"],
            "AccountId": contact["AccountId"],
        }
        self._compare("Asset", row, wanted)

    def _ends(self, unit: Registration, row_id: str) -> str:
        months = int(self._products[unit.sku]["Warranty_Months__c"])
        own: str | None = self._diary.last("Asset", row_id, "UsageEndDate")
        return own or months_later(date.fromisoformat(unit.bought), months).isoformat()

    def _case(self, repair: Repair, contact: Row, rows: list[Row]) -> None:
        row = self._only("Case", rows, repair.tag)
        if row is None:
            return
        self.cases[repair.tag] = row
        owners = {"ContactId": contact["Id"], "AccountId": contact["AccountId"]}
        unit = next(iter(self._by["Asset"][repair.code]), None) if repair.code else None
        owners["AssetId"] = unit["Id"] if unit else None
        wanted = {
            "Status": self._diary.last("Case", row["Id"], "Status") or "New",
            "Priority": PRIORITY[repair.form["urgency"]],
            "SuppliedPhone": f"+886{repair.form['contact_phone'][1:]}",
        }
        self._compare("Case", row, {**wanted, **owners})
        if repair.form["description"] not in (row["Description"] or ""):
            self._findings.add(
                Wrong.LOST, f"Case {row['Id']} lacks the description of {repair.tag}"
            )
        order = self._only("WorkOrder", self._by["WorkOrder"][row["Id"]], repair.tag)
        if order is None:
            return
        self.orders[repair.tag] = order
        start = self._diary.last("WorkOrder", order["Id"], "StartDate")
        wanted = {"StartDate": start, "Street": repair.form["address"], "Subject": repair.tag}
        self._compare("WorkOrder", order, {**wanted, **owners})

    # -- what members see

    def _pages(self, person: Person) -> None:
        row = next(iter(self._by["Contact"][person.user_id]), None)
        if row is None:
            return
        me = self._phones.get(person, "/me")["member"]
        who = person.display_name
        same = self._findings.same
        same(Wrong.REVERTED, f"name of {who}", me["name"], f"{row['LastName']}{row['FirstName']}")
        same(Wrong.REVERTED, f"e-mail of {who}", me["email"], row["Email"])
        for shown in self._phones.get(person, "/registrations"):
            self._page_of_unit(person, shown)
        for shown in self._phones.get(person, "/repair-requests"):
            self._page_of_request(shown)

    def _page_of_unit(self, person: Person, shown: Row) -> None:
        unit = next(each for each in person.registrations if each.id == shown["registration_id"])
        rows = self._by["Asset"][unit.code]
        same = self._findings.same
        name = self._products[unit.sku]["Name"]
        same(Wrong.REVERTED, f"product of {unit.code}", shown["product"]["name"], name)
        for row in rows:
            ends = row["UsageEndDate"]
            same(Wrong.REVERTED, f"warranty of {unit.code}", shown["warranty_until"], ends)

    def _page_of_request(self, shown: Row) -> None:
        tag = shown["symptom"]
        case, order = self.cases.get(tag), self.orders.get(tag)
        if case is None or order is None:
            return
        same = self._findings.same
        same(Wrong.REVERTED, f"status of {tag}", shown["status"], MEANS[case["Status"]])
        same(Wrong.LOST, f"number of {tag}", shown["case_number"], case["CaseNumber"])
        visit = _instant(shown["visit_at"]), _instant(order["StartDate"])
        same(Wrong.REVERTED, f"visit of {tag}", *visit)

    # -- counting

    def _only(self, name: str, rows: list[Row], whose: str) -> Row | None:
        self._findings.count(name)
        if not rows:
            self._findings.add(Wrong.LOST, f"{whose} has no {name}")
            return None
        if len(rows) > 1:
            ids = ", ".join(row["Id"] for row in rows)
            self._findings.add(Wrong.ROW_TWICE, f"{whose} has {len(rows)} rows of {name}: {ids}")
        return rows[0]

    def _none_more(self, name: str, wanted: int) -> None:
        found = len(self.rows[name])
        if found > wanted:
            self._findings.add(Wrong.ROW_TWICE, f"{found} rows of {name}, and {wanted} are owed")
        elif found < wanted:
            self._findings.add(Wrong.LOST, f"{found} rows of {name}, and {wanted} are owed")

    def _compare(self, name: str, row: Row, wanted: Mapping[str, Any]) -> None:
        for field, value in wanted.items():
            what = f"{name} {row['Id']}.{field}"
            found = row[field]
            if field == "StartDate":
                found, value = _instant(found), _instant(value)
            set_by_agent = self._diary.last(name, row["Id"], field) is not None
            kind = Wrong.REVERTED if set_by_agent else Wrong.LOST
            self._findings.same(kind, what, found, value)


def _all(org: Org, name: str, fields: str) -> list[Row]:
    """Every row of an object, in pages by Id."""
    found: list[Row] = []
    while True:
        after = f" WHERE Id > '{found[-1]['Id']}'" if found else ""
        page = org.rows(f"SELECT Id, {fields} FROM {name}{after} ORDER BY Id LIMIT 1000")
        found += page
        if len(page) < 1000:
            return found


def _grouped(rows: list[Row], key: str) -> Mapping[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[key]].append(row)
    return found


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text.replace("Z", "+00:00"))


def months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError(day)
