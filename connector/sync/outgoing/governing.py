"""How much at once, and whether at all: step sizes per object, and the org's API budget.

Sizes are a worker's own memory; they adapt again within a few calls after a restart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.lines import Lane
from connector.salesforce.budget import allow
from connector.salesforce.gateway import Gateway
from connector.salesforce.outcomes import WriteOutcome
from connector.salesforce.pace import MOST, next_size
from connector.salesforce.planner import Call, Limits
from connector.salesforce.steps import objects_of
from connector.store.tables import Org


@dataclass
class Governor:
    """Keeps calls under ten seconds, and a share of the daily calls for the org's other tools."""

    gateway: Gateway
    reserve: float
    sizes: dict[str, int] = field(default_factory=dict)

    def limits(self) -> Limits:
        """What one call may hold now."""
        return Limits(object_rows=dict(self.sizes))

    def allows(self, lane: Lane) -> bool:
        """Whether a lane may spend calls; bulk yields first."""
        used, limit = self.gateway.usage or (0, 0)
        return allow(lane, used, limit, int(limit * self.reserve))

    def learn(self, call: Call, seconds: float, outcomes: Mapping[str, WriteOutcome]) -> None:
        """Adapt each object's step size to how a call went."""
        for step in call.steps:
            told: dict[str, list[WriteOutcome]] = {}
            for ref, name in zip(call.rows.get(step.ref, ()), objects_of(step), strict=False):
                told.setdefault(name, []).extend([outcomes[ref]] if ref in outcomes else [])
            for name, some in told.items():
                self._resize(name, seconds, some)

    def _resize(self, name: str, seconds: float, outcomes: Iterable[WriteOutcome]) -> None:
        told = list(outcomes)
        size = self.sizes.get(name, MOST)
        if any(outcome.split for outcome in told):
            # the whole step was refused: smaller ones find the row that is to blame
            self.sizes[name] = max(1, min(size, len(told)) // 2)
            return
        codes = [fault.code for outcome in told for fault in outcome.faults]
        self.sizes[name] = next_size(size, seconds, codes)

    def note(self, session: Session) -> None:
        """Keep what the org last said of its API calls, for people to see."""
        if self.gateway.usage is None:
            return
        used, limit = self.gateway.usage
        session.execute(sa.update(Org).values(api_used=used, api_limit=limit))
