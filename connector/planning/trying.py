"""Ask the org itself whether it would take some rows, in calls that are rolled back.

Nothing else knows its validation rules, duplicate rules, triggers and flows. A refused row halts its
call, so one call names one culprit: this is for a sample, not for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connector.domain.faults import Fault, FaultKind
from connector.salesforce.composite import MAX_REHEARSED
from connector.salesforce.gateway import Gateway
from connector.salesforce.planner import KEY_FIELD, WriteIntent
from connector.salesforce.steps import Upsert
from connector.sync.pairs.jobs import Job


@dataclass
class Trial:
    """So many rows of each mapping are tried, the first that come."""

    gateway: Gateway
    rows: int
    _spent: dict[str, int] = field(default_factory=dict)

    def refused(self, jobs: Sequence[Job], intents: Sequence[WriteIntent]) -> Mapping[str, Fault]:
        """What the org said to rows it would not take, by the job's name."""
        mappings = {job.ref: job.mapping.name for job in jobs}
        chosen: list[Upsert] = []
        for intent in intents:
            name, upsert = mappings[intent.ref], _upsert(intent)
            if upsert is not None and self._spent.get(name, 0) < self.rows:
                self._spent[name] = self._spent.get(name, 0) + 1
                chosen.append(upsert)
        found: dict[str, Fault] = {}
        for at in range(0, len(chosen), MAX_REHEARSED):
            found |= self._try(chosen[at : at + MAX_REHEARSED])
        return found

    def _try(self, upserts: Sequence[Upsert]) -> dict[str, Fault]:
        found: dict[str, Fault] = {}
        left = list(upserts)
        while left:
            told = self.gateway.rehearse(left)
            if not told.refused:
                return found
            for ref, faults in told.refused.items():
                if faults[0].kind is not FaultKind.RETRY:
                    found[ref] = faults[0]
            left = [each for each in left if each.ref not in told.refused]
        return found


def _upsert(intent: WriteIntent) -> Upsert | None:
    """The write by our key; None where the row does not bear it yet, or a row it names is not there."""
    takes_over = intent.salesforce_id is not None and KEY_FIELD in intent.fields
    if takes_over or any(parent.id is None for parent in intent.parents):
        return None
    fields = {name: value for name, value in intent.fields.items() if name != KEY_FIELD}
    fields |= {parent.field: parent.id for parent in intent.parents}
    if any("@{" in value for value in fields.values() if isinstance(value, str)):
        return None  # composite would read it as a reference
    return Upsert(intent.ref, intent.object, KEY_FIELD, [{KEY_FIELD: intent.key, **fields}])
