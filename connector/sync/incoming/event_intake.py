"""Take change events in: one received row for each row of the org that an event speaks of.

Only fields that live mappings read are kept. What carries our own client tag is most likely an echo
of a write that is just being settled, so it is read a moment later, behind everything else; the tag
decides nothing more than that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from connector.domain.lines import Cause, Lane
from connector.domain.states import InboxState, Ledger
from connector.domain.values import Value, moment
from connector.salesforce.planner import KEY_FIELD
from connector.salesforce.pubsub.events import HEADER, ChangeEvent, row_of
from connector.store.tables import Org, Source
from connector.sync import unforeseen
from connector.sync.catalog import Catalog
from connector.sync.incoming.receiving import receive
from connector.sync.live.polled_fields import polled_fields

log = structlog.get_logger()

ECHO_REST = timedelta(seconds=1)


def receive_changes(
    session: Session, catalog: Catalog, events: Sequence[ChangeEvent], client: str
) -> int:
    """Store every distinct event once; says how many rows were new. `client` is our own tag."""
    wanted = polled_fields(catalog)
    rows = [
        row
        for event in events
        if event.entity in wanted
        for row in _rows_of(catalog, event, wanted[event.entity], client)
    ]
    if not rows:
        return 0
    told_to_nobody = session.scalar(sa.select(Org.recovered_at).limit(1))
    for row in rows:
        row["cause"] = cause_at(told_to_nobody, row["at"])
    return receive(session, rows)


def cause_at(recovered_at: datetime | None, at: object) -> Cause:
    """The cause of what happened in the org at a moment: before a restore it is told to nobody."""
    old = recovered_at is not None and isinstance(at, datetime) and at <= recovered_at
    return Cause.RESTORE if old else Cause.LIVE


def _rows_of(
    catalog: Catalog, event: ChangeEvent, fields: Sequence[str], client: str
) -> list[dict[str, object]]:
    """The rows of one event; one that cannot be made sense of says only that its entity changed."""
    try:
        return list(_rows(catalog, event, fields, client))
    except Exception as error:  # noqa: BLE001 - whatever one event holds, the others are stored
        log.warning("event not understood", entity=event.entity, **unforeseen.told(error))
        return list(_rows(catalog, event.as_overflow, fields, client))


def _rows(
    catalog: Catalog, event: ChangeEvent, fields: Sequence[str], client: str
) -> Iterator[dict[str, object]]:
    is_echo = event.client == client and not event.is_gap
    for row_id in ("*",) if event.is_overflow else event.record_ids:
        yield {
            "source": Source.SALESFORCE,
            "kind": event.entity,
            "dedupe_key": f"event:{event.transaction}:{event.sequence}:{row_id}",
            "subject": row_id,
            "body": _body(catalog, event, row_id, fields),
            "at": event.committed_at,
            "lane": Lane.BULK if is_echo else Lane.URGENT,
            "state": InboxState.WAITING if is_echo else InboxState.READY,
            "ledger": Ledger.IN_FLIGHT,
            "rest": ECHO_REST.total_seconds() if is_echo else 0,
        }


def _body(
    catalog: Catalog, event: ChangeEvent, row_id: str, fields: Sequence[str]
) -> dict[str, Value]:
    told = row_of(event, row_id, catalog.schemas.get(event.entity))
    body = {name: told[name] for name in fields if name in told}
    key = event.values.get(KEY_FIELD)
    if isinstance(key, str):  # enriched: told although it did not change
        body[KEY_FIELD] = key
    body["Id"] = row_id
    body[HEADER] = _header(event, fields)
    return body


def _header(event: ChangeEvent, fields: Sequence[str]) -> dict[str, Value]:
    return {
        "changeType": event.change,
        "commitTimestamp": moment(event.committed_at),
        "commitUser": event.user,
        "changeOrigin": event.origin,
        "transactionKey": event.transaction,
        "sequenceNumber": event.sequence,
        "diffFields": [*sorted(event.diffed & set(fields))],
    }
