"""What people were told against what happened: each thing once, and the last state of everything.

A message is told from its words alone, as a person would. Between two edits the service may have
told only the later one: notices of one record come to its latest state.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from tests.chaos.agent import MEANS
from tests.chaos.diary import Diary, Edit, Person, Repair
from tests.chaos.findings import Findings, Wrong

TAIPEI = timezone(timedelta(hours=8))
# A state that stood for so long must have been told, whatever came after.
STANDS = timedelta(seconds=210)
SPOKEN = (
    ("greeting", r"您好，歡迎加入"),
    ("button", r"請按「同意並開始」"),
    ("menu", r"可以開始使用了：綁定會員"),
    ("case", r"已收到您的報修，案件編號 (?P<case>\S+?)。"),
    ("working", r"您的報修案件 (?P<case>\S+) 已開始處理"),
    ("closed", r"您的報修案件 (?P<case>\S+) 已處理完成"),
    (
        "visit",
        r"到府時間已安排：(?P<day>[\d/]+)（.）(?P<time>[\d:]+)\s+地址：台北市信義區(?P<tag>報修\d+)號",
    ),
)
GREETED = ("greeting", "button")


@dataclass(frozen=True)
class Told:
    """One message: what it says, of what, and when."""

    kind: str
    what: str
    value: str
    at: datetime
    text: str


class Messages:
    """The chats of one run."""

    def __init__(
        self,
        diary: Diary,
        cases: Mapping[str, Mapping[str, Any]],
        orders: Mapping[str, Mapping[str, Any]],
        findings: Findings,
    ) -> None:
        self._diary = diary
        self._cases = cases
        self._orders = orders
        self._findings = findings
        self.own = self.edits = (
            0  # edits that had a message of their own, of those that promise one
        )

    def check(self, person: Person, chat: Sequence[Mapping[str, Any]]) -> None:
        """Compare one person's chat with what they and the agent did."""
        told = [found for item in chat if (found := self._read(person, item))]
        self._findings.count("messages", len(told))
        for kind in GREETED:
            self._greetings(person, kind, [each for each in told if each.kind == kind])
        self._menus(person, [each for each in told if each.kind == "menu"])
        for repair in person.repairs:
            self._of_request(person, repair, told)

    def _read(self, person: Person, item: Mapping[str, Any]) -> Told | None:
        text, at = item["text"] or "", datetime.fromisoformat(item["time"])
        for kind, pattern in SPOKEN:
            found = re.search(pattern, text)
            if found:
                facts = found.groupdict()
                what = facts.get("tag") or facts.get("case") or ""
                return Told(kind, what, f"{facts.get('day')} {facts.get('time')}", at, text)
        self._findings.add(Wrong.TOLD_TWICE, f"{person.display_name}: nothing explains {text!r}")
        return None

    def _greetings(self, person: Person, kind: str, told: Sequence[Told]) -> None:
        """One, and one for each return of somebody who has not agreed."""
        agreed = person.consented_at
        owed = 1 if agreed and person.followed == 1 else max(person.followed, 1)
        if len(told) > owed:
            self._findings.add(Wrong.TOLD_TWICE, f"{person.display_name}: {len(told)} of {kind}")
        if not told and person.followed:
            self._findings.add(Wrong.LOST, f"{person.display_name}: no {kind}")

    def _menus(self, person: Person, told: Sequence[Told]) -> None:
        """One for the consent, one for each return, one for each time it was asked for; some in one."""
        asked = [*person.menus, *([person.consented_at] if person.consented_at else [])]
        owed = len(asked) + max(0, person.followed - 1)
        who = person.display_name
        if len(told) > owed:
            self._findings.add(Wrong.TOLD_TWICE, f"{who}: {len(told)} menus, {owed} were asked for")
        # what was asked for just before a block may never have reached the chat
        if asked and person.followed == 1 and person.follows:
            last = max(person.menus, default=None)
            if not told or (last and told[-1].at < last):
                self._findings.add(Wrong.LOST, f"{who}: no menu after {last}")

    def _of_request(self, person: Person, repair: Repair, told: Sequence[Told]) -> None:
        case, order = self._cases.get(repair.tag), self._orders.get(repair.tag)
        if case is None or order is None:
            return
        number, who = case["CaseNumber"], f"{person.display_name} {repair.tag}"
        numbers = [each for each in told if each.kind == "case" and each.what == number]
        if len(numbers) != 1:
            kind = Wrong.TOLD_TWICE if numbers else Wrong.LOST
            self._findings.add(kind, f"{who}: {len(numbers)} messages with case {number}")
        statuses = self._diary.history("Case", case["Id"], "Status")
        words = [MEANS[each.value] for each in statuses]
        said = [each for each in told if each.what == number and each.kind in ("working", "closed")]
        self._sequence(f"{who} status", statuses, words, said, [each.kind for each in said])
        visits = self._diary.history("WorkOrder", order["Id"], "StartDate")
        said = [each for each in told if each.kind == "visit" and each.what == repair.tag]
        times = [_shown(each) for each in visits]
        self._sequence(f"{who} visit", visits, times, said, [each.value for each in said])

    def _sequence(
        self,
        what: str,
        edits: Sequence[Edit],
        wanted: Sequence[str],
        told: Sequence[Told],
        said: Sequence[str],
    ) -> None:
        """What was said is a part of what happened, in its order, and ends with what holds now."""
        matched: list[int] = []
        for message, value in zip(told, said, strict=True):
            after = matched[-1] + 1 if matched else 0
            fits = (
                index
                for index in range(after, len(edits))
                if wanted[index] == value and edits[index].at <= message.at
            )
            index = next(fits, None)
            if index is None:
                self._findings.add(
                    Wrong.TOLD_TWICE, f"{what}: {value!r} at {message.at:%H:%M:%S} answers no edit"
                )
            else:
                matched.append(index)
        self._untold(what, edits, wanted, said, set(matched))

    def _untold(
        self,
        what: str,
        edits: Sequence[Edit],
        wanted: Sequence[str],
        said: Sequence[str],
        matched: set[int],
    ) -> None:
        promised = [index for index in range(len(edits)) if wanted[index] != MEANS["New"]]
        self.edits += len(promised)
        self.own += len(matched)
        if promised and promised[-1] == len(edits) - 1 and (not said or said[-1] != wanted[-1]):
            self._findings.add(Wrong.LOST, f"{what}: {wanted[-1]!r} was set last and not told last")
        for index in promised[:-1]:
            stood = edits[index + 1].at - edits[index].at
            if index not in matched and stood > STANDS:
                self._findings.add(
                    Wrong.LOST, f"{what}: {wanted[index]!r} stood for {stood} and was not told"
                )


def _shown(visit: Edit) -> str:
    at = datetime.fromisoformat(visit.value).astimezone(TAIPEI)
    return f"{at.month}/{at.day} {at:%H:%M}"
