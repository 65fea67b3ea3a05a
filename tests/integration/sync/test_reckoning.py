"""Two transactions that each close one effect of the same received row."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa

from connector.domain.states import EffectState, InboxState, Ledger
from connector.store.session import Store
from connector.store.tables import Envelope, Notice, Person, Received, Source
from connector.sync import effects


def test_the_last_of_two_effects_that_close_at_once_closes_the_row(store: Store) -> None:
    received, notices = _row_with_two_notices(store)
    first_moved, second_asked = threading.Event(), threading.Event()

    def before_commit(_connection: sa.Connection) -> None:
        if threading.current_thread() is other:
            first_moved.set()
            second_asked.wait(5)

    def close_first() -> None:
        with store.transaction() as session:
            effects.move_notices(session, notices[:1], EffectState.NOTIFIED)

    other = threading.Thread(target=close_first)
    sa.event.listen(store.engine, "commit", before_commit)
    other.start()
    first_moved.wait(5)
    threading.Timer(0.3, second_asked.set).start()
    with store.transaction() as session:
        effects.move_notices(session, notices[1:], EffectState.NOTIFIED)
    other.join()
    sa.event.remove(store.engine, "commit", before_commit)
    with store.reading() as session:
        assert session.get_one(Received, received).ledger is Ledger.NOTIFIED


def _row_with_two_notices(store: Store) -> tuple[int, list]:
    with store.transaction() as session:
        person = Person(id=uuid4(), provider_id="1", line_user_id="U1")
        session.add(person)
        session.flush()
        envelope = Envelope(person_id=person.id, oa="U0", retry_key=uuid4())
        row = Received(
            source=Source.LINE,
            kind="follow",
            dedupe_key="1",
            body={},
            at=datetime.now(UTC),
            state=InboxState.DONE,
        )
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
