"""A record and its row in memory, and the loop between them without anything that fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connector.mapping.parts.compiled import CompiledMapping, Line
from connector.mapping.schema import FieldSchema
from connector.sync.pairs import weighing
from connector.sync.pairs.weighing import Outcome
from tests.unit.mapping.building import compiled, starter, thing


@dataclass
class TwoSides:
    """What both sides hold, and what they last agreed on."""

    mapping: CompiledMapping
    seen: dict[str, Any]
    row: dict[str, Any] = field(default_factory=dict)
    base: dict[str, Any] = field(default_factory=dict)

    def create(self) -> Outcome:
        """Make the row, and read it back."""
        outcome = weighing.weigh(self.mapping, self.seen, {}, None, creating=True)
        names = {name for line in self.mapping.lines for name in line.fields}
        self.row = {**dict.fromkeys(names), **outcome.sends}
        self._settle(outcome)
        return outcome

    def merge(self) -> Outcome:
        """Weigh both sides and carry out what it comes to."""
        outcome = weighing.weigh(self.mapping, self.seen, self.base, self.row)
        self.row |= outcome.sends
        self._settle(outcome)
        return outcome

    def _settle(self, outcome: Outcome) -> None:
        self.base |= weighing.settled_base(self.mapping, outcome, self.row)
        self.seen |= outcome.takes

    def ours(self, line: Line) -> Any:
        return line.meaning(line.forward(self.seen))

    def theirs(self, line: Line) -> Any:
        return line.meaning(line.canonical(self.row))


def picked(name: str) -> FieldSchema:
    return FieldSchema(name, type="multipicklist", picklist=tuple("abcdef"), restricted=True)


POLICIES = """
from: repair_request
to: Thing__c
fields:
  - {line: symptom, salesforce: Wins__c, direction: both}
  - {line: description, salesforce: Line__c, direction: both, conflict: line_wins}
  - {line: address, salesforce: Ask__c, direction: both, conflict: ask, first_meeting: ask}
  - {line: slots, salesforce: Set__c, direction: both}
  - {line: contact_phone, salesforce: Phone__c, direction: both, transform: phone}
  - {line: urgency, salesforce: Out__c}
  - {line: product_text, salesforce: Fill__c, write: blank}
  - {line: status, salesforce: In__c, direction: from_salesforce}
  - {salesforce: Sum__c, expression: 'join([line.urgency, line.product_text], "/")'}
"""


def policies() -> CompiledMapping:
    """One line for each policy and direction."""
    text = ("Wins__c", "Line__c", "Ask__c", "Phone__c", "Out__c", "Fill__c", "In__c", "Sum__c")
    fields = [FieldSchema(name, length=255) for name in text]
    return compiled(POLICIES, thing(*fields, picked("Set__c")), "repair_request-thing")


def contact() -> CompiledMapping:
    return starter().mappings["member-contact"]
