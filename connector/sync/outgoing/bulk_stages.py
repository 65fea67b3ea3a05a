"""In which order intents are written, and which of them by Bulk: pure.

Rows of one object that are all created, or all updated, go into a job of their own where they are
many; its children follow when it has ended. What a job cannot do goes by ordinary calls:
assignment rules, texts that CSV cannot say, a second write of the same row, and rows that stand or fall
together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connector.salesforce.bulk.content import fits, key_column, key_of
from connector.salesforce.order import ancestry_of, levels_of
from connector.salesforce.outcomes import WriteOutcome, orphans
from connector.salesforce.plans import Ancestry, Call, WriteIntent


@dataclass(frozen=True)
class Stage:
    """Intents that are written before those of the next stage; `parents` says who names whom."""

    intents: tuple[WriteIntent, ...]
    parents: Ancestry
    in_bulk: bool = False

    def orphans(self, outcomes: Mapping[str, WriteOutcome]) -> dict[str, WriteOutcome]:
        """The outcomes of those whose parent failed in an earlier stage."""
        refs = tuple(intent.ref for intent in self.intents)
        return orphans(Call(steps=(), rows={"": refs}, parents=self.parents), outcomes)

    def without(self, outcomes: Mapping[str, WriteOutcome]) -> list[WriteIntent]:
        """The intents that have no outcome yet."""
        return [intent for intent in self.intents if intent.ref not in outcomes]


def one_stage(intents: Sequence[WriteIntent]) -> list[Stage]:
    """Everything by ordinary calls, whose planner puts parents first by itself."""
    return [Stage(tuple(intents), {})]


def stages(intents: Sequence[WriteIntent], least: int) -> list[Stage]:
    """The stages of intents that name their parents before their children; `least` rows make a job."""
    parents = ancestry_of(intents)
    apart = _apart(intents, parents)
    levels = levels_of(intents, parents, {})
    found: list[Stage] = []
    for level in sorted(set(levels.values())):
        here = [each for each in intents if levels[each.ref] == level and each.ref not in apart]
        found += _of_level(here, parents, least)
    if not any(stage.in_bulk for stage in found):
        return one_stage(intents)
    left = tuple(intent for intent in intents if intent.ref in apart)
    return [*found, Stage(left, parents)] if left else found


def _of_level(intents: Sequence[WriteIntent], parents: Ancestry, least: int) -> Iterator[Stage]:
    kinds: dict[tuple[str, str], list[WriteIntent]] = {}
    singly: list[WriteIntent] = []
    seen: set[tuple[str, str]] = set()
    for intent in intents:
        place = (intent.object, key_of(intent))
        can_go = fits(intent) and not intent.assigns and place not in seen
        seen.add(place)
        kind = (intent.object, key_column(intent))
        (kinds.setdefault(kind, []) if can_go else singly).append(intent)
    for rows in kinds.values():
        if len(rows) >= least:
            yield Stage(tuple(rows), parents, in_bulk=True)
        else:
            singly += rows
    if singly:
        yield Stage(tuple(singly), parents)


def _apart(intents: Sequence[WriteIntent], parents: Ancestry) -> set[str]:
    """Rows that stand or fall together go in graphs at the end, and what hangs on them with them."""
    apart: set[str] = set()
    for intent in intents:  # parents come first
        if intent.atomic or any(ref in apart for ref in parents[intent.ref]):
            apart.add(intent.ref)
    return apart
