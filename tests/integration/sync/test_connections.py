"""A connection is tried before it is used, where it rested; one that was lost is replaced."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from connector.store import session as sessions
from connector.store.session import Store, wake_later

ONE = sa.text("SELECT 1")
EVERYBODY_ELSE = sa.text(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
NOTED = sa.text("INSERT INTO tallies VALUES (now(), 'line', 'follow', 'dead', 1)")
NOTES = sa.text("SELECT count(*) FROM tallies")


def asks(store: Store) -> object:
    with store.transaction() as session:
        return session.scalar(ONE)


def lose_all_but_one(store: Store) -> None:
    """Leave two connections resting, of which the server has closed one."""
    with store.transaction() as first:
        asks(store)
        first.execute(EVERYBODY_ELSE)


@pytest.fixture
def tried(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The connections that were tried."""
    found: list[object] = []
    real = store.engine.dialect.do_ping

    def try_it(connection: object) -> bool:
        found.append(connection)
        return real(connection)  # type: ignore[arg-type]

    monkeypatch.setattr(store.engine.dialect, "do_ping", try_it)
    return found


def test_work_that_follows_on_work_tries_nothing_first(store: Store, tried: list[object]) -> None:
    asks(store)
    tried.clear()
    asks(store)
    assert not tried


def test_what_rested_is_tried_and_replaced_where_it_was_lost(
    store: Store, tried: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_all_but_one(store)
    monkeypatch.setattr(sessions, "_TRUSTED_S", 0.0)
    with store.transaction() as first, store.transaction() as second:
        assert (first.scalar(ONE), second.scalar(ONE)) == (1, 1)
    assert tried


def test_a_statement_is_committed_as_it_ends_and_wakes_afterwards(
    store: Store, woken: list[str]
) -> None:
    with store.statement() as session:
        session.execute(NOTED)
        wake_later(session, "read")
        with store.reading() as other:
            assert other.scalar(NOTES) == 1
        assert not woken
    assert woken == ["read"]


def test_after_a_statement_the_connection_makes_transactions_again(store: Store) -> None:
    with store.statement() as session:
        session.execute(ONE)
    for _ in range(store.engine.pool.checkedin()):  # each connection has its turn
        with store.sessions() as session:
            session.execute(NOTED)
            session.rollback()
    with store.reading() as session:
        assert session.scalar(NOTES) == 0
