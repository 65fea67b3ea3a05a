"""What agents do in the org."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.buttons import converts, merges, undeletes
from tests.properties.stories import NAMES, PHONES, Story, happens, serial, which

STATUSES = ("Working", "Escalated", "Closed")
OBJECTS = ("Contact", "Lead", "Case", "WorkOrder", "Asset")
_EDITS: tuple[dict[str, Any], ...] = (
    {"FirstName": "大明"},
    {"FirstName": "中明"},
    {"LastName": "李"},
    {"Email": "new"},
    {"Email": "new"},
    {"Email": None},
    {"MobilePhone": "0912-345-678"},
    {"MobilePhone": "0955666777"},
    {"Title": "VIP"},
)
_SECOND: dict[str, dict[str, Any]] = {
    "Contact": {"LastName": "王", "FirstName": "小明"},
    "Account": {"Name": "王家"},
    "Case": {"Subject": "不冷", "Status": "New"},
}


class Agents(Story):
    """People of the org, in any order."""

    @happens(
        name=st.sampled_from(NAMES),
        phone=st.sampled_from(PHONES),
    )
    def an_agent_enters_a_contact(self, name: str, phone: str) -> str | None:
        if len(self.agents_rows) >= 6:
            return None
        row = self.world.agent_makes(
            "Contact", LastName=name[:1], FirstName=name[1:], MobilePhone=phone
        )
        self.agents_rows.add(row)
        return f"{row} {name} {phone}"

    @happens(values=st.sampled_from(_EDITS), place=which)
    def an_agent_edits_a_contact(self, values: dict[str, Any], place: int) -> str | None:
        row = self.row_of("Contact", place)
        if row is None:
            return None
        if values.get("Email") == "new":
            values = {"Email": f"agent{next(serial)}@example.com"}
        if not self._may(self.world.agent_edits, "Contact", row, **values):
            return None
        if "Email" in values:
            self.entered.by_agent(row, values["Email"])
        return f"{row} {values}"

    @happens(place=which)
    def an_agent_renames_a_lead(self, place: int) -> str | None:
        row = self.row_of("Lead", place, "WHERE IsConverted = false")
        if row is None:
            return None
        may = self._may(self.world.agent_edits, "Lead", row, LastName=f"林{next(serial)}")
        return row if may else None

    @happens(place=which)
    def an_agent_goes_on_with_a_case(self, place: int) -> str | None:
        case = self.row_of("Case", place)
        if case is None:
            return None
        at = self.steps.get(case, 0)
        self.steps[case] = at + 1
        if not self._may(self.world.agent_edits, "Case", case, Status=STATUSES[min(at, 2)]):
            return None
        return f"{case} {STATUSES[min(at, 2)]}"

    @happens(place=which)
    def an_agent_plans_a_visit(self, place: int) -> str | None:
        moment = f"2026-12-{1 + next(serial) % 28:02d}T{next(serial) % 24:02d}:00:00Z"
        return self._edit("WorkOrder", place, StartDate=moment)

    @happens(place=which, day=st.integers(1, 28))
    def an_agent_extends_a_warranty(self, place: int, day: int) -> str | None:
        return self._edit("Asset", place, UsageEndDate=f"2031-05-{day:02d}")

    @happens(place=which)
    def an_agent_changes_a_product(self, place: int) -> str | None:
        return self._edit("Product2", place, Name=f"冷氣{next(serial)}")

    # -- identity

    @happens(name=st.sampled_from(OBJECTS), place=which)
    def an_agent_deletes_a_row(self, name: str, place: int) -> str | None:
        """Another one where there is none, or where others name it."""
        at = OBJECTS.index(name)
        for each in (*OBJECTS[at:], *OBJECTS[:at]):
            where = "WHERE IsConverted = false" if each == "Lead" else ""
            row = self.row_of(each, place, where)
            if row is not None and self._deletes(each, row):
                return f"{each} {row}"
        return None

    @happens(place=which)
    def an_agent_brings_a_row_back(self, place: int) -> str | None:
        if not self.deleted:
            return None
        name, row = self.deleted.pop(place % len(self.deleted))
        if not self._may(undeletes, self.world, row):  # its key went on to another row, for one
            return None
        self.agents_rows.add(row)  # its pair may have moved on
        return f"{name} {row}"

    @happens(places=st.tuples(which, which), email=st.booleans())
    def an_agent_merges_contacts(self, places: tuple[int, int], email: bool) -> str | None:
        two = self._two("Contact", places)
        if two is None:
            return None
        values = {"Email": f"agent{next(serial)}@example.com"} if email else {}
        if not self._may(merges, self.world, "Contact", *two, **values):
            return None
        self.entered.merged(*two)
        if email:
            self.entered.by_agent(two[0], values["Email"])
        self.deleted.append(("Contact", two[1]))
        return f"{two[1]} into {two[0]} {values}"

    @happens(name=st.sampled_from(["Account", "Case"]), places=st.tuples(which, which))
    def an_agent_merges_accounts_or_cases(self, name: str, places: tuple[int, int]) -> str | None:
        two = self._two(name, places)
        if two is None:
            return None
        if not self._may(merges, self.world, name, *two):
            return None
        return f"{name} {two[1]} into {two[0]}"

    @happens(place=which)
    def an_agent_converts_a_lead(self, place: int) -> str | None:
        row = self.row_of("Lead", place, "WHERE IsConverted = false")
        if row is None:
            return None
        if not self._may(converts, self.world, row):
            return None
        told = self.world.row(
            f"SELECT ConvertedAccountId, ConvertedContactId FROM Lead WHERE Id = '{row}'"
        )
        self.agents_rows |= {told["ConvertedAccountId"], told["ConvertedContactId"]}
        return f"{row} {told['ConvertedContactId']}"

    def _may(self, act: Callable[..., None], *args: Any, **given: Any) -> bool:
        """Do it; False where the org does not let the agent."""
        try:
            act(*args, **given)
        except AssertionError:
            return False
        return True

    def _edit(self, name: str, place: int, **values: Any) -> str | None:
        row = self.row_of(name, place)
        if row is None:
            return None
        may = self._may(self.world.agent_edits, name, row, **values)
        return f"{row} {values}" if may else None

    def _deletes(self, name: str, row: str) -> bool:
        if not self._may(self.world.agent_deletes, name, row):  # a Contact that Cases name, for one
            return False
        self.deleted.append((name, row))
        self.entered.moved.add(row)
        return True

    def _two(self, name: str, places: tuple[int, int]) -> tuple[str, str] | None:
        """Two rows; where there is one only, an agent has entered it a second time."""
        rows = self.rows_of(name)
        if not rows:
            return None
        if len(rows) < 2:
            rows.append(self.world.agent_makes(name, **_SECOND[name]))
            self.agents_rows.add(rows[1])
        winner = rows.pop(places[0] % len(rows))
        return winner, rows[places[1] % len(rows)]
