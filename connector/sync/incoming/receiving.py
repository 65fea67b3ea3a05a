"""Put received rows into the inbox: every distinct one once, whoever else is doing the same.

However many rows there are, and whichever columns each fills, they are one parameter of one
statement, which is put together once and not for every group (decision 25).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON, insert
from sqlalchemy.orm import Session

from connector.domain.lines import Cause, Lane
from connector.domain.values import Value, storable
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
_NUL = b"\\u0000"  # as JSON writes it


def _store() -> sa.Executable:
    columns = [sa.column(name, _TABLE.c[name].type) for name in _GIVEN]
    rows = sa.cast(sa.bindparam("rows", type_=sa.Text()), JSON)
    arrived = (
        sa.func.json_to_recordset(rows)
        .table_valued(*columns, sa.column(_REST, sa.Interval()), name="arrived")
        .render_derived(with_types=True)
    )
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
    stored = cast("sa.CursorResult[Any]", session.execute(_STORE, {"rows": _as_json(ordered)}))
    if stored.rowcount:
        wake_later(session, queues.READ)
    return stored.rowcount


def _as_json(rows: Sequence[Mapping[str, object]]) -> str:
    """The rows as PostgreSQL takes them: without NUL and lone surrogates, which hardly ever come."""
    with suppress(TypeError):  # a lone surrogate
        told = orjson.dumps(rows)
        if _NUL not in told:
            return told.decode()
    return orjson.dumps(storable(cast(Value, rows))).decode()
