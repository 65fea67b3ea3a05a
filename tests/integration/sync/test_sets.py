"""Many rows go through one statement, and come out as if each had been written by itself."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from connector.domain.identifiers import uuid7
from connector.store import sets
from connector.store.session import Store
from connector.store.tables import Attempt, Pair, Record
from tests.statements import counted

AT = datetime(2026, 3, 1, 8, 30, 0, 123456, UTC)


def pairs(store: Store, count: int) -> list[Pair]:
    with store.transaction() as session:
        records = [Record(id=uuid7(), kind="member", values={}, version=1) for _ in range(count)]
        session.add_all(records)
        session.flush()
        made = [
            Pair(record_id=each.id, mapping="m", org_id="o", object="Case", key=str(uuid7()), looks={"a": 1})
            for each in records
        ]  # fmt: skip
        session.add_all(made)
    return made


def now(store: Store) -> list[Pair]:
    with store.reading() as session:
        return list(session.scalars(sa.select(Pair).order_by(Pair.id)))


def test_what_was_changed_of_many_rows_is_written_and_nothing_else(store: Store) -> None:
    before = {pair.id: pair.epoch for pair in pairs(store, 3)}
    with store.transaction() as session:
        first, second, third = session.scalars(sa.select(Pair).order_by(Pair.id).with_for_update())
        for pair in (first, second):
            pair.base, pair.seen_at = {"Subject": {"value": "不冷", "line": None}}, AT
            pair.looks, pair.salesforce_id = None, f"500{pair.key[-6:]}"
        written = sets.update_all(session, [first, second, third], counting=("epoch",))
        assert written == [first, second]
    one, two, three = now(store)
    for pair in (one, two):
        assert pair.base == {"Subject": {"value": "不冷", "line": None}}
        assert (pair.seen_at, pair.looks) == (AT, None)
        assert pair.salesforce_id == f"500{pair.key[-6:]}"
        assert pair.epoch > before[pair.id]
    assert (three.looks, three.epoch) == ({"a": 1}, before[three.id])


def test_a_row_that_changes_after_it_was_written_is_written_again(store: Store) -> None:
    pairs(store, 1)
    with store.transaction() as session:
        pair = session.scalars(sa.select(Pair).with_for_update()).one()
        pair.version = 4
        sets.update_all(session, [pair])
        pair.version = 5
    assert now(store)[0].version == 5


def test_many_rows_take_one_statement_to_write_and_one_to_store(store: Store) -> None:
    pairs(store, 40)
    with store.transaction() as session:
        rows = list(session.scalars(sa.select(Pair).order_by(Pair.id).with_for_update()))
        for number, pair in enumerate(rows):
            pair.version = number
        with counted(store.engine) as statements:
            sets.update_all(session, rows)
            tries: list[dict[str, object]] = [
                {"pair_id": pair.id, "at": AT, "operation": "create", "sent": {}, "outcome": "written", "answer": None}
                for pair in rows
            ]  # fmt: skip
            sets.insert_all(session, Attempt, tries)
            session.flush()
        assert statements.rows == 2
    assert [pair.version for pair in now(store)] == list(range(40))
    with store.reading() as session:
        kept = session.scalars(sa.select(Attempt).order_by(Attempt.id)).all()
    assert [(each.at, each.sent, each.answer) for each in kept] == [(AT, {}, None)] * 40
