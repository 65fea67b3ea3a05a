"""Read what changed in the org: poll every stream, store what is new, move the watermarks.

One reader per stream by a fenced lease. A watermark moves in the transaction that stores the
rows behind it, so a crash costs a repeat and never a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.domain.lines import Lane
from connector.domain.states import InboxState, Ledger
from connector.domain.values import Value
from connector.salesforce import polling
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway
from connector.salesforce.polling import Cursor, Polled, Position
from connector.store.session import Store
from connector.store.tables import Org, Source, Stream
from connector.sync import pausing
from connector.sync.catalog import Catalog, Catalogs
from connector.sync.incoming.event_intake import cause_at
from connector.sync.incoming.intake import polled_key
from connector.sync.incoming.receiving import receive
from connector.sync.live.guarding import OrgGuard
from connector.sync.live.polled_fields import polled_fields
from connector.sync.reading import carriage
from connector.sync.windows import NEVER

log = structlog.get_logger()

_SHORT_OVERLAP = timedelta(seconds=90)
_WHOLE_OVERLAP_EVERY = timedelta(seconds=60)
_SELDOM = timedelta(hours=1)
_RARE_FROM = timedelta(seconds=60)  # polls further apart than this read slow streams hourly


@dataclass(frozen=True)
class StreamReader:
    """Polls one org."""

    store: Store
    catalogs: Catalogs
    gateway: Gateway
    guard: OrgGuard
    every: timedelta
    lease: timedelta
    token: UUID = field(default_factory=uuid4)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def read(self) -> int:
        """Read every stream that is due once; say how many rows were new."""
        if not self.guard.holds():
            return 0
        with self.store.transaction() as session:
            if pausing.is_paused(session, self.clock()):
                return 0
            catalog = self.catalogs.live(session)
            began = self.clock()
            streams = self._leased(session, catalog)
            noted = session.scalar(sa.text("SELECT last_value FROM pair_epoch")) or 0
        if not streams:
            return 0
        cursors = [self._cursor(stream, catalog) for stream in streams]
        try:
            polled = polling.poll(self.gateway, cursors)
        except CallFailed as failed:
            self._failed(failed)
            return 0
        whole = {cursor.object for cursor in cursors if cursor.overlap == polling.OVERLAP}
        return self._store(polled.streams, noted, whole, began)

    def _leased(self, session: Session, catalog: Catalog) -> Sequence[Stream]:
        now, names = self.clock(), list(polled_fields(catalog))
        begins = [NEVER if _begins_in_salesforce(catalog, name) else now for name in names]
        rows = [
            {"name": name, "via": "poll", "watermark": at, "read_through": at, "read_at": NEVER}
            for name, at in zip(names, begins, strict=True)
        ]
        if rows:
            session.execute(insert(Stream).values(rows).on_conflict_do_nothing())
        mine = sa.or_(
            Stream.lease_token == self.token,
            Stream.leased_until.is_(None),
            Stream.leased_until < now,
        )
        leased = session.scalars(
            sa.update(Stream)
            .where(mine, Stream.name.in_(names))
            .values(lease_token=self.token, leased_until=now + self.lease)
            .returning(Stream)
            .execution_options(synchronize_session=False)
        ).all()
        carried = carriage.carried(session, now)
        return [stream for stream in leased if self._due(stream, catalog, carried, now)]

    def _due(
        self, stream: Stream, catalog: Catalog, carried: Mapping[str, datetime], now: datetime
    ) -> bool:
        """Whether to poll an object now.

        Objects that only Salesforce fills change seldom, and those that a topic carries were told of
        already: both are read hourly, the latter once more after their topic began to be heard.
        """
        slow = self.every >= _RARE_FROM and _begins_in_salesforce(catalog, stream.name)
        live_since = carried.get(stream.name)
        told = live_since is not None and stream.read_at > live_since and stream.resume is None
        return now - stream.read_at >= (_SELDOM if slow or told else timedelta(0))

    def _cursor(self, stream: Stream, catalog: Catalog) -> Cursor:
        fields = polled_fields(catalog)[stream.name]
        if stream.resume is not None:
            after = Position(str(stream.resume["stamp"]), str(stream.resume["id"]))
            return Cursor(stream.name, fields, stream.watermark, after=after)
        whole = (
            stream.overlapped_at is None
            or self.clock() - stream.overlapped_at >= _WHOLE_OVERLAP_EVERY
        )
        overlap = polling.OVERLAP if whole else _SHORT_OVERLAP
        return Cursor(stream.name, fields, stream.watermark, overlap)

    def _store(
        self, polled: Mapping[str, Polled], noted: int, whole: set[str], began: datetime
    ) -> int:
        new = 0
        # one stream at a time: a transaction that holds several could meet others that do, in another order
        for name, found in polled.items():
            if found.fault is not None and not found.rows:
                log.warning("stream not read", stream=name, code=found.fault.code)
                continue
            with self.store.transaction() as session:
                stream = session.scalars(
                    sa.select(Stream)
                    .where(Stream.name == name, Stream.lease_token == self.token)
                    .with_for_update()
                ).one_or_none()
                if stream is None:
                    continue  # another reader holds the stream now
                new += _insert(session, found, noted)
                self._advance(stream, found, began, whole=name in whole)
        return new

    def _advance(self, stream: Stream, found: Polled, began: datetime, *, whole: bool) -> None:
        stream.read_at = began
        if found.last is not None:
            stream.watermark = max(stream.watermark, found.last.at)
        if found.complete:
            stream.resume = None
            if whole:
                stream.overlapped_at = self.clock()
            if found.read_through is not None:
                stream.read_through = max(stream.read_through, found.read_through)
                stream.watermark = max(stream.watermark, found.read_through)
        elif found.last is not None:
            stream.resume = {"stamp": found.last.stamp, "id": found.last.id}

    def _failed(self, failed: CallFailed) -> None:
        log.warning("org not read", code=failed.fault.code)
        pausing.pause_for(self.store, failed.fault, self.clock())


def _begins_in_salesforce(catalog: Catalog, name: str) -> bool:
    return any(mapping.create != "line" for mapping in catalog.by_object.get(name, ()))


def _insert(session: Session, found: Polled, noted: int) -> int:
    told_to_nobody = session.scalar(sa.select(Org.recovered_at).limit(1))
    rows = [_received(found.object, row, noted, told_to_nobody) for row in found.rows]
    return receive(session, rows)


def _received(
    name: str, row: dict[str, Value], noted: int, told_to_nobody: datetime | None
) -> dict[str, object]:
    at = datetime.fromisoformat(str(row["SystemModstamp"]))
    return {
        "source": Source.SALESFORCE,
        "kind": name,
        "dedupe_key": polled_key(name, row),
        "subject": str(row["Id"]),
        "body": row,
        "at": at,
        "cause": cause_at(told_to_nobody, at),
        "noted": noted,
        "lane": Lane.URGENT,
        "state": InboxState.READY,
        "ledger": Ledger.IN_FLIGHT,
    }
