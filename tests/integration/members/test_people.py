"""One row per LINE identity, and one thing of a person at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from connector.domain.states import InboxState
from connector.members import people
from connector.store.session import Store
from connector.store.tables import Person, Received, Source
from tests.conftest import Clock


def test_a_person_is_made_once_however_many_ask_at_the_same_moment(
    store: Store, clock: Clock
) -> None:
    def find(_: int) -> Person:
        with store.transaction() as session:
            return people.find_or_make(session, "1", "ann", clock())

    with ThreadPoolExecutor(8) as pool:
        found = {person.id for person in pool.map(find, range(8))}
    assert len(found) == 1


def test_the_same_user_id_at_another_provider_is_someone_else(store: Store, clock: Clock) -> None:
    with store.transaction() as session:
        first = people.find_or_make(session, "1", "ann", clock())
        second = people.find_or_make(session, "2", "ann", clock())
    assert first.id != second.id


def test_while_a_person_is_locked_others_wait(store: Store, clock: Clock) -> None:
    with store.transaction() as session:
        ann = people.find_or_make(session, "1", "ann", clock())
    with store.transaction() as first, store.sessions() as second:
        people.lock(first, ann.id)
        second.execute(sa.text("SET LOCAL lock_timeout = '50ms'"))
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
            people.lock(second, ann.id)


def test_a_lock_does_not_wait_for_rows_that_only_name_the_person(
    store: Store, clock: Clock
) -> None:
    with store.transaction() as session:
        ann = people.find_or_make(session, "1", "ann", clock())
    with store.sessions() as first, store.transaction() as second:
        row = Received(source=Source.FORM, kind="x", dedupe_key="x", person_id=ann.id, body={})
        row.at, row.state = clock(), InboxState.DONE
        first.add(row)
        first.flush()
        second.execute(sa.text("SET LOCAL lock_timeout = '50ms'"))
        assert people.lock(second, ann.id).id == ann.id
