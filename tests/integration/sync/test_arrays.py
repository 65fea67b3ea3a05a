"""A list that goes to PostgreSQL as one parameter comes out as it went in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from connector.domain.identifiers import uuid7
from connector.store import arrays
from connector.store.session import Store, among
from connector.store.tables import Record

# what no text of PostgreSQL can hold is left out
texts = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def read_back(store: Store, items: list[Any], item: sa.types.TypeEngine[Any]) -> list[Any]:
    with store.reading() as session:
        told = sa.func.unnest(sa.literal(items, arrays.array(item)))
        return list(session.scalars(sa.select(sa.type_coerce(told, item))))


@given(some.lists(texts))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
def test_any_strings(store: Store, items: list[str]) -> None:
    assert read_back(store, items, sa.Text()) == items


@pytest.mark.parametrize(
    "text", ['"', "\\", '\\"', "a,b", "{}", "", " ", "NULL", "null", "\n", "\x1f", "冷氣"]
)
def test_strings_that_mean_something_to_an_array(store: Store, text: str) -> None:
    assert read_back(store, [text, "b"], sa.Text()) == [text, "b"]


def test_ids_and_numbers_with_gaps(store: Store) -> None:
    ids = [uuid7() for _ in range(3)]
    assert read_back(store, ids, sa.Uuid()) == ids
    numbers = [1, None, -(2**31), 2**31 - 1]
    assert read_back(store, numbers, sa.Integer()) == numbers
    assert read_back(store, [], sa.BigInteger()) == []


def test_rows_are_found_among_many_ids_and_among_none(store: Store) -> None:
    ids = {uuid7() for _ in range(3)}
    with store.transaction() as session:
        session.add_all(Record(id=each, kind="member", values={}, version=1) for each in ids)

    def found(wanted: set[UUID]) -> set[UUID]:
        with store.reading() as session:
            return set(session.scalars(sa.select(Record.id).where(among(Record.id, wanted))))

    assert found({*ids, uuid7()}) == ids
    assert found(set()) == set()
