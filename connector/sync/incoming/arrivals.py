"""Rows that were read outside the streams enter the inbox: in the bulk lane, with their own cause.

Their key holds the row and the mappings it was read for, so the same row read twice is a no-op, but
is read anew once other mappings are published.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.lines import Cause, Lane
from connector.domain.states import InboxState, Ledger
from connector.domain.values import Value
from connector.store.tables import Source
from connector.sync.catalog import Catalog
from connector.sync.incoming.receiving import receive


@dataclass(frozen=True)
class Arrivals:
    """Takes rows of one object in, for the mappings that are live."""

    object: str
    cause: Cause
    versions: bytes

    @classmethod
    def under(cls, catalog: Catalog, name: str, cause: Cause) -> Arrivals:
        """Arrivals for the live mappings of an object."""
        live = [[mapping.name, mapping.version] for mapping in catalog.by_object.get(name, ())]
        return cls(name, cause, orjson.dumps(sorted(live)))

    def take_in(
        self, session: Session, rows: Sequence[dict[str, Value]], noted: int, at: datetime
    ) -> int:
        """Store rows read after the epoch `noted` and the org time `at`; says how many were new.

        They may be old, but they were seen now: it is no edit of long ago that is told.
        """
        return receive(session, [self._received(row, noted, at) for row in rows])

    def _received(self, row: dict[str, Value], noted: int, at: datetime) -> dict[str, Any]:
        row_and_mappings = orjson.dumps(row, option=orjson.OPT_SORT_KEYS) + self.versions
        digest = hashlib.sha256(row_and_mappings).hexdigest()[:32]
        place = f"{self.object}:{row['Id']}:{row['SystemModstamp']}"
        return {
            "source": Source.SALESFORCE,
            "kind": self.object,
            "dedupe_key": f"{self.cause}:{place}:{digest}",
            "subject": str(row["Id"]),
            "body": row,
            "at": at,
            "noted": noted,
            "lane": Lane.BULK,
            "cause": self.cause,
            "state": InboxState.READY,
            "ledger": Ledger.IN_FLIGHT,
        }


def epoch_now(session: Session) -> int:
    """The number to note before rows are read: pairs that move later have a higher one."""
    return session.scalar(sa.text("SELECT last_value FROM pair_epoch")) or 0
