"""The ledger checked without being asked: what breaks it is an alert that names the rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
import structlog

from connector.store import alerts
from connector.store.alerts import AlertKind
from connector.store.session import Store
from connector.store.tables import Received
from connector.sync.upkeep import ledger
from connector.sync.upkeep.ledger import Imbalance
from connector.sync.upkeep.status import snapshot

log = structlog.get_logger()

_PAGE = 20_000
_NAMED = 20
_SUM = "sum"
_DIFFER = "the counts by source and by class do not come to the same"
_STEP = (
    "Nothing was lost: every row is kept. See each with `connector ledger`, and tell whoever runs the "
    "connector; `connector recheck` reads the records behind it anew on both sides."
)


@dataclass(frozen=True)
class Finding:
    """Whether the sums agree, and the rows that break the equation, oldest first."""

    adds_up: bool
    broken: Sequence[Imbalance]

    @property
    def balanced(self) -> bool:
        """Whether the equation holds."""
        return self.adds_up and not self.broken


def look(store: Store) -> Finding:
    """Check what is not settled and what came last, in one snapshot."""
    with snapshot(store) as session:
        return Finding(ledger.count(session).adds_up, ledger.imbalances(session))


def look_at_all(store: Store) -> Finding:
    """Check every row that is kept, page by page: each page is a snapshot of its own."""
    broken: dict[int, Imbalance] = {}
    for page in _pages(store):
        with snapshot(store) as session:
            broken |= {row.received_id: row for row in ledger.imbalances(session, among=page)}
    with snapshot(store) as session:
        adds_up = ledger.count(session).adds_up
    return Finding(adds_up, [broken[row] for row in sorted(broken)])


def _pages(store: Store) -> Iterator[range]:
    with store.reading() as session:
        bounds = sa.select(sa.func.min(Received.id), sa.func.max(Received.id))
        first, last = session.execute(bounds).one()
    if first is not None:
        for start in range(first, last + 1, _PAGE):
            yield range(start, start + _PAGE)


def tell(store: Store, found: Finding) -> None:
    """Raise an alert for each source and kind that does not balance; close those that do again."""
    messages = {} if found.adds_up else {_SUM: _DIFFER}
    by_kind: dict[str, list[Imbalance]] = defaultdict(list)
    for row in found.broken:
        by_kind[f"{row.source}/{row.kind}"].append(row)
    messages |= {kind: _message(kind, rows) for kind, rows in by_kind.items()}
    with store.transaction() as session:
        for subject, message in messages.items():
            alerts.raise_alert(session, AlertKind.LEDGER, subject, message, _STEP)
        alerts.close(session, AlertKind.LEDGER, keep=list(messages))
    for subject, message in messages.items():
        log.error("the ledger does not balance", subject=subject, message=message)


def _message(kind: str, rows: Sequence[Imbalance]) -> str:
    named = ", ".join(str(row.received_id) for row in rows[:_NAMED])
    more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return f"{len(rows)} received rows of {kind} do not balance: {named}{more} ({rows[0].why})"
