"""What a verdict is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Wrong(StrEnum):
    """In which way something is not as it should be."""

    LOST = "lost"
    ROW_TWICE = "duplicated rows"
    TOLD_TWICE = "duplicated messages"
    REVERTED = "reverted values"
    REFUSED = "refused, parked or unbalanced"


@dataclass
class Findings:
    """All that is wrong, and how much was looked at."""

    wrong: dict[Wrong, list[str]] = field(default_factory=lambda: {each: [] for each in Wrong})
    looked_at: dict[str, int] = field(default_factory=dict)

    def add(self, kind: Wrong, what: str) -> None:
        """Something is wrong."""
        self.wrong[kind].append(what)

    def count(self, what: str, number: int = 1) -> None:
        """So many more of something were looked at."""
        self.looked_at[what] = self.looked_at.get(what, 0) + number

    def same(self, kind: Wrong, what: str, found: object, wanted: object) -> None:
        """Two values must be the same."""
        self.count("values")
        if found != wanted:
            self.add(kind, f"{what}: {found!r}, and should be {wanted!r}")

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not any(self.wrong.values())
