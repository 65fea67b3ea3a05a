"""How often each rule did something, and how often each fault struck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

LEAST_OF_A_RULE, LEAST_OF_A_FAULT = 100, 20


@dataclass
class Tally:
    """Counted over all stories of a run."""

    rules: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    stories: int = 0
    failed: list[str] = field(default_factory=list)

    def know(self, rules: Iterable[str], faults: Iterable[str]) -> None:
        """What there is, so that what never happened is shown too."""
        self.rules.update(dict.fromkeys(rules, 0))
        self.faults.update(dict.fromkeys(faults, 0))

    def share(self, rule: str, fault: str | None) -> float:
        """How much of what is wanted has happened, of the rule or of the fault, whichever is less."""
        done = self.rules[rule] / LEAST_OF_A_RULE
        return done if fault is None else min(done, self.faults[fault] / LEAST_OF_A_FAULT)

    def table(self) -> str:
        """Everything that was counted."""
        return "\n".join([f"{self.stories} stories", *self._rows()])

    def _rows(self) -> Iterator[str]:
        for title, counted in (("rule", self.rules), ("fault", self.faults)):
            yield f"{title:<48} runs"
            yield from (f"  {name:<46} {counted[name]:>4}" for name in sorted(counted))

    def too_few(self) -> list[str]:
        """What happened too seldom to say anything."""
        return [
            f"{name}: {counted[name]} of {least}"
            for counted, least in (
                (self.rules, LEAST_OF_A_RULE),
                (self.faults, LEAST_OF_A_FAULT),
            )
            for name in sorted(counted)
            if counted[name] < least
        ]
