"""Put received rows into the inbox: every distinct one once, whoever else is doing the same.

However many rows there are, and whichever columns each fills, they are one parameter of one
statement, which is put together once and not for every group (decision 25).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.domain.lines import Cause, Lane
from connector.store import sets
from connector.store.session import wake_later
from connector.store.tables import Received
from connector.sync import queues

_TABLE = cast(sa.Table, Received.__table__)
_GIVEN = (
    "source", "kind", "dedupe_key", "oa", "subject", "body", "at", "noted", "lane", "cause", "state",
    "ledger", "turn",
)  # fmt: skip
_REST = "rest"  # the seconds, from now by the database's clock, until a row may be read
_NAMES = frozenset((*_GIVEN, _REST))


def _store() -> sa.Executable:
    arrived = sets.given(Received, _GIVEN, sa.column(_REST, sa.Interval()))
    now = sa.func.clock_timestamp()
    absent = {"lane": Lane.URGENT.value, "cause": Cause.LIVE.value, "turn": now}
    given: dict[str, sa.ColumnElement[Any]] = {
        name: sa.func.coalesce(arrived.c[name], absent[name]) if name in absent else arrived.c[name]
        for name in _GIVEN
    }
    given["due"] = now + sa.func.coalesce(arrived.c[_REST], sa.text("interval '0'"))
    chosen = insert(_TABLE).from_select(
        [*given], sa.select(*given.values()), include_defaults=False
    )
    return chosen.on_conflict_do_nothing().execution_options(preserve_rowcount=True)


_STORE = _store()


def receive(session: Session, rows: Sequence[Mapping[str, object]]) -> int:
    """Store rows by (source, dedupe_key), wake their reader, and say how many were new."""
    if not rows:
        return 0
    unknown = {name for row in rows if not row.keys() <= _NAMES for name in row.keys() - _NAMES}
    if unknown:
        raise KeyError(*sorted(unknown))  # json_to_recordset would lose them without a word
    # two receivers lock in one order
    ordered = sorted(rows, key=lambda row: str(row["dedupe_key"]))
    stored = cast("sa.CursorResult[Any]", session.execute(_STORE, sets.as_parameter(ordered)))
    if stored.rowcount:
        wake_later(session, queues.READ)
    return stored.rowcount
