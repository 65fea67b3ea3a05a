"""A transaction that was opened long ago keeps every dead row visible: what is claimed is found all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.identifiers import uuid7
from connector.domain.lines import Cause, Lane
from connector.domain.states import EffectState
from connector.store.session import Store
from connector.store.tables import Outbox, Pair, Record
from connector.sync import outbox

PAIRS, CYCLES = 50, 20
LEASE = timedelta(seconds=60)


def test_what_a_worker_holds_is_found_without_stepping_over_all_that_was_ever_claimed(
    store: Store,
) -> None:
    pairs = _pairs(store)
    with _old_snapshot(store):
        for _ in range(CYCLES):
            claimed = _claimed(store, pairs)
            with store.transaction() as session:
                for row in outbox.still_mine(session, claimed).values():
                    outbox.settle(session, row, EffectState.WRITTEN, 1)
        claimed = _claimed(store, pairs)
        used = _indexes_of(store, lambda session: outbox.still_mine(session, claimed))
    assert used <= {"pk_outbox"}  # any other has an entry for each time that a row was claimed


def _pairs(store: Store) -> list[Any]:
    with store.transaction() as session:
        records = [Record(id=uuid7(), kind="member", values={}, version=1) for _ in range(PAIRS)]
        session.add_all(records)
        session.flush()
        made = [
            Pair(record_id=each.id, mapping="m", org_id="o", object="Case", key=str(uuid7()))
            for each in records
        ]
        session.add_all(made)
        session.flush()
        return [pair.id for pair in made]


def _claimed(store: Store, pairs: list[Any]) -> list[Outbox]:
    with store.transaction() as session:
        for pair in pairs:
            outbox.want(session, pair, Lane.URGENT, Cause.LIVE)
    with store.transaction() as session:
        session.execute(sa.text("ANALYZE outbox"))  # none is claimed, as far as the server knows
    with store.transaction() as session:
        claimed = outbox.claim(session, Lane.URGENT, PAIRS, LEASE)
    assert len(claimed) == PAIRS
    return claimed


@contextmanager
def _old_snapshot(store: Store) -> Iterator[None]:
    with store.engine.connect() as connection:
        held = connection.execution_options(isolation_level="REPEATABLE READ")
        held.execute(sa.text("SELECT count(*) FROM orgs"))
        yield


def _indexes_of(store: Store, work: Callable[[Session], Any]) -> set[str]:
    """The indexes by which the statements of a block of work find their rows."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        asked.append((statement, parameters))

    sa.event.listen(store.engine, "before_cursor_execute", note)
    with store.transaction() as session:
        work(session)
    sa.event.remove(store.engine, "before_cursor_execute", note)
    with store.engine.connect() as connection:
        plans = [
            connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {text}", given).scalar_one()
            for text, given in asked
        ]
        connection.rollback()
    return {name for plan in plans for name in _names(plan[0]["Plan"])}


def _names(node: dict[str, Any]) -> Iterator[str]:
    if name := node.get("Index Name"):
        yield name
    for below in node.get("Plans", ()):
        yield from _names(below)
