"""What the ledger says of a received row, also where two transactions close its effects at once."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa

from connector.domain.states import EffectState, InboxState, Ledger
from connector.store.session import Store
from connector.store.tables import Envelope, Notice, Person, Received, Source
from connector.sync import effects


def test_the_last_of_two_effects_that_close_at_once_closes_the_row(store: Store) -> None:
    received, notices = _row_with_two_notices(store)
    with _closing_beside(store, notices[:1]), store.transaction() as session:
        effects.move_notices(session, notices[1:], EffectState.NOTIFIED)
    assert _class_of(store, received) is Ledger.NOTIFIED


def test_a_row_that_is_finished_while_its_effects_close_counts_them_as_closed(store: Store) -> None:
    received, notices = _row_with_two_notices(store)
    with _closing_beside(store, notices), store.transaction() as session:
        effects.finish(session, Received.id == received, Ledger.UNCHANGED)
    assert _class_of(store, received) is Ledger.NOTIFIED


@pytest.mark.parametrize("verdict", [Ledger.UNCHANGED, Ledger.IGNORED])
def test_a_row_that_had_no_effect_is_what_its_reader_said(store: Store, verdict: Ledger) -> None:
    with store.transaction() as session:
        row = _received()
        session.add(row)
        session.flush()
        effects.finish(session, Received.id == row.id, verdict)
    assert _class_of(store, row.id) is verdict


def test_of_two_effects_the_one_that_matters_more_is_the_class_of_the_row(store: Store) -> None:
    matters = {  # most of all first
        EffectState.OPEN: Ledger.IN_FLIGHT,
        EffectState.DEAD: Ledger.DEAD,
        EffectState.PARKED: Ledger.PARKED,
        EffectState.WRITTEN: Ledger.WRITTEN,
        EffectState.NOTIFIED: Ledger.NOTIFIED,
        EffectState.UNCHANGED: Ledger.UNCHANGED,
        EffectState.IGNORED: Ledger.IGNORED,
    }
    assert set(matters) == set(EffectState)
    received, notices = _row_with_two_notices(store)
    for first, second in itertools.product(matters, repeat=2):
        with store.transaction() as session:
            effects.move_notices(session, notices[:1], first)
            effects.move_notices(session, notices[1:], second)
        wanted = next(told for state, told in matters.items() if state in (first, second))
        assert _class_of(store, received) is wanted, (first, second)


@contextmanager
def _closing_beside(store: Store, notices: list) -> Iterator[None]:
    """Another transaction that has moved these effects, and commits while the block is under way."""
    moved, asked = threading.Event(), threading.Event()

    def before_commit(_connection: sa.Connection) -> None:
        if threading.current_thread() is other:
            moved.set()
            asked.wait(5)

    def close() -> None:
        with store.transaction() as session:
            effects.move_notices(session, notices, EffectState.NOTIFIED)

    other = threading.Thread(target=close)
    sa.event.listen(store.engine, "commit", before_commit)
    other.start()
    moved.wait(5)
    threading.Timer(0.3, asked.set).start()
    try:
        yield
    finally:
        other.join()
        sa.event.remove(store.engine, "commit", before_commit)


def _class_of(store: Store, received: int) -> Ledger:
    with store.reading() as session:
        return session.get_one(Received, received).ledger


def _received() -> Received:
    return Received(
        source=Source.LINE,
        kind="follow",
        dedupe_key="1",
        body={},
        at=datetime.now(UTC),
        state=InboxState.DONE,
    )


def _row_with_two_notices(store: Store) -> tuple[int, list]:
    with store.transaction() as session:
        person = Person(id=uuid4(), provider_id="1", line_user_id="U1")
        session.add(person)
        session.flush()
        envelope = Envelope(person_id=person.id, oa="U0", retry_key=uuid4())
        row = _received()
        session.add_all([envelope, row])
        session.flush()
        notices = [_notice(person, envelope) for _ in range(2)]
        session.add_all(notices)
        session.flush()
        for notice in notices:
            effects.link_notice(session, [row.id], notice.id)
        effects.reckon(session, [row.id])
        return row.id, [notice.id for notice in notices]


def _notice(person: Person, envelope: Envelope) -> Notice:
    return Notice(
        person_id=person.id,
        envelope_id=envelope.id,
        rule="menu",
        purpose="service",
        template="menu",
        before={},
        after={},
        expires_at=datetime.now(UTC),
    )
