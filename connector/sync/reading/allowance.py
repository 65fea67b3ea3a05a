"""How many events the org may still deliver today; its other tools share the allowance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from connector.salesforce.gateway import Gateway
from connector.salesforce.pubsub.endings import Ending, StreamEnded
from connector.store.session import Store
from connector.store.tables import Org, Stream

LIMIT = "DailyDeliveredPlatformEvents"
MOST_USED = 0.8
_ASK_EVERY = timedelta(hours=1)
_ASK_EVERY_WHEN_SPENT = timedelta(minutes=15)
_STEP = "The org is polled until there are some again; see Setup > Platform Events for their use."


@dataclass(frozen=True)
class Allowance:
    """The deliveries of 24 hours, as the org last told them and as we have counted since."""

    store: Store
    gateway: Gateway

    def refresh(self, now: datetime) -> None:
        """Ask the org when it is time; raises `StreamEnded` above four fifths."""
        used, limit, told_at = self._known()
        every = _ASK_EVERY_WHEN_SPENT if _is_spent(used, limit) else _ASK_EVERY
        if told_at is None or now - told_at >= every:
            used, limit = self._ask(now)
        if _is_spent(used, limit):
            raise StreamEnded(
                Ending.SPENT, f"{used} of {limit} deliveries of events in 24 hours are used", _STEP
            )

    def _known(self) -> tuple[int, int, datetime | None]:
        with self.store.reading() as session:
            org = session.scalars(sa.select(Org).limit(1)).one_or_none()
            since = session.scalar(
                sa.select(sa.func.coalesce(sa.func.sum(Stream.delivered), 0)).where(
                    Stream.via == "pubsub"
                )
            )
        if org is None:
            return 0, 0, None
        return (org.events_used or 0) + int(since or 0), org.events_limit or 0, org.events_told_at

    def _ask(self, now: datetime) -> tuple[int, int]:
        told = self.gateway.limits().get(LIMIT) or {}
        limit = int(told.get("Max") or 0)
        used = limit - int(told.get("Remaining") or 0) if limit else 0
        with self.store.transaction() as session:
            session.execute(
                sa.update(Org).values(events_used=used, events_limit=limit, events_told_at=now)
            )
            session.execute(sa.update(Stream).where(Stream.via == "pubsub").values(delivered=0))
        return used, limit


def _is_spent(used: int, limit: int) -> bool:
    return limit > 0 and used >= limit * MOST_USED
