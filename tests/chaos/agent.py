"""The agent: works on whatever the connector has brought into the org, at a steady rate."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import requests

from tests.acceptance.org import Org
from tests.chaos.diary import Diary, Edit
from tests.chaos.plans import letters

FIRST_VISIT = datetime(2031, 1, 1, tzinfo=UTC)
FIRST_END = date(2032, 1, 1)
LOOK_EVERY = 1.0
OVERLAP = timedelta(seconds=5)
STATUSES = ("New", "Working", "Escalated", "Closed")
MEANS = {"New": "received", "Working": "working", "Escalated": "working", "Closed": "closed"}
# Of a hundred edits so many are of this kind; of products a few, for each renames many units.
SHARES = {"Case": 30, "WorkOrder": 36, "Contact": 20, "Asset": 13, "Product2": 1}
MOST_PRODUCTS = 24


@dataclass
class Roster:
    """The rows that the connector has made so far, as the agent's list views show them."""

    org: Org
    leads: set[str] = field(default_factory=set)
    ids: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    _since: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    FIELDS = {
        "Contact": "LINE_User_Id__c",
        "Case": "Status",
        "WorkOrder": "CaseId",
        "Asset": "SerialNumber",
    }

    def look(self) -> None:
        """See what is new."""
        asked = datetime.now(UTC)
        since = f"CreatedDate >= {self._since:%Y-%m-%dT%H:%M:%SZ} AND LINE_Key__c != null"
        for row in self.org.rows(f"SELECT LINE_User_Id__c FROM Lead WHERE {since}"):
            self.leads.add(row["LINE_User_Id__c"])
        for name, fields in self.FIELDS.items():
            known = self.ids.setdefault(name, {})
            for row in self.org.rows(f"SELECT Id, {fields} FROM {name} WHERE {since}"):
                known.setdefault(row["Id"], row)
        self._since = asked - OVERLAP

    def products(self) -> list[dict[str, Any]]:
        """The products that units are made of."""
        return self.org.rows("SELECT Id, Name, ProductCode FROM Product2 ORDER BY ProductCode")


class Agent:
    """Edits rows until so many edits are made."""

    def __init__(self, diary: Diary, org: Org, rng: random.Random, spared: set[str]) -> None:
        self.diary = diary
        self.roster = Roster(org)
        self.spared = spared  # rows that are left alone
        self._org = org
        self._rng = rng
        self._products = self.roster.products()
        self._looked = 0.0
        self._statuses: dict[str, str] = {}
        self._numbers = itertools.count()
        self.done = False
        self._edits: dict[str, Callable[[], Edit | None]] = {
            "Case": self._status,
            "WorkOrder": self._visit,
            "Contact": self._person,
            "Asset": self._end,
            "Product2": self._product,
        }

    def run(self, edits: int, a_second: float, stop: threading.Event) -> None:
        """So many edits from the moment on at which there are rows; then only look."""
        made, began = 0, 0.0
        self.done = edits == 0
        while not stop.is_set():
            try:
                self._look()
                if self.done or self._row("WorkOrder") is None:
                    stop.wait(LOOK_EVERY / 4)
                    continue
                began = began or time.monotonic()
                stop.wait(max(0.0, began + made / a_second - time.monotonic()))
                made += self._edit()
            except Exception as problem:
                self.diary.refused.append(f"the agent: {problem!r}"[:300])
            self.done = made >= edits

    def _look(self) -> None:
        if time.monotonic() - self._looked > LOOK_EVERY:
            self._looked = time.monotonic()
            self.roster.look()

    def _set(self, name: str, row_id: str, field_name: str, value: Any) -> Edit:
        return edit(self.diary, self._org, name, row_id, field_name, value)

    def _edit(self) -> bool:
        (kind,) = self._rng.choices([*SHARES], [*SHARES.values()])
        return self._edits[kind]() is not None

    def _row(self, name: str) -> str | None:
        rows = [each for each in self.roster.ids.get(name, ()) if each not in self.spared]
        return self._rng.choice(rows) if rows else None

    def _status(self) -> Edit | None:
        row = self._row("Case")
        if row is None:
            return None
        now = MEANS[self._statuses.get(row, "New")]
        others = [each for each in STATUSES if MEANS[each] != now]
        self._statuses[row] = self._rng.choice(others)
        return self._set("Case", row, "Status", self._statuses[row])

    def _visit(self) -> Edit | None:
        row = self._row("WorkOrder")
        return self._set("WorkOrder", row, "StartDate", visit(next(self._numbers))) if row else None

    def _person(self) -> Edit | None:
        row = self._row("Contact")
        if row is None:
            return None
        number = next(self._numbers)
        if number % 2:
            return self._set("Contact", row, "Email", f"agent{number}@example.com")
        return self._set("Contact", row, "FirstName", letters(4000 + number))

    def _end(self) -> Edit | None:
        row = self._row("Asset")
        day = FIRST_END + timedelta(days=next(self._numbers))
        return self._set("Asset", row, "UsageEndDate", day.isoformat()) if row else None

    def _product(self) -> Edit | None:
        if sum(1 for each in self.diary.edits if each.object == "Product2") >= MOST_PRODUCTS:
            return None
        row = self._rng.choice(self._products)
        return self._set(
            "Product2", row["Id"], "Name", f"{row['ProductCode']} 第{next(self._numbers)}版"
        )


def edit(diary: Diary, org: Org, name: str, row_id: str, field_name: str, value: Any) -> Edit:
    """Set one field of one row, and write it down."""
    made = Edit(name, row_id, field_name, value, datetime.now(UTC))
    try:
        org.edit(name, row_id, **{field_name: value})
    except requests.ConnectionError:  # closed while nobody used it; to set it again changes nothing
        org.edit(name, row_id, **{field_name: value})
    diary.edits.append(made)
    return made


def visit(number: int) -> str:
    """A time of a visit that belongs to one edit alone."""
    return (FIRST_VISIT + timedelta(minutes=number)).isoformat().replace("+00:00", ".000+0000")
