"""What was sent, by whom and when: the verdict compares the platforms' own data with this."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

CONSENT = "consent:service"


@dataclass(frozen=True)
class Step:
    """Something that a person is going to do."""

    kind: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass
class Registration:
    """A unit that a person has claimed."""

    code: str
    sku: str
    bought: str
    shop: str
    id: str = ""


@dataclass
class Repair:
    """A repair that a person has asked for; `tag` is its symptom, found in no other."""

    tag: str
    form: dict[str, Any]
    code: str | None  # of the unit, where it is a registered one


@dataclass
class Person:
    """One LINE user: what they will do, and what they have done."""

    number: int
    name: str
    phone: str
    email: str
    user_id: str = ""
    steps: list[Step] = field(default_factory=list)
    busy: bool = False
    followed: int = 0
    follows: bool = False
    consented_at: datetime | None = None
    marketing: bool = False
    bound_at: datetime | None = None
    known_phone: str | None = None  # as an agent typed it into a Contact before
    registrations: list[Registration] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    menus: list[datetime] = field(default_factory=list)

    @property
    def display_name(self) -> str:
        """How LINE shows them."""
        return f"顧客{self.number}"


@dataclass(frozen=True)
class Edit:
    """A field that the agent has set on one row."""

    object: str
    id: str
    field: str
    value: Any
    at: datetime


@dataclass
class Diary:
    """All that happened in one run."""

    people: list[Person] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    redelivered: int = 0
    repeated: int = 0  # forms sent again under the same key
    refused: list[str] = field(default_factory=list)

    def last(self, object_name: str, row_id: str, name: str) -> Any:
        """The value that the agent set last, None where they never did."""
        found = self.history(object_name, row_id, name)
        return found[-1].value if found else None

    def history(self, object_name: str, row_id: str, name: str) -> list[Edit]:
        """The agent's edits of one field, oldest first."""
        here = (object_name, row_id, name)
        return [each for each in self.edits if (each.object, each.id, each.field) == here]
