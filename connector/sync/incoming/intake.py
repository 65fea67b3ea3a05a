"""The two ways in: webhook events are stored to be read later, forms are applied at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from connector.domain.changes import Change
from connector.domain.identifiers import uuid7
from connector.domain.lines import Lane
from connector.domain.states import InboxState, Ledger
from connector.domain.values import Value
from connector.line.accounts import OfficialAccount
from connector.line.events import Delivery, Event
from connector.store.session import Store
from connector.store.tables import Received, Source
from connector.sync import effects
from connector.sync.catalog import Catalogs
from connector.sync.changes import Scene, apply_all
from connector.sync.incoming.receiving import receive
from connector.sync.incoming.turns import Turns

T = TypeVar("T")


@dataclass(frozen=True)
class Form:
    """What a LINE user sent from one of our pages."""

    kind: str
    person_id: UUID
    oa: str
    body: dict[str, Value]
    dedupe_key: str | None = None
    address_hash: str | None = None


def submit(
    store: Store,
    catalogs: Catalogs,
    form: Form,
    act: Callable[[Session], tuple[T, list[Change]]],
    at: datetime,
) -> T:
    """Take a form in: one transaction, then the wakes."""
    with store.transaction() as session:
        return take(session, catalogs, form, act, at)


def take(
    session: Session,
    catalogs: Catalogs,
    form: Form,
    act: Callable[[Session], tuple[T, list[Change]]],
    at: datetime,
) -> T:
    """Store a form, let `act` do its work, apply what changed."""
    received = Received(
        source=Source.FORM,
        kind=form.kind,
        dedupe_key=form.dedupe_key or str(uuid7()),
        oa=form.oa,
        person_id=form.person_id,
        address_hash=form.address_hash,
        body=form.body,
        at=at,
        state=InboxState.DONE,
        verdict=Ledger.UNCHANGED,
    )
    session.add(received)
    session.flush()
    answer, changes = act(session)
    apply_all(scene_for(session, catalogs, at, (received.id,)), changes)
    effects.reckon(session, (received.id,))
    return answer


def scene_for(
    session: Session,
    catalogs: Catalogs,
    now: datetime,
    received: tuple[int, ...] = (),
    side: str = "line",
) -> Scene:
    """The scene of a transaction: the live catalog and the org the database is bound to."""
    catalog = catalogs.live(session)
    return Scene(session, catalog, catalog.org_id, now, received, side)


def receive_events(
    store: Store, deliveries: Sequence[tuple[OfficialAccount, Delivery]], turns: Turns
) -> int:
    """Store every distinct event once, in one statement; say how many were new."""
    rows = [
        _received(account, event, turns)
        for account, delivery in deliveries
        for event in delivery.events
    ]
    if not rows:
        return 0
    with store.statement() as session:
        return receive(session, rows)


def _received(account: OfficialAccount, event: Event, turns: Turns) -> dict[str, object]:
    message = event.raw.get("message")
    unsent = event.raw.get("unsend")
    about = message if isinstance(message, dict) else unsent if isinstance(unsent, dict) else {}
    return {
        "source": Source.LINE,
        "kind": (event.type or "unknown")[:80],
        "dedupe_key": event.event_id or f"{account.bot_user_id}:{event.dedupe_key}",
        "oa": account.bot_user_id,
        "subject": str(about["id"]) if "id" in about else None,
        "body": event.raw,
        "at": event.at or datetime.now(UTC),
        "lane": Lane.URGENT,
        "state": InboxState.READY,
        "ledger": Ledger.IN_FLIGHT,
        "turn": turns.take(event.user_id),
    }


def polled_key(name: str, row: dict[str, Value]) -> str:
    """Object, Id, SystemModstamp and a hash: the overlap of two polls is a no-op."""
    digest = hashlib.sha256(orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
    return f"{name}:{row.get('Id')}:{row.get('SystemModstamp')}:{digest}"
