"""Of several records that would get one row, the first; for looks ahead, where nothing is claimed."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from connector.domain.states import MatchState, OutboxState
from connector.sync.pairs.jobs import Job, Stopped

_SAME = "another LINE record that comes first would be given the same row, or make it"
_SAME_STEP = "Decide whose row it is: unbind one of them, or correct its value."


@dataclass
class Taken:
    """What earlier records of a look ahead were given, or are stuck on."""

    values: dict[tuple[str, str], UUID] = field(default_factory=dict)
    rows: dict[tuple[str, str], UUID] = field(default_factory=dict)
    stuck: set[tuple[UUID, str]] = field(default_factory=set)

    def come_second(self, job: Job) -> None:
        """Of records that seek the same value only the first is matched, as in delivery."""
        if not job.seeks:
            return
        for rule in job.mapping.match:
            value = rule.normalised(job.seen.get(rule.source))
            if value is not None:
                place = (job.pair.object, f"{rule.normalise}:{value}")
                if self.values.setdefault(place, job.record.id) != job.record.id:
                    _stop(job)

    def keep_row(self, job: Job) -> None:
        """Of records that were given the same row only the first keeps it."""
        if job.salesforce_id is not None and not (job.adopted or job.joins) and job.open:
            place = (job.pair.object, job.salesforce_id)
            if self.rows.setdefault(place, job.record.id) != job.record.id:
                _stop(job)


def _stop(job: Job) -> None:
    job.match, job.salesforce_id = MatchState.CONFLICT, None
    job.end = Stopped(OutboxState.PARKED, _SAME, _SAME_STEP)
