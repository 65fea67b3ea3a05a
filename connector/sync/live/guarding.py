"""The database belongs to one org: another one (a restored sandbox, say) stops everything until it is adopted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from connector.domain.lines import Cause
from connector.domain.states import PairState
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway
from connector.store.session import Store
from connector.store.tables import MatchClaim, Org, Pair, Stream, epochs
from connector.sync import acts, effects, outbox, pausing
from connector.sync.catalog import Catalogs
from connector.sync.live.preparing import AnotherOrg

log = structlog.get_logger()

_REST = timedelta(minutes=5)
_PAGE = 1000


@dataclass
class OrgGuard:
    """Asks once per process which org answers; nothing is read or written before it is the right one."""

    store: Store
    gateway: Gateway
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _known: bool = field(default=False, init=False)

    def holds(self) -> bool:
        """Whether the org that answers is the one the database belongs to."""
        if self._known:
            return True
        try:
            found = self.gateway.organization_id()
        except CallFailed as failed:
            self._rest_for(failed)
            return False
        with self.store.reading() as session:
            bound = session.scalar(sa.select(Org.organization_id).limit(1))
        self._known = bound == found
        if not self._known:
            log.error("another org answers", bound=bound, found=found)
            reason = (
                f"the settings lead to org {found}, this database belongs to {bound}; "
                "correct the settings, or run `connector org adopt`"
            )
            with self.store.transaction() as session:
                pausing.pause(session, reason, self.clock() + _REST)
        return self._known

    def _rest_for(self, failed: CallFailed) -> None:
        pausing.pause_for(self.store, failed.fault, self.clock())


def refuse_another_org(store: Store, gateway: Gateway) -> None:
    """Raise `AnotherOrg` where the settings lead to another org than the database belongs to."""
    with store.reading() as session:
        bound = session.scalar(sa.select(Org.organization_id).limit(1))
    found = gateway.organization_id()
    if bound != found:
        raise AnotherOrg(str(bound), found)


def adopt(store: Store, catalogs: Catalogs, organization_id: str, author: str) -> int:
    """Bind the database to another org and look every pair's row up anew; says how many pairs."""
    with store.transaction() as session:
        session.execute(sa.delete(Org))
        session.add(Org(organization_id=organization_id))
        session.execute(sa.delete(MatchClaim))
        session.execute(sa.delete(Stream))  # positions mean nothing in another org
        received = acts.act(session, "org.adopt", author, {"organization_id": organization_id}).id
    seen, after = 0, None
    while page := _adopt_page(store, catalogs, organization_id, received, after):
        seen, after = seen + len(page), page[-1]
    return seen


def _adopt_page(
    store: Store, catalogs: Catalogs, organization_id: str, received: int, after: object
) -> list[object]:
    with store.transaction() as session:
        here = sa.select(Pair).where(Pair.state == PairState.OPEN).order_by(Pair.id).limit(_PAGE)
        if after is not None:
            here = here.where(Pair.id > after)
        pairs = list(session.scalars(here.with_for_update()))
        catalog = catalogs.live(session)
        for pair in pairs:
            _move_over(session, pair, organization_id)
            mapping = catalog.mappings.get(pair.mapping)
            if mapping is not None and mapping.create != "salesforce":
                effects.link_pair(session, (received,), pair.id, pair.version)
                outbox.want(session, pair.id, mapping.lane, Cause.RESTORE, recheck=True)
        return [pair.id for pair in pairs]


def _move_over(session: Session, pair: Pair, organization_id: str) -> None:
    pair.org_id = organization_id
    pair.unseen_write = True
    pair.attempt = None
    pair.epoch = session.scalar(sa.select(epochs.next_value())) or pair.epoch
